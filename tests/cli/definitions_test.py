#!/usr/bin/env python3
"""Definitions: validate, explain, graph, artifacts, jobs."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from jobs import IMPORT, command_job  # noqa: E402
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

    def test_no_such_file(self):
        self.assertEqual("not_found", self.error("validate", "none.xml", exit_code=6)["code"])


class Explain(Case):
    def test_defaults_and_values(self):
        self.folder.write("import.xml", IMPORT)
        text = self.fermata("explain", "import.xml", "-p", "file=orders.csv").stdout
        self.assertIn("orders.csv", text)
        self.assertIn("load", text)

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
        self.assertEqual({"job": "import", "file": "jobs/a.xml", "steps": 1, "parameters": [{"name": "file", "default": None}]},
                         jobs[0])
        (folder / "torn.xml").write_text("<job")
        self.assertIn("torn.xml:1:", self.fermata("jobs", "--jobs", "jobs", exit_code=9).stderr)
        self.assertIn("no valid job", self.error("run", "torn", "--jobs", "jobs", exit_code=9)["message"])

    def test_none_absent_and_unsafe(self):
        self.assertIn("no jobs folder is set", self.error("jobs", exit_code=6)["message"])
        self.assertIn("is no folder", self.error("jobs", "--jobs", "none", exit_code=6)["message"])
        (self.folder.path / "open").mkdir()
        (self.folder.path / "open").chmod(0o777)
        self.assertIn("written by everybody", self.error("jobs", "--jobs", "open", exit_code=7)["message"])


if __name__ == "__main__":
    unittest.main()
