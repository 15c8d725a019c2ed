#!/usr/bin/env python3
"""F23: the server has no connection left. New work is refused, leases live, and all goes on by itself."""

import subprocess
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
import postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from own_server import OnAServerOfItsOwn  # noqa: E402

UNREACHABLE = 13


class FewConnections(OnAServerOfItsOwn, unittest.TestCase):
    SETTINGS = ["fsync=off", "max_connections=14", "superuser_reserved_connections=0", "max_wal_senders=0"]

    def test_new_work_is_refused_and_leases_live(self):
        alpha = self.worker("--slots", "1")
        execution = self.begin_import("numbers", 1200, 100)
        wait_until("a chunk", lambda: self.engine.own.numbers("value", "numbers"))
        hogs = []
        self.addCleanup(lambda: [(hog.kill(), hog.wait()) for hog in hogs])
        wait_until("no connection is left", lambda: self.take_one(hogs))
        refused = self.fermata("start", "numbers", exit_code=UNREACHABLE)
        self.assertIn("too many clients", refused.stderr)
        for hog in hogs:
            hog.kill()
            hog.wait()
        wait_until("there are connections again", self.has_room)
        self.wait(execution)
        self.expect_each_row_once("numbers", 1200)
        self.assertEqual(1, self.events(execution).count("execution.claimed"))
        self.assertIsNone(alpha.process.poll(), alpha.said())
        self.sound()

    def take_one(self, hogs):
        """True if there was none to take."""
        hog = subprocess.Popen(["psql", "-X", "-q", "-t", "-d", self.server.url()], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        hogs.append(hog)
        try:
            hog.stdin.write("SELECT 1;\n")
            hog.stdin.flush()
        except BrokenPipeError:
            return True
        return hog.stdout.readline().strip() != "1"

    def has_room(self):
        try:
            return int(postgres.rows(self.server.url(), "SELECT count(*) FROM pg_stat_activity "
                                                        "WHERE datname IS NOT NULL")[0][0]) < 10
        except RuntimeError:
            return False


if __name__ == "__main__":
    unittest.main()
