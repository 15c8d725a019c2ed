#!/usr/bin/env python3
"""F8: each sync of the disk takes seconds. Work is slow then, but nobody is taken for dead because of it, and each row is
there once."""

import signal
import subprocess
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from own_server import OnAServerOfItsOwn  # noqa: E402
from workers import Workers  # noqa: E402

ROWS = 15
CALLS = "fsync,fdatasync"


def slowed(seconds):
    """Arguments of strace."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e",
            f"inject={CALLS}:delay_exit={seconds * 1_000_000}"]


class SlowDisk(Workers):
    """The test, on the engine of the class."""

    def test_nobody_is_taken_for_dead(self):
        """Each of two workers looks for dead ones twice a second, while one of them works."""
        options = self.slow_down()
        self.define(into_item("numbers", RANGE, item_count=5, table="numbers"), "numbers")
        workers = [self.spawn_worker("--slots", "1", name=name, **options) for name in ("alpha", "beta")]
        for worker in workers:
            wait_until(f"it serves: {worker.said()}", lambda worker=worker: worker.name in self.workers())
        execution = self.start("numbers", "-p", f"sink={self.engine.own.url}", "-p", f"to={ROWS}")
        self.wait(execution)
        self.assertEqual(list(range(1, ROWS + 1)), self.engine.own.numbers("value", "numbers"))
        self.assertEqual(["execution.submitted", "execution.claimed"], self.events(execution)[:2])
        self.assertNotIn("execution.orphaned", self.events(execution))
        self.assertNotIn("execution.released", self.events(execution))
        self.assertEqual([None, None], [worker.process.poll() for worker in workers])
        self.assertEqual({"serving"}, {each["state"] for each in self.workers().values()})
        self.sound()


class SlowDiskOnSqlite(SlowDisk, unittest.TestCase):
    """Of the workers."""

    ENGINE = Sqlite

    def slow_down(self):
        return {"before": [*slowed(2), "-D"]}


class SlowDiskOnPostgres(SlowDisk, OnAServerOfItsOwn, unittest.TestCase):
    """Of the server."""

    SETTINGS = ["fsync=on"]

    def slow_down(self):
        postmaster = (Path(self.server.folder) / "data" / "postmaster.pid").read_text().split()[0]
        tracer = subprocess.Popen([*slowed(3), "-p", postmaster], stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (tracer.send_signal(signal.SIGTERM), tracer.communicate()))
        status = Path("/proc") / postmaster / "status"
        wait_until("it is traced", lambda: tracer.poll() is not None or f"TracerPid:\t{tracer.pid}" in status.read_text())
        self.assertIsNone(tracer.poll(), tracer.returncode and tracer.stderr.read())
        return {}


if __name__ == "__main__":
    unittest.main()
