#!/usr/bin/env python3
"""F23: a worker that may open no more files. What runs goes on, what comes in waits until there is room again."""

import resource
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from fermata_process import DEADLINE, wait_until  # noqa: E402
from own_server import OnAServerOfItsOwn  # noqa: E402


class FewFiles(OnAServerOfItsOwn, unittest.TestCase):
    def test_a_worker_that_may_open_no_more(self):
        alpha = self.worker("--slots", "3")
        running = self.begin_import("numbers", 1000, 100)
        wait_until("a chunk", lambda: self.engine.own.numbers("value", "numbers"))
        limit = resource.prlimit(alpha.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(alpha.process.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
        more = [self.begin_import(name, 20, 1000) for name in ("more", "still_more")]
        wait_until("it says so", lambda: "Too many open files" in alpha.said() or alpha.process.poll() is not None)
        resource.prlimit(alpha.process.pid, resource.RLIMIT_NOFILE, limit)
        self.folder.fermata("wait", running, *more, timeout=3 * DEADLINE)
        self.assertIsNone(alpha.process.poll(), alpha.said())
        for execution in running, *more:
            if self.status(execution) == "FAILED":
                self.fermata("restart", execution, "--detach")
                self.wait("@latest")
        for name, rows in ("numbers", 1000), ("more", 20), ("still_more", 20):
            self.expect_each_row_once(name, rows)
        self.sound()


if __name__ == "__main__":
    unittest.main()
