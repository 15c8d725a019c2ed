#!/usr/bin/env python3
"""Workers and those who ask them while the broker that rings dies or hangs."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import DEADLINE, wait_until  # noqa: E402
from kafka import Broker, shared  # noqa: E402
from rung import Rung  # noqa: E402


class RungByAKafkaThatDies(Rung, unittest.TestCase):
    ENGINE = Postgres

    def test_a_broker_that_is_killed_and_comes_back(self):
        shared()  # skips where there is none
        broker = Broker()
        self.addCleanup(broker.close)
        self.begin(self.ring_at(broker))
        worker = self.worker()
        self.wait_until_heard()
        broker.kill()
        asked = self.fermata("start", "job", "-o", "name")
        self.assertEqual(1, asked.stderr.count("workers were not rung for"), asked.stderr)
        self.finish(asked.stdout.strip())
        wait_until("the trouble is told", lambda: "no broker of kafka://" in worker.said())
        broker.start()
        self.wait_until_heard()
        self.assertEqual(1, worker.said().count("no broker of"), worker.said())
        wait_until("a start is rung for without a word", self.is_rung_for)  # a busy broker may take over a second
        worker.drain()
        self.assertEqual(0, worker.ended())
        self.expect_each_ran_once()

    def is_rung_for(self):
        asked = self.fermata("start", "job", "-o", "name")
        self.finish(asked.stdout.strip())
        return asked.stderr == ""

    def test_a_broker_that_hangs(self):
        shared()
        broker = Broker()
        self.addCleanup(broker.close)
        self.begin(self.ring_at(broker))
        worker = self.worker()
        self.wait_until_heard()
        broker.freeze()
        asked = self.fermata("start", "job", "-o", "name")
        self.assertIn("workers were not rung for", asked.stderr)
        self.finish(asked.stdout.strip())
        worker.drain()
        self.assertEqual(0, worker.process.wait(timeout=DEADLINE), worker.said())
        broker.thaw()
        self.expect_each_ran_once()


if __name__ == "__main__":
    unittest.main()
