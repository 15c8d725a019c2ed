#!/usr/bin/env python3
"""PostgreSQL goes away while an import runs: the run waits, within its bound, and goes on, or fails restartably."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Sink  # noqa: E402
from fermata_process import DEADLINE, Folder, wait_until  # noqa: E402
from postgres import Cluster, execute, rows  # noqa: E402

JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job id="steady" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="load">
    <properties><property name="max-rate" value="500"/></properties>
    <chunk item-count="10">
      <reader ref="rangeReader"><properties><property name="to" value="#{jobParameters['to']}"/></properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{jobParameters['sink']}"/>
        <property name="table" value="item"/><property name="create" value="true"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""
ROWS = 1500  # three seconds at that rate
FAILED, UNREACHABLE = 1, 13


class Outage(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.folder.write("steady.xml", JOB)
        self.own = self.database("repository")
        self.folder.use_repository(self.own.url)

    def database(self, name):
        execute(self.cluster.url(), f"CREATE DATABASE {name}")
        return Sink(self.cluster.url(name))

    def running(self, sink):
        """The import, in the middle."""
        process = self.folder.spawn("run", "steady.xml", "-p", f"to={ROWS}", "-p", f"sink={sink.url}")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("some rows are there", lambda: process.poll() is not None or len(sink.numbers("value")) > 50)
        self.assertIsNone(process.poll(), "it ended before the outage")
        return process

    def ends_well(self, process, sink):
        """By itself or by a restart, with each row once."""
        _, err = process.communicate(timeout=2 * DEADLINE)
        self.assertIn(process.returncode, (0, FAILED), err)
        if process.returncode != 0:
            self.assertIn("connection was lost", err)
            self.folder.fermata("restart", "steady@latest", exit_code=0)
        self.assertEqual(list(range(1, ROWS + 1)), sink.numbers("value"))
        self.folder.fermata("db", "verify", exit_code=0)

    def restarted(self, how, sink):
        process = self.running(sink)
        self.cluster.stop(how)
        self.cluster.start()
        self.ends_well(process, sink)

    def test_a_fast_restart(self):
        self.restarted("fast", self.own)

    def test_an_immediate_restart(self):
        self.restarted("immediate", self.own)

    def test_an_immediate_restart_of_the_sink(self):
        self.folder.use_repository(self.folder.path / "repository.db")
        self.restarted("immediate", self.database("sink"))

    def test_killed_server_processes(self):
        process = self.running(self.own)
        self.cluster.kill_backends()
        self.ends_well(process, self.own)

    def test_ended_sessions(self):
        """pg_terminate_backend: what an administrator does; the server itself stays."""
        process = self.running(self.own)
        for _ in range(5):
            execute(self.cluster.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                        "WHERE datname = 'repository'")
        self.ends_well(process, self.own)

    def test_an_outage_longer_than_the_bound(self):
        process = self.running(self.own)
        self.cluster.stop("immediate")
        _, err = process.communicate(timeout=2 * DEADLINE)
        self.assertIn(process.returncode, (FAILED, UNREACHABLE), err)
        self.assertIn("repository", err)
        self.assertRegex(err, r"(?m)^fermata: execution 1: ")
        self.assertRegex(err, r"(?m)^  fermata restart 1 goes on where it was$")
        refused = self.folder.fermata("list", exit_code=UNREACHABLE)
        self.assertIn("connection", refused.stderr)
        self.cluster.start()
        self.assertEqual("steady", rows(self.own.url, "SELECT job_name FROM job_execution")[0][0])
        self.folder.fermata("restart", "steady@latest", exit_code=0)
        self.assertEqual(list(range(1, ROWS + 1)), self.own.numbers("value"))
        self.folder.fermata("db", "verify", exit_code=0)


if __name__ == "__main__":
    unittest.main()
