#!/usr/bin/env python3
"""What is said about what waits: why, what was sent too early, what was asked for too late, who could not be told."""

import json
import os
import signal
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import DEADLINE, rows, rows_or_nothing, wait_until  # noqa: E402
from jobs import two_steps  # noqa: E402
from run_test import Case  # noqa: E402

PAUSE = '<fer:pause on="*" point="approve"/>'


def first_of(stream, beginning):
    """The first line that begins so."""
    return next(line for line in stream if line.startswith(beginning))


class Waiting(Case):
    def paused(self, pause=PAUSE, *more):
        self.folder.write("job.xml", two_steps("true", "true", pause))
        return self.fermata("run", "job.xml", *more, exit_code=11)

    def at_the_gate(self, first="cat gate", second="true", after=PAUSE):
        """A run of which one step waits for a writer of `gate`."""
        os.mkfifo(self.folder.path / "gate")
        self.fermata("db", "init")
        self.folder.write("job.xml", two_steps(first, second, after))
        process = self.folder.spawn("run", "job.xml")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        step = 1 if first == "cat gate" else 2
        wait_until("it runs", lambda: self.folder.list() and len(self.folder.show()["steps"]) == step)
        return process

    def open_gate(self, process):
        (self.folder.path / "gate").write_text("")
        out, err = process.communicate(timeout=DEADLINE)
        return process.returncode, out, err

    def waits(self, *more):
        return json.loads(self.fermata("show", "1", "--waits", "-o", "json", *more).stdout)

    def test_an_approved_one_waits_for_a_worker_and_says_how_it_runs_here(self):
        self.paused()
        said = self.fermata("signal", "1", "--point", "approve").stdout
        self.assertIn("it waits for a worker now; fermata resume 1 runs it here", said)
        self.assertIn("waits for a worker; fermata resume 1 runs it here", self.fermata("list").stdout)
        self.assertIn("waits for a worker; fermata resume 1 runs it here", self.fermata("list", "-o", "tsv").stdout)
        self.assertIn("a worker; fermata resume 1 runs it here", self.fermata("show", "1").stdout)
        (wait,) = self.folder.show()["waiting_for"]
        self.assertEqual(("worker", "fermata resume 1 runs it here"), (wait["kind"], wait["message"]))

    def test_a_signal_that_comes_early_is_told_and_listed(self):
        process = self.at_the_gate()
        early = self.fermata("signal", "1", "--point", "approve", "--key", "k")
        self.assertTrue(early.stdout.startswith('buffered: no pause is open at "approve"'), early.stdout)
        self.assertEqual("", early.stderr)
        typo = self.fermata("signal", "1", "--point", "aprove", "--key", "t", "-o", "json")
        self.assertEqual("buffered", json.loads(typo.stdout)["answer"])
        self.assertIn('nothing in execution 1 is known to pause at "aprove"; did you mean "approve"?', typo.stderr)
        for nowhere in "elsewhere", "check":
            self.assertIn("only a step's own code", self.fermata("signal", "1", "--point", nowhere).stderr)
        self.assertEqual("", self.fermata("signal", "1", "--point", "operator", "--key", "o").stderr)
        kept = self.waits()
        points = ["approve", "aprove", "elsewhere", "check", "operator"]
        self.assertEqual(points, [wait["point"] for wait in kept])
        self.assertEqual(("signal", None, "k"), tuple(kept[0][name] for name in ("kind", "pause", "key")))
        table = self.fermata("show", "1", "--waits").stdout
        self.assertRegex(table, r"(?m)^ +aprove +signal t +buffered ")
        self.assertEqual("", self.fermata("show", "1", "--waits", "-o", "name").stdout)
        self.assertIn("5 signals that no pause has taken, the first for \"approve\": fermata show 1 --waits",
                      self.fermata("show", "1").stdout)
        self.assertEqual(0, self.open_gate(process)[0])  # the early one was taken: nothing waited
        kept = self.waits()
        self.assertEqual(points, [wait["point"] for wait in kept])
        self.assertEqual((1, "after", "signals"), tuple(kept[0][name] for name in ("pause", "kind", "how")))
        self.assertEqual(list(kept[0]), list(kept[1]))
        self.assertNotIn("no pause has taken", self.fermata("show", "1").stdout)

    def test_a_signal_to_what_was_passed_says_so(self):
        self.paused()
        self.fermata("signal", "1", "--point", "approve")
        late = self.fermata("signal", "1", "--point", "approve").stdout
        self.assertRegex(late, r'^buffered: "approve" was passed: pause 1 is over since \S+ \S+ \(signals\); it is kept for another '
                               r"pause there, which may never come \(fermata show 1 --waits\)\n  it waits for a worker now")
        self.assertIn('no pause is open at "operator"; it is kept for the next one there',
                      self.fermata("signal", "1", "--point", "operator").stdout)

    def test_an_answer_that_concerns_no_pause_names_none(self):
        self.paused()
        said = json.loads(self.fermata("signal", "1", "--point", "approve", "--pause", "9", "-o", "json", exit_code=4).stdout)
        self.assertEqual(("stale", None), (said["answer"], said["pause"]))
        said = json.loads(self.fermata("signal", "1", "--point", "approve", "-o", "json").stdout)
        self.assertEqual(("applied", 1), (said["answer"], said["pause"]))

    def test_every_refusal_says_what_to_do(self):
        self.folder.write("job.xml", two_steps("true", "true", ""))
        self.fermata("run", "job.xml")
        for verb in ["stop"], ["pause"], ["resume"], ["recover"], ["stop", "--step", "load"]:
            self.assertEqual("fermata show 1", self.error(verb[0], "1", *verb[1:], exit_code=8)["remedy"], verb)
        self.paused()
        self.assertEqual("fermata stop 2", self.error("stop", "2", "--step", "check", exit_code=8)["remedy"])
        self.assertEqual("such as --timeout 72h", self.error("pause", "2", "--timeout", "0s", exit_code=2)["remedy"])
        self.assertEqual("say when: --timeout 72h", self.error("pause", "2", "--on-timeout", "stop", exit_code=2)["remedy"])

    def test_what_keeps_a_stop_from_its_effect_and_what_now_changes(self):
        self.folder.write("stubborn.sh", "trap '' TERM\necho > ready\nwhile :; do read -r _ < gate; done\n")
        os.mkfifo(self.folder.path / "gate")
        self.folder.write("job.xml", two_steps("sh stubborn.sh", "true", ""))
        running = self.folder.spawn("run", "job.xml")
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        wait_until("it runs", (self.folder.path / "ready").exists)
        self.fermata("stop", "1")
        busy = r"asked by \S+ pid \d+; step check runs since "
        self.assertRegex(self.fermata("list", "--status", "stopping").stdout, busy)
        self.assertRegex(self.fermata("list", "--status", "stopping", "-o", "tsv").stdout, busy)
        for verb in "pause", "resume":
            self.assertEqual("fermata wait 1", self.error(verb, "1", exit_code=8)["remedy"])
        for verb in ["wait", "1", "--timeout", "1ms"], ["stop", "1", "--wait", "--timeout", "1ms"]:
            self.assertEqual("fermata show 1", self.error(*verb, exit_code=3)["remedy"])
        self.assertRegex(self.fermata("stop", "1").stdout, r"^1 is STOPPING since \S+ [0-9:]+\n$")
        running.send_signal(signal.SIGSTOP)  # so that it does not end meanwhile
        self.assertRegex(self.fermata("stop", "1", "--now").stdout,
                         r"^1 is STOPPING since \S+ [0-9:]+; its commands have no grace period any more\n$")
        self.assertRegex(self.fermata("stop", "1", "--now").stdout, r"; its commands had no grace period already\n$")
        running.send_signal(signal.SIGCONT)
        running.communicate(timeout=DEADLINE)
        self.assertEqual(10, running.returncode)

    def test_the_command_that_is_possible_can_be_pasted(self):
        self.paused(PAUSE.replace("approve", "the boss's word"))
        self.assertIn("""fermata signal 1 --point 'the boss'\\''s word',""", self.fermata("show", "1").stdout)
        self.folder.write("job.xml", two_steps("true", "true", ""))
        self.fermata("start", "job.xml")
        self.assertIn("fermata signal 2 --point NAME\n", self.fermata("show", "2").stdout)

    def test_a_long_name_does_not_stretch_the_table(self):
        name = "p" * 180
        self.paused(PAUSE.replace("approve", name))
        self.fermata("signal", "1", "--point", "q" * 180, "--key", "k" * 180)
        table = [line for line in self.fermata("show", "1", "--waits").stdout.splitlines() if "pause," not in line]
        self.assertEqual(3, len(table), table)
        self.assertLess(max(map(len, table)), 180)
        self.assertEqual(name, self.waits()[0]["point"])
        self.assertIn(name, self.fermata("show", "1", "--waits", "-o", "tsv").stdout)

    def test_ctrl_c_while_somebody_is_told_leaves_it_paused(self):
        self.folder.write("tell.sh", "echo >> told\nread -r _ < gate\n")
        os.mkfifo(self.folder.path / "gate")
        self.folder.write("job.xml", two_steps("true", "true", '<fer:pause on="*" point="approve" notify="sh tell.sh"/>'))
        for number in 1, 2:
            running = self.folder.spawn("run", "job.xml")
            self.addCleanup(lambda process=running: (process.kill(), process.communicate()))
            wait_until("it tells", lambda: (self.folder.path / "told").exists())
            running.send_signal(signal.SIGINT)
            self.assertIn(f"fermata: {number} is PAUSED, and stays so", first_of(running.stderr, "fermata: "))
            if number == 1:
                (self.folder.path / "gate").write_text("\n")
                out, err = running.communicate(timeout=DEADLINE)
                self.assertEqual(11, running.returncode, err)
                self.assertIn("PAUSED in", out)
                (self.folder.path / "told").unlink()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=DEADLINE)
        self.assertEqual(130, running.returncode, err)
        self.assertIn("fermata: 2 stays PAUSED; whoever runs fermata next sends its notification again", err)
        self.assertNotIn("recover", err)
        wait_until("all processes are gone", lambda: not self.folder.left_behind())
        self.folder.write("tell.sh", "echo >> told\n")
        self.assertEqual(["PAUSED", "PAUSED"], [each["status"] for each in self.folder.list()])
        self.assertEqual(2, len((self.folder.path / "told").read_text().splitlines()))

    def test_why_a_signal_is_refused_and_what_to_do(self):
        point = PAUSE.replace("/>", ' signals="2"/>')
        self.paused(point)
        self.fermata("signal", "1", "--point", "approve", "--key", "k", "--data", "1")
        refused = self.fermata("signal", "1", "--point", "approve", "--key", "k", "--data", "2", exit_code=8).stdout
        self.assertEqual('conflict: key "k" was sent to "approve" before, with other data, and was counted (1/2); what is new '
                         "needs a key of its own\n", refused)
        self.assertEqual("stale: there is no pause 7; the open one is 1: fermata signal 1 --point approve --pause 1\n",
                         self.fermata("signal", "1", "--point", "approve", "--pause", "7", exit_code=4).stdout)
        self.assertEqual('stale: pause 1 is at "approve", not at "other", and none is open at "other"\n',
                         self.fermata("signal", "1", "--point", "other", "--pause", "1", exit_code=4).stdout)
        self.fermata("signal", "1", "--point", "approve", "--key", "l")
        self.fermata("pause", "1")
        self.assertRegex(self.fermata("signal", "1", "--point", "approve", "--pause", "1", exit_code=4).stdout,
                         r'^stale: pause 1 is over since \d{4}-\S+ [0-9:]+ \(signals\), and none is open at "approve"\n$')
        self.fermata("stop", "1")
        self.assertEqual("finished: 1 is STOPPED; fermata restart 1 goes on\n", self.fermata("signal", "1", "--point", "approve", exit_code=8).stdout)

    def test_points_of_commands_and_of_earlier_pauses_are_known(self):
        self.folder.write("job.xml", two_steps(
            "sh -c 'test -e a || { touch a; exit 75; }'", "true", "",
            '<property name="pause-exit-codes" value="75,76=other"/>'))
        self.fermata("run", "job.xml", exit_code=11)
        for point, hint in ("othr", "other"), ("chek", "check"):
            self.assertIn(f'did you mean "{hint}"?', self.fermata("signal", "1", "--point", point).stderr)
        self.assertEqual("", self.fermata("signal", "1", "--point", "other").stderr)

    def test_statuses_in_any_case(self):
        self.paused()
        for status in ("PAUSED", "paused", "Paused"):
            self.fermata("wait", "1", "--for", status)
            self.assertEqual("1\n", self.fermata("list", "--status", status, "-o", "name").stdout)
            self.assertIn("0 instances", self.fermata("purge", "--status", status, "--yes").stdout)
        self.assertIn("is none of paused", self.error("wait", "1", "--for", "pausd", exit_code=2)["message"])

    def test_a_pause_that_comes_too_late_is_told(self):
        process = self.at_the_gate("true", "cat gate", "")
        asked = self.fermata("pause", "1", "--after-step").stdout
        self.assertIn("1 is PAUSING: PAUSED when the steps that run have ended, or COMPLETED if nothing is left to do then",
                      asked)
        self.assertIn(" since ", self.fermata("pause", "1").stdout)
        code, _, err = self.open_gate(process)
        self.assertEqual(0, code)
        self.assertRegex(err, r"fermata: the pause that .* asked for at .* was not served: nothing was left to do")
        waited = self.fermata("wait", "1")
        self.assertRegex(waited.stdout, r"^1 is COMPLETED; the pause that .* was not served")
        self.assertEqual({"id": 1, "status": "COMPLETED", "unserved_pauses": 1},
                         json.loads(self.fermata("wait", "1", "-o", "json").stdout))
        self.fermata("wait", "1", "--for", "paused", exit_code=8)
        self.assertRegex(self.fermata("show", "1").stdout, r"(?m)^  not paused  the pause that .* was not served")
        (unserved,) = self.folder.show("1")["unserved_pauses"]
        self.assertEqual("operator", unserved["point"])
        self.fermata("run", "job.xml", "-p", "a=b", environment={"PATH": "/nowhere"}, exit_code=1)
        self.assertEqual([], self.folder.show("2")["unserved_pauses"])
        self.assertIn("was not served", self.fermata("watch", "1").stderr)

    def test_a_pause_of_what_only_waits_says_when(self):
        self.folder.write("job.xml", two_steps("true", "true", ""))
        self.fermata("start", "job.xml")
        self.assertEqual("1 is PAUSED\n", self.fermata("pause", "1").stdout)

    def test_who_waits_for_what_nobody_serves_is_told(self):
        self.folder.write("job.xml", two_steps("true", "true", ""))
        self.fermata("run", "job.xml")
        self.fermata("start", "job.xml")
        waiting = self.folder.spawn("wait", "1", "2")
        self.addCleanup(lambda: (waiting.kill(), waiting.communicate()))
        self.assertEqual("1 is COMPLETED\n", waiting.stdout.readline())
        self.assertIn("no worker serves job", waiting.stderr.readline())

    def test_empty_names_are_refused(self):
        for arguments in (["resume", "1", "--point", ""], ["signal", "1", "--point", ""],
                          ["signal", "1", "--point", "p", "--key", ""]):
            self.fermata(*arguments, exit_code=2)

    def test_who_resumes_what_lost_its_owner_is_told_to_recover_it(self):
        self.folder.write("job.xml", two_steps("sleep 600", "true", ""))
        running = self.folder.spawn("run", "job.xml")
        wait_until("it runs", lambda: rows_or_nothing(self.folder.repository, "SELECT 1 FROM step_execution"))
        running.kill()
        running.communicate()
        wait_until("its command is gone, too", lambda: not self.folder.left_behind())
        refused = self.fermata("resume", "1", exit_code=8).stderr
        self.assertIn("its owner is dead", refused)
        self.assertIn("fermata recover 1", refused)

    def test_a_stop_by_time_says_so(self):
        self.paused('<fer:pause on="*" point="approve" timeout="1ms" on-timeout="stop"/>')
        for verb in ["list"], ["show", "1"]:
            self.assertIn('the timeout of the pause at "approve"', self.fermata(*verb).stdout)

    def test_a_time_limit_may_be_as_long_as_a_life(self):
        self.paused('<fer:pause on="*" point="approve" timeout="9999999h"/>')
        self.assertRegex(self.fermata("show", "1").stdout, r"3\d\d\d-\d\d-\d\d")

    def test_who_could_not_be_told_is_told_and_tried_again_later(self):
        tries = self.folder.path / "tries"
        self.folder.write("tell.sh", "echo >> tries; test -e ready || { echo no mail here >&2; exit 4; }\n")
        pause = '<fer:pause on="*" point="approve" notify="sh tell.sh"/>'
        ended = self.paused(pause)
        self.assertRegex(ended.stderr, r'fermata: notifying of "approve" failed once, last at .*, again after .*: .*no mail here')
        for _ in range(3):
            self.fermata("list")
        self.assertEqual(1, len(tries.read_text().splitlines()))  # not before half a minute has passed
        self.assertIn('failed once', self.fermata("show", "1").stdout)
        self.assertIn('failed once', self.fermata("show", "1", "--waits").stdout)
        (wait,) = self.waits()
        notify = wait["notify"]
        self.assertEqual(["command", "sent", "failed", "next", "error"], list(notify))
        self.assertEqual(("sh tell.sh", None, 1), (notify["command"], notify["sent"], notify["failed"]))
        self.assertGreater(notify["next"], wait["opened"])
        self.assertEqual(1, len(rows(self.folder.repository, "SELECT 1 FROM event WHERE kind = 'pause.notify_failed'")))
        self.assertRegex(self.fermata("events", "1").stdout, rf'pause.notify_failed .*"next":"{notify["next"]}"')

        self.let_time_pass()
        self.fermata("list")
        self.assertEqual(2, len(tries.read_text().splitlines()))
        self.assertIn('failed 2 times', self.fermata("show", "1").stdout)
        self.folder.write("ready", "")
        self.let_time_pass()
        self.fermata("list")
        (wait,) = self.waits()
        self.assertEqual((0, None), (wait["notify"]["failed"], wait["notify"]["error"]))
        self.assertIsNotNone(wait["notify"]["sent"])
        self.assertNotIn("notifying", self.fermata("show", "1").stdout)
        self.assertEqual(3, len(tries.read_text().splitlines()))
        self.fermata("db", "verify")

    def let_time_pass(self):
        """What was to be tried later is due."""
        with sqlite3.connect(self.folder.repository, timeout=DEADLINE) as database:
            changed = database.execute("UPDATE pause SET notifier = 'retry 0000000000000001' WHERE notifier LIKE 'retry %'")
            self.assertEqual(1, changed.rowcount)


if __name__ == "__main__":
    unittest.main()
