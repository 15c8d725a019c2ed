#!/usr/bin/env python3
"""Many processes on one PostgreSQL repository: runs of different jobs, commands beside them, owners that died."""

import itertools
import signal
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import DEADLINE, wait_until  # noqa: E402

JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job id="{name}" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="load">
    <properties><property name="max-rate" value="#{{jobParameters['rate']}}?:0;"/></properties>
    <chunk item-count="10">
      <reader ref="rangeReader"><properties><property name="to" value="#{{jobParameters['to']}}"/></properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="table" value="{name}"/><property name="create" value="true"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""
COMMANDS = [("list",), ("show", "@latest"), ("list", "--status", "started"), ("doctor",), ("list", "-o", "json"),
            ("show", "west@latest", "-o", "json"), ("events", "--limit", "20")]


class SharedRepository(unittest.TestCase):
    def setUp(self):
        self.engine = Postgres()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder
        self.folder.fermata("db", "init", exit_code=0)
        for name in ("east", "west", "endless"):
            self.folder.write(f"{name}.xml", JOB.format(name=name))

    def spawn(self, name, to, *more):
        process = self.folder.spawn("run", f"{name}.xml", "-p", f"to={to}", *more)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until(f"{name} runs", lambda: process.poll() is not None or self.engine.own.numbers("value", name))
        return process

    def test_two_runs_and_many_commands_at_once(self):
        count = 5000
        runs = [self.spawn("east", count), self.spawn("west", count)]
        problems = []

        def look(commands):
            for command in commands:
                if all(run.poll() is not None for run in runs):
                    return
                done = self.folder.fermata(*command)
                if done.returncode != 0:
                    problems.append((command, done.returncode, done.stderr))

        lookers = [threading.Thread(target=look, args=(itertools.cycle(COMMANDS[start:] + COMMANDS[:start]),))
                   for start in range(3)]
        for looker in lookers:
            looker.start()
        for run in runs:
            _, err = run.communicate(timeout=2 * DEADLINE)
            self.assertEqual(0, run.returncode, err)
        for looker in lookers:
            looker.join()

        self.assertEqual([], problems)
        for name in ("east", "west"):
            self.assertEqual(list(range(1, count + 1)), self.engine.own.numbers("value", name))
        self.assertEqual(["COMPLETED", "COMPLETED"], [execution["status"] for execution in self.folder.list()])
        self.folder.fermata("db", "verify", exit_code=0)

    def test_commands_that_change_do_not_disturb_a_run(self):
        """Stop of one run, purge and new runs beside another."""
        steady = self.spawn("east", 5000)
        for _ in range(5):
            other = self.spawn("endless", 10**9)
            self.folder.fermata("stop", "endless@latest", "--wait", exit_code=0)
            self.assertEqual(10, other.wait(DEADLINE))
            self.folder.fermata("purge", "--job", "endless", "--status", "stopped", "--keep-last", 1, "--yes", exit_code=0)
        _, err = steady.communicate(timeout=2 * DEADLINE)
        self.assertEqual(0, steady.returncode, err)
        self.assertEqual(list(range(1, 5001)), self.engine.own.numbers("value", "east"))
        self.folder.fermata("db", "verify", exit_code=0)

    def test_a_dead_owner_is_seen_at_once(self):
        run = self.spawn("endless", 10**9)
        live = self.folder.fermata("recover", "endless@latest", "--dry-run", exit_code=8)
        self.assertIn("leave it alone", live.stdout)
        run.send_signal(signal.SIGSTOP)  # slow is not dead
        self.folder.fermata("recover", "endless@latest", exit_code=8)
        run.kill()
        run.communicate()
        self.assertIn("owner lost", self.folder.fermata("list", exit_code=0).stdout)
        self.folder.fermata("recover", "endless@latest", "--fail", exit_code=0)
        self.assertEqual("FAILED", self.folder.show("endless@latest")["status"])

    def test_what_a_dead_owner_left_is_taken_over(self):
        run = self.spawn("west", 3000, "-p", "rate=1000")
        run.kill()
        run.communicate()
        before = self.folder.show("west@latest")
        self.folder.fermata("recover", "west@latest", exit_code=0)
        after = self.folder.show("west@latest")
        self.assertEqual((before["id"], "COMPLETED"), (after["id"], after["status"]))
        self.assertEqual(list(range(1, 3001)), self.engine.own.numbers("value", "west"))


if __name__ == "__main__":
    unittest.main()
