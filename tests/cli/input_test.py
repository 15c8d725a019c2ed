#!/usr/bin/env python3
"""Bad input, one after the other: a clear message, the exit code of the statuses page, nothing half-done left."""

import os
import shutil
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import rows_or_nothing  # noqa: E402
from jobs import HEAD, INTO_ITEM, command_job  # noqa: E402
from run_test import Case  # noqa: E402

JOB = HEAD.format(id="import") + """
  <step id="load">
    <chunk item-count="10">
      <reader ref="csvReader"><properties>
        <property name="resource" value="in.csv"/>
      </properties></reader>
      <processor ref="map"><properties><property name="cast" value="id=integer"/></properties></processor>""" + INTO_ITEM + """
    </chunk>
  </step>
</job>
"""
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class Input(Case):
    """What is wrong with a file is told by the step that reads it."""

    def setUp(self):
        super().setUp()
        self.folder.write("import.xml", JOB)

    def refused(self, *words, **options):
        """FAILED with one message that has all these words, and no row."""
        result = self.folder.fermata("run", "import.xml", exit_code=1, **options)
        message = self.folder.show()["error"]["message"]
        for word in words:
            self.assertIn(word, message)
        self.assertNotIn("\n", message)
        self.assertEqual(1, result.stdout.count(words[0]), result.stdout)
        self.assertEqual([], rows_or_nothing(self.folder.path / "sink.db", "SELECT * FROM item"))

    def test_missing(self):
        self.refused("in.csv", "there is no such file", '"resource"')

    def test_a_folder(self):
        (self.folder.path / "in.csv").mkdir()
        self.refused("in.csv", "it is a folder", "name a file in it")

    def test_a_device(self):
        os.mkfifo(self.folder.path / "in.csv")
        self.refused("in.csv", "not a regular file")

    def test_unreadable(self):
        path = self.folder.write("in.csv", "id\n1\n")
        path.chmod(0)
        before = []
        if os.geteuid() == 0:
            before = NOBODY
            self.folder.path.chmod(0o777)
        self.refused("in.csv", "Permission denied", "give this user the right", before=before)

    def test_empty(self):
        self.folder.write("in.csv", "")
        self.refused("in.csv", "is empty", 'empty="ok"')

    def test_binary(self):
        (self.folder.path / "in.csv").write_bytes(b"\x7fELF\0\0")
        self.refused("in.csv", "it is binary", "name a text file")

    def test_a_million_columns(self):
        self.folder.write("in.csv", "," * 1_000_000 + "\n")
        self.refused("in.csv:1", "the header has", "columns")
        self.folder.write("in.csv", "id\n" + "," * 1_000_000 + "\n")
        self.refused("in.csv:2", "columns instead of 1")

    def test_wrong_encoding(self):
        (self.folder.path / "in.csv").write_bytes(b"id\n\xe4\n")
        self.refused("in.csv:2", "is not UTF-8", '"windows-1252"')

    def test_unterminated_quote(self):
        self.folder.write("in.csv", 'id\n"1\n2\n')
        self.refused("in.csv:2", "the quote that opens on line 2 is never closed")

    def test_missing_header(self):
        self.folder.write("in.csv", "1\n2\n")
        self.refused("import.xml:", 'no column "id"')

    def test_unknown_column(self):
        self.folder.write("import.xml", JOB.replace('value="in.csv"/>', 'value="in.csv"/><property name="columns" value="idd"/>'))
        self.folder.write("in.csv", "id\n1\n")
        self.refused("import.xml:", '"idd"', 'did you mean "id"?')

    def test_wrong_type(self):
        self.folder.write("in.csv", "id\n1\nx\n")
        self.refused("in.csv:3", '"x"', "integer")

    def test_disk_full(self):
        place = self.folder.path / "small"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {mounted.stderr.decode()}")
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        self.folder.write("import.xml", JOB.replace("sink.db", "small/sink.db"))
        self.folder.write("in.csv", "id,text\n" + "".join(f"{row},{'x' * 100}\n" for row in range(10_000)))
        self.fermata("run", "import.xml", exit_code=1)
        self.assertIn("small/sink.db: ", self.folder.show()["error"]["message"])
        self.assertIn("disk is full", self.folder.show()["error"]["message"])
        written = rows_or_nothing(place / "sink.db", "SELECT count(*) FROM item") or [(0,)]
        self.assertEqual(0, written[0][0] % 10)

    def test_read_only_database(self):
        self.folder.write("in.csv", "id\n1\n")
        self.fermata("exec", "--", "sqlite3", "sink.db", "CREATE TABLE item (id INTEGER)")
        (self.folder.path / "sink.db").chmod(0o444)
        before = []
        if os.geteuid() == 0:
            before = NOBODY
            for path in [self.folder.path, *self.folder.path.rglob("*")]:
                if path.name != "sink.db":
                    os.chown(path, 65534, 65534)
        self.refused("sink.db", "cannot be written", before=before)

    def test_corrupt_database(self):
        self.folder.write("in.csv", "id\n1\n")
        path = self.folder.write("sink.db", "this is no database, however long it may be. " * 40)
        self.fermata("run", "import.xml", exit_code=1)
        message = self.folder.show()["error"]["message"]
        self.assertIn("sink.db", message)
        self.assertIn("not a database", message)
        self.assertTrue(path.read_text().startswith("this is no database"))


class Repository(Case):
    """What is wrong with the repository is told before anything begins."""

    def test_corrupt(self):
        self.folder.write("repository.db", "no database " * 200)
        self.assertIn("is damaged or no database", self.error("run", self.job("true"), exit_code=5)["message"])

    def test_of_a_newer_schema(self):
        self.fermata("db", "init")
        with sqlite3.connect(self.folder.repository) as database:
            [(known,)] = database.execute("SELECT version FROM schema_version")
            database.execute("UPDATE schema_version SET version = 99")
        message = self.error("run", self.job("true"), exit_code=5)["message"]
        self.assertIn("schema version 99", message)
        self.assertIn(f"knows version {known}", message)

    def test_read_only(self):
        self.fermata("db", "init")
        before = []
        if os.geteuid() == 0:
            before = NOBODY
            self.folder.path.chmod(0o755)
            self.folder.repository.chmod(0o444)
        else:
            self.folder.repository.chmod(0o444)
        result = self.folder.fermata("run", self.job("true"), before=before)
        self.assertEqual(7, result.returncode, result.stderr)
        self.assertIn("repository.db", result.stderr)


class Forbidden(Case):
    """Whatever may not be read or written here: exit code 7, and what it is."""

    def setUp(self):
        super().setUp()
        self.before = NOBODY if os.geteuid() == 0 else []
        self.folder.path.chmod(0o777)

    def shut(self):
        path = self.folder.path / "no-entry"
        path.mkdir(exist_ok=True)
        path.chmod(0)
        if os.geteuid() != 0:
            self.addCleanup(path.chmod, 0o700)
        return path

    def forbidden(self, name, *arguments):
        said = self.error(*arguments, exit_code=7, before=self.before)
        self.assertEqual("forbidden", said["code"])
        self.assertIn(name, said["message"])

    def test_repository(self):
        self.fermata("db", "init")
        self.folder.repository.chmod(0)
        self.forbidden("repository.db", "list")
        self.folder.repository.chmod(0o444)
        self.forbidden("repository.db", "run", self.job("true"))
        self.forbidden("no-entry", "run", "job.xml", "--repository", self.shut() / "a.db")

    def test_data_folder(self):
        self.folder.fermata("db", "init", before=self.before, exit_code=0)
        data = self.folder.path / "repository.db.d"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        data.chmod(0o555)
        self.forbidden("repository.db.d", "run", self.job("true"))

    def test_job_file_parameters_and_data(self):
        self.folder.fermata("db", "init", before=self.before, exit_code=0)
        for path in (self.folder.path / self.job("true"), self.folder.write("p.json", "{}"), self.folder.write("toml", "")):
            path.chmod(0)
        self.forbidden("job.xml", "run", "job.xml")
        self.forbidden("job.xml", "validate", "job.xml")
        self.forbidden("p.json", "run", self.job("true", name="other"), "--params", "p.json")
        self.folder.fermata("run", "other.xml", before=self.before, exit_code=0)
        self.forbidden("p.json", "resume", "1", "--data", "@p.json")
        self.error("resume", "1", "--data", "@none.json", exit_code=6)

    def test_folders(self):
        self.folder.fermata("db", "init", before=self.before, exit_code=0)
        self.forbidden("no-entry", "jobs", "--jobs", self.shut())
        self.forbidden("no-entry", "db", "backup", self.folder.path / "no-entry/copy.db")

    def test_a_sink_is_a_failure_of_its_step(self):
        self.folder.fermata("db", "init", before=self.before, exit_code=0)
        self.folder.write("import.xml", JOB.replace("sink.db", str(self.shut() / "sink.db")))
        self.folder.write("in.csv", "id\n1\n")
        self.folder.fermata("run", "import.xml", before=self.before, exit_code=1)
        self.assertIn("Permission denied", self.folder.fermata("list", before=self.before).stdout)


class Definition(Case):
    """What is wrong with a job is told before there is an execution."""

    def refused(self, text, *words, parameters=()):
        self.folder.write("job.xml", text)
        result = self.fermata("run", "job.xml", *parameters, exit_code=9)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^job\.xml:\d+:\d+: error: ")
        listed = self.folder.fermata("list", "-o", "name")
        self.assertEqual("", listed.stdout)

    def test_unknown_artifact(self):
        self.refused(JOB.replace("csvReader", "csvReadr"), 'did you mean "csvReader"?')

    def test_unknown_property(self):
        self.refused(JOB.replace('"resource"', '"ressource"'), 'did you mean "resource"?')

    def test_unknown_transition_target(self):
        self.refused(command_job("job", "true").replace("<step ", '<step next="stp1" '), '"stp1"')

    def test_a_cycle(self):
        text = command_job("job", "true", "true").replace('id="step2"', 'id="step2" next="step1"')
        self.refused(text, "step1")

    def test_a_parameter_that_is_not_given(self):
        self.refused(command_job("job", "echo #{jobParameters['day']}"), '"day"')

    def test_item_counts_that_are_none(self):
        for count in ("0", "-1", str(2**63), "ten", ""):
            self.refused(JOB.replace('item-count="10"', f'item-count="{count}"'), "item-count")


class Values(Case):
    """Parameters may hold anything, and come through as they are."""

    def test_line_feeds_quotes_and_a_mebibyte(self):
        self.folder.write("job.xml", command_job("job", "sh count.sh #{jobParameters['text']}"))
        self.folder.write("count.sh", "printf '%s' \"$1\" | wc -c; echo $#\n")
        for text in ("two\nlines", "it's \"quoted\" $HOME `id` \\ *", "ä€😀", "", "x" * 100_000):
            self.fermata("run", "job.xml", "-p", f"text={text}")
            self.assertEqual(text, self.folder.show()["parameters"]["text"])
            told = self.fermata("logs", "@latest", "step1").stdout.split()
            self.assertEqual([str(len(text.encode())), "1"], told)

    def test_one_of_a_mebibyte_comes_from_a_file(self):
        self.folder.write("job.xml", command_job("job", "true"))
        self.folder.write("large.json", '{"text": "' + "x" * (1 << 20) + '"}')
        self.fermata("run", "job.xml", "--params", "large.json", exit_code=1)
        self.assertEqual(1 << 20, len(self.folder.show()["parameters"]["text"]))


if __name__ == "__main__":
    unittest.main()
