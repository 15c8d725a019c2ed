#!/usr/bin/env python3
"""F23: a worker that can make no more threads. What runs goes on, what comes in waits or fails in words, leases live, and
when there is room again all comes to its end."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import DEADLINE, binary, wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402

PARTITION = """
    <partition{more}>
      <plan partitions="3" threads="3"/>
    </partition>
  </step>"""
SHARED = PARTITION.format(more=' xmlns:fer="urn:fermata:job:1" fer:workers="any"')
# After this step no more can be made.
LAST_THREAD = """<step id="first" next="load"><batchlet ref="command"><properties>
    <property name="command" value="touch no-threads"/>
  </properties></batchlet></step>
  """
JOBS = {"running": None, "plain": None, "parts": PARTITION.format(more=""), "shared": SHARED}


class FewThreads(Workers):
    def setUp(self):
        super().setUp()
        self.nothing_more = self.folder.path / "no-threads"
        self.alpha = self.worker("--slots", "6", environment={
            "LD_PRELOAD": str(Path(binary()).parent / "few_threads.so"), "FERMATA_NO_THREADS": str(self.nothing_more)})

    def begin(self, name, rows, rate, first=""):
        text = into_item(name, RANGE, max_rate=rate, item_count=5, table=name)
        text = text.replace('<step id="load">', first + '<step id="load">')
        if JOBS[name]:
            text = text.replace("</step>\n</job>", JOBS[name] + "\n</job>")
        self.define(text, name)
        return self.start(name, "-p", f"sink={self.engine.own.url}", "-p", f"to={rows}")

    def says_so(self):
        return "no more threads can be made here" in self.alpha.said()

    def end(self, execution):
        """By hand, where it has FAILED."""
        self.folder.fermata("wait", execution, timeout=3 * DEADLINE)
        self.assertIsNone(self.alpha.process.poll(), self.alpha.said())
        if self.status(execution) == "FAILED":
            self.fermata("restart", execution, "--detach")
            self.wait("@latest")

    def expect_rows(self, name, rows):
        times = 3 if JOBS[name] else 1
        self.assertEqual(sorted(times * list(range(1, rows + 1))), sorted(self.engine.own.numbers("value", name)), name)

    def test_what_runs_goes_on_and_what_comes_in_waits(self):
        running = self.begin("running", 600, 100)
        wait_until("a chunk", lambda: self.engine.own.numbers("value", "running"))
        self.nothing_more.write_text("")
        others = {name: self.begin(name, 20, 1000) for name in ("plain", "parts", "shared")}
        wait_until("it says so", lambda: self.says_so() or self.alpha.process.poll() is not None)
        self.nothing_more.unlink()
        self.wait(running)
        self.assertEqual(1, self.events(running).count("execution.claimed"))
        for execution in others.values():
            self.end(execution)
        for name, rows in ("running", 600), ("plain", 20), ("parts", 20), ("shared", 20):
            self.expect_rows(name, rows)
        self.sound()

    def partitions_without_threads(self, name):
        execution = self.begin(name, 20, 1000, first=LAST_THREAD)
        wait_until("there are none", self.nothing_more.exists)
        wait_until("it says so, or the step does",
                   lambda: self.says_so() or self.status(execution) in ("COMPLETED", "FAILED"))
        self.nothing_more.unlink()
        self.end(execution)
        self.expect_rows(name, 20)
        self.sound()
        self.assertNotIn("partition.orphaned", self.events(execution), "nobody died")

    def test_partitions(self):
        self.partitions_without_threads("parts")

    def test_partitions_for_workers(self):
        self.partitions_without_threads("shared")


class FewThreadsOnSqlite(FewThreads, unittest.TestCase):
    ENGINE = Sqlite


class FewThreadsOnPostgres(FewThreads, unittest.TestCase):
    ENGINE = Postgres


if __name__ == "__main__":
    unittest.main()
