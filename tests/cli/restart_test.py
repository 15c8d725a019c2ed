#!/usr/bin/env python3
"""The operator's ways on: a sink restored from a backup, input that was mended, a job file that was edited."""

import json
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import rows  # noqa: E402
from jobs import HEAD, INTO_ITEM, command_job  # noqa: E402
from run_test import Case  # noqa: E402

JOB = HEAD.format(id="import") + """
  <step id="load">
    <chunk item-count="10">
      <reader ref="csvReader"><properties><property name="resource" value="in.csv"/></properties></reader>""" + INTO_ITEM + """
    </chunk>
  </step>
</job>
"""
PARTS = HEAD.format(id="parts") + """
  <step id="load">
    <chunk item-count="10">
      <reader ref="csvReader"><properties>
        <property name="resource" value="#{partitionPlan['file']}"/>
      </properties></reader>""" + INTO_ITEM + """
    </chunk>
    <partition><mapper ref="filesMapper"><properties>
      <property name="files" value="in*.csv"/>
    </properties></mapper></partition>
  </step>
</job>
"""


RANGES = HEAD.format(id="import") + """
  <step id="load">
    <chunk item-count="1000">
      <reader ref="csvReader"><properties>
        <property name="resource" value="in.csv"/>
        <property name="start" value="#{partitionPlan['start']}"/><property name="end" value="#{partitionPlan['end']}"/>
      </properties></reader>
      <processor ref="map"><properties><property name="cast" value="id=integer"/></properties></processor>""" + INTO_ITEM + """
    </chunk>
    <partition><mapper ref="csvMapper"><properties>
      <property name="resource" value="in.csv"/><property name="partitions" value="2"/>
    </properties></mapper></partition>
  </step>
</job>
"""


class Failed(Case):
    """An import of 60 rows that fails at the 36th, three chunks committed."""

    def setUp(self):
        super().setUp()
        self.folder.write("import.xml", JOB)
        self.write_input("in.csv")

    def write_input(self, name, bad="x", first=1):
        lines = [f"{row},name {row}" for row in range(first, first + 60)]
        lines[35] = bad
        self.folder.write(name, "id,name\n" + "".join(line + "\n" for line in lines))

    def fail(self):
        self.fermata("run", "import.xml", exit_code=1)
        self.assertEqual(30, self.count())

    def count(self):
        return rows(self.folder.path / "sink.db", "SELECT count(*) FROM item")[0][0]

    def ids(self):
        return sorted(int(row[0]) for row in rows(self.folder.path / "sink.db", "SELECT id FROM item"))


class AcceptSink(Failed):
    def test_a_sink_without_its_row_is_imported_into_again(self):
        self.fail()
        (self.folder.path / "sink.db").unlink()
        self.write_input("in.csv", bad="36,name36")
        refused = self.fermata("restart", "1", exit_code=1).stdout
        self.assertIn("the sink has no row", refused)
        self.assertIn("--accept-sink", refused)
        self.fermata("restart", "2", "--accept-sink")
        self.assertEqual(list(range(1, 61)), self.ids())
        self.fermata("db", "verify")

    def copy(self, source, target):
        """As `sqlite3 SOURCE ".backup TARGET"` does."""
        path = self.folder.path / target
        path.unlink(missing_ok=True)
        with sqlite3.connect(self.folder.path / source) as before, sqlite3.connect(path) as after:
            before.backup(after)
        before.close()
        after.close()

    def write_rows(self, count, end=""):
        rows_of_file = "".join(f"{row},name {row}\n" for row in range(1, count + 1))
        self.folder.write("in.csv", "id,name\n" + rows_of_file + end)

    def test_an_older_sink_is_gone_on_with_from_where_it_stands(self):
        self.write_rows(10, "x\n")
        self.fermata("run", "import.xml", exit_code=1)
        self.copy("sink.db", "backup.db")
        self.write_rows(40, "x\n")
        self.fermata("restart", "1", "--accept-input", exit_code=1)
        self.assertEqual(40, self.count())

        self.copy("backup.db", "sink.db")
        self.assertEqual(10, self.count())
        self.assertIn("the sink holds chunk 1", self.fermata("restart", "2", exit_code=1).stdout)
        self.fermata("restart", "3", "--accept-sink", "--accept-input", exit_code=1)
        self.assertEqual(list(range(1, 41)), self.ids())
        self.write_rows(60)
        self.fermata("restart", "4", "--accept-input")
        self.assertEqual(list(range(1, 61)), self.ids())
        self.fermata("db", "verify")

    def test_partitions_keep_their_plan(self):
        self.folder.write("import.xml", PARTS)
        self.write_input("in2.csv", bad="136,name 136", first=101)
        self.fermata("run", "import.xml", exit_code=1)
        (self.folder.path / "sink.db").unlink()
        self.write_input("in.csv", bad="36,name36")
        self.fermata("restart", "1", exit_code=1)
        self.fermata("restart", "2", "--accept-sink")
        # The second partition was COMPLETED: what it wrote is gone with the sink, and is not asked for again.
        self.assertEqual(list(range(1, 61)), self.ids())
        self.assertEqual(["COMPLETED"], [each["status"] for each in self.folder.show()["steps"][0]["partitions"]])
        self.fermata("db", "verify")


class AcceptInput(Failed):
    def test_a_file_of_another_size_is_refused_and_the_way_on_named(self):
        self.fail()
        self.write_input("in.csv", bad="36,mended")
        message = self.fermata("restart", "1", exit_code=1).stdout
        self.assertIn("input changed", message)
        self.assertIn("restart with --accept-input", message)
        self.assertEqual(30, self.count())

    def test_mended_behind_the_checkpoint(self):
        self.fail()
        self.write_input("in.csv", bad="36,mended")
        self.fermata("restart", "1", "--accept-input")
        self.assertEqual(list(range(1, 61)), self.ids())
        events = [json.loads(line) for line in self.fermata("events", "2", "-o", "jsonl").stdout.splitlines()]
        self.assertIn(True, [event["data"].get("accept_input") for event in events])

    def test_what_was_read_must_be_the_same(self):
        self.fail()
        self.write_input("in.csv", bad="36,mended", first=2)
        message = self.fermata("restart", "1", "--accept-input", exit_code=1).stdout
        self.assertIn("they were read already", message)
        self.assertEqual(30, self.count())

    def test_lines_of_json(self):
        self.folder.write("import.xml", JOB.replace("csvReader", "jsonlReader").replace("in.csv", "in.jsonl"))
        lines = [json.dumps({"id": str(row)}) for row in range(1, 61)]
        self.folder.write("in.jsonl", "\n".join(lines[:35] + ["{"] + lines[36:]) + "\n")
        self.fermata("run", "import.xml", exit_code=1)
        self.folder.write("in.jsonl", "\n".join(lines) + "\n")
        self.assertIn("--accept-input", self.fermata("restart", "1", exit_code=1).stdout)
        self.fermata("restart", "2", "--accept-input")
        self.assertEqual(list(range(1, 61)), self.ids())


class Divided(Case):
    """A file in ranges of bytes: one that has not begun is not read by the cuts of another file."""

    def mend_and_restart(self, reader):
        self.folder.write("import.xml", RANGES.replace("csv", reader))
        lines = [f"{row},{'name ' * 12}{row}" if reader == "csv" else json.dumps({"id": str(row), "name": "name " * 12})
                 for row in range(1, 301)]
        end = "id,name\n" if reader == "csv" else ""
        lines = [line + "\n" for line in lines]

        def write(changes):
            text = end + "".join(changes.get(row, line) for row, line in enumerate(lines, 1))
            self.folder.write(f"in.{reader}", text)

        def ids():
            return sorted(int(row[0]) for row in rows(self.folder.path / "sink.db", "SELECT id FROM item"))

        # The end of the second range is bad, so that its partition fails before its first commit.
        write({row: "x" + line[1:] for row, line in enumerate(lines, 1) if row > 250})
        self.fermata("run", "import.xml", exit_code=1)
        done = ids()
        self.assertLess(len(done), 300)
        write({1: lines[0].replace("name", "another name")})
        refused = self.fermata("restart", "1", "--accept-input", exit_code=1).stdout
        self.assertIn("when it was divided into ranges", refused)
        self.assertEqual(done, ids())
        write({})
        self.fermata("restart", "2")
        self.assertEqual(list(range(1, 301)), ids())

    def test_csv(self):
        self.mend_and_restart("csv")

    def test_lines_of_json(self):
        self.mend_and_restart("jsonl")


class JobFile(Case):
    def test_an_edited_file_is_told_and_named(self):
        self.fermata("run", self.job("test -e ready"), exit_code=1)
        self.assertNotIn("has changed", self.fermata("restart", "1", exit_code=1).stderr)
        self.job("true")
        said = self.fermata("restart", "2", exit_code=1).stderr
        self.assertIn("job.xml has changed since", said)
        self.assertIn("restart --job", said)
        self.assertNotIn("has changed", self.fermata("restart", "3", "--job", "job.xml").stderr)

    def test_a_file_that_is_wrong_now_has_changed_too(self):
        self.fermata("run", self.job("false"), exit_code=1)
        self.folder.write("job.xml", "<job")
        self.assertIn("job.xml has changed since", self.fermata("restart", "1", exit_code=1).stderr)
        (self.folder.path / "job.xml").unlink()
        self.assertNotIn("has changed", self.fermata("restart", "2", exit_code=1).stderr)

    def test_other_parameters_are_named(self):
        arguments = ["run", self.job("false"), "--instance", "k"]
        self.fermata(*arguments, "-p", "date=1", "-p", "region=eu", exit_code=1)
        message = self.error(*arguments, "-p", "date=2", "-p", "mode=full", exit_code=8)["message"]
        for difference in ("date=1, and now 2", "region=eu, and now it is not given", "no mode, and now full"):
            self.assertIn(difference, message)

    def test_what_cannot_be_restarted_is_not_promised(self):
        self.folder.write("once.xml", command_job("once", "false").replace("<job ", '<job restartable="false" '))
        text = self.fermata("run", "once.xml", exit_code=1).stdout
        self.assertNotIn("fermata restart", text)
        self.assertIn('no restart: the job says restartable="false"', text)

    def test_nor_where_a_step_has_had_all_its_starts(self):
        self.folder.write("twice.xml", command_job("twice", "false").replace("<step ", '<step start-limit="2" '))
        self.assertIn("fermata restart 1", self.fermata("run", "twice.xml", exit_code=1).stdout)
        text = self.fermata("restart", "1", exit_code=1).stdout
        self.assertNotIn("fermata restart", text)
        self.assertIn('no restart: step "step1" has been started 2 times, its start-limit is 2', text)


if __name__ == "__main__":
    unittest.main()
