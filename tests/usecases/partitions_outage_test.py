#!/usr/bin/env python3
"""UC4.6: the database server goes away in the middle of a step whose partitions are on two hosts."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
import postgres  # noqa: E402
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from remote_partitions_test import ALL, sliced  # noqa: E402
from workers import Workers  # noqa: E402


class PartitionsInAnOutage(Workers, unittest.TestCase):
    def setUp(self):
        self.server = postgres.Cluster(arguments=["--fsync", "off"])
        self.addCleanup(self.server.close)
        self.ENGINE = lambda: Postgres(lambda: postgres.Database(self.server).url)
        super().setUp()
        self.define(sliced(), name="sliced")
        self.hosts = []
        for name in ("alpha", "beta"):
            self.on(f"host-of-{name}")
            self.hosts.append(self.worker("--slots", "2", name=name))
        self.execution = self.start("sliced", "-p", f"sink={self.engine.own.url}")
        for name in ("alpha", "beta"):
            wait_until(f"{name} is in the middle of one", lambda name=name: self.in_the_middle(name))

    def in_the_middle(self, worker):
        steps = self.folder.show(self.execution)["steps"]
        return steps and [each for each in steps[0]["partitions"]
                          if (each["status"], each["worker"]) == ("STARTED", worker) and each["commits"] > 0]

    def expect_everything_once(self):
        self.wait(self.execution)
        self.assertEqual(ALL, self.engine.own.numbers("value"))
        self.assertEqual([None, None], [host.process.poll() for host in self.hosts], "they serve on")
        self.assertEqual(1, self.events(self.execution).count("execution.claimed"))
        self.sound()

    def entries(self):
        return {int(epoch) - 1 for (epoch,) in self.engine.own.rows("SELECT epoch FROM step_progress WHERE partition > 0")}

    def test_less_than_a_lease_costs_nothing(self):
        self.server.stop("immediate")
        self.server.start()
        self.expect_everything_once()
        self.assertEqual({1}, self.entries(), "each was entered once")


if __name__ == "__main__":
    unittest.main()
