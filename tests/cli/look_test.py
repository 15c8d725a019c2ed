#!/usr/bin/env python3
"""What looks: list, show, logs, events, and the shapes of their JSON."""

import json
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import DEADLINE, wait_until  # noqa: E402
from jobs import IMPORT, command_job  # noqa: E402
from run_test import Case  # noqa: E402

EXECUTION_KEYS = ["schema", "id", "instance_id", "instance_key", "job", "status", "exit_status", "owner_lost", "owner", "created",
                  "started", "ended", "parameters", "counts", "waiting_for", "actions", "steps", "unserved_pauses", "error"]
STEP_KEYS = ["id", "name", "status", "exit_status", "started", "ended", "read", "written", "filtered", "read_skips",
             "process_skips", "write_skips", "commits", "rollbacks", "error", "partitions", "cut"]
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


class Show(Case):
    def allowed(self, execution):
        return {action["name"] for action in self.folder.show(execution)["actions"] if action["allowed"]}

    def test_all_keys_are_always_there(self):
        self.fermata("run", self.job("true", "false"), "-p", "a=b", exit_code=1)
        shown = self.folder.show(1)
        self.assertEqual(EXECUTION_KEYS, list(shown))
        self.assertEqual("fermata.execution/1", shown["schema"])
        self.assertEqual((1, 1, None, "job", "FAILED"), tuple(shown[key] for key in (
            "id", "instance_id", "instance_key", "job", "status")))
        self.assertEqual(({"a": "b"}, []), (shown["parameters"], shown["waiting_for"]))
        for key in ("created", "started", "ended"):
            self.assertRegex(shown[key], TIME)
        self.assertEqual(["class", "message", "step", "position"], list(shown["error"]))
        self.assertEqual("step2", shown["error"]["step"])
        self.assertEqual([STEP_KEYS, STEP_KEYS], [list(step) for step in shown["steps"]])
        self.assertEqual(["COMPLETED", "FAILED"], [step["status"] for step in shown["steps"]])
        self.assertEqual([[], []], [step["partitions"] for step in shown["steps"]])

    def test_partitions_are_shown(self):
        self.folder.write("parts.xml", """<job id="parts" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
            <step id="s"><batchlet ref="command"><properties>
              <property name="command" value="test #{partitionPlan['value']} = one"/></properties></batchlet>
            <partition><mapper ref="listMapper"><properties><property name="values" value="one,two"/></properties></mapper>
            </partition></step></job>""")
        self.fermata("run", "parts.xml", exit_code=1)
        partitions = self.folder.show(1)["steps"][0]["partitions"]
        self.assertEqual(["number", "status", "exit_status", "started", "ended", "read", "written", "filtered",
                          "read_skips", "process_skips", "write_skips", "commits", "rollbacks", "worker", "properties",
                          "error"],
                         list(partitions[0]))
        self.assertEqual([("COMPLETED", {"value": "one"}), ("FAILED", {"value": "two"})],
                         [(partition["status"], partition["properties"]) for partition in partitions])
        self.assertIn("partition 1: command", partitions[1]["error"]["message"])
        told = self.fermata("show", "1", "--partitions", exit_code=0).stdout.splitlines()
        self.assertEqual(["STEP", "N", "STATUS"], told[0].split()[:3])
        self.assertEqual([["s", "0", "COMPLETED"], ["s", "1", "FAILED"]], [line.split()[:3] for line in told[1:]])
        self.assertEqual([0, 1], [each["number"] for each in json.loads(
            self.fermata("show", "1", "--partitions", "-o", "json", exit_code=0).stdout)])

    def test_actions_follow_the_status(self):
        process = self.start_endless()
        self.assertEqual({"stop", "pause", "signal"}, self.allowed(1))
        self.fermata("stop", "1", "--now")
        process.wait(DEADLINE)
        self.assertEqual({"restart", "abandon"}, self.allowed(1))
        self.fermata("abandon", "1")
        self.assertEqual(set(), self.allowed(1))

        self.fermata("run", self.job("false"), exit_code=1)
        self.fermata("restart", "2", exit_code=1)
        self.assertEqual({"abandon"}, self.allowed(2))
        self.assertIn("only the newest execution of the instance can be: 3", next(
            action["why_not"] for action in self.folder.show(2)["actions"] if action["name"] == "restart"))
        self.folder.write("once.xml", command_job("once", "false").replace("<job ", '<job restartable="false" '))
        self.fermata("run", "once.xml", exit_code=1)
        self.assertEqual({"abandon"}, self.allowed(4))

    def test_text_has_the_facts(self):
        self.fermata("run", self.job("false"), "-p", "a=b", "--instance", "key", exit_code=1)
        text = self.fermata("show", "job@latest").stdout
        for fact in ("execution 1", "✗ FAILED", "key key", "a=b", "fermata restart 1", "✗ step1"):
            self.assertIn(fact, text)

    def test_a_stopping_one_says_who_asked_and_what_still_runs(self):
        self.folder.write("stubborn.sh", "trap '' TERM\ntouch ready\nwhile :; do tail -f /dev/null & wait; done\n")
        self.job("sh stubborn.sh", name="stubborn")
        process = self.folder.spawn("run", "stubborn.xml")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("it runs", (self.folder.path / "ready").exists)
        self.fermata("stop", "@latest")
        text = self.fermata("show", "@latest").stdout
        self.assertRegex(text, r"stop +asked by \S+@.* at .*; step step1 runs since")
        self.assertNotIn("fermata signal", text)
        self.assertIn("1 is STOPPING and takes no signals", self.fermata("signal", "1", "--point", "p", exit_code=8).stdout)
        self.assertRegex(self.fermata("stop", "1").stdout, r"^1 is STOPPING since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$")
        self.fermata("stop", "@latest", "--now", "--wait")
        process.wait(DEADLINE)

    def test_skips(self):
        self.folder.write("import.xml", IMPORT)
        self.folder.write("orders.csv", "id,amount\n1,10\n2,ten\n3,30\n")
        result = self.fermata("run", "import.xml", "-p", "file=orders.csv")
        self.assertIn("1 item skipped: fermata show 1 --skips", result.stdout)
        self.assertRegex(self.fermata("show", "1", "--skips").stdout, r"load +\S*orders\.csv:3 ")
        (skip,) = json.loads(self.fermata("show", "1", "--skips", "-o", "json").stdout)
        self.assertEqual("load", skip["step"])
        step = self.folder.show()["steps"][0]
        self.assertEqual((3, 2, 1), (step["read"], step["written"], step["process_skips"]))

    def test_not_found_and_not_an_id(self):
        self.fermata("run", self.job("true"))
        self.assertEqual("not_found", self.error("show", "99", exit_code=6)["code"])
        for wrong in ("x", "0", "-1", "1.5", "@newest"):
            self.assertEqual("usage", self.error("show", wrong, exit_code=2)["code"])


class List(Case):
    def ids(self, *arguments):
        return [execution["id"] for execution in json.loads(self.fermata("list", *arguments, "-o", "json").stdout)]

    def test_filters_and_formats(self):
        self.fermata("run", self.job("true"), "-p", "a=1")
        self.fermata("run", self.job("false", name="other"), "-p", "a=2", exit_code=1)
        self.assertEqual([2, 1], self.ids())
        self.assertEqual([1], self.ids("--status", "completed"))
        self.assertEqual([2, 1], self.ids("--status", "completed", "--status", "FAILED"))
        self.assertEqual([2], self.ids("--job", "other"))
        self.assertEqual([1], self.ids("-p", "a=1"))
        self.assertEqual([2], self.ids("--limit", "1"))
        self.assertEqual([2, 1], self.ids("--since", "1h"))
        self.assertEqual([], self.ids("--until", "1h"))
        self.assertEqual([], self.ids("--lost"))
        self.assertEqual([key for key in EXECUTION_KEYS if key != "steps"],
                         list(json.loads(self.fermata("list", "-o", "json").stdout)[0]))
        self.assertEqual("2\n1\n", self.fermata("list", "-o", "name").stdout)
        self.assertEqual([2, 1], [json.loads(line)["id"] for line in self.fermata("list", "-o", "jsonl").stdout.splitlines()])
        tsv = [line.split("\t") for line in self.fermata("list", "-o", "tsv").stdout.splitlines()]
        self.assertEqual(["ID", "JOB", "INSTANCE", "KEY", "STATUS"], tsv[0][:5])
        self.assertEqual(["2", "other", "2", "", "FAILED"], tsv[1][:5])
        self.assertRegex(self.fermata("list").stdout, r"(?m)^ 2  other +2  ✗ FAILED ")

    def test_wrong_filters(self):
        for arguments in (["--status", "bad"], ["--since", "the other day"], ["--limit", "-1"], ["--limit", "x"], ["-p", "a"]):
            self.assertEqual("usage", self.error("list", *arguments, exit_code=2)["code"])

    def test_values_cannot_write_on_the_terminal(self):
        self.fermata("run", self.job("true"), "-p", "a=\x1b[31mred\n")
        self.assertNotIn("\x1b", self.fermata("show", "1").stdout)

    def test_colour_only_where_it_is_wanted(self):
        self.fermata("run", self.job("true"))
        self.assertNotIn("\x1b", self.fermata("list").stdout)
        always = {"FERMATA_COLOR": "always"}
        self.assertIn("\x1b[32m", self.fermata("list", environment=always).stdout)
        self.assertNotIn("\x1b", self.fermata("list", "--no-color", environment=always).stdout)


class Logs(Case):
    def test_all_one_and_the_tail(self):
        self.fermata("run", self.job("printf 'a\\nb\\n'", "echo c"))
        self.assertEqual("[step1] a\n[step1] b\n[step2] c\n", self.output("logs", "1"))
        self.assertEqual("a\nb\n", self.output("logs", "1", "step1"))
        self.assertEqual("[step1] b\n[step2] c\n", self.output("logs", "@latest", "--tail", "1"))
        self.assertIn('not entered a step "step3"', self.error("logs", "1", "step3", exit_code=6)["message"])

    def output(self, *arguments):
        return self.fermata(*arguments).stdout

    def test_what_a_step_left_open_stands_before_the_next_step(self):
        self.fermata("run", self.job("printf 'a\\nb'", "printf 'c\\nd'"))
        for follow in ([], ["-f"]):
            self.assertEqual("[step1] a\n[step1] b\n[step2] c\n[step2] d\n", self.output("logs", "1", *follow))

    def test_followed_until_the_end(self):
        self.fermata("db", "init")
        self.folder.write("job.xml", command_job("job", "sh -c 'echo begun; exec tail -f /dev/null'"))
        process = self.folder.spawn("run", "job.xml", "--instance", "x")
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("it is listed", self.folder.list)
        follower = self.folder.spawn("logs", "1", "-f")
        self.addCleanup(lambda: (follower.kill(), follower.communicate()))
        self.assertEqual("[step1] begun\n", follower.stdout.readline())
        self.fermata("stop", "1", "--now")
        follower.communicate(timeout=DEADLINE)
        self.assertEqual(0, follower.returncode)
        process.wait(DEADLINE)


class Events(Case):
    def test_all_of_one_and_after(self):
        self.fermata("run", self.job("true"))
        self.fermata("run", "job.xml")
        events = [json.loads(line) for line in self.fermata("events", "-o", "jsonl").stdout.splitlines()]
        self.assertEqual(["id", "at", "execution", "kind", "actor", "data"], list(events[0]))
        self.assertEqual({1, 2}, {event["execution"] for event in events})
        of_one = [json.loads(line) for line in self.fermata("events", "1", "-o", "jsonl").stdout.splitlines()]
        self.assertEqual([event for event in events if event["execution"] == 1], of_one)
        after = self.fermata("events", "--after", str(events[-2]["id"]), "-o", "name").stdout
        self.assertEqual(f"{events[-1]['id']}\n", after)
        self.assertIn("execution", self.fermata("events").stdout)

    def test_followed_from_now(self):
        self.fermata("run", self.job("true"))
        follower = self.folder.spawn("events", "-f", "-o", "jsonl")
        self.addCleanup(lambda: (follower.kill(), follower.communicate()))
        seen = []
        reader = threading.Thread(target=lambda: seen.append(follower.stdout.readline()))
        reader.start()
        for _ in range(30):  # when it has begun is not to be seen: something happens until it has
            self.fermata("run", "job.xml")
            if seen:
                break
        reader.join(DEADLINE)
        self.assertGreater(json.loads(seen[0])["execution"], 1)

    def test_the_tail(self):
        self.fermata("run", self.job("true"))
        all_of_it = self.fermata("events", "-o", "name").stdout.splitlines()
        self.fermata("run", "job.xml")
        both = self.fermata("events", "-o", "name").stdout.splitlines()
        for number in (0, 1, 3, len(both), len(both) + 7):
            self.assertEqual(both[len(both) - min(number, len(both)):], self.fermata(
                "events", "--tail", str(number), "-o", "name").stdout.splitlines(), number)
            self.assertEqual(all_of_it[max(len(all_of_it) - number, 0):], self.fermata(
                "events", "1", "--tail", str(number), "-o", "name").stdout.splitlines(), number)
        self.assertEqual(both[-2:], self.fermata("events", "--after", both[-3], "--tail", "9", "-o", "name").stdout.splitlines())
        self.fermata("purge", "--job", "job", "--yes")
        left = self.fermata("events", "-o", "name").stdout.splitlines()
        self.assertEqual(left[-1:], self.fermata("events", "--tail", "1", "-o", "name").stdout.splitlines())

    def test_followed_until_a_signal(self):
        self.fermata("run", self.job("true"))
        follower = self.folder.spawn("events", "-f", "--tail", "1", "-o", "jsonl")
        self.addCleanup(lambda: (follower.kill(), follower.communicate()))
        self.assertEqual("execution.ended", json.loads(follower.stdout.readline())["kind"])
        self.fermata("run", "job.xml")
        self.assertEqual(2, json.loads(follower.stdout.readline())["execution"])
        follower.terminate()
        follower.communicate(timeout=DEADLINE)
        self.assertEqual(130, follower.returncode)


if __name__ == "__main__":
    unittest.main()
