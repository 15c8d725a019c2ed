#!/usr/bin/env python3
"""Workers on several hosts that share a repository: death, and worse, sleep."""

import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402


class Hosts(Workers, unittest.TestCase):
    ENGINE = Postgres

    def import_on_alpha(self):
        self.define(into_item("numbers", RANGE, item_count=5, max_rate=200))
        self.on("north")
        alpha = self.worker("--slots", "1")
        execution = self.start("numbers", "-p", f"sink={self.engine.own.url}", "-p", "to=300")
        wait_until("a chunk", lambda: self.engine.own.numbers("value"))
        self.on("south")
        self.worker("--slots", "1", name="beta")
        self.assertEqual({"alpha": "serving", "beta": "serving"},
                         {name: worker["state"] for name, worker in self.workers().items()})
        return alpha, execution

    def expect_each_number_once(self, execution):
        self.wait(execution)
        self.assertEqual(list(range(1, 301)), self.engine.own.numbers("value"))
        [step] = self.folder.show(execution)["steps"]
        self.assertEqual((300, 300), (step["read"], step["written"]))
        self.assertEqual(1, len(self.folder.list()))
        self.sound()

    def test_a_host_that_died_is_replaced(self):
        alpha, execution = self.import_on_alpha()
        alpha.process.kill()
        self.folder.fermata("recover", execution, exit_code=8)  # nobody can know yet
        self.expect_each_number_once(execution)

    def test_a_host_that_wakes_up_too_late_has_lost_its_work(self):
        alpha, execution = self.import_on_alpha()
        alpha.process.send_signal(signal.SIGSTOP)
        self.expect_each_number_once(execution)
        alpha.process.send_signal(signal.SIGCONT)
        self.assertEqual(4, alpha.ended(), alpha.said())
        self.assertIn("taken for dead", alpha.said())
        self.expect_each_number_once(execution)
        wait_until("its row is gone", lambda: list(self.workers()) == ["beta"])


if __name__ == "__main__":
    unittest.main()
