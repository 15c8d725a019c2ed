#!/usr/bin/env python3
"""F3: kill -9 at every named point of start, restart, recover, abandon and pause, and at the system calls of purge. The
command was recorded or it was not; given again it does what is left to do, and nothing was done twice."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/harness"))
from fermata_process import DEADLINE, Folder, rows_or_nothing, wait_until  # noqa: E402

KILLED = -9
ITEMS = 12

# Fails as long as there is no file "mended".
JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job id="import" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee">
  <step id="load" next="check">
    <properties><property name="max-rate" value="#{jobParameters['rate']}?:0;"/></properties>
    <chunk item-count="3">
      <reader ref="rangeReader"><properties>
        <property name="from" value="1"/><property name="to" value="#{jobParameters['to']}?:12;"/>
      </properties></reader>
      <writer ref="csvWriter"><properties><property name="resource" value="out.csv"/></properties></writer>
    </chunk>
  </step>
  <step id="check"><batchlet ref="command"><properties>
    <property name="command" value="test -e mended"/>
  </properties></batchlet></step>
</job>
"""


class KilledCommands(unittest.TestCase):
    def begin(self, *lead_up):
        folder = Folder()
        self.addCleanup(folder.remove)
        folder.write("job.xml", JOB)
        for step in lead_up:
            step(folder)
        return folder

    def arrivals(self, lead_up, verb):
        """The points the command comes to, as name:arrival."""
        folder = self.begin(*lead_up)
        log = folder.path / "points"
        folder.fermata(*verb, environment={"FERMATA_POINT_LOG": str(log)})
        points = log.read_text().split()
        self.end(folder)
        return [f"{name}:{points[:i + 1].count(name)}" for i, name in enumerate(points)]

    @staticmethod
    def end(folder):
        """What still runs there."""
        if folder.list()[0]["status"] in ("STARTED", "PAUSING", "PAUSED"):
            folder.fermata("stop", "@latest", "--wait")

    def at_each_point(self, lead_up, verb, expect):
        """`expect(folder)` after the command was killed there, and given again."""
        points = self.arrivals(lead_up, verb)
        self.assertTrue(points, verb)
        held = 0
        for point in points:
            with self.subTest(verb=verb[0], point=point):
                folder = self.begin(*lead_up)
                killed = folder.fermata(*verb, environment={"FERMATA_POINT": point})
                self.assertEqual(KILLED, killed.returncode, killed.stderr)
                folder.fermata(*verb)  # refused, or said to be so already, if it was recorded
                expect(folder)
                self.end(folder)
                folder.fermata("db", "verify", exit_code=0)
                wait_until("nothing is left behind", lambda: not folder.left_behind())  # noqa: B023
                held += 1
        print(f"{verb[0]}: {len(points)} points attempted, {held} held: {' '.join(points)}")

    def finish(self, folder, executions):
        """As an operator would, looking each time."""
        folder.write("mended", "")
        for _ in range(10):
            newest = folder.list()[0]
            if newest["status"] == "COMPLETED":
                break
            verb = "recover" if newest["owner_lost"] else "restart" if newest["status"] == "FAILED" else "resume"
            folder.fermata(verb, "@latest")
        self.assertEqual("COMPLETED", folder.list()[0]["status"])
        self.assertEqual(executions, len(folder.list()))
        lines = (folder.path / "out.csv").read_text().splitlines()[1:]
        self.assertEqual([str(n) for n in range(1, ITEMS + 1)], lines)

    @staticmethod
    def failed(folder):
        folder.fermata("run", "job.xml", exit_code=1)

    def lost(self, folder):
        killed = folder.fermata("run", "job.xml", environment={"FERMATA_POINT": "chunk.after-commit:2"})
        self.assertEqual(KILLED, killed.returncode, killed.stderr)

    @staticmethod
    def mended(folder):
        folder.write("mended", "")

    def running(self, folder):
        """For ever, in this process' hands."""
        run = folder.spawn("run", "job.xml", "-p", "rate=1000", "-p", "to=1000000000")
        self.addCleanup(lambda: (run.kill(), run.communicate(timeout=DEADLINE)))
        wait_until("a commit", lambda: rows_or_nothing(folder.repository,
                                                       "SELECT 1 FROM step_progress WHERE commits > 0"))

    def test_start(self):
        """Asked for once, however often it is said."""
        self.at_each_point([], ("start", "job.xml", "--instance", "today"), lambda folder: self.finish(folder, 1))

    def test_restart(self):
        self.at_each_point([self.failed, self.mended], ("restart", "1"), lambda folder: self.finish(folder, 2))

    def test_recover(self):
        self.at_each_point([self.mended, self.lost], ("recover", "1"), lambda folder: self.finish(folder, 1))

    def test_recover_as_failed(self):
        self.at_each_point([self.lost], ("recover", "1", "--fail"), lambda folder: self.finish(folder, 2))

    def test_abandon(self):
        def expect(folder):
            self.assertEqual("ABANDONED", folder.show("1")["status"])
            said = folder.fermata("events", "1", exit_code=0).stdout
            self.assertEqual(1, said.count("execution.abandoned"), said)

        self.at_each_point([self.failed], ("abandon", "1"), expect)

    def test_pause(self):
        def expect(folder):
            wait_until("it is PAUSED", lambda: folder.show("1")["status"] == "PAUSED")
            said = folder.fermata("events", "1", exit_code=0).stdout
            self.assertEqual(1, said.count("pause.opened"), said)

        self.at_each_point([self.running], ("pause", "1"), expect)

    PURGE = ("purge", "--keep-last", "1", "--yes")
    CHANGING = ("pwrite64", "fdatasync", "unlink", "unlinkat", "rmdir")  # system calls

    def purgeable(self):
        folder = self.begin()
        for _ in range(3):
            folder.fermata("exec", "--", "true", exit_code=0)
        return folder

    def calls_of_purge(self):
        """As call:arrival."""
        folder = self.purgeable()
        trace = folder.path / "trace"
        folder.fermata(*self.PURGE, before=["strace", "-f", "-qq", "-e", f"trace={','.join(self.CHANGING)}", "-o", trace],
                       exit_code=0)
        seen = [line.split()[1].split("(")[0] for line in trace.read_text().splitlines()]
        return [f"{call}:{seen[:i + 1].count(call)}" for i, call in enumerate(seen) if call in self.CHANGING]

    def test_purge(self):
        points, held = self.calls_of_purge(), 0
        for point in points:
            with self.subTest(point=point):
                folder = self.purgeable()
                call, arrival = point.split(":")
                killed = folder.fermata(*self.PURGE, before=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                                             "-e", f"inject={call}:signal=KILL:when={arrival}"])
                self.assertEqual(KILLED, killed.returncode, killed.stderr)
                self.assertIn(len(folder.list()), (1, 3), "all of them or none")
                folder.fermata("db", "verify", exit_code=0)
                folder.fermata(*self.PURGE, exit_code=0)
                self.assertEqual([3], [each["id"] for each in folder.list()])
                folder.fermata("db", "verify", exit_code=0)
                logs = sorted(log.name for log in (folder.path / "repository.db.d/logs").iterdir())
                self.assertEqual(["3"], logs)
                self.assertEqual([], folder.left_behind())
                held += 1
        print(f"purge: {len(points)} points attempted, {held} held")


if __name__ == "__main__":
    unittest.main()
