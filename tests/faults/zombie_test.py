#!/usr/bin/env python3
"""F13: workers that are stopped (SIGSTOP) at each named point, also in the middle of a transaction, until their leases
have run out and others have done their work; then they wake up."""

import collections
import signal
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
import postgres  # noqa: E402
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD, RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402

ROWS = list(range(1, 41))
TAKEN_FOR_DEAD = 4

TO_FILE = HEAD + """
  <step id="load"><chunk item-count="10">
    """ + RANGE.replace("{", "{{").replace("}", "}}") + """
    <writer ref="csvWriter"><properties><property name="resource" value="{id}.csv"/></properties></writer>
  </chunk></step>
</job>
"""

PARTITIONED = HEAD + """
  <step id="load">
    <chunk item-count="5">
      <reader ref="rangeReader"><properties>
        <property name="from" value="#{{partitionPlan['from']}}"/><property name="to" value="#{{partitionPlan['to']}}"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{{jobParameters['sink']}}"/><property name="table" value="{id}"/>
      </properties></writer>
    </chunk>
    <partition><plan partitions="2" threads="2">
      <properties partition="0"><property name="from" value="1"/><property name="to" value="20"/></properties>
      <properties partition="1"><property name="from" value="21"/><property name="to" value="40"/></properties>
    </plan></partition>
  </step>
</job>
"""
# Each of them is an owned row beside the execution's, and has its own zombies. The other one always waits for the slot.
SHARED = PARTITIONED.replace("<partition>", '<partition fer:workers="any" fer:turn="1ms" xmlns:fer="urn:fermata:job:1">')


class Kind:
    """A job, and where its rows are."""

    def __init__(self, test, text, sink):
        self.test, self.text, self.sink = test, text, sink

    def job(self, name):
        if "{id}" in self.text:
            return self.text.format(id=name, more="")
        return into_item(name, RANGE, table=name)

    def rows(self, name):
        if self.sink:
            return self.sink.numbers("value", name)
        return [int(line) for line in (self.test.folder.path / f"{name}.csv").read_text().split()[1:]]

    def prepare(self, name):
        if self.sink:
            postgres.execute(self.sink.url, f"CREATE TABLE {name} (value bigint)")


class Zombies(Workers, unittest.TestCase):
    def setUp(self):
        # Each of the workers holds five connections.
        server = postgres.Cluster(arguments=["--fsync", "off", "-c", "max_connections=400"])
        self.addCleanup(server.close)
        self.ENGINE = lambda: Postgres(lambda: postgres.Database(server).url)
        super().setUp()
        self.kinds = {"own": Kind(self, "", self.engine.own), "other": Kind(self, "", self.engine.other),
                      "file": Kind(self, TO_FILE, None), "parts": Kind(self, PARTITIONED, self.engine.own),
                      "shared": Kind(self, SHARED, self.engine.own)}

    def begin(self, kind, name, environment):
        """A worker that serves one job only, and an execution of it."""
        jobs = self.folder.path / f"only-{name}"
        jobs.mkdir()
        for place in (jobs, self.folder.path / "jobs"):
            (place / f"{name}.xml").write_text(self.kinds[kind].job(name))
        self.kinds[kind].prepare(name)
        sink = self.kinds[kind].sink
        worker = self.spawn_worker("--slots", "1", name=name, jobs=jobs,
                                   environment=environment | self.of_host(self.folder, "north"))
        execution = self.start(name, "-p", f"sink={sink.url if sink else ''}", "-p", "to=40")
        return worker, execution

    def named_points(self):
        """The points a worker comes to, as (kind, point:arrival): the second arrival where there is one."""
        found = {}
        for kind in self.kinds:
            log = self.folder.path / f"{kind}.points"
            worker, execution = self.begin(kind, f"clean_{kind}", {"FERMATA_POINT_LOG": str(log)})
            self.wait(execution)
            worker.drain()
            worker.ended()
            for point, arrivals in collections.Counter(log.read_text().split()).items():
                of_its_own = kind == "shared" and point.startswith(("partition", "chunk"))
                found.setdefault((point, of_its_own), (kind, f"{point}:{min(2, arrivals)}"))
        return sorted(found.values())

    def test_at_each_named_point(self):
        points = self.named_points()
        zombies = {}
        for number, (kind, point) in enumerate(points):
            name = f"z{number}"
            zombies[name] = (kind, point, *self.begin(kind, name, {"FERMATA_POINT": point, "FERMATA_POINT_SIGNAL": "STOP"}))
        for kind, point, worker, _ in zombies.values():
            wait_until(f"it stops at {point} ({kind}): {worker.said()}", worker.is_stopped)
        self.on("south")
        beta = self.worker("--slots", str(len(zombies)), name="beta")
        executions = [execution for _, _, _, execution in zombies.values()]
        self.wait(*executions)
        for _, _, worker, _ in zombies.values():
            worker.process.send_signal(signal.SIGCONT)
        for name, (kind, point, worker, execution) in zombies.items():
            with self.subTest(point=point, kind=kind):
                self.assertEqual(TAKEN_FOR_DEAD, worker.ended(), worker.said())
                self.assertEqual(ROWS, sorted(self.kinds[kind].rows(name)))
                [step] = self.folder.show(execution)["steps"]
                self.assertEqual((40, 40), (step["read"], step["written"]))
        wait_until("the dead are forgotten", lambda: list(self.workers()) == ["beta"])
        self.assertIsNone(beta.process.poll(), beta.said())
        self.assertNotIn("lock timeout", beta.said())  # nobody waits for the locks of those that are stopped
        self.sound()
        print(f"{len(zombies)} points attempted, {len(zombies)} held: {' '.join(point for _, point in points)}")

    def test_killed_at_each_named_point_of_partitions_for_workers(self):
        """F1, F2: who owns the execution and a partition of it dies, and is seen to be dead at once."""
        points = [point for kind, point in self.named_points() if kind == "shared"]
        killed = {f"k{number}": (point, *self.begin("shared", f"k{number}", {"FERMATA_POINT": point}))
                  for number, point in enumerate(points)}
        for point, worker, _ in killed.values():
            self.assertEqual(-signal.SIGKILL, worker.ended(), f"{point}: {worker.said()}")
        beta = self.worker("--slots", str(len(points)), name="beta", environment=self.of_host(self.folder, "north"))
        self.wait(*(execution for _, _, execution in killed.values()))
        for name, (point, _, execution) in killed.items():
            with self.subTest(point=point):
                self.assertEqual(ROWS, sorted(self.kinds["shared"].rows(name)))
                [step] = self.folder.show(execution)["steps"]
                self.assertEqual((40, 40), (step["read"], step["written"]))
        self.assertIsNone(beta.process.poll(), beta.said())
        self.sound()
        print(f"{len(points)} points attempted, {len(points)} held: {' '.join(points)}")


if __name__ == "__main__":
    unittest.main()
