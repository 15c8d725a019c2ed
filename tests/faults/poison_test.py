#!/usr/bin/env python3
"""F17: an item that ends every process that touches it, under workers that take over from each other. After the third
death without progress it is named and its step fails: no crash loop from worker to worker."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import use_program_with_faults, wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402

POISON = """<processor ref="poison"><properties>
        <property name="value" value="23"/><property name="how" value="#{jobParameters['how']}"/>
        <property name="log" value="#{jobParameters['log']}"/>
      </properties></processor>"""


class Poison(Workers):
    @classmethod
    def setUpClass(cls):
        use_program_with_faults()

    def begin(self, how):
        self.define(into_item("numbers", RANGE, POISON, item_count=10))
        self.touched = self.folder.write("touched", "")
        self.execution = self.start("numbers", "-p", f"sink={self.engine.own.url}", "-p", "to=50", "-p", f"how={how}",
                                    "-p", f"log={self.touched}")

    def service_manager(self, how):
        """Starts a worker again as soon as it has died, as `Restart=always` does, until the execution has ended."""
        # What never ends is ended by a limit of processor time, as LimitCPU= sets it.
        limit = ["prlimit", "--cpu=1", "--core=0"] if how == "loop" else ["prlimit", "--core=0"]
        deaths = 0
        while True:
            worker = self.spawn_worker("--slots", "1", name=f"w{deaths}", before=limit)
            wait_until("it dies, or the execution has ended",
                       lambda: worker.process.poll() is not None or self.status(self.execution) == "FAILED")  # noqa: B023
            if worker.process.poll() is None:
                worker.kill()
                return deaths
            deaths += 1

    def expect_the_item_to_be_named(self, how, deaths):
        self.begin(how)
        self.assertEqual(deaths, self.service_manager(how))
        self.assertEqual("x" * max(deaths, 1), self.touched.read_text())
        shown = self.folder.show(self.execution)
        self.assertEqual("FAILED", shown["status"])
        told = "again and again at the same item: value 23" if deaths else "poisoned"
        self.assertIn(told, shown["error"]["message"])
        self.assertEqual(list(range(1, 23 if deaths else 21)), self.engine.own.numbers("value"))
        self.sound()

    def test_that_throws(self):
        self.expect_the_item_to_be_named("throw", 0)

    def test_that_aborts(self):
        self.expect_the_item_to_be_named("abort", 3)

    def test_that_is_a_segmentation_fault(self):
        self.expect_the_item_to_be_named("segfault", 3)

    def test_that_leaves(self):
        self.expect_the_item_to_be_named("exit", 3)

    def test_that_never_ends(self):
        self.expect_the_item_to_be_named("loop", 3)


class PoisonOnSqlite(Poison, unittest.TestCase):
    ENGINE = Sqlite


class PoisonOnPostgres(Poison, unittest.TestCase):
    ENGINE = Postgres


if __name__ == "__main__":
    unittest.main()
