#!/usr/bin/env python3
"""What the documentation says and the binary does: one truth."""

import re
import shlex
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/harness"))
from fermata_process import DEADLINE, Folder, rows, rows_or_nothing, wait_until  # noqa: E402


def pages():
    return [page for page in ROOT.rglob("*.md") if "build" not in page.relative_to(ROOT).parts]


class Docs(unittest.TestCase):
    def test_status_tables_are_those_of_the_database(self):
        text = (ROOT / "docs/statuses.md").read_text()
        jobs, rest = text.split("## Step executions")
        steps, partitions = rest.split("## Partitions")
        parts = ("job_execution", jobs), ("step_execution", steps), ("partition_execution", partitions)
        told = {(subject, *change) for subject, part in parts
                for change in re.findall(r"^\| ([A-Z]+) \| ([A-Z]+) \|", part, re.MULTILINE)}
        with Folder() as folder:
            folder.fermata("db", "init", exit_code=0)
            guards = rows(folder.repository, "SELECT tbl_name, sql FROM sqlite_master WHERE name LIKE '%_transition'")
        enforced = {(subject, before, after) for subject, guard in guards
                    for before, all_after in re.findall(r"WHEN '(\w+)' THEN NOT \(([^)]*)\)", guard)
                    for after in re.findall(r"NEW.status = '(\w+)'", all_after)}
        self.assertEqual(enforced, told)

    def test_commands_have_the_options_that_are_written_of(self):
        wrong = set()
        with Folder() as folder:
            helps = {}

            def help_of(verb, more):
                for words in ((verb, more), (verb,)) if more and re.fullmatch("[a-z]+", more) else ((verb,),):
                    if words not in helps:
                        told = folder.fermata(*words, "--help")
                        helps[words] = told.stdout if told.returncode == 0 else None
                    if helps[words] is not None:
                        return helps[words]
                return None

            for page in pages():
                if page.name == "CHANGELOG.md":
                    continue
                text = page.read_text()
                written = re.findall(r"`fermata ([^`\n]+)`", text) + re.findall(r"^[ $]*fermata ([^\n#]+)", text, re.MULTILINE)
                for command in written:
                    verbs, *words = command.split(" -- ")[0].split()
                    for verb in verbs.split("|"):
                        if not verb.isalpha():
                            continue
                        told = help_of(verb, words[0] if words else None)
                        options = [found.group(1) for word in words if (found := re.match(r"\[?(--[a-z-]+)", word))]
                        if told is None or not all(option in told for option in options):
                            wrong.add(f"{page.relative_to(ROOT)}: fermata {command}")
        self.assertEqual(set(), wrong)

    def test_links_lead_somewhere(self):
        broken = [f"{page.relative_to(ROOT)}: {target}" for page in pages()
                  for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
                  if not (page.parent / target).exists()]
        self.assertEqual([], broken)

    def test_the_first_screen_of_the_readme(self):
        """Its job is the example's, its commands do what it shows; killed as soon as rows are there, not after a time."""
        text = (ROOT / "README.md").read_text()
        xml = re.search(r"```xml\n(.*?)```", text, re.DOTALL).group(1)
        self.assertEqual((ROOT / "examples/first/import.xml").read_text().strip(), xml.strip())
        commands = re.findall(r"^\$ (.*)$", re.search(r"```console\n(.*?)```", text, re.DOTALL).group(1), re.MULTILINE)
        first, listing, count, restart, again = commands
        self.assertEqual(count, again)
        with Folder() as folder:
            folder.write("import.xml", xml)
            run = shlex.split(first.split("&")[0])[1:]
            running = folder.spawn(*run)
            try:
                wait_until("rows in the sink", lambda: rows_or_nothing(folder.path / "vendors.db", "SELECT 1 FROM vendors LIMIT 1"))
            finally:
                running.kill()
                running.communicate()
            self.assertIn("owner lost", folder.fermata(*shlex.split(listing)[1:], exit_code=0).stdout)
            _, database, query = shlex.split(count)
            before = rows(folder.path / database, query)[0][0]
            self.assertTrue(0 < before < 32_530, before)
            done = folder.fermata(*shlex.split(restart)[1:], exit_code=0).stdout
            self.assertIn(f"read {32_530 - before:,} ", done)
            self.assertEqual([(32_530,)], rows(folder.path / database, query))

    def test_job_xml_in_the_documentation_is_valid(self):
        checked = 0
        with Folder() as folder:
            for page in pages():
                for xml in re.findall(r"```xml\n(.*?)```", page.read_text(), re.DOTALL):
                    if "<job" not in xml:
                        continue
                    name = f"{page.stem}-{checked}.xml"
                    folder.write(name, xml)
                    folder.fermata("validate", name, exit_code=0)
                    checked += 1
        self.assertGreater(checked, 0)

    def test_jobs_in_the_guide_to_job_xml_run(self):
        text = (ROOT / "docs/job-xml.md").read_text()
        jobs = [xml for xml in re.findall(r"```xml\n(.*?)```", text, re.DOTALL) if "<job" in xml]
        self.assertGreaterEqual(len(jobs), 3)
        for number, xml in enumerate(jobs):
            with self.subTest(number), Folder() as folder:
                folder.write("orders.csv", "Order No,Amount\n1,10\n2,20\n")
                folder.write("stock.csv", "item\n7\n")
                (folder.path / "incoming").mkdir()
                folder.write("incoming/a.csv", "Order No,Amount\n3,30\n")
                folder.write("incoming/b.csv", "Order No,Amount\n4,40\n")
                folder.write("job.xml", xml)
                given = ["-p", "file=orders.csv"] if "jobParameters['file']" in xml else []
                waits = "<fer:pause" in xml
                folder.fermata("run", "job.xml", *given, exit_code=11 if waits else 0)
                if waits:
                    folder.fermata("resume", "1", exit_code=0)

    def test_the_page_about_waiting_does_what_it_says(self):
        """Its job, then its commands in their order, for the execution that there is."""
        text = (ROOT / "docs/waiting.md").read_text()
        [xml] = re.findall(r"```xml\n(.*?)```", text, re.DOTALL)
        [commands] = re.findall(r"```\n(fermata list .*?)```", text, re.DOTALL)
        with Folder() as folder:
            folder.write("job.xml", xml)
            folder.fermata("run", "job.xml", exit_code=11)
            codes = {"list": 0, "show": 0, "resume": 0, "signal": 8}
            for line in commands.splitlines():
                verb, *words = shlex.split(line)[1:]
                folder.fermata(verb, *["1" if word == "12" else word for word in words], exit_code=codes[verb])
            self.assertIn('"payload":{"by":"ann"}', folder.fermata("logs", "1", "load", exit_code=0).stdout)

    def assert_tests_exist(self, rules):
        """(what, text that names tests as `Suite.Name`)."""
        sources = "".join(path.read_text() for folder in ("libs/runtime/tests", "testing/repository_suite", "tests")
                          for pattern in ("*_test.cpp", "*_test.py") for path in (ROOT / folder).rglob(pattern))
        for what, rule in rules:
            named = re.findall(r"`(\w+)\.(\w+)`", rule)
            self.assertTrue(named, what)
            for suite, test in named:
                self.assertRegex(sources, rf"TEST_[FP]\({suite}, {test}\)|class {suite}\(")
                self.assertIn(test, sources)
        return sources

    def test_every_promise_about_waiting_has_its_tests(self):
        text = (ROOT / "docs/waiting.md").read_text()
        rules = re.findall(r"^\| (\d+) \|(.*)\|$", text[text.index("## What is promised"):], re.MULTILINE)
        self.assertEqual([str(n) for n in range(1, 11)], [number for number, _ in rules])
        self.assert_tests_exist(rules)

    def test_what_the_tck_leaves_untested_has_tests_that_name_the_paragraph(self):
        text = (ROOT / "docs/conformance.md").read_text()
        section = text[text.index("## What the TCK leaves untested"):text.index("## Scenarios")]
        rows = re.findall(r"^\| ([^|]+) \| (§[^|]+) \| (`[^|]+) \|$", section, re.MULTILINE)
        self.assertGreater(len(rows), 15)
        sources = self.assert_tests_exist([(what, tests) for what, _, tests in rows])
        for what, paragraphs, tests in rows:
            for test in re.findall(r"`\w+\.(\w+)`", tests):
                named = re.search(rf", {test}\) \{{  // (§.*)", sources)
                self.assertTrue(named and any(one in paragraphs.split(", ") for one in re.findall(r"§[\d.]+", named.group(1))),
                                f"{what}: {test} names none of {paragraphs}")

    def test_the_page_about_stopping_does_what_it_says(self):
        """Its job, then its commands for one step, while that step runs."""
        text = (ROOT / "docs/stopping.md").read_text()
        [xml] = re.findall(r"```xml\n(.*?)```", text, re.DOTALL)
        [commands] = re.findall(r"```\n(fermata stop .*?)```", text, re.DOTALL)
        with Folder() as folder:
            folder.write("job.xml", xml)
            running = folder.spawn("run", "job.xml")
            try:
                wait_until("a commit", lambda: rows_or_nothing(folder.repository, "SELECT 1 FROM step_progress "
                                                                                  "WHERE commits > 0"))
                for line in commands.splitlines():
                    verb, *words = shlex.split(line)[1:]
                    told = folder.fermata(verb, *["1" if word == "12" else word for word in words], exit_code=0).stdout
                self.assertIn("cut short   step read by", told)
                running.communicate(timeout=DEADLINE)
                self.assertEqual(0, running.returncode)
            finally:
                running.kill()
                running.communicate()
            read = folder.show("1")["steps"][0]["read"]
            self.assertIn(f"{read + 1} numbers.csv", folder.fermata("logs", "1", "report", exit_code=0).stdout)

    def test_examples_without_a_program_are_valid(self):
        jobs = [job for job in [*(ROOT / "examples").rglob("*.xml"), *(ROOT / "bench/jobs").glob("*.xml")] if not list(job.parent.glob("*.cpp"))]
        self.assertTrue(jobs)
        with Folder() as folder:
            for job in jobs:
                folder.fermata("validate", job, exit_code=0)


if __name__ == "__main__":
    unittest.main()
