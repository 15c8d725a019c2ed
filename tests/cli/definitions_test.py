#!/usr/bin/env python3
"""Definitions: validate, explain, graph, artifacts, jobs."""

import json
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import DEADLINE  # noqa: E402
from jobs import IMPORT, command_job, two_steps  # noqa: E402
from run_test import Case  # noqa: E402


class Validate(Case):
    def test_ok(self):
        self.assertEqual("job.xml: ok\n", self.fermata("validate", self.job("true")).stdout)
        self.assertEqual([], json.loads(self.fermata("validate", "job.xml", "-o", "json").stdout))

    def test_everything_wrong_with_its_place(self):
        self.folder.write("bad.xml", IMPORT.replace("csvReader", "csvReadr").replace('name="cast"', 'name="cats"'))
        result = self.fermata("validate", "bad.xml", exit_code=9)
        self.assertRegex(result.stdout, r'(?m)^bad\.xml:5:\d+: error: .*did you mean "csvReader"\?')
        self.assertRegex(result.stdout, r'(?m)^bad\.xml:8:\d+: error: .*did you mean "cast"\?')
        findings = json.loads(self.fermata("validate", "bad.xml", "-o", "json", exit_code=9).stdout)
        self.assertEqual(["file", "line", "column", "severity", "message"], list(findings[0]))
        self.assertEqual([5, 8], [finding["line"] for finding in findings])

    def test_several_files(self):
        self.job("true")
        self.folder.write("torn.xml", "<job")
        result = self.fermata("validate", "job.xml", "torn.xml", exit_code=9)
        self.assertIn("job.xml: ok\n", result.stdout)
        self.assertIn("torn.xml:1:", result.stdout)

    def test_parameters_are_judged_only_if_given(self):
        self.folder.write("import.xml", IMPORT)
        self.fermata("validate", "import.xml")
        result = self.fermata("validate", "import.xml", "-p", "other=x", exit_code=9)
        self.assertIn('"file"', result.stdout)
        self.fermata("validate", "import.xml", "-p", "file=x.csv")

    def test_what_is_missing_hides_nothing_behind_it(self):
        self.folder.write("bad.xml", two_steps("true", "true", '<fer:pause on="*" to="lod"/>')
                          .replace('ref="command"><properties><property name="command" value="true"/></properties></batchlet>\n  </step>\n</job>',
                                   'ref="comand"/>\n  </step>\n</job>'))
        told = self.fermata("validate", "bad.xml", exit_code=9).stdout.splitlines()
        self.assertEqual(2, len(told), told)
        self.assertIn('needs the attribute "point"', told[0])
        self.assertIn('did you mean "command"?', told[1])
        self.folder.write("bad.xml", two_steps("true", "#{jobParameter['x']}", "")
                          .replace('<step id="check" next="load">', '<step id="check" next="laod">'))
        told = self.fermata("validate", "bad.xml", "-p", "a=b", exit_code=9).stdout.splitlines()
        self.assertEqual(2, len(told), told)
        self.assertIn('did you mean "load"?', told[0])
        self.assertIn("malformed expression", told[1])

    def test_a_unit_must_be_said(self):
        self.folder.write("bare.xml", two_steps("true", "true", '<fer:pause on="*" point="p" timeout="72"/>'))
        self.assertIn('timeout="72" is no duration such as 30s, 15m or 72h',
                      self.fermata("validate", "bare.xml", exit_code=9).stdout)
        self.folder.write("bare.xml", two_steps("true", "true", "", '<property name="timeout" value="60"/>'))
        self.assertIn('property "timeout": "60" is not a duration', self.fermata("validate", "bare.xml", exit_code=9).stdout)

    def test_an_exit_status_that_looks_like_a_slip_is_warned_of(self):
        codes = '<property name="exit-codes" value="3=VERIFY"/>'
        hints = {"VERFY": 'did you mean "VERIFY"?', "completed": 'did you mean "COMPLETED"?',
                 "VERIFY": "", "VER*": "", "STEP_STOPPED": "", "QUITE OTHER": ""}
        for on, hint in hints.items():
            with self.subTest(on=on):
                self.folder.write("job.xml", two_steps("true", "true", f'<next on="{on}" to="load"/>', codes))
                told = self.fermata("validate", "job.xml").stdout
                self.assertEqual("job.xml: ok\n" if not hint else "", told if not hint else "")
                self.assertIn(hint, told)
        self.folder.write("job.xml", two_steps("true", "true", "").replace('  <step id="load">', """  <decision id="which" ref="command">
    <properties><property name="command" value="true"/><property name="exit-codes" value="0=YES"/></properties>
    <end on="YSE"/><next on="YES" to="load"/>
  </decision>
  <step id="load">""").replace('next="load"', 'next="which"'))
        self.assertRegex(self.fermata("validate", "job.xml").stdout,
                         r'job\.xml:\d+:\d+: warning: decision "which": on="YSE" is no exit status .*did you mean "YES"\?')

    def test_values_the_runtime_reads_itself(self):
        self.folder.write("import.xml", IMPORT.replace(
            "<chunk", """<properties><property name="max-rate" value="#{jobParameters['rate']}?:0;"/></properties>\n    <chunk""")
            .replace('<step id="load">', '<properties><property name="fermata.on-owner-loss" value="fial"/></properties><step id="load">'))
        self.assertIn('"fial" is neither continue nor fail', self.fermata("validate", "import.xml", exit_code=9).stdout)
        self.folder.write("import.xml", (self.folder.path / "import.xml").read_text().replace("fial", "fail"))
        self.fermata("validate", "import.xml")
        self.fermata("validate", "import.xml", "-p", "file=x", "-p", "rate=2.5")
        self.assertIn('property "max-rate": "fast" is not a number',
                      self.fermata("validate", "import.xml", "-p", "file=x", "-p", "rate=fast", exit_code=9).stdout)

    def test_a_pause_that_could_never_be_or_nobody_would_hear_of(self):
        pause = '<fer:pause on="{}" point="p" {}/>'
        code = '<property name="pause-exit-codes" value="75="/>'
        for text, wrong in ((two_steps("true", "true", pause.format("", "")), r'on="" is no exit status; on="\*" means any'),
                            (two_steps("true", "true", pause.format("*", 'on-timeout="stop"')),
                             r'on-timeout="stop" without a timeout; say when, as in timeout="72h"'),
                            (two_steps("true", "true", pause.format("*", 'notify=" "')),
                             'notify="" is no command; without the attribute nobody is told'),
                            (two_steps("true", "true", pause.format("*", "notify=\"sh -c 'x\"")),
                             """notify: property "command": the quote ' at character 7 is not closed"""),
                            (two_steps("true", "true", "", code), '"75=" is not CODE or CODE=POINT; write for example')):
            with self.subTest(wrong=wrong):
                self.folder.write("bad.xml", text)
                [told] = self.fermata("validate", "bad.xml", exit_code=9).stdout.splitlines()
                self.assertRegex(told, rf"^bad\.xml:[45]:\d+: error: .*{wrong}")

    def test_no_such_file(self):
        self.assertEqual("not_found", self.error("validate", "none.xml", exit_code=6)["code"])


class Explain(Case):
    def test_defaults_and_values(self):
        self.folder.write("import.xml", IMPORT)
        text = self.fermata("explain", "import.xml", "-p", "file=orders.csv").stdout
        self.assertIn("orders.csv", text)
        self.assertIn("load", text)

    def test_a_mistyped_parameter(self):
        self.folder.write("job.xml", command_job("job", "echo #{jobParameters['region']}?:eu;"))
        self.assertIn('"regoin" is used nowhere in the job; did you mean "region"?',
                      self.fermata("explain", "job.xml", "-p", "regoin=us").stderr)

    def test_a_missing_parameter(self):
        self.folder.write("import.xml", IMPORT)
        result = self.fermata("explain", "import.xml", exit_code=9)
        self.assertRegex(result.stderr, r"import\.xml:6:\d+: error: .*file")


class Graph(Case):
    def test_text_and_dot(self):
        self.job("true", "true")
        self.assertRegex(self.fermata("graph", "job.xml").stdout, r"(?s)step1.*step2")
        self.assertTrue(self.fermata("graph", "job.xml", "--dot").stdout.startswith("digraph"))
        self.assertTrue(self.fermata("graph", "job.xml", "--svg").stdout.startswith("<svg"))


    def test_json(self):
        self.folder.write("job.xml", two_steps("true", "true", '<fer:pause on="A" point="p" to="load"/><fail on="B" exit-status="X"/>'
                                               '<stop on="C" restart="load"/>'))
        graph = json.loads(self.fermata("graph", "job.xml", "-o", "json").stdout)
        self.assertEqual("two", graph["job"])
        self.assertEqual([{"id": "check", "kind": "step", "parent": None, "partitioned": False},
                          {"id": "load", "kind": "step", "parent": None, "partitioned": False}], graph["nodes"])
        edges = [tuple(edge.values()) for edge in graph["edges"]]
        self.assertEqual(["from", "to", "kind", "on", "pause", "exit_status"], list(graph["edges"][0]))
        self.assertEqual([("check", "load", "next", "A", "p", None), ("check", "FAILED", "end", "B", None, "X"),
                          ("check", "STOPPED", "end", "C", None, None), ("check", "load", "restart", "C", None, None),
                          ("check", "load", "next", None, None, None), ("load", "COMPLETED", "end", None, None, None)], edges)
        self.folder.write("flows.xml", command_job("flows", "true", "true").replace('<step id="step1" next="step2">', '<split id="s" next="step2"><flow id="f"><step id="step1">')
                          .replace("  </step>", "  </step></flow></split>", 1))
        graph = json.loads(self.fermata("graph", "flows.xml", "-o", "json").stdout)
        self.assertEqual([("s", "split", None), ("f", "flow", "s"), ("step1", "step", "f"), ("step2", "step", None)],
                         [tuple(node.values())[:3] for node in graph["nodes"]])
        self.assertIn(("step1", "f", "flow_end"), [tuple(edge.values())[:3] for edge in graph["edges"]])

    def test_of_pictures_one(self):
        self.job("true")
        self.assertIn("one of", self.error("graph", "job.xml", "--dot", exit_code=2)["message"])
        self.assertIn("one of", self.fermata("graph", "job.xml", "--dot", "--svg", exit_code=2).stderr)


class Artifacts(Case):
    def test_all_and_one(self):
        self.assertRegex(self.fermata("artifacts").stdout, r"(?m)^csvReader +reader ")
        self.assertRegex(self.fermata("artifacts", "csvReader").stdout, r"(?m)^  header ")
        (one,) = json.loads(self.fermata("artifacts", "csvReader", "-o", "json").stdout)
        self.assertEqual(["name", "kind", "about", "properties", "closed", "example"], list(one))
        self.assertEqual(["name", "type", "default", "required", "about"], list(one["properties"][0]))
        names = self.fermata("artifacts", "-o", "name").stdout.split()
        self.assertTrue({"command", "pipe", "sql", "csvReader", "csvWriter", "jsonlReader", "jsonlWriter", "sqlReader",
                         "sqlWriter", "rangeReader", "discardWriter", "map", "filter", "rejectFile"} <= set(names), names)

    def test_unknown(self):
        self.assertIn('did you mean "csvReader"?', self.error("artifacts", "csvreadr", exit_code=6)["message"])

    def test_every_one_has_an_example(self):
        for artifact in json.loads(self.fermata("artifacts", "-o", "json").stdout):
            self.assertTrue(artifact["example"], artifact["name"])


class Jobs(Case):
    def test_the_folder(self):
        folder = self.folder.path / "jobs"
        folder.mkdir()
        (folder / "b.xml").write_text(command_job("beta", "true", "true"))
        (folder / "a.xml").write_text(IMPORT)
        (folder / "notes.txt").write_text("no job")
        self.assertEqual("import\nbeta\n", self.fermata("jobs", "--jobs", "jobs", "-o", "name").stdout)
        jobs = json.loads(self.fermata("jobs", "--jobs", "jobs", "-o", "json").stdout)
        self.assertEqual({"job": "import", "file": "jobs/a.xml", "steps": 1, "parameters": [{"name": "file", "default": None}],
                          "ambiguous": False},
                         jobs[0])
        (folder / "torn.xml").write_text("<job")
        self.assertIn("torn.xml:1:", self.fermata("jobs", "--jobs", "jobs", exit_code=9).stderr)
        self.assertIn("no valid job", self.error("run", "torn", "--jobs", "jobs", exit_code=9)["message"])

    def test_two_files_with_one_job_are_refused_by_its_id(self):
        folder = self.folder.path / "jobs"
        folder.mkdir()
        for name in ("a.xml", "b.xml"):
            (folder / name).write_text(command_job("nightly", "true"))
        both = 'several files define job "nightly": a.xml, b.xml'
        for verb in ("run", "start", "explain"):
            error = self.error(verb, "nightly", "--jobs", "jobs", exit_code=8) if verb != "explain" else {
                "message": self.fermata(verb, "nightly", "--jobs", "jobs", exit_code=8).stderr, "remedy": "jobs/a.xml"}
            self.assertIn(both, error["message"])
            self.assertIn("jobs/a.xml", error["remedy"])
        told = self.fermata("jobs", "--jobs", "jobs", exit_code=9)
        self.assertIn(both, told.stderr)
        self.assertEqual(2, told.stdout.count("(one of several)"))
        self.assertEqual([True, True], [job["ambiguous"] for job in json.loads(
            self.fermata("jobs", "--jobs", "jobs", "-o", "json", exit_code=9).stdout)])
        self.assertRegex(self.fermata("doctor", "--jobs", "jobs").stdout, rf"(?m)^warn +jobs .*{both}")
        worker = self.folder.spawn("worker", "--jobs", "jobs")
        self.addCleanup(lambda: (worker.kill(), worker.communicate()))
        while both not in (line := worker.stderr.readline()):
            self.assertTrue(line)
        worker.terminate()
        _, rest = worker.communicate(timeout=DEADLINE)
        self.assertNotIn(both, rest)
        self.fermata("run", "jobs/b.xml")

    def test_only_files_are_job_files(self):
        folder = self.folder.path / "jobs"
        folder.mkdir()
        os.mkfifo(folder / "fifo.xml")
        (folder / "folder.xml").mkdir()
        (folder / "nowhere.xml").symlink_to("gone")
        (self.folder.path / "linked").write_text(command_job("linked", "true"))
        (folder / "link.xml").symlink_to("../linked")
        self.assertEqual("linked\n", self.fermata("jobs", "--jobs", "jobs", "-o", "name").stdout)
        self.fermata("run", "linked", "--jobs", "jobs")
        worker = self.folder.spawn("worker", "--jobs", "jobs")
        self.addCleanup(lambda: (worker.kill(), worker.communicate()))
        self.assertIn("serves", worker.stderr.readline())
        self.fermata("start", "linked", "--jobs", "jobs")
        self.fermata("wait", "@latest")
        worker.terminate()
        worker.communicate(timeout=DEADLINE)
        self.assertEqual(0, worker.returncode)

    def test_a_name_that_was_meant_for_a_file(self):
        self.folder.write("mine.xml", command_job("mine", "true"))
        self.assertIn('did you mean "mine.xml"?', self.error("run", "mine", exit_code=6)["message"])
        (self.folder.path / "jobs").mkdir()
        self.assertIn('did you mean "mine.xml"?', self.error("run", "mine", "--jobs", "jobs", exit_code=6)["message"])
        self.assertIn("is a folder", self.error("run", ".", exit_code=9)["message"])

    def test_none_absent_and_unsafe(self):
        self.assertIn("no jobs folder is set", self.error("jobs", exit_code=6)["message"])
        self.assertIn("is no folder", self.error("jobs", "--jobs", "none", exit_code=6)["message"])
        (self.folder.path / "open").mkdir()
        (self.folder.path / "open").chmod(0o777)
        self.assertIn("written by everybody", self.error("jobs", "--jobs", "open", exit_code=7)["message"])


if __name__ == "__main__":
    unittest.main()
