#!/usr/bin/env python3
"""F14: wall clocks that are wrong, stand still or run too fast, of workers and of those who ask them. Leases, epochs and
order do not depend on them."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402

CLOCKS = {"exact": None, "ahead": "+1h", "behind": "-1h", "old": "-10y", "frozen": "2026-01-01 00:00:00", "fast": "+0 x10"}


def with_clock(clock):
    """The environment of a process whose wall clock is a lie."""
    if clock is None:
        return {}
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise unittest.SkipTest("libfaketime is not installed: run scripts/setup")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


class WallClocks(Workers):
    """A worker for each clock; each runs one import, asked for with another clock, longer than a lease."""

    def begin(self, name, asked_by):
        only = self.folder.path / f"only-{name}"
        only.mkdir()
        for place in only, self.folder.path / "jobs":
            (place / f"{name}.xml").write_text(into_item(name, RANGE, max_rate=self.RATE, item_count=5, table=name))
        worker = self.spawn_worker("--slots", "1", name=name, jobs=only,
                                   environment=with_clock(CLOCKS[name]) | self.of_host(self.folder, name))
        execution = self.start(name, "-p", f"sink={self.engine.own.url}", "-p", f"to={self.ROWS}",
                               environment=with_clock(CLOCKS[asked_by]))
        return worker, execution

    def test_wall_clocks_decide_nothing(self):
        names = list(CLOCKS)
        runs = {name: self.begin(name, names[number - 1]) for number, name in enumerate(names)}
        for name in names:
            wait_until(f"{name} has written something", lambda: self.engine.own.numbers("value", name))  # noqa: B023
        self.on("behind")
        heir = self.worker("--slots", "8", name="heir", environment=with_clock(CLOCKS["fast"]))
        runs["behind"][0].kill()
        self.wait(*(execution for _, execution in runs.values()))
        for name, (worker, execution) in runs.items():
            with self.subTest(clock=CLOCKS[name]):
                self.assertEqual(list(range(1, self.ROWS + 1)), self.engine.own.numbers("value", name))
                self.assertEqual(2 if name == "behind" else 1, self.events(execution).count("execution.claimed"))
                self.assertEqual(name == "behind", worker.process.poll() is not None, worker.said())
        self.assertIsNone(heir.process.poll(), heir.said())
        self.sound()

    def test_commands_of_any_clock_are_in_order(self):
        """What was recorded first comes first, whatever the times say."""
        self.define(into_item("numbers", RANGE))
        execution = self.start("numbers", "-p", f"sink={self.engine.own.url}", "-p", "to=5",
                               environment=with_clock(CLOCKS["ahead"]))
        for name, verb in ("behind", "pause"), ("fast", "resume"), ("old", "stop"), ("ahead", "restart"):
            detached = ["--detach"] if verb in ("resume", "restart") else []
            self.fermata(verb, execution, *detached, environment=with_clock(CLOCKS[name]))
        self.worker(environment=with_clock(CLOCKS["frozen"]))
        self.wait("@latest")
        self.assertEqual(["COMPLETED", "STOPPED"], [each["status"] for each in self.folder.list()])
        self.sound()


class WallClocksOnSqlite(WallClocks, unittest.TestCase):
    ENGINE = Sqlite
    RATE, ROWS = 200, 200


class WallClocksOnPostgres(WallClocks, unittest.TestCase):
    ENGINE = Postgres
    RATE, ROWS = 20, 360


if __name__ == "__main__":
    unittest.main()
