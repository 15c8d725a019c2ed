#!/usr/bin/env python3
"""Workers whose database server crashes and comes back, on a server of their own."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
import postgres  # noqa: E402
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402


class WorkersInAnOutage(Workers, unittest.TestCase):
    def setUp(self):
        self.server = postgres.Cluster(arguments=["--fsync", "off"])
        self.addCleanup(self.server.close)
        self.ENGINE = lambda: Postgres(lambda: postgres.Database(self.server).url)
        super().setUp()
        self.define(into_item("numbers", RANGE, item_count=5, max_rate=200))
        self.alpha = self.worker("--slots", "1")
        self.sink = self.engine.own
        self.execution = self.start("numbers", "-p", f"sink={self.sink.url}", "-p", "to=800")
        wait_until("a chunk", lambda: self.sink.numbers("value"))

    def expect_each_number_once(self):
        self.folder.fermata("wait", self.execution, exit_code=0)
        self.assertEqual(list(range(1, 801)), self.sink.numbers("value"))
        self.assertIsNone(self.alpha.process.poll(), "it serves on")
        self.sound()

    def claims(self):
        return self.events(self.execution).count("execution.claimed")

    def test_less_than_a_lease_costs_nothing(self):
        self.server.stop("immediate")
        self.server.start()
        self.expect_each_number_once()
        self.assertEqual(1, self.claims())

    def test_it_says_that_the_server_is_away(self):
        self.server.stop("immediate")
        wait_until("it says so", lambda: "what runs waits for the repository" in self.alpha.said())
        self.server.start()
        self.expect_each_number_once()


if __name__ == "__main__":
    unittest.main()
