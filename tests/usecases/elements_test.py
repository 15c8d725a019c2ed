#!/usr/bin/env python3
"""UC3.6, restart of every element of job XML, and partitions that die: the fermata binary as separate processes, nothing
but job XML and commands. A step writes a line into a file of its name each time it runs; one that can fail does so until a
file "repaired" is there."""

import json
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD  # noqa: E402

FINE, FRAIL, STUCK = "true", "test -e repaired", "test -e repaired || exec tail -f /dev/null"
FAILED, STOPPED = 1, 10


def step(name, does=FINE, attributes="", inside=""):
    return f"""
    <step id="{name}" {attributes}>
      <batchlet ref="command"><properties>
        <property name="command" value="echo x >> {name}.txt; {does}"/><property name="shell" value="true"/>
      </properties></batchlet>{inside}
    </step>"""


class Elements(unittest.TestCase):
    def setUp(self):
        self.engine = Sqlite()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder

    def run_job(self, body, exit_code):
        self.folder.write("job.xml", HEAD.format(id="job", more="") + body + "\n</job>\n")
        self.folder.fermata("run", "job.xml", exit_code=exit_code)

    def partitioned(self, name, does, attributes=""):
        """One partition each for the values one, two and three; "two" `does` that."""
        self.folder.write(f"{name}.sh", f'echo x >> {name}.$1.txt; test $1 != two || {does}\n')
        return f"""
    <step id="{name}" {attributes}>
      <batchlet ref="command"><properties>
        <property name="command" value="sh {name}.sh #{{partitionPlan['value']}}"/>
      </properties></batchlet>
      <partition><mapper ref="listMapper"><properties>
        <property name="values" value="one,two,three"/><property name="threads" value="2"/>
      </properties></mapper></partition>
    </step>"""

    def restart(self, exit_code):
        return self.folder.fermata("restart", "@latest", exit_code=exit_code)

    def ran(self, *names):
        """How often each has run."""
        files = [self.folder.path / f"{name}.txt" for name in names]
        return [len(file.read_text().splitlines()) if file.exists() else 0 for file in files]

    def entered(self):
        """Steps of the newest execution."""
        return sorted(each["name"] for each in self.folder.show()["steps"])

    def repair(self):
        self.folder.write("repaired", "")

    def test_start_limit(self):
        self.run_job(step("limited", FRAIL, 'start-limit="2"'), FAILED)
        self.restart(FAILED)
        self.repair()
        self.restart(FAILED)
        self.assertIn("start-limit", self.folder.show()["error"]["message"])
        self.assertEqual([2], self.ran("limited"))

    def test_allow_start_if_complete(self):
        self.run_job(step("always", attributes='allow-start-if-complete="true" next="once"')
                     + step("once", attributes='next="frail"') + step("frail", FRAIL), FAILED)
        self.repair()
        self.restart(0)
        self.assertEqual([2, 1, 2], self.ran("always", "once", "frail"))

    def test_stop_says_where_the_restart_begins(self):
        self.run_job(step("before", inside='<stop on="*" restart="after"/>') + step("between") + step("after"), STOPPED)
        self.restart(0)
        self.assertEqual([1, 0, 1], self.ran("before", "between", "after"))

    def test_flows_and_splits_pass_what_is_completed(self):
        self.run_job(
            '<flow id="f" next="x">' + step("a", attributes='next="b"') + step("b") + "</flow>"
            '<split id="x" next="d"><flow id="g">' + step("c") + "</flow>"
            '<flow id="h"><split id="y"><flow id="i">' + step("e", FRAIL, 'next="l"') + step("l") + "</flow>"
            '<flow id="j">' + step("k") + "</flow></split></flow></split>"
            '<decision id="d" ref="expression"><properties><property name="when.GO" value="written = 0"/></properties>'
            '<next on="GO" to="end"/></decision>' + step("end"), FAILED)
        self.assertEqual([1, 1, 1, 1, 0, 1, 0], self.ran("a", "b", "c", "e", "l", "k", "end"))
        self.repair()
        self.restart(0)
        self.assertEqual(["e", "end", "l"], self.entered())
        self.assertEqual([1, 1, 1, 2, 1, 1, 1], self.ran("a", "b", "c", "e", "l", "k", "end"))

    def test_a_decision_is_asked_again(self):
        self.run_job(step("a", attributes='next="d"')
                     + '<decision id="d" ref="command"><properties><property name="command" value="test -e repaired"/>'
                       '<property name="exit-codes" value="0=YES,1=NO"/></properties>'
                       '<stop on="NO" restart="d"/><next on="YES" to="b"/></decision>' + step("b"), STOPPED)
        self.restart(STOPPED)
        self.repair()
        self.restart(0)
        self.assertEqual([1, 1], self.ran("a", "b"))

    def test_partitions_that_are_completed_are_passed(self):
        self.run_job(self.partitioned("p", FRAIL, 'next="after"')
                     + step("after"), FAILED)
        self.repair()
        self.restart(0)
        self.assertEqual([1, 2, 1, 1], self.ran("p.one", "p.two", "p.three", "after"))

    def killed_inside(self):
        """In a split: one flow has ended, in the other two of three partitions."""
        self.folder.write("job.xml", HEAD.format(id="job", more="") +
                          '<split id="x" next="end"><flow id="f">' + step("a") + '</flow><flow id="g">'
                          + self.partitioned("p", STUCK) + "</flow></split>"
                          + step("end") + "</job>")
        process = self.folder.spawn("run", "job.xml", start_new_session=True)
        wait_until("two partitions have ended, one runs", lambda: self.ran("p.two") == [1] and sorted(
            each["status"] for each in self.partitions()) == ["COMPLETED", "COMPLETED", "STARTED"])
        process.kill()
        process.communicate()
        self.assertEqual(-signal.SIGKILL, process.returncode)
        wait_until("what it had started is gone", lambda: not self.folder.left_behind())
        self.repair()

    def partitions(self):
        shown = self.folder.fermata("show", "@latest", "--partitions", "-o", "json").stdout
        return json.loads(shown) if shown else []

    def test_a_restart_after_a_death_runs_only_the_partition_that_had_not_ended(self):
        self.killed_inside()
        self.restart(0)
        self.assertEqual(["end", "p"], self.entered())
        self.assertEqual([1, 1, 2, 1, 1], self.ran("a", "p.one", "p.two", "p.three", "end"))
        self.folder.fermata("db", "verify", exit_code=0)

    def test_a_recovery_goes_on_in_the_same_execution(self):
        self.killed_inside()
        self.folder.fermata("recover", "@latest", exit_code=0)
        self.assertEqual(1, len(self.folder.list()))
        self.assertEqual(["a", "end", "p"], self.entered())
        self.assertEqual([1, 1, 2, 1, 1], self.ran("a", "p.one", "p.two", "p.three", "end"))
        self.folder.fermata("db", "verify", exit_code=0)


if __name__ == "__main__":
    unittest.main()
