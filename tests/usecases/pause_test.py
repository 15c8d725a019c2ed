#!/usr/bin/env python3
"""UC1: jobs that wait for people, scripts and time, each verb a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/harness"))
from fermata_process import DEADLINE, Folder, rows, wait_until  # noqa: E402
from jobs import HEAD  # noqa: E402

FER = ' xmlns:fer="urn:fermata:job:1"'


def command(name, line, more="", after="", next_step=None):
    follows = f' next="{next_step}"' if next_step else ""
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f"""
  <step id="{name}"{follows}>
    <batchlet ref="command"><properties>
      <property name="command" value="{line}"/>{more}
    </properties></batchlet>{after}
  </step>"""


def job(name, *elements):
    return HEAD.format(id=name, more=FER) + "".join(elements) + "\n</job>\n"


def is_stopped(process):
    """By SIGSTOP."""
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def sum_of(shown):
    """The record of an execution without what is allowed to differ: times, and what can be done now."""
    def bare(value):
        if isinstance(value, list):
            return [bare(each) for each in value]
        if isinstance(value, dict):
            return {key: bare(each) for key, each in value.items()
                    if key not in ("created", "started", "ended", "actions", "id", "instance_id")}
        return value
    return bare(shown)


class Pause(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)

    def approval(self, edit=lambda text: text):
        for file in (ROOT / "examples/approval").iterdir():
            if file.is_file():
                shutil.copy(file, self.folder.path)
        text = (self.folder.path / "import.xml").read_text()
        self.folder.write("import.xml", edit(text))

    def log(self, execution, step):
        path = self.folder.path / f"repository.db.d/logs/{execution}/{step}.log"
        return path.read_text() if path.exists() else ""

    def two_steps(self, more=""):
        self.folder.write("job.xml", job(
            "two", command("check", "true", after=f'\n    <fer:pause on="COMPLETED" point="approve" {more}/>',
                           next_step="load"), command("load", "echo ran")))

    def test_1_to_4_a_suspicious_count_waits_for_a_person(self):
        self.approval()
        ended = self.folder.fermata("run", "import.xml", exit_code=11)
        self.assertIn("fermata resume 1", ended.stdout)
        waiting = self.folder.show()
        self.assertEqual("PAUSED", waiting["status"])
        self.assertIsNone(waiting["ended"])
        [wait] = waiting["waiting_for"]
        self.assertEqual(("signal", "approve", "more orders than usual: are they all meant?"),
                         (wait["kind"], wait["name"], wait["message"]))
        self.assertIn("signal:approve", self.folder.fermata("list", "--status", "paused", exit_code=0).stdout)
        self.assertIn("approve", self.folder.fermata("show", "1", "--waits", exit_code=0).stdout)
        self.assertEqual(["1-1 execution 1 waits at approve: more orders than usual: are they all meant?"],
                         (self.folder.path / "told.txt").read_text().splitlines())
        self.assertEqual([], self.folder.left_behind())

        self.folder.fermata("resume", "1", "--data", '{"by":"ann"}', exit_code=0)
        resumed = self.folder.show()
        self.assertEqual(["extract", "check", "load"], [step["name"] for step in resumed["steps"]])
        self.assertIn('"payload":{"by":"ann"}', self.log(1, "load"))
        self.assertEqual(1, len((self.folder.path / "told.txt").read_text().splitlines()))

        for file in self.folder.path.glob("orders.db*"):
            file.unlink()
        start = 'on="VERIFY" point="approve" to="load"'
        self.approval(lambda text: text[:text.index("<fer:pause")] + '<next on="VERIFY" to="load"/>'
                      + text[text.index("/>", text.index(start)) + 2:])
        self.folder.fermata("run", "import.xml", exit_code=0)
        self.assertEqual(sum_of(self.folder.show("2")) | {"job": "approval"}, sum_of(resumed))
        self.folder.fermata("db", "verify", exit_code=0)

    def test_the_example_can_be_run_again_and_again(self):
        self.approval()
        for number in "1", "2", "3":
            self.folder.fermata("run", "import.xml", exit_code=11)
            if number != "2":  # which nobody answers
                self.folder.fermata("resume", number, exit_code=0)
        self.assertEqual([(5,)], rows(self.folder.path / "orders.db", "SELECT count(*) FROM orders"))
        self.assertIn("5 orders, 3 are usual", self.log(3, "check"))

    def test_5_hundreds_of_resumes_are_normal(self):
        self.folder.write("job.xml", job("many", command(
            "collect", "sh -c 'test $(cat n) -ge 20 || { echo $(($(cat n) + 1)) > n; echo not yet >&2; exit 75; }'",
            '\n      <property name="pause-exit-codes" value="75=reported"/>')))
        self.folder.write("n", "0\n")
        self.folder.fermata("run", "job.xml", exit_code=11)
        for _ in range(19):
            self.assertEqual("not yet", self.folder.show()["waiting_for"][0]["message"])
            self.folder.fermata("resume", "@latest", exit_code=11)
        self.folder.fermata("resume", "@latest", exit_code=0)
        ended = self.folder.show()
        self.assertEqual((1, "COMPLETED", 1), (ended["id"], ended["status"], len(ended["steps"])))
        self.assertIn("20 pauses", self.folder.fermata("show", "1", "--waits", exit_code=0).stdout)

    def test_6_of_two_resumers_one_wins(self):
        self.two_steps()
        for _ in range(10):
            self.folder.fermata("run", "job.xml", exit_code=11)
            resumers = [self.folder.spawn("resume", "@latest") for _ in range(2)]
            told = [resumer.communicate(timeout=DEADLINE) for resumer in resumers]
            self.assertEqual([0, 8], sorted(resumer.returncode for resumer in resumers), told)
            self.assertEqual(["check", "load"], [step["name"] for step in self.folder.show()["steps"]])
        self.folder.fermata("db", "verify", exit_code=0)

    def test_6_who_saw_one_pause_does_not_answer_the_next(self):
        gate = '\n    <fer:pause on="*" point="approve"/>'
        self.folder.write("job.xml", job("three", command("check", "true", after=gate, next_step="ask"),
                                         command("ask", "true", after=gate, next_step="load"), command("load", "true")))
        late = ["resume", "{id}"], ["resume", "{id}", "--detach"], ["run", "job.xml", "--instance", "{id}"]
        for number, words in enumerate(late, 1):
            with self.subTest(words=words):
                self.folder.fermata("run", "job.xml", "--instance", number, exit_code=11)
                if words[0] == "run":
                    self.folder.fermata("signal", number, "--point", "approve", exit_code=0)
                operator = self.folder.spawn(*(word.format(id=number) for word in words), environment={
                    "FERMATA_POINT": "resume.asked", "FERMATA_POINT_SIGNAL": "STOP"})
                self.addCleanup(lambda process=operator: (process.kill(), process.communicate()))
                wait_until("he has seen the first pause", lambda process=operator: is_stopped(process))
                self.folder.fermata("resume", number, exit_code=11)  # somebody else; now it waits at the second
                operator.send_signal(signal.SIGCONT)
                _, err = operator.communicate(timeout=DEADLINE)
                self.assertEqual(8, operator.returncode, err)
                self.assertRegex(err, rf"cannot resume {number}: it is PAUSED, and its newest pause is 2, not 1; .* was first, at ")
                [wait] = self.folder.show(number)["waiting_for"]
                self.assertEqual(("signal", 2), (wait["kind"], wait["pause"]))
                self.folder.fermata("resume", number, "--pause", "1", exit_code=8)  # as he had read it on his screen
                self.folder.fermata("resume", number, "--pause", "2", exit_code=0)

    def test_9_a_signal_before_the_pause_means_no_waiting(self):
        os.mkfifo(self.folder.path / "gate")
        self.folder.write("job.xml", job(
            "early", command("check", "cat gate", after='\n    <fer:pause on="*" point="approve"/>', next_step="load"),
            command("load", "sh -c 'cat $FERMATA_SIGNALS'")))
        running = self.folder.spawn("run", "job.xml")
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        wait_until("it runs", lambda: "check" in self.folder.fermata("show", "1").stdout)
        sent = self.folder.fermata("signal", "1", "--point", "approve", "--key", "k", "--data", "[1]", exit_code=0)
        self.assertEqual('buffered: no pause is open at "approve"; it is kept for the next one there (fermata show 1 --waits)',
                         sent.stdout.strip())
        self.assertEqual("", sent.stderr)
        again = self.folder.fermata("signal", "1", "--point", "approve", "--key", "k", "--data", "[1]", exit_code=0)
        self.assertEqual("duplicate of one that was buffered", again.stdout.strip())
        (self.folder.path / "gate").write_text("go\n")
        running.communicate(timeout=DEADLINE)
        self.assertEqual(0, running.returncode)
        self.assertIn('"payload":[1]', self.log(1, "load"))

    def test_10_asked_for_from_outside(self):
        self.folder.write("job.xml", HEAD.format(id="long", more="") + """
  <step id="count">
    <properties><property name="max-rate" value="#{jobParameters['rate']}?:100;"/></properties>
    <chunk item-count="5">
      <reader ref="rangeReader"><properties><property name="from" value="1"/><property name="to" value="1000000"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties><property name="url" value="sink.db"/><property name="table" value="item"/>
        <property name="create" value="true"/></properties></writer>
    </chunk>
  </step>
</job>""")
        running = self.folder.spawn("run", "job.xml")
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        wait_until("a chunk", lambda: (self.folder.path / "repository.db").exists()
                   and self.folder.fermata("show", "1").returncode == 0 and self.folder.show()["steps"]
                   and self.folder.show()["steps"][0]["commits"] > 0)
        self.folder.fermata("pause", "1", "--message", "the disk is full", exit_code=0)
        running.communicate(timeout=DEADLINE)
        self.assertEqual(11, running.returncode)
        waiting = self.folder.show()
        self.assertEqual("the disk is full", waiting["waiting_for"][0]["message"])
        self.assertEqual(0, waiting["steps"][0]["read"] % 5)
        self.folder.fermata("restart", "1", exit_code=8)
        self.folder.fermata("recover", "1", exit_code=8)
        self.folder.fermata("wait", "1", exit_code=11)
        self.folder.fermata("wait", "1", "--for", "paused", exit_code=0)
        self.assertEqual("STOPPED", json.loads(
            self.folder.fermata("stop", "1", "-o", "json", exit_code=0).stdout)["status"])
        items = [int(row) for (row,) in rows(self.folder.path / "sink.db", "SELECT value FROM item ORDER BY rowid")]
        self.assertEqual(list(range(1, waiting["steps"][0]["read"] + 1)), items)
        self.folder.fermata("resume", "1", exit_code=8)
        self.folder.fermata("db", "verify", exit_code=0)

    def test_10_a_script_pauses_its_own_job(self):
        self.folder.write("pause.sh", f'exec {os.environ["FERMATA_BIN"]} pause "$FERMATA_EXECUTION_ID" --after-step '
                          '--point verify --message "look at it"\n')
        self.folder.write("job.xml", job("own", command("check", "sh pause.sh", next_step="load"),
                                         command("load", "cat $FERMATA_SIGNALS", '\n      <property name="shell" value="true"/>')))
        self.folder.fermata("run", "job.xml", exit_code=11)
        self.assertEqual(["check"], [step["name"] for step in self.folder.show()["steps"]])
        self.folder.fermata("resume", "1", "--data", "7", exit_code=0)
        self.assertIn('"payload":7', self.log(1, "load"))

    def test_10_a_gate_that_a_script_closed_stays_closed(self):
        script = f'{os.environ["FERMATA_BIN"]} pause "$FERMATA_EXECUTION_ID" --after-step --point approve'
        for more, ends in ("", "STOPPED"), (" --timeout 1ms --on-timeout fail", "FAILED"):
            with self.subTest(ends=ends):
                self.folder.write("pause.sh", script + more + "\n")
                self.folder.write("job.xml", job("gate", command("check", "sh pause.sh", next_step="load"),
                                                 command("load", "true")))
                self.folder.fermata("run", "job.xml", exit_code=11)
                if ends == "STOPPED":
                    pause = json.loads(self.folder.fermata("show", "@latest", "--waits", "-o", "json").stdout)[0]
                    self.assertEqual(("outside", "check"), (pause["kind"], pause["element"]))
                    self.folder.fermata("stop", "@latest", exit_code=0)
                self.assertEqual(ends, self.folder.show()["status"])
                self.folder.fermata("restart", "@latest", exit_code=11)
                self.assertNotIn("load", [step["name"] for step in self.folder.show()["steps"]])
                if ends == "STOPPED":
                    self.folder.fermata("resume", "@latest", exit_code=0)

    def test_10_of_several_gates_behind_one_step_those_unanswered_stay_closed(self):
        fermata = os.environ["FERMATA_BIN"]
        self.folder.write("pause.sh", "".join(f'{fermata} pause "$FERMATA_EXECUTION_ID" --after-step --point {point}\n'
                                              for point in ("one", "two")))
        behind = '<fer:pause on="*" point="three"/><next on="*" to="load"/>'
        self.folder.write("job.xml", job("gates", command("check", "sh pause.sh", after=behind),
                                         command("load", "true")))
        def waits():
            return sorted((w["point"], w["kind"]) for w in json.loads(
                self.folder.fermata("show", "@latest", "--waits", "-o", "json").stdout) if w["completed"] is None)
        self.folder.fermata("run", "job.xml", exit_code=11)
        self.assertEqual([("one", "outside"), ("three", "after"), ("two", "outside")], waits())
        self.folder.fermata("resume", "@latest", "--point", "two", exit_code=11)
        for left in [("one", "outside"), ("three", "after")], [("one", "outside")]:
            self.folder.fermata("stop", "@latest", exit_code=0)
            self.folder.fermata("restart", "@latest", exit_code=11)
            self.assertEqual(left, waits())
            self.folder.fermata("resume", "@latest", "--point", left[-1][0], exit_code=11 if len(left) > 1 else 0)
        self.assertEqual("COMPLETED", self.folder.show()["status"])

    def test_a_notification_that_hangs_keeps_nobody_from_anything(self):
        self.folder.write("tell.sh", "echo >> told\nexec sleep 600\n")
        self.two_steps('notify="sh tell.sh"')
        def has_begun(times):
            told = self.folder.path / "told"
            wait_until("it is told", lambda: told.exists() and len(told.read_text()) == times)
        running = self.folder.spawn("run", "job.xml")
        has_begun(1)
        running.kill()
        running.communicate()
        looking = self.folder.spawn("list", "-o", "name")
        self.assertEqual("1\n", looking.stdout.readline())
        has_begun(2)
        looking.kill()
        looking.communicate()
        self.folder.fermata("resume", "1", exit_code=0)
        wait_until("nothing of it is left", lambda: not self.folder.left_behind())

    def test_a_notification_has_half_a_minute(self):
        self.two_steps('notify="sleep 600"')
        said = self.folder.fermata("run", "job.xml", exit_code=11, timeout=DEADLINE + 30).stderr
        self.assertRegex(said, r'notifying of "approve" failed once.*did not end within its timeout of 30\.0s')
        self.assertEqual([], self.folder.left_behind())

    def test_what_is_sent_is_one_line_however_it_was_written(self):
        self.folder.write("job.xml", job(
            "lines", command("check", "true", after='<fer:pause on="*" point="p"/>', next_step="load"),
            command("load", "cat $FERMATA_SIGNALS", '<property name="shell" value="true"/>')))
        self.folder.fermata("run", "job.xml", exit_code=11)
        self.folder.write("data.json", '{\r\n  "by": "ann\\n"\n}\n')
        self.folder.fermata("resume", "1", "--data", "@data.json", exit_code=0)
        [line] = [line for line in self.log(1, "load").splitlines() if "payload" in line]
        self.assertEqual({"by": "ann\n"}, json.loads(line[line.index("{"):])["payload"])

    def test_10_quorum_time_and_abandon(self):
        self.two_steps('signals="3"')
        self.folder.fermata("run", "job.xml", exit_code=11)
        answers = [self.folder.fermata("signal", "1", "--point", "approve", "--key", key).stdout.splitlines()[0]
                   for key in "aabc"]
        self.assertEqual(["counted (1/3)", "duplicate of one that was counted (1/3)", "counted (2/3)", "applied (3/3)"],
                         answers)
        self.assertEqual("worker", self.folder.show()["waiting_for"][0]["kind"])
        self.folder.fermata("resume", "1", exit_code=0)
        self.folder.fermata("signal", "1", "--point", "approve", exit_code=8)

        for what, status in ("fail", "FAILED"), ("stop", "STOPPED"), ("resume", "STARTING"):
            self.two_steps(f'timeout="1ms" on-timeout="{what}"')
            self.folder.fermata("run", "job.xml", exit_code=11)
            self.assertEqual(status, self.folder.show()["status"])
        self.folder.fermata("resume", "@latest", exit_code=0)

        self.two_steps()
        self.folder.fermata("run", "job.xml", "--instance", "k", exit_code=11)
        self.folder.fermata("run", "job.xml", "--instance", "k", exit_code=11)
        self.folder.fermata("signal", "@latest", "--point", "approve", "--pause", "7", exit_code=4)
        self.folder.fermata("abandon", "@latest", exit_code=0)
        self.folder.fermata("db", "verify", exit_code=0)

    def test_8_flows_rest_and_go_on_together(self):
        def flow(name, step):
            return f'<flow id="{name}">{step}</flow>'
        self.folder.write("job.xml", job("flows", '<split id="all" next="end">',
            flow("one", command("a", "sh -c 'test -e a || { touch a; exit 75; }'",
                                '<property name="pause-exit-codes" value="75"/>')),
            flow("two", command("b", "sh -c 'test -e b || { touch b; exit 75; }'",
                                '<property name="pause-exit-codes" value="75"/>')),
            flow("three", command("c", "touch c")), "</split>", command("end", "true")))
        self.folder.fermata("run", "job.xml", exit_code=11)
        waiting = self.folder.show()
        states = {step["name"]: step["status"] for step in waiting["steps"]}
        paused = [name for name in "ab" if states.get(name) == "PAUSED"]
        self.assertTrue(paused)
        self.assertEqual(len(paused), len(waiting["waiting_for"]))
        for point in paused[:-1]:
            self.folder.fermata("resume", "1", "--point", point, exit_code=11)
        code = 11
        while code == 11:  # a flow that was not entered yet pauses in its turn
            code = self.folder.fermata("resume", "1").returncode
        self.assertEqual(0, code)
        self.assertEqual({name: "COMPLETED" for name in ("a", "b", "c", "end")},
                         {step["name"]: step["status"] for step in self.folder.show()["steps"]})


if __name__ == "__main__":
    unittest.main()
