#!/usr/bin/env python3
"""Every verb has the formats it says, and refuses the others: nothing that was asked for is ignored."""

import json
import re
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from jobs import HEAD, IMPORT, two_steps  # noqa: E402
from run_test import Case  # noqa: E402

PAUSE = '<fer:pause on="*" point="sign off"/>'
FORMATS = ["table", "json", "jsonl", "tsv", "name"]
OBJECT = ["table", "json", "jsonl", "name"]
LINES = ["table", "json", "jsonl"]
# A harmless use of each, after one run of job.xml, and what it can print.
VERBS = {
    ("run", "job.xml"): OBJECT, ("exec", "--", "true"): OBJECT, ("start", "job.xml"): OBJECT, ("restart", "2"): OBJECT, ("recover", "2"): OBJECT,
    ("stop", "1"): OBJECT, ("pause", "1"): OBJECT, ("resume", "1"): OBJECT, ("signal", "1", "--point", "p"): OBJECT,
    ("abandon", "3"): OBJECT, ("list",): FORMATS, ("show", "1"): OBJECT,
    ("show", "1", "--skips"): FORMATS, ("show", "1", "--partitions"): FORMATS, ("show", "1", "--waits"): FORMATS, ("logs", "1"): LINES,
    ("watch", "1"): OBJECT, ("wait", "1"): OBJECT, ("events",): OBJECT, ("validate", "job.xml"): FORMATS,
    ("explain", "job.xml"): ["table"], ("graph", "job.xml"): LINES, ("artifacts",): FORMATS,
    ("jobs", "--jobs", "."): FORMATS, ("workers",): FORMATS, ("purge", "--older-than", "9d", "--dry-run"): OBJECT, ("db", "init"): OBJECT,
    ("db", "verify"): OBJECT, ("db", "migrate"): OBJECT, ("config", "show"): FORMATS, ("config", "path"): FORMATS,
    ("config", "check"): FORMATS, ("doctor",): FORMATS, ("completion", "bash"): ["table"],
}


class Formats(Case):
    def setUp(self):
        super().setUp()
        self.fermata("run", self.job("true"))

    def test_each_is_printed_or_refused(self):
        for verb, formats in VERBS.items():
            for wanted in FORMATS:
                with self.subTest(verb=verb, format=wanted):
                    result = self.folder.fermata(verb[0], "-o", wanted, *verb[1:])
                    if wanted in formats:
                        self.assertNotEqual(2, result.returncode, result.stderr)
                    else:
                        self.assertEqual(2, result.returncode, result.stdout)
                        self.assertIn(f"has {'no ' if verb[0] != 'show' else ''}-o", result.stderr)
                        self.assertEqual("", result.stdout)

    def test_json_is_json(self):
        for verb in (("run", "job.xml"), ("list",), ("show", "1"), ("watch", "1"), ("wait", "1"), ("validate", "job.xml"),
                     ("artifacts",), ("graph", "job.xml"), ("show", "1", "--waits"), ("purge", "--older-than", "9d", "--dry-run"), ("db", "init"), ("db", "verify"),
                     ("db", "migrate"), ("db", "backup", "copy.db"), ("config", "show"), ("config", "path"),
                     ("config", "check"), ("doctor",)):
            with self.subTest(verb=verb):
                json.loads(self.fermata(*verb, "-o", "json").stdout)

    def test_logs_by_line(self):
        self.fermata("run", self.job("echo a", "printf 'b&quot;\\n'"))
        lines = [json.loads(line) for line in self.fermata("logs", "2", "-o", "json").stdout.splitlines()]
        self.assertEqual([{"step": "step1", "line": "a"}, {"step": "step2", "line": 'b"'}], lines)


class Tsv(Case):
    def table(self, *arguments, verb="list", **options):
        head, *lines = self.fermata(verb, "-o", "tsv", *arguments, **options).stdout.splitlines()
        return [dict(zip(head.split("\t"), line.split("\t"))) for line in lines]

    def test_it_is_undecorated_and_complete(self):
        self.folder.write("import.xml", IMPORT)
        self.folder.write("many.csv", "id,amount\n" + "".join(f"{row},{row}\n" for row in range(1234)) + "x,1,\t2\n" * 9)
        self.fermata("run", "import.xml", "-p", "file=many.csv", "--instance", "a\tb", exit_code=1,
                     environment={"FERMATA_COLOR": "always"})
        (row,) = self.table()
        self.assertEqual(("FAILED", "false", "1230", "a\\x09b"), tuple(
            row[name] for name in ("STATUS", "OWNER_LOST", "WRITTEN", "KEY")))
        self.assertRegex(row["ENDED"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual("load: " + self.folder.show()["error"]["message"], row["REASON"])

    def test_json_has_the_counts_too(self):
        self.fermata("run", self.job("true", "false"), exit_code=1)
        (row,), (listed,) = self.table(), json.loads(self.fermata("list", "-o", "json").stdout)
        counts = listed["counts"]
        self.assertEqual(["steps", "steps_done", "read", "written", "filtered", "read_skips", "process_skips",
                          "write_skips", "commits", "rollbacks"], list(counts))
        self.assertEqual((2, 1), (counts["steps"], counts["steps_done"]))
        for name in ("STEPS", "STEPS_DONE", "READ", "WRITTEN", "FILTERED"):
            self.assertEqual(row[name], str(counts[name.lower()]))
        self.assertEqual(counts, self.folder.show()["counts"])

    def test_other_lists_are_undecorated_too_in_any_zone(self):
        away = {"TZ": "EAST-14"}
        time = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
        self.folder.write("parts.xml", HEAD.format(id="parts") + """<step id="s"><batchlet ref="command"><properties>
            <property name="command" value="true"/></properties></batchlet><partition><mapper ref="listMapper"><properties>
            <property name="values" value="a &#9; b,two"/></properties></mapper></partition></step></job>""")
        self.fermata("run", "parts.xml")
        first = self.table("1", "--partitions", verb="show", environment=away)[0]
        self.assertEqual(("s", "0", "COMPLETED", "0", "0", "value=a \\x09 b"),
                         tuple(first[name] for name in ("STEP", "N", "STATUS", "FILTERED", "SKIPS", "PROPERTIES")))
        for name in ("STARTED", "ENDED"):
            self.assertRegex(first[name], time)
        self.folder.write("two.xml", two_steps("true", "true", PAUSE))
        self.fermata("run", "two.xml", exit_code=11)
        self.fermata("signal", "2", "--point", "elsewhere", "--key", "k")
        pause, kept = self.table("2", "--waits", verb="show", environment=away)
        self.assertEqual(("1", "sign off", "after", "check", "", "open", "0", "1", ""), tuple(pause[name] for name in (
            "PAUSE", "POINT", "KIND", "ELEMENT", "PARTITION", "STATE", "COUNTED", "SIGNALS", "COMPLETED")))
        self.assertEqual(("", "elsewhere", "signal", "buffered", "k"), tuple(kept[name] for name in (
            "PAUSE", "POINT", "KIND", "STATE", "KEY")))
        for row in pause, kept:
            self.assertRegex(row["OPENED"], time)
        self.start_endless()
        self.assertTrue(any(re.match(time, row["STARTED"]) for row in self.table(verb="workers", environment=away)))

    def test_only_a_table_leaves_out_old_pauses_and_says_so(self):
        self.folder.write("two.xml", two_steps("true", "true", PAUSE))
        self.fermata("run", "two.xml", exit_code=11)
        self.fermata("signal", "1", "--point", "elsewhere", "--key", "k")
        self.fermata("signal", "1", "--point", "sign off")
        with sqlite3.connect(self.folder.repository) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            for table, changed, values in (("pause", {"epoch": "i"}, "epoch = 1"),
                                           ("signal", {"id": "NULL", "signal_key": "'k' || i"}, "signal_key = 'k'")):
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                database.execute(
                    f"INSERT INTO {table} ({', '.join(columns)}) WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT "
                    f"i + 1 FROM n WHERE i < 120) SELECT {', '.join(changed.get(name, name) for name in columns)} "
                    f"FROM {table}, n WHERE {values}")
        table = self.fermata("show", "1", "--waits").stdout
        self.assertIn("the newest 50 of 120 pauses; -o json", table)
        self.assertIn("the oldest 50 of 120 signals that are kept", table)
        self.assertEqual(100, len([line for line in table.splitlines() if "after check" in line or "buffered" in line]))
        waits = json.loads(self.fermata("show", "1", "--waits", "-o", "json").stdout)
        self.assertEqual([*range(120, 0, -1), *[None] * 120], [wait["pause"] for wait in waits])
        self.assertEqual(240, len(self.table("1", "--waits", verb="show")))
        self.assertEqual(120, len(self.fermata("show", "1", "--waits", "-o", "name").stdout.splitlines()))

    def test_the_key_is_shown_and_asked_for(self):
        self.fermata("run", self.job("true"))
        self.assertNotIn("KEY", self.fermata("list").stdout)
        for key in ("monday", "tuesday"):
            self.fermata("run", "job.xml", "--instance", key)
        self.assertRegex(self.fermata("list").stdout, r"(?m)^ID  JOB  INSTANCE  KEY +STATUS")
        self.assertEqual(["2"], [row["ID"] for row in self.table("--instance", "monday")])
        self.assertEqual([], self.table("--instance", "sunday"))
        self.assertEqual("tuesday", json.loads(self.fermata("list", "-o", "json").stdout)[0]["instance_key"])


class Times(Case):
    def test_as_people_write_them(self):
        self.fermata("run", self.job("true"))
        zone = {"TZ": "IST-5:30"}
        for since in ("2020-01-01", "2020-01-01 07:30", "2020-01-01T07:30:15", "2020-01-01 07:30:15.5",
                      "2020-01-01T07:30:00Z", "2020-01-01 07:30+05:30", "yesterday", "1h", "7d"):
            self.assertEqual("1\n", self.fermata("list", "--since", since, "-o", "name", environment=zone).stdout, since)
        for until in ("2020-01-01 07:30", "yesterday", "1h"):
            self.assertEqual("", self.fermata("list", "--until", until, "-o", "name").stdout, until)
        self.fermata("list", "--since", "07:30", "--until", "now")
        for wrong in ("2020-13-01", "2020-01-01 25:00", "2020-01-01 7", "noon", "", "07:30:00:00", "2020-01-01x07:30"):
            self.assertIn("a time, such as", self.error("list", "--since", wrong, exit_code=2)["message"])

    def test_without_an_offset_the_wall_clock_counts(self):
        self.fermata("run", self.job("true"))
        created = self.folder.show()["created"]
        there = {"TZ": "EAST-14"}  # fourteen hours ahead
        shown = self.fermata("list", environment=there).stdout.splitlines()[1]
        started = " ".join(word for word in shown.split() if word[:1].isdigit() and ("-" in word or ":" in word))[:16]
        self.assertEqual("1\n", self.fermata("list", "--since", started, "-o", "name", environment=there).stdout)
        self.assertEqual("", self.fermata("list", "--since", started, "-o", "name", environment={"TZ": "UTC0"}).stdout,
                         created)


if __name__ == "__main__":
    unittest.main()
