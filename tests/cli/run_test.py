#!/usr/bin/env python3
"""What makes things run: run, exec, restart, recover, stop, abandon, wait, watch, and their exit codes."""

import json
import os
import pty
import select
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import DEADLINE, Folder, wait_until  # noqa: E402
from jobs import command_job, endless, two_steps  # noqa: E402


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)

    def fermata(self, *arguments, exit_code=0, **options):
        return self.folder.fermata(*arguments, exit_code=exit_code, **options)

    def error(self, *arguments, exit_code, **options):
        """The one JSON object on stderr."""
        result = self.folder.fermata(*arguments, "-o", "json", exit_code=exit_code, **options)
        error = json.loads(result.stderr.splitlines()[-1])["error"]
        self.assertTrue({"code", "message", "remedy"} <= error.keys(), error)
        return error

    def job(self, *commands, name="job"):
        return self.folder.write(f"{name}.xml", command_job(name, *commands)).name

    def start_endless(self):
        """A run in the foreground of another process, its step running."""
        self.folder.write("endless.xml", endless())
        self.fermata("db", "init")
        process = self.folder.spawn("run", "endless.xml")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("its step runs", lambda: any(
            step["status"] == "STARTED" for execution in self.folder.list()
            if execution["job"] == "endless" and execution["status"] == "STARTED"
            for step in self.folder.show(execution["id"])["steps"]))
        return process


class Run(Case):
    def test_the_report_is_on_stdout_and_progress_on_stderr(self):
        result = self.fermata("run", self.job("true", "true"), "-p", "date=today", "-p", "region=a=b")
        lines = result.stdout.splitlines()
        self.assertEqual("job  execution 1  instance 1  date=today  region=a=b", lines[0])
        self.assertRegex(lines[1], r"^✓ step1 ")
        self.assertRegex(lines[2], r"^✓ step2 ")
        self.assertRegex(lines[3], r"^COMPLETED in ")
        self.assertRegex(result.stderr, r"job=job execution=1 step=step1 status=COMPLETED duration=")
        self.assertRegex(result.stderr, r"job=job execution=1 duration=\S+ status=COMPLETED")
        self.assertEqual({"date": "today", "region": "a=b"}, self.folder.show()["parameters"])

    def test_progress_none_is_silent(self):
        self.assertEqual("", self.fermata("run", self.job("true"), "--progress", "none").stderr)

    def test_failure_is_exit_code_1_and_says_what_to_do(self):
        result = self.fermata("run", self.job("false"), exit_code=1)
        self.assertRegex(result.stdout, r"(?m)^✗ step1 ")
        self.assertRegex(result.stdout, r"FAILED in ")
        self.assertIn("fermata restart 1", result.stdout)
        self.assertRegex(result.stderr, r'status=FAILED step=step1 reason="')

    def test_json_is_the_shown_object_and_name_the_id(self):
        result = self.fermata("run", self.job("true"), "-o", "json")
        self.assertEqual(self.folder.show(), json.loads(result.stdout))
        self.assertEqual("2\n", self.fermata("run", "job.xml", "-o", "name").stdout)

    def test_ascii_without_utf8(self):
        result = self.fermata("run", self.job("true"), environment={"LC_ALL": "C"})
        self.assertTrue(result.stdout.isascii(), result.stdout)
        self.assertIn("+ step1", result.stdout)
        self.assertTrue(self.fermata("--ascii", "list").stdout.isascii())

    def test_parameters_from_a_file_from_stdin_and_over_them(self):
        self.folder.write("params.json", '{"date": "x", "count": 3, "dry": true}')
        self.fermata("run", self.job("true"), "--params", "params.json", "-p", "date=y")
        self.assertEqual({"date": "y", "count": "3", "dry": "true"}, self.folder.show()["parameters"])
        with open(self.folder.path / "params.json") as stdin:
            self.fermata("run", "job.xml", "--params", "-", stdin=stdin)
        self.assertEqual("x", self.folder.show()["parameters"]["date"])

    def test_system_properties(self):
        self.folder.write("job.xml", """<?xml version="1.0" encoding="UTF-8"?>
<job id="job" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="step1"><batchlet ref="command"><properties>
    <property name="command" value="echo #{systemProperties['who']}!"/></properties></batchlet></step>
</job>
""")
        self.assertIn("ann!", self.fermata("explain", "job.xml", "-D", "who=ann").stdout)
        self.fermata("run", "job.xml", "-Dwho=ann")
        self.assertIn("ann!", self.fermata("logs", "@latest", "step1").stdout)
        self.assertIn("given twice", self.error("run", "job.xml", "-Dwho=a", "-Dwho=b", exit_code=2)["message"])

    def test_an_empty_instance_key_is_refused(self):
        self.assertIn("--instance needs a key", self.error("run", self.job("true"), "--instance", "", exit_code=2)["message"])
        self.assertFalse(self.folder.repository.exists())

    def test_wrong_parameters_are_refused_before_anything_is_made(self):
        self.job("true")
        self.folder.write("list.json", "[1]")
        self.folder.write("deep.json", '{"a": {"b": 1}}')
        self.assertIn("no JSON object", self.error("run", "job.xml", "--params", "list.json", exit_code=9)["message"])
        self.assertIn('"a" is object', self.error("run", "job.xml", "--params", "deep.json", exit_code=9)["message"])
        self.assertIn("no such file", self.error("run", "job.xml", "--params", "nowhere.json", exit_code=6)["message"])
        self.folder.write("none.json", '{"": 1}')
        self.assertIn("has no name", self.error("run", "job.xml", "--params", "none.json", exit_code=9)["message"])
        self.assertIn("longer than", self.error("run", "job.xml", "--params", "/dev/zero", exit_code=9)["message"])
        self.assertIn("cannot read --params .", self.error("run", "job.xml", "--params", ".", exit_code=1)["message"])
        self.assertIn("NAME=VALUE", self.error("run", "job.xml", "-p", "date", exit_code=2)["message"])
        self.assertFalse(self.folder.repository.exists())

    def test_invalid_xml_is_told_by_line_and_column(self):
        self.folder.write("bad.xml", command_job("bad", "true").replace("<step id", '<step next="nowhere" id'))
        result = self.fermata("run", "bad.xml", exit_code=9)
        self.assertRegex(result.stderr, r"(?m)^bad\.xml:3:\d+: error: .*nowhere")
        self.folder.write("torn.xml", "<job id=")
        result = self.fermata("run", "torn.xml", exit_code=9)
        self.assertRegex(result.stderr, r"(?m)^torn\.xml:1:\d+: error: ")
        self.assertIn("diagnostics", self.error("run", "torn.xml", exit_code=9))

    def test_a_file_that_is_not_there(self):
        self.assertEqual("not_found", self.error("run", "none.xml", exit_code=6)["code"])

    def test_a_job_of_the_jobs_folder(self):
        (self.folder.path / "jobs").mkdir()
        self.folder.write("jobs/any.xml", command_job("nightly", "true"))
        environment = {"FERMATA_JOBS": "jobs"}
        self.fermata("run", "nightly", environment=environment)
        message = self.error("run", "nightyl", exit_code=6, environment=environment)["message"]
        self.assertIn('did you mean "nightly"?', message)
        self.assertIn("no jobs folder", self.error("run", "nightly", exit_code=6)["message"])

    def test_detached_it_waits_for_a_worker(self):
        result = self.fermata("run", self.job("true"), "--detach", "-o", "name")
        self.assertEqual("1\n", result.stdout)
        self.assertEqual("STARTING", self.folder.show(1)["status"])
        self.assertIsNone(self.folder.show(1)["owner"])
        self.assertEqual([], self.folder.left_behind())
        self.fermata("resume", "1")

    def test_detached_it_still_says_why_it_cannot_start(self):
        self.folder.write("bad.xml", command_job("bad", "true").replace("true", "#{jobParameters['missing']}"))
        result = self.fermata("run", "bad.xml", "--detach", exit_code=9)
        self.assertIn("missing", result.stderr)

    def test_the_first_signal_stops_and_tells(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start_endless()
            process.send_signal(number)
            out, err = process.communicate(timeout=DEADLINE)
            self.assertEqual(10, process.returncode, err)
            self.assertIn("STOPPED in", out)
            self.assertIn("stopping at the next checkpoint", err)

    def test_the_second_signal_kills(self):
        self.folder.write("stubborn.sh", "trap '' TERM\nwhile :; do wait; read -r _ < gate; done\n")
        os.mkfifo(self.folder.path / "gate")
        self.job("sh stubborn.sh", name="stubborn")
        self.fermata("db", "init")
        process = self.folder.spawn("run", "stubborn.xml")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("it runs", lambda: self.folder.list() and self.folder.show()["steps"])
        process.send_signal(signal.SIGINT)
        wait_until("it is stopping", lambda: self.folder.show()["status"] == "STOPPING")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)
        self.assertIn(process.returncode, (10, 130))
        wait_until("all processes are gone", lambda: not self.folder.left_behind())

    def test_on_a_terminal_the_display_is_repainted_and_taken_away(self):
        self.job("true", "true")
        ours, theirs = pty.openpty()
        process = self.folder.spawn("run", "job.xml", environment={"TERM": "xterm"}, stderr=theirs)
        os.close(theirs)
        self.assertRegex(process.communicate(timeout=DEADLINE)[0], r"(?m)^✓ step2 ")
        painted = read_all(ours)
        self.assertIn("job #1", painted)
        self.assertTrue(painted.endswith("\x1b[J"), painted)

    def test_on_a_terminal_ctrl_c_is_answered_where_it_can_be_read(self):
        self.folder.write("slow.sh", "trap '' TERM\necho > ready\nuntil test -e gate; do sleep 0.01; done\n")
        self.job("sh slow.sh")
        ours, theirs = pty.openpty()
        process = self.folder.spawn("run", "job.xml", environment={"TERM": "xterm"}, stderr=theirs)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        os.close(theirs)
        wait_until("it runs", (self.folder.path / "ready").exists)
        painted = read_until(ours, "▶ STARTED ")
        process.send_signal(signal.SIGINT)
        painted += read_until(ours, "once more kills\r\n")
        painted += read_until(ours, "Ctrl-C: kill")
        self.folder.write("gate", "")
        self.assertEqual(10, (process.communicate(timeout=DEADLINE), process.returncode)[1])
        painted += read_all(ours)
        self.assertIn("\x1b[Jfermata: stopping at the next checkpoint; once more kills\r\n\r", painted)
        after = painted.split("once more kills\r\n\r")[1]
        self.assertTrue(after.startswith("job #1"), painted)  # nothing that moves up over it
        self.assertRegex(after, r"STOPPING \S+   Ctrl-C: kill")

    def test_a_reader_of_the_report_that_goes_away_ends_nothing(self):
        reading, writing = os.pipe()
        os.close(reading)
        process = self.folder.spawn("run", self.job("true"), stdout=writing)
        os.close(writing)
        process.communicate(timeout=DEADLINE)
        self.assertEqual(0, process.returncode)
        self.assertEqual("COMPLETED", self.folder.show()["status"])

    def test_a_full_disk_under_stdout_is_told(self):
        self.job("true")
        for arguments in (["run", "job.xml"], ["list"]):
            with open("/dev/full", "w") as full:
                process = self.folder.spawn(*arguments, stdout=full)
                self.assertIn("cannot write to stdout", process.communicate(timeout=DEADLINE)[1])
            self.assertEqual(1, process.returncode)
        self.assertEqual("COMPLETED", self.folder.show()["status"])


def read_all(terminal):
    text = b""
    try:
        while select.select([terminal], [], [], DEADLINE)[0]:
            text += os.read(terminal, 65536)
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(terminal)
    return text.decode()


def read_until(terminal, wanted):
    text = b""
    while wanted.encode() not in text:
        if not select.select([terminal], [], [], DEADLINE)[0]:
            raise AssertionError(f"no {wanted!r} in {text.decode()!r}")
        text += os.read(terminal, 65536)
    return text.decode(errors="replace")


class Instance(Case):
    def run_it(self, *more, exit_code=0):
        return self.fermata("run", "job.xml", "--instance", "today", *more, exit_code=exit_code)

    def test_absent_starts_and_completed_is_done(self):
        self.job("true")
        self.run_it()
        self.assertEqual("today", self.folder.show()["instance_key"])
        self.assertIn("already completed by execution 1", self.run_it().stdout)
        self.assertEqual(1, len(self.folder.list()))

    def test_failed_restarts_the_same_instance(self):
        self.job("test -e repaired")
        self.run_it(exit_code=1)
        self.folder.write("repaired", "")
        self.run_it()
        second, first = self.folder.list()
        self.assertEqual(first["instance_id"], second["instance_id"])

    def test_a_repaired_file_is_used(self):
        self.job("false")
        self.run_it(exit_code=1)
        self.job("true")
        self.assertIn("has changed since execution 1", self.run_it().stderr)

    def test_other_parameters_abandoned_and_running_are_conflicts(self):
        self.job("false")
        self.run_it(exit_code=1)
        self.assertIn("has other parameters", self.run_it("-p", "a=b", exit_code=8).stderr)
        self.fermata("abandon", "1")
        self.assertIn("is ABANDONED", self.run_it(exit_code=8).stderr)

        self.folder.write("endless.xml", endless())
        process = self.folder.spawn("run", "endless.xml", "--instance", "k")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("it runs", lambda: self.folder.show()["status"] == "STARTED")
        result = self.fermata("run", "endless.xml", "--instance", "k", exit_code=8)
        self.assertIn("is STARTED", result.stderr)
        self.fermata("stop", "endless@latest", "--wait")

    def test_what_waits_for_a_worker_is_taken_here(self):
        self.job("true")
        for _ in range(2):
            self.assertEqual("1\n", self.run_it("--detach", "-o", "name").stdout)
        self.assertIn("execution 1", self.run_it().stdout)
        self.assertEqual(["COMPLETED"], [execution["status"] for execution in self.folder.list()])
        self.assertIn("already completed", self.run_it("--detach").stdout)

    def test_what_was_approved_goes_on_here(self):
        self.folder.write("job.xml", two_steps("true", "true", '<fer:pause on="*" point="approve"/>'))
        self.run_it(exit_code=11)
        paused = json.loads(self.run_it("-o", "json", exit_code=11).stdout)
        self.assertEqual(("PAUSED", 1), (paused["status"], paused["id"]))
        self.fermata("signal", "1", "--point", "approve")
        self.folder.write("job.xml", two_steps("true", "false", '<fer:pause on="*" point="approve"/>'))
        went_on = self.run_it()
        self.assertIn("has changed since; 1 goes on with the definition that was stored", went_on.stderr)
        self.assertEqual(["COMPLETED"], [execution["status"] for execution in self.folder.list()])

    def test_a_lost_owner_is_recovered(self):
        self.job("sh once.sh")
        self.folder.write("once.sh", "test -e once || { touch once; exec tail -f /dev/null; }\n")
        process = self.folder.spawn("run", "job.xml", "--instance", "today")
        wait_until("it runs", lambda: (self.folder.path / "once").exists())
        process.kill()
        process.communicate()
        wait_until("its children are gone", lambda: not self.folder.left_behind())
        self.run_it()
        self.assertEqual(["COMPLETED"], [execution["status"] for execution in self.folder.list()])


class Exec(Case):
    def test_words_reach_the_command_as_they_are(self):
        self.fermata("exec", "--", "sh", "-c", 'printf "%s|" "$@" > words', "sh", "a b", "it's", "#{jobParameters['x']}", "")
        self.assertEqual("a b|it's|#{jobParameters['x']}||", (self.folder.path / "words").read_text())
        self.assertEqual("sh", self.folder.show()["job"])

    def test_options_after_the_dashes_are_the_commands(self):
        self.fermata("exec", "--name", "named", "--", "test", "-o", "=", "-o")
        self.assertEqual("named", self.folder.show()["job"])

    def test_failure_retries_and_limit(self):
        self.fermata("exec", "--", "false", exit_code=1)
        self.folder.write("third.sh", "echo >> tries; test $(wc -l < tries) -ge 3\n")
        self.fermata("exec", "--retry", "3", "--backoff", "1ms", "--", "sh", "third.sh")
        self.assertEqual(["COMPLETED", "FAILED", "FAILED"], [e["status"] for e in self.folder.list() if e["job"] == "sh"])
        self.fermata("exec", "--limit", "10ms", "--", "tail", "-f", "/dev/null", exit_code=3)
        self.assertEqual("fermata.ChildTimeout", self.folder.show()["error"]["class"])
        self.fermata("exec", "--limit", "1h", "--", "false", exit_code=1)

    def test_what_the_command_writes_is_passed_on_as_it_comes(self):
        os.mkfifo(self.folder.path / "gate")
        process = self.folder.spawn("exec", "--", "sh", "-c", "echo one; echo two >&2; cat gate; printf three")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        lines = [process.stderr.readline() for _ in range(2)]  # before it has ended
        (self.folder.path / "gate").write_text("")
        out, err = process.communicate(timeout=DEADLINE)
        lines += err.splitlines(keepends=True)
        said = [line for line in lines if "job=sh" not in line]
        self.assertEqual(["one\n", "two\n", "three\n"], said)
        self.assertEqual(0, process.returncode)
        self.assertNotIn("one", out)
        self.assertEqual("one\ntwo\nthree\n", self.fermata("logs", "@latest").stdout)

    def test_each_attempt_is_passed_on_and_the_code_is_told(self):
        failed = self.folder.fermata("exec", "--retry", "1", "--backoff", "1ms", "-o", "json", "--", "sh", "-c",
                                     "echo said; exit 7", exit_code=1)
        self.assertEqual(2, failed.stderr.count("said\n"))
        self.assertIn("exit code 7", json.loads(failed.stdout)["error"]["message"])

    def test_a_signal_ends_the_wait_for_the_next_try(self):
        self.fermata("db", "init")
        process = self.folder.spawn("exec", "--retry", "1", "--backoff", "7d", "--", "false")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("the first try failed", lambda: [execution["status"] for execution in self.folder.list()] == ["FAILED"])
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        self.assertEqual(130, process.returncode)

    def test_without_a_command(self):
        self.assertIn("no command given", self.error("exec", exit_code=2)["message"])
        self.assertIn("nothing behind --", self.error("list", "--", "x", exit_code=2)["message"])


class Restart(Case):
    def test_parameters_are_those_before_with_changes(self):
        self.fermata("run", self.job("false"), "-p", "a=1", "-p", "b=2", exit_code=1)
        self.folder.write("good.xml", command_job("job", "true"))
        result = self.fermata("restart", "1", "-p", "a=3", "--unset", "b", "--job", "good.xml")
        self.assertTrue(result.stdout.startswith("restarted 1 as 2\n"), result.stdout)
        self.assertEqual({"a": "3"}, self.folder.show()["parameters"])

    def test_a_mistyped_parameter_is_warned_of(self):
        self.folder.write("job.xml", command_job("job", "test #{jobParameters['region']} = eu"))
        self.fermata("run", "job.xml", "-p", "region=us", exit_code=1)
        word = 'warning: parameter "regoin" is used nowhere in the job'
        self.assertIn(word, self.fermata("restart", "@latest", "--unset", "region", "-p", "regoin=eu", exit_code=9).stderr)
        self.assertNotIn("warning", self.fermata("restart", "@latest", "-p", "region=eu").stderr)

    def test_refusals(self):
        self.fermata("run", self.job("false"), exit_code=1)
        self.assertIn("no such parameter", self.error("restart", "1", "--unset", "x", exit_code=9)["message"])
        self.folder.write("other.xml", command_job("other", "true"))
        self.assertIn('defines "other"', self.error("restart", "1", "--job", "other.xml", exit_code=9)["message"])
        self.assertEqual("not_found", self.error("restart", "7", exit_code=6)["code"])
        self.fermata("restart", "1", exit_code=1)
        self.assertIn("2 is the newest", self.error("restart", "1", exit_code=8)["message"])
        self.fermata("abandon", "2")
        self.assertIn("ABANDONED", self.error("restart", "2", exit_code=8)["message"])

    def test_detached(self):
        self.fermata("run", self.job("test -e repaired"), exit_code=1)
        self.folder.write("repaired", "")
        self.assertEqual("2\n", self.fermata("restart", "1", "--detach", "-o", "name").stdout)
        self.fermata("resume", "2")
        result = self.fermata("restart", "2", "--detach", exit_code=8)
        self.assertIn("COMPLETED", result.stderr)


class Recover(Case):
    def lose_one(self):
        self.job("sh once.sh")
        self.folder.write("once.sh", "test -e once || { touch once; exec tail -f /dev/null; }\n")
        process = self.folder.spawn("run", "job.xml")
        wait_until("it runs", lambda: (self.folder.path / "once").exists())
        process.kill()
        process.communicate()
        wait_until("its children are gone", lambda: not self.folder.left_behind())

    def test_it_goes_on_here(self):
        self.lose_one()
        self.assertIn("owner lost", self.fermata("list").stdout)
        self.assertEqual([1], [execution["id"] for execution in json.loads(self.fermata("list", "--lost", "-o", "json").stdout)])
        self.assertIn("take it over", self.fermata("recover", "1", "--dry-run").stdout)
        for verb in ("wait", "watch"):
            self.assertIn("lost its owner", self.error(verb, "1", exit_code=8)["message"])
        self.fermata("recover", "1")
        self.assertEqual([("COMPLETED", 1)], [(e["status"], e["id"]) for e in self.folder.list()])

    def test_it_is_marked_failed(self):
        self.lose_one()
        self.assertIn("1 is FAILED", self.fermata("recover", "1", "--fail").stdout)
        self.fermata("restart", "1")

    def test_it_is_left_to_a_worker(self):
        self.lose_one()
        self.assertEqual("1\n", self.fermata("recover", "1", "--detach", "-o", "name").stdout)
        self.assertEqual("worker", self.folder.show(1)["waiting_for"][0]["kind"])
        self.fermata("resume", "1")

    def test_of_several_each_is_asked(self):
        for _ in range(2):
            self.fermata("exec", "--", "false", exit_code=1)
        told = self.fermata("abandon", "1", "999", "2", exit_code=6)
        self.assertEqual("1 is ABANDONED\n2 is ABANDONED\n", told.stdout)
        self.assertIn("there is no execution 999", told.stderr)
        told = self.fermata("stop", "1", "2", exit_code=8)
        self.assertIn("cannot stop 1", told.stderr)
        self.assertIn("cannot stop 2", told.stderr)

    def test_stop_of_a_lost_one_ends_it(self):
        self.lose_one()
        self.assertIn("1 is STOPPED; it had lost its owner", self.fermata("stop", "1").stdout)

    def test_restart_of_a_lost_one_fails_it_first(self):
        self.lose_one()
        self.fermata("restart", "1")
        self.assertEqual(["COMPLETED", "FAILED"], [execution["status"] for execution in self.folder.list()])

    def test_a_living_or_ended_one_is_left_alone(self):
        self.fermata("run", self.job("true"))
        self.assertIn("COMPLETED", self.error("recover", "1", exit_code=8)["message"])
        self.assertIn("not running", self.error("recover", "1", "--dry-run", exit_code=8)["message"])
        process = self.start_endless()
        self.assertIn("leave it alone", self.fermata("recover", "2", "--dry-run", exit_code=8).stdout)
        self.assertIn("its owner lives", self.error("recover", "2", exit_code=8)["message"])
        self.fermata("stop", "2", "--now", "--wait")
        process.communicate(timeout=DEADLINE)


class StopWaitWatch(Case):
    def test_stop_waits_and_says_it_again(self):
        process = self.start_endless()
        self.assertEqual("1 is STOPPED", self.fermata("stop", "1", "--now", "--wait").stdout.splitlines()[-1])
        self.assertEqual(10, process.wait(DEADLINE))
        error = self.error("stop", "1", exit_code=8)
        self.assertIn("it is STOPPED", error["message"])
        self.assertEqual("conflict", error["code"])

    def test_wait_tells_the_worst_outcome(self):
        self.fermata("run", self.job("true"))
        self.fermata("run", self.job("false"), exit_code=1)
        self.assertEqual("1 is COMPLETED\n2 is FAILED\n", self.fermata("wait", "1", "2", exit_code=1).stdout)
        self.fermata("abandon", "2")
        self.fermata("wait", "@latest", "1", exit_code=12)
        self.assertIn("never run", self.error("wait", "nothing@latest", exit_code=6)["message"])

    def test_timeouts(self):
        process = self.start_endless()
        self.assertEqual("timed_out", self.error("wait", "1", "--timeout", "1ms", exit_code=3)["code"])
        self.assertIn("no execution 9999", self.error("wait", "1", "9999", "--timeout", "1ms", exit_code=6)["message"])
        process.send_signal(signal.SIGTERM)
        self.fermata("wait", "1", exit_code=10)

    def test_abandon_refuses_what_runs(self):
        process = self.start_endless()
        self.assertIn("STARTED", self.error("abandon", "1", exit_code=8)["message"])
        self.fermata("stop", "1", "--now")
        self.assertEqual(10, process.wait(DEADLINE))
        self.assertEqual("1 is ABANDONED\n", self.fermata("abandon", "1").stdout)

    def test_watch_follows_to_the_end(self):
        process = self.start_endless()
        watcher = self.folder.spawn("watch")
        self.addCleanup(lambda: (watcher.kill(), watcher.communicate()))
        self.assertIn("endless", watcher.stdout.readline())
        self.fermata("stop", "1", "--now")
        out, _ = watcher.communicate(timeout=DEADLINE)
        self.assertEqual(10, watcher.returncode)
        self.assertIn("STOPPED in", out)
        process.wait(DEADLINE)
        self.assertIn("nothing is running", self.error("watch", exit_code=6)["message"])
        self.assertEqual("STOPPED", json.loads(self.fermata("watch", "1", "-o", "json", exit_code=10).stdout)["status"])

    def test_watch_is_left_with_a_way_back(self):
        process = self.start_endless()
        watcher = self.folder.spawn("watch", "1")
        self.addCleanup(lambda: (watcher.kill(), watcher.communicate()))
        wait_until("it is shown", lambda: "step=step1" in watcher.stderr.readline())
        watcher.send_signal(signal.SIGINT)
        _, err = watcher.communicate(timeout=DEADLINE)
        self.assertEqual(130, watcher.returncode)
        self.assertIn("fermata watch 1", err)
        self.assertEqual("STARTED", self.folder.show(1)["status"])
        self.fermata("stop", "1", "--now", "--wait")
        process.wait(DEADLINE)


if __name__ == "__main__":
    unittest.main()
