#!/usr/bin/env python3
"""F15: the clock of the database is set while workers hold leases by it. At worst work changes hands without need."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
import postgres  # noqa: E402
from engines import Postgres  # noqa: E402
from fermata_process import use_program_with_faults, wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402


class DatabaseClock(Workers, unittest.TestCase):
    ENGINE = Postgres

    def setUp(self):
        use_program_with_faults()
        super().setUp()
        name = postgres.rows(self.engine.own.url, "SELECT current_database()")[0][0]
        self.sql("CREATE TABLE clock (step interval); INSERT INTO clock VALUES ('0')")
        self.sql("CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                 "'SELECT pg_catalog.clock_timestamp() + step FROM public.clock'")
        self.sql(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")

    def sql(self, text):
        return postgres.execute(self.engine.own.url, text)

    def set_clock(self, step):
        self.sql(f"UPDATE clock SET step = '{step}'")

    def chunks(self):
        return len(self.engine.own.numbers("value", "one")), len(self.engine.own.numbers("value", "two"))

    def test_it_is_set_while_workers_hold_leases(self):
        gated = """<processor ref="gated"><properties>
          <property name="prefix" value="#{jobParameters['gate']}"/></properties></processor>"""
        executions = []
        for name in "one", "two":
            self.define(into_item(name, RANGE, gated, item_count=1, table=name), name)
            executions.append(self.start(name, "-p", f"sink={self.engine.own.url}", "-p", "to=4", "-p",
                                         f"gate={self.folder.path}/gate."))
        workers = [self.spawn_worker("--slots", "1", name=host, environment=self.of_host(self.folder, host))
                   for host in ("north", "south", "west")]
        self.folder.write("gate.0", "")
        wait_until("a chunk of each", lambda: self.chunks() == (1, 1))
        self.set_clock("1 hour")
        self.folder.write("gate.1", "")
        wait_until("they go on", lambda: self.chunks() == (2, 2))
        self.set_clock("-1 hour")
        wait_until("leases are renewed by the new time", lambda: self.sql(
            "SELECT 1 FROM worker WHERE dead = 0 HAVING max(lease) < extract(epoch FROM clock_timestamp()) * 1e6 + 15e6"))
        self.folder.write("gate.2", "")
        wait_until("they go on", lambda: self.chunks() == (3, 3))
        living = [worker for worker in workers if worker.process.poll() is None]
        self.assertTrue(living, "whoever has renewed first stays")
        for worker in living:
            worker.kill()
        self.worker("--slots", "2", name="last", environment=self.of_host(self.folder, "east"))
        self.folder.write("gate.3", "")
        self.wait(*executions)
        for table in "one", "two":
            self.assertEqual([1, 2, 3, 4], self.engine.own.numbers("value", table))
        self.sound()


if __name__ == "__main__":
    unittest.main()
