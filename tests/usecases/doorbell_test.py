#!/usr/bin/env python3
"""Workers that are rung for through Kafka: a hint, which may come, come ten times, late, or be forged."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from kafka import shared  # noqa: E402
from rung import Rung  # noqa: E402


class RungByKafka(Rung, unittest.TestCase):
    ENGINE = Postgres

    def setUp(self):
        shared()  # skips where there is none

    def test_what_is_asked_for_is_heard(self):
        self.begin(self.ring_at(shared(), partitions=1))
        worker = self.worker()
        self.wait_until_heard()
        not_rung = []  # on a machine that is busy a command may give up: a ring is a hint

        def ask(*arguments, of=None):
            asked = self.fermata(*arguments)
            one = of or asked.stdout.strip()
            not_rung.extend([one] if "workers were not rung for" in asked.stderr else [])
            return one
        paused = ask("start", "approved", "-o", "name")
        self.folder.fermata("wait", paused, "--for", "paused", exit_code=0)
        ask("signal", paused, "--point", "approve", of=paused)
        wait_until("it goes on", lambda: self.status(paused) == "COMPLETED")
        resumed = ask("start", "approved", "-o", "name")
        self.folder.fermata("wait", resumed, "--for", "paused", exit_code=0)
        ask("resume", resumed, "--detach", of=resumed)
        self.finish(resumed)
        self.folder.write("broken", "")
        failed = ask("start", "job", "-o", "name")
        self.folder.fermata("wait", failed, exit_code=1)
        (self.folder.path / "broken").unlink()
        again = ask("restart", failed, "--detach", "-o", "name")
        self.finish(again)
        rung = self.rung()
        for one, most in ((paused, 2), (resumed, 2), (failed, 1), (again, 1)):
            self.assertIn(rung.count(one), range(most - not_rung.count(one), most + 1))
        wait_until("all of it is answered", lambda: self.heard() == len(rung))
        self.assertNotIn("kafka", worker.said())
        self.expect_each_ran_once()

    def test_ten_times_shuffled_forged_and_ancient(self):
        self.begin(self.ring_at(shared()))
        workers = [self.worker("--slots", "2", name=name) for name in ("alpha", "beta")]
        self.wait_until_heard()
        paused = self.start("approved")
        self.folder.fermata("wait", paused, "--for", "paused", exit_code=0)
        chance = random.Random(6)
        ancient = [one["id"] for one in self.folder.list(1000)]
        nonsense = ["", "-1", "0", "9" * 18, "9" * 30, "4711", "id", "1; DROP TABLE job_execution", "\u2603", " 1"]
        started = []
        for _ in range(6):
            started.append(self.start("job"))
            messages = 10 * [*started, paused, *ancient, *nonsense]
            chance.shuffle(messages)
            self.topic.send((chance.randrange(3), message) for message in messages)
        self.finish(*started)
        everything = len(self.rung())
        # Those of a partition that nobody had yet when they came are passed over, and committed with the next.
        wait_until("the last ones are answered",
                   lambda: (self.finish(self.start("job")), self.heard() >= everything)[1])
        self.assertEqual("PAUSED", self.status(paused))
        for worker in workers:
            self.assertIsNone(worker.process.poll(), worker.said())
            self.assertNotIn("cannot go on", worker.said())
        self.expect_each_ran_once()


if __name__ == "__main__":
    unittest.main()
