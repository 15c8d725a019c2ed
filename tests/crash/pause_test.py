#!/usr/bin/env python3
"""kill -9 at every named point of pausing, signalling, resuming and stopping: nothing that was recorded is lost, nothing
is applied twice, and the execution can always be brought to its end."""

import json
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/harness"))
from fermata_process import DEADLINE, Folder, rows_or_nothing, wait_until  # noqa: E402

JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job id="wait" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee" xmlns:fer="urn:fermata:job:1">
  <step id="count" next="ask">
    <chunk item-count="2">
      <reader ref="rangeReader"><properties><property name="from" value="1"/><property name="to" value="5"/></properties></reader>
      <writer ref="discardWriter"/>
    </chunk>
    <fer:pause on="*" point="first" notify="sh -c 'echo $FERMATA_PAUSE_KEY >> told'"/>
  </step>
  <step id="ask" next="end">
    <batchlet ref="command"><properties>
      <property name="command" value="sh -c 'cat $FERMATA_SIGNALS > got; test -e asked || { touch asked; exit 75; }'"/>
      <property name="pause-exit-codes" value="75=second"/>
    </properties></batchlet>
  </step>
  <step id="end"><batchlet ref="command"><properties><property name="command" value="true"/></properties></batchlet></step>
</job>
"""
KILLED = -9


# One step to be cut short: it would take for ever.
CUT = """<?xml version="1.0" encoding="UTF-8"?>
<job id="cut" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee">
  <step id="import" next="end">
    <properties><property name="max-rate" value="1000"/></properties>
    <chunk item-count="5">
      <reader ref="rangeReader"><properties><property name="from" value="1"/><property name="to" value="1000000000"/></properties></reader>
      <writer ref="csvWriter"><properties><property name="resource" value="out.csv"/></properties></writer>
    </chunk>
  </step>
  <step id="end"><batchlet ref="command"><properties><property name="command" value="true"/></properties></batchlet></step>
</job>
"""


class KillPoints(unittest.TestCase):
    def begin(self, job=JOB):
        folder = Folder()
        self.addCleanup(folder.remove)
        folder.write("job.xml", job)
        return folder

    def finish(self, folder):
        """What an operator does, looking each time; the pauses are answered by signals whose keys count once."""
        for _ in range(20):
            listed = folder.fermata("list", "-o", "json")
            found = json.loads(listed.stdout) if listed.returncode == 0 else []
            if not found:
                folder.fermata("run", "job.xml")
                continue
            self.assertEqual(1, len(found))
            status = found[0]["status"]
            if status in ("COMPLETED", "STOPPED"):
                return status
            if found[0]["owner_lost"]:
                folder.fermata("recover", "1")
                continue
            for wait in found[0]["waiting_for"]:
                if wait["kind"] == "signal":
                    folder.fermata("signal", "1", "--point", wait["name"], "--key", "k", "--data", f'"{wait["name"]}"')
            folder.fermata("resume", "1")
        self.fail(f"it never ends: {folder.show()}")

    def kill_at_each_point(self, lead_up, verb):
        folder = self.begin()
        for step in lead_up:
            folder.fermata(*step)
        log = folder.path / "points"
        folder.fermata(*verb, environment={"FERMATA_POINT_LOG": str(log)})
        self.finish(folder)
        points = log.read_text().split()
        arrivals = [f"{name}:{points[:i + 1].count(name)}" for i, name in enumerate(points)]
        self.assertTrue(arrivals)
        for point in arrivals:
            with self.subTest(point=point, verb=verb[0]):
                folder = self.begin()
                for step in lead_up:
                    folder.fermata(*step)
                killed = folder.fermata(*verb, environment={"FERMATA_POINT": point})
                self.assertEqual(KILLED, killed.returncode, killed.stderr)
                status = self.finish(folder)
                folder.fermata("db", "verify", exit_code=0)
                shown = folder.show("1")
                if status == "COMPLETED":
                    self.assertEqual(["count", "ask", "end"], [step["name"] for step in shown["steps"]])
                    self.assertEqual(5, shown["steps"][0]["read"])
                    self.assertEqual(["1-1"], sorted(set((folder.path / "told").read_text().split())))
                    got = (folder.path / "got").read_text()
                    self.assertLessEqual(got.count('"payload":"second"'), 1)
                self.assertEqual([], folder.left_behind())

    RUN = ("run", "job.xml")
    SIGNAL = ("signal", "1", "--point", "first", "--key", "k", "--data", '"first"')

    def test_while_it_comes_to_rest(self):
        self.kill_at_each_point([], self.RUN)

    def test_while_it_is_signalled(self):
        self.kill_at_each_point([self.RUN], self.SIGNAL)

    def test_while_it_is_resumed(self):
        self.kill_at_each_point([self.RUN], ("resume", "1"))
        self.kill_at_each_point([self.RUN, self.SIGNAL], ("resume", "1"))

    def import_that_runs(self, environment=None):
        folder = self.begin(CUT)
        running = folder.spawn("run", "job.xml", environment=environment)
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        wait_until("a commit", lambda: rows_or_nothing(folder.repository,
                                                       "SELECT 1 FROM step_progress WHERE commits > 0"))
        return folder, running

    def expect_cut(self, folder):
        """However often somebody died: cut short once, with what was committed in place, and the job went on."""
        shown = folder.show("1")
        self.assertEqual("COMPLETED", shown["status"])
        step = shown["steps"][0]
        self.assertEqual(("COMPLETED", "STEP_STOPPED"), (step["status"], step["exit_status"]))
        self.assertEqual(step["read"], step["cut"]["after"])
        lines = (folder.path / "out.csv").read_text().splitlines()[1:]
        self.assertEqual([str(n) for n in range(1, step["read"] + 1)], lines)
        folder.fermata("db", "verify", exit_code=0)
        self.assertEqual([], folder.left_behind())

    def test_while_a_step_is_asked_to_stop(self):
        for point in "step_stop.before-commit", "step_stop.after-commit":
            with self.subTest(point=point):
                folder, running = self.import_that_runs()
                killed = folder.fermata("stop", "1", "--step", "import", environment={"FERMATA_POINT": point})
                self.assertEqual(KILLED, killed.returncode, killed.stderr)
                folder.fermata("stop", "1", "--step", "import")  # refused if it was recorded and has taken effect
                running.communicate(timeout=DEADLINE)
                self.expect_cut(folder)

    def test_while_a_step_is_cut_short(self):
        for point in ("step.before-publish", "step.after-publish", "step.before-end", "step.ended",
                      "execution.before-end"):
            with self.subTest(point=point):
                folder, running = self.import_that_runs({"FERMATA_POINT": point})
                folder.fermata("stop", "1", "--step", "import", exit_code=0)
                running.communicate(timeout=DEADLINE)
                self.assertEqual(KILLED, running.returncode)
                folder.fermata("recover", "1", exit_code=0)
                self.expect_cut(folder)

    def test_a_cut_that_was_not_finished_is_finished_by_a_restart(self):
        folder, running = self.import_that_runs({"FERMATA_POINT": "step.after-publish"})
        folder.fermata("stop", "1", "--step", "import", exit_code=0)
        running.communicate(timeout=DEADLINE)
        folder.fermata("recover", "1", "--fail", exit_code=0)
        self.assertEqual("FAILED", folder.show("1")["steps"][0]["status"])
        folder.fermata("restart", "1", exit_code=0)
        step = folder.show("2")["steps"][0]
        self.assertEqual(("COMPLETED", "STEP_STOPPED"), (step["status"], step["exit_status"]))
        self.assertEqual(folder.show("1")["steps"][0]["cut"]["by"], step["cut"]["by"])
        read = folder.show("1")["steps"][0]["read"] + step["read"]
        lines = (folder.path / "out.csv").read_text().splitlines()[1:]
        self.assertEqual([str(n) for n in range(1, read + 1)], lines)

    def test_while_it_is_stopped(self):
        self.kill_at_each_point([self.RUN], ("stop", "1"))


if __name__ == "__main__":
    unittest.main()
