#!/usr/bin/env python3
"""UC4.6: the database server goes away in the middle of a step whose partitions are on two hosts."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
import postgres  # noqa: E402
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD  # noqa: E402
from remote_partitions_test import ALL, sliced  # noqa: E402
from workers import Workers  # noqa: E402


def held(name):
    """Its command ends with the lease of the worker that runs it, and does not hang again."""
    return HEAD.format(id=name, more="") + f"""
  <step id="one"><batchlet ref="command"><properties>
    <property name="shell" value="true"/>
    <property name="command" value="test -e {name} || {{ echo $$ &gt; {name}; exec tail -f /dev/null; }}"/>
  </properties></batchlet></step>
</job>
"""


class PartitionsInAnOutage(Workers, unittest.TestCase):
    def setUp(self):
        self.server = postgres.Cluster(arguments=["--fsync", "off"])
        self.addCleanup(self.server.close)
        self.ENGINE = lambda: Postgres(lambda: postgres.Database(self.server).url)
        super().setUp()
        self.define(sliced(), name="sliced")
        self.hosts = []
        for name in ("alpha", "beta"):
            self.on(f"host-of-{name}")
            jobs = self.jobs_of(name, sliced=sliced(), **{f"held-{name}": held(f"held-{name}")})
            self.hosts.append(self.worker("--slots", "3", name=name, jobs=jobs))

    def jobs_of(self, worker, **definitions):
        """A folder of its own: what is in it runs nowhere else."""
        folder = self.folder.path / f"jobs-of-{worker}"
        folder.mkdir()
        for name, text in definitions.items():
            (folder / f"{name}.xml").write_text(text)
        return folder

    def begin(self):
        self.execution = self.start("sliced", "-p", f"sink={self.engine.own.url}")
        for name in ("alpha", "beta"):
            wait_until(f"{name} is in the middle of one", lambda name=name: self.in_the_middle(name))

    def in_the_middle(self, worker):
        steps = self.folder.show(self.execution)["steps"]
        return steps and [each for each in steps[0]["partitions"]
                          if (each["status"], each["worker"]) == ("STARTED", worker) and each["commits"] > 0]

    def hold(self, name):
        """Answers the execution, and its process in /proc."""
        self.define(held(f"held-{name}"), name=f"held-{name}")
        execution = self.start(f"held-{name}")
        pid = self.folder.path / f"held-{name}"
        wait_until("its command runs", lambda: pid.exists() and pid.read_text().strip())
        return execution, Path("/proc") / pid.read_text().strip()

    def expect_everything_once(self):
        self.wait(self.execution)
        self.assertEqual(ALL, self.engine.own.numbers("value"))
        self.assertEqual([None, None], [host.process.poll() for host in self.hosts], "they serve on")
        self.sound()

    def entries(self):
        return {int(epoch) - 1 for (epoch,) in self.engine.own.rows("SELECT epoch FROM step_progress WHERE partition > 0")}

    def test_less_than_a_lease_costs_nothing(self):
        self.begin()
        self.server.stop("immediate")
        self.server.start()
        self.expect_everything_once()
        self.assertEqual(1, self.events(self.execution).count("execution.claimed"))
        self.assertEqual({1}, self.entries(), "each was entered once")

    def test_longer_than_a_lease_costs_no_item(self):
        """Both hosts drop what they run, since they can no longer be sure to own it, and go on when they can."""
        witnesses = [self.hold(name) for name in ("alpha", "beta")]
        self.begin()
        self.server.stop("immediate")
        for _, process in witnesses:
            wait_until("its lease is not trusted any more", lambda process=process: not process.exists())
        self.server.start()
        self.expect_everything_once()
        self.wait(*(execution for execution, _ in witnesses))


if __name__ == "__main__":
    unittest.main()
