#!/usr/bin/env python3
"""F10: the database server is restarted, crashes, loses its processes, is away for longer than a lease. Work goes on when
that is over, by itself, and each row is there once."""

import sys
import threading
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
import postgres  # noqa: E402
from fermata_process import DEADLINE, wait_until  # noqa: E402
from jobs import HEAD, RANGE, into_item  # noqa: E402
from own_server import OnAServerOfItsOwn  # noqa: E402

COMMAND = HEAD.format(id="command", more="") + """
  <step id="one"><batchlet ref="command"><properties>
    <property name="shell" value="true"/>
    <property name="command" value="test -e pid || { echo $$ > pid; exec tail -f /dev/null; }"/>
  </properties></batchlet></step>
</job>
"""
UNREACHABLE = 13


class Outages(OnAServerOfItsOwn, unittest.TestCase):
    def submit(self, asked, over):
        """One execution after the other, each again until the server has heard of it."""
        for number in range(30):
            if over.is_set():
                return
            arguments = ["start", "numbers", "--instance", str(number), "-p", f"sink={self.engine.own.url}", "-p", "to=40",
                         "--jobs", self.folder.path / "jobs", "-o", "name"]
            while (started := self.folder.fermata(*arguments, timeout=3 * DEADLINE)).returncode != 0:
                self.assertEqual(UNREACHABLE, started.returncode, started.stderr)
            asked.add(started.stdout.strip())

    def test_restarts_and_crashes_while_work_comes_in(self):
        self.define(into_item("numbers", RANGE, max_rate=100, item_count=5, table="numbers"), "numbers")
        workers = [self.worker("--slots", "3", name=name) for name in ("alpha", "beta")]
        asked, over = set(), threading.Event()
        submitter = threading.Thread(target=self.submit, args=(asked, over))
        submitter.start()
        self.addCleanup(lambda: (over.set(), submitter.join()))
        for disturb in (lambda: self.restart("fast"), self.server.kill_backends, lambda: self.restart("immediate"),
                        self.server.kill_backends):
            before = len(asked)
            wait_until("some more were asked for", lambda: len(asked) >= before + 3)  # noqa: B023
            disturb()
            wait_until("the server is back", self.answers)
        submitter.join()
        self.assertEqual(30, len(asked))
        # Those that lost their session in the middle of a chunk may have FAILED, restartably.
        self.folder.fermata("wait", *asked, timeout=3 * DEADLINE)
        failed = [each["id"] for each in self.folder.list(limit=100) if each["status"] == "FAILED"]
        for execution in failed:
            self.fermata("restart", execution, "--detach")
        if failed:
            self.wait(*(each["id"] for each in self.folder.list(limit=len(failed))))
        rows = self.engine.own.rows("SELECT value, count(*) FROM numbers GROUP BY value ORDER BY CAST(value AS int)")
        self.assertEqual([(str(value), "30") for value in range(1, 41)], rows)
        self.assertEqual([None, None], [worker.process.poll() for worker in workers])
        self.sound()
        print(f"4 disturbances, {len(asked)} executions, {len(failed)} restarted, each row once")

    def restart(self, how):
        self.server.stop(how)
        self.server.start()

    def answers(self):
        try:
            return postgres.rows(self.server.url(), "SELECT 1")
        except RuntimeError:
            return False

    def test_longer_than_a_lease(self):
        """The worker fences itself: its command ends. When the server is back the work goes on, by whoever renews."""
        self.define(COMMAND, "command")
        alpha = self.worker("--slots", "2")
        command = self.start("command")
        numbers = self.begin_import("numbers", 400, 100)
        wait_until("the command runs", lambda: (self.folder.path / "pid").exists() and
                   (self.folder.path / "pid").read_text().strip())
        wait_until("a chunk", lambda: self.engine.own.numbers("value", "numbers"))
        child = Path("/proc") / (self.folder.path / "pid").read_text().strip()
        self.server.stop("immediate")
        wait_until("the command has ended", lambda: not child.exists())
        self.server.start()
        self.folder.fermata("wait", command, numbers, timeout=3 * DEADLINE)
        self.assertIsNone(alpha.process.poll(), alpha.said())
        if self.status(numbers) == "FAILED":
            self.fermata("restart", numbers, "--detach")
            self.wait("@latest")
        self.expect_each_row_once("numbers", 400)
        self.sound()


if __name__ == "__main__":
    unittest.main()
