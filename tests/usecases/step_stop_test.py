#!/usr/bin/env python3
"""UC2: stopping one step while the job goes on, and what `show` says of what is still busy; each verb a process of its
own, on both engines."""

import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import DEADLINE, Folder, wait_until  # noqa: E402
from jobs import HEAD  # noqa: E402
from postgres import Database  # noqa: E402

IMPORT = """
  <step id="import" next="after">
    <properties><property name="max-rate" value="{rate}"/></properties>
    <chunk item-count="{item_count}">
      <reader ref="rangeReader"><properties>
        <property name="from" value="1"/><property name="to" value="100000000"/>
      </properties></reader>
      <writer ref="{writer}"><properties>{properties}</properties></writer>
    </chunk>{more}
  </step>"""
CSV = '<property name="resource" value="out.csv"/>'


def command(name, line):
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return (f'\n  <step id="{name}"><batchlet ref="command"><properties><property name="command" value="{line}"/>'
            '<property name="grace" value="1s"/></properties></batchlet></step>')


def job(*elements):
    return HEAD.format(id="cut", more="") + "".join(elements) + "\n</job>\n"


def chunk_step(writer="discardWriter", properties="", item_count=1000, rate=10**9, more=""):
    return IMPORT.format(writer=writer, properties=properties, item_count=item_count, rate=rate, more=more)


AFTER = command("after", "sh -c 'echo ran >> after'")


class StopOfAStep(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)

    def run_beside(self, text, *more):
        self.folder.write("job.xml", text)
        running = self.folder.spawn("run", "job.xml", *more)
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        return running

    def step(self, name="import", execution="@latest"):
        return next((step for step in self.folder.show(execution)["steps"] if step["name"] == name), None)

    def has_committed(self, name="import"):
        listed = self.folder.fermata("list", "-o", "name")
        if listed.returncode != 0 or not listed.stdout.strip():
            return None
        step = self.step(name)
        return step if step and step["commits"] > 0 else None

    def runs(self, name):
        listed = self.folder.fermata("list", "-o", "name")
        return listed.returncode == 0 and listed.stdout.strip() and self.step(name)

    def ended(self, running, code):
        out, err = running.communicate(timeout=DEADLINE)
        self.assertEqual(code, running.returncode, out + err)
        return out

    def sound(self):
        self.folder.fermata("db", "verify", exit_code=0)
        self.assertEqual([], self.folder.left_behind())

    def test_a_chunk_step_ends_and_the_next_one_runs(self):
        running = self.run_beside(job(chunk_step(), AFTER))
        wait_until("a commit", self.has_committed)
        told = self.folder.fermata("stop", "@latest", "--step", "import", "--wait", exit_code=0).stdout
        self.assertIn("1 step import is COMPLETED", told)
        self.ended(running, 0)
        shown = self.folder.show()
        self.assertEqual("COMPLETED", shown["status"])
        step = shown["steps"][0]
        self.assertEqual(("COMPLETED", "STEP_STOPPED"), (step["status"], step["exit_status"]))
        self.assertEqual(step["read"], step["written"])
        self.assertEqual(step["read"], step["cut"]["after"])
        self.assertIn("@", step["cut"]["by"])
        self.assertIsNone(shown["steps"][1]["cut"])
        text = self.folder.fermata("show", "@latest", exit_code=0).stdout
        self.assertIn("cut short", text)
        self.assertIn(f"after item {step['read']:,}", text)
        self.assertEqual("ran\n", (self.folder.path / "after").read_text())
        events = self.folder.fermata("events", "-o", "jsonl", exit_code=0).stdout
        self.assertIn('"step.cut"', events)
        self.sound()

    def test_its_file_is_put_in_place_as_far_as_it_came(self):
        running = self.run_beside(job(chunk_step("csvWriter", CSV, item_count=10, rate=500), AFTER))
        wait_until("a commit", self.has_committed)
        self.assertFalse((self.folder.path / "out.csv").exists())
        self.folder.fermata("stop", "@latest", "--step", "import", exit_code=0)
        self.ended(running, 0)
        lines = (self.folder.path / "out.csv").read_text().splitlines()[1:]
        self.assertEqual([str(n) for n in range(1, len(lines) + 1)], lines)
        self.assertEqual(len(lines), self.step()["cut"]["after"])
        self.sound()

    def test_a_command_gets_term_and_what_ignores_it_is_killed(self):
        work = command("import", "sh -c 'echo $$ > pid; trap \"\" TERM; while :; do sleep 0.1; done'")
        work = work.replace('<step id="import">', '<step id="import" next="after">')
        running = self.run_beside(job(work, AFTER))
        wait_until("the command runs", lambda: (self.folder.path / "pid").exists())
        self.folder.fermata("stop", "@latest", "--step", "import", "--now", exit_code=0)
        self.ended(running, 0)
        self.assertEqual("STEP_STOPPED", self.step()["exit_status"])
        self.assertEqual("ran\n", (self.folder.path / "after").read_text())
        self.sound()

    def test_partitions_that_were_not_begun_are_cut(self):
        partition = '\n    <partition><plan partitions="4" threads="2"/></partition>'
        running = self.run_beside(job(chunk_step(more=partition, item_count=10, rate=200), AFTER))
        wait_until("two of four run", lambda: self.runs("import") and
                   [p["commits"] > 0 for p in self.step()["partitions"]].count(True) == 2)
        self.folder.fermata("stop", "@latest", "--step", "import", exit_code=0)
        self.ended(running, 0)
        step = self.step()
        self.assertEqual([("COMPLETED", "STEP_STOPPED")] * 2 + [("STOPPED", "cut")] * 2,
                         sorted((p["status"], p["exit_status"]) for p in step["partitions"]))
        self.assertEqual(step["read"], sum(p["read"] for p in step["partitions"]))
        self.assertEqual("COMPLETED", self.folder.show()["status"])
        self.sound()

    def test_a_dead_owner_is_honoured_by_whoever_recovers_it(self):
        running = self.run_beside(job(chunk_step("csvWriter", CSV, item_count=10, rate=500), AFTER))
        wait_until("a commit", self.has_committed)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate(timeout=DEADLINE)
        told = self.folder.fermata("stop", "@latest", "--step", "import", exit_code=0).stdout
        self.assertIn("fermata recover 1", told)
        committed = self.step()["read"]
        self.folder.fermata("recover", "@latest", exit_code=0)
        step = self.step()
        self.assertEqual(("STEP_STOPPED", committed), (step["exit_status"], step["read"]))
        self.assertEqual(committed, len((self.folder.path / "out.csv").read_text().splitlines()) - 1)
        self.assertEqual("ran\n", (self.folder.path / "after").read_text())
        self.sound()

    def test_a_later_restart_says_so(self):
        running = self.run_beside(job(chunk_step(), command("after", "sh -c 'test -e good'")))
        wait_until("a commit", self.has_committed)
        self.folder.fermata("stop", "@latest", "--step", "import", exit_code=0)
        self.ended(running, 1)
        read = self.step()["read"]
        self.folder.write("good", "")
        told = self.folder.fermata("restart", "@latest", exit_code=0).stderr
        self.assertIn("step import by", told)
        self.assertIn(f"after item {read:,}", told)
        self.assertIn("was cut short, in execution 1", told)
        self.assertEqual(["after"], [step["name"] for step in self.folder.show("2")["steps"]])
        self.assertIn("in execution 1", self.folder.fermata("show", "2", exit_code=0).stdout)
        self.sound()

    def test_what_does_not_run_is_refused(self):
        running = self.run_beside(job(chunk_step(), AFTER))
        wait_until("a commit", self.has_committed)
        refused = self.folder.fermata("stop", "@latest", "--step", "after", exit_code=8)
        self.assertIn("was not entered", refused.stderr)
        self.assertIn("import", refused.stderr)
        self.folder.fermata("stop", "@latest", "--step", "imprt", exit_code=8)
        self.assertIn("import", self.folder.fermata("__complete", "stop", "1", "--step", "", exit_code=0).stdout)
        self.folder.fermata("stop", "@latest", "--step", "import", exit_code=0)
        self.ended(running, 0)
        self.assertIn("COMPLETED", self.folder.fermata("stop", "@latest", "--step", "import", exit_code=8).stderr)
        self.folder.fermata("stop", "77", "--step", "import", exit_code=6)
        self.sound()

    def waits(self, execution="@latest"):
        return [(wait["kind"], wait["name"]) for wait in self.folder.show(execution)["waiting_for"]]

    def test_show_names_what_is_still_busy(self):
        work = command("deaf", "sh -c 'echo $$ > pid; trap \"\" TERM; while :; do sleep 0.1; done'")
        running = self.run_beside(job(work.replace('value="1s"', 'value="1h"')))
        wait_until("the command runs", lambda: (self.folder.path / "pid").exists())
        self.assertEqual([], self.waits())
        self.folder.fermata("stop", "@latest", exit_code=0)
        shown = self.folder.show()
        self.assertEqual("STOPPING", shown["status"])
        [wait] = shown["waiting_for"]
        self.assertEqual(("step", "deaf"), (wait["kind"], wait["name"]))
        self.assertGreaterEqual(wait["since"], shown["steps"][0]["started"])
        self.assertIn(shown["steps"][0]["started"], wait["message"])
        self.assertIn("step deaf runs since", self.folder.fermata("show", "@latest", exit_code=0).stdout)
        [listed] = self.folder.list()
        self.assertEqual("deaf", listed["waiting_for"][0]["name"])
        self.folder.fermata("stop", "@latest", "--now", exit_code=0)
        self.ended(running, 10)
        self.assertEqual([], self.waits())
        self.sound()

    def test_show_names_the_partitions_that_keep_a_pause_from_its_effect(self):
        work = command("slices", "sh -c 'while ! test -e go; do sleep 0.05; done'").replace(
            "</batchlet>", '</batchlet><partition><plan partitions="3" threads="2"/></partition>')
        work = work.replace('<step id="slices">', '<step id="slices" next="after">')
        running = self.run_beside(job(work, AFTER))
        wait_until("two of three run", lambda: self.runs("slices") and
                   [p["status"] for p in self.step("slices")["partitions"]].count("STARTED") == 2)
        self.folder.fermata("pause", "@latest", "--timeout", "1ms", "--on-timeout", "resume", exit_code=0)
        shown = wait_until("it is overdue", lambda: [show for show in [self.folder.show()] if any(
            wait.get("overdue") for wait in show["waiting_for"])])[0]
        self.assertEqual("PAUSING", shown["status"])
        self.assertEqual([("partition", "slices[0]"), ("partition", "slices[1]"), ("signal", "operator")],
                         sorted((wait["kind"], wait["name"]) for wait in shown["waiting_for"]))
        self.assertIn("signal:operator overdue", self.folder.fermata("list", exit_code=0).stdout)
        self.assertIn("still busy", self.folder.fermata("show", "@latest", exit_code=0).stdout)
        self.assertIn("partition slices[0] runs since", self.folder.fermata("show", "@latest", exit_code=0).stdout)
        self.folder.write("go", "")
        self.ended(running, 11)
        self.folder.fermata("resume", "@latest", exit_code=0)
        self.sound()


class StopOfAStepOnPostgres(StopOfAStep):
    def setUp(self):
        super().setUp()
        database = Database()
        self.addCleanup(database.remove)
        self.folder.use_repository(database.url)


if __name__ == "__main__":
    unittest.main()
