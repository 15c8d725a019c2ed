#!/usr/bin/env python3
"""A hundred partitions for four workers that are as busy as they can be: each is claimed once, and no
heartbeat comes late."""

import collections
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
import postgres  # noqa: E402
from engines import Postgres  # noqa: E402
from jobs import HEAD  # noqa: E402
from workers import Workers  # noqa: E402

PARTITIONS = 100
ROWS = 4000  # of each
LATE = 3  # seconds of the lease that are left when a worker must no longer trust it
JOB = HEAD.format(id="numbers", more=' xmlns:fer="urn:fermata:job:1"') + f"""
  <step id="load">
    <chunk item-count="4">
      <reader ref="rangeReader"><properties>
        <property name="from" value="#{{partitionPlan['value']}}0001"/>
        <property name="to" value="#{{partitionPlan['value']}}{ROWS}"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{{jobParameters['sink']}}"/><property name="table" value="item"/>
      </properties></writer>
    </chunk>
    <partition fer:workers="any">
      <mapper ref="listMapper"><properties>
        <property name="values" value="{','.join(str(value) for value in range(1, PARTITIONS + 1))}"/>
      </properties></mapper>
    </partition>
  </step>
</job>
"""
# What was left of each lease as it was renewed.
WATCH = """
CREATE TABLE renewal (worker bigint, left_over double precision);
CREATE FUNCTION watch_renewals() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  INSERT INTO renewal VALUES (NEW.id, OLD.lease / 1e6 - extract(epoch FROM clock_timestamp())); RETURN NULL; END$$;
CREATE TRIGGER watch_renewals AFTER UPDATE OF lease ON worker FOR EACH ROW WHEN (OLD.lease IS NOT NULL)
  EXECUTE FUNCTION watch_renewals();
CREATE TABLE item (value bigint);
"""


class Load(Workers, unittest.TestCase):
    ENGINE = Postgres

    def ask(self, sql):
        return self.engine.own.rows(sql)

    def test_a_hundred_partitions_and_four_busy_workers(self):
        postgres.execute(self.engine.own.url, WATCH)
        self.define(JOB, "numbers")
        names = ["alpha", "beta", "gamma", "delta"]
        for name in names:
            self.on(f"host-of-{name}")
            self.worker("--slots", "4", name=name)
        execution = self.start("numbers", "-p", f"sink={self.engine.own.url}")
        self.wait(execution)
        rows = PARTITIONS * ROWS
        self.assertEqual([(str(rows), str(rows))], self.ask("SELECT count(*), count(DISTINCT value) FROM item"))
        [step] = self.folder.show(execution)["steps"]
        self.assertEqual((rows, rows), (step["read"], step["written"]))
        ran = collections.Counter(each["worker"] for each in step["partitions"])
        self.assertEqual((set(names), PARTITIONS), (set(ran), sum(ran.values())))
        epochs = self.ask("SELECT DISTINCT epoch FROM step_progress WHERE partition > 0")
        self.assertEqual([("2",)], epochs, "entered once each")
        self.assertFalse({"execution.orphaned", "partition.orphaned"} & set(self.events(execution)))
        [(renewals, renewed, least)] = self.ask("SELECT count(*), count(DISTINCT worker), min(left_over) FROM renewal")
        self.assertEqual(len(names), int(renewed))
        self.assertGreater(float(least), LATE)
        self.sound()
        print(f"{PARTITIONS} partitions attempted, {PARTITIONS} held, by {dict(ran)}; {renewals} heartbeats, "
              f"the latest with {float(least):.1f} s left of 15")


if __name__ == "__main__":
    unittest.main()
