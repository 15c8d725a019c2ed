#!/usr/bin/env python3
"""examples/partitions does what its page says: the manager of a job is killed, and every record is there once."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from workers import Workers  # noqa: E402

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "partitions"
RECORDS = 2_000


class Example(Workers):
    def test_the_manager_is_killed(self):
        lines = [f"MA-L,{number:06X},Owner {number},Street {number}\n" for number in range(RECORDS)]
        self.folder.write("oui.csv", "Registry,Assignment,Organization Name,Organization Address\n" + "".join(lines))
        workers = {name: self.worker("--slots", "4", name=name, jobs=EXAMPLE) for name in ("alpha", "beta", "gamma")}
        execution = self.folder.fermata("start", "vendors-apart", "--jobs", EXAMPLE, "-p", "max-rate=40",
                                        "-p", f"input={self.folder.path / 'oui.csv'}", "-o", "name",
                                        exit_code=0).stdout.strip()
        sink = self.engine.own
        wait_until("some are done", lambda: any(
            int(count) > 50 for (count,) in sink.rows_or_nothing("SELECT count(*) FROM vendors")))
        manager = self.folder.show(execution)["owner"]["name"]
        workers.pop(manager).kill()
        self.wait(execution)
        written = sorted(assignment for (assignment,) in sink.rows("SELECT assignment FROM vendors"))
        self.assertEqual([f"{number:06X}" for number in range(RECORDS)], written)
        told = self.events(execution)
        self.assertEqual((2, 1), (told.count("execution.claimed"), told.count("execution.orphaned")))
        self.assertEqual(1, len(self.folder.list()))
        self.sound()


class ExampleOnPostgres(Example, unittest.TestCase):
    ENGINE = Postgres


class ExampleOnSqlite(Example, unittest.TestCase):
    ENGINE = Sqlite


if __name__ == "__main__":
    unittest.main()
