#!/usr/bin/env python3
"""What is said when something is not as it should be: the thing, the value, the place, the remedy, once."""

import signal
import stat
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import DEADLINE, binary, rows, wait_until  # noqa: E402
from jobs import HEAD, IMPORT, NUMBERS, command_job, two_steps  # noqa: E402
from run_test import Case  # noqa: E402

SQL = HEAD.format(id="asking") + """
  <step id="ask">
    <batchlet ref="sql"><properties>
      <property name="url" value="sink.db"/>
      <property name="sql" value="CREATE TABLE IF NOT EXISTS t AS SELECT :region AS region"/>
    </properties></batchlet>
  </step>
</job>
"""


class Parameters(Case):
    def test_one_that_only_sql_binds_is_missed_before_anything_is_made(self):
        self.folder.write("ask.xml", SQL)
        message = self.fermata("run", "ask.xml", exit_code=9).stderr
        self.assertIn('ask.xml:4:', message)
        self.assertIn('binds :region, but no job parameter "region" is given', message)
        self.assertFalse((self.folder.path / "sink.db").exists())
        self.assertIn("binds :region", self.fermata("validate", "ask.xml", "-p", "a=b", exit_code=9).stdout)
        self.fermata("run", "ask.xml", "-p", "region=eu")
        self.assertEqual([("eu",)], rows(self.folder.path / "sink.db", "SELECT region FROM t"))

    def test_one_that_is_no_utf_8_is_refused_before_anything_is_made(self):
        self.folder.write("job.xml", command_job("job", "true"))
        for arguments, words in ((["-p", "a=b\udcff"], r'-p,--param: "a=b\xFF" is no UTF-8'),
                                 (["-p", "a\udcff=b"], r'-p,--param: "a\xFF=b" is no UTF-8'),
                                 (["--instance", "b\udcff"], r'the key of the instance "b\xFF" is no UTF-8')):
            for verb in ("run", "start"):
                told = self.fermata(verb, "job.xml", *arguments, exit_code=9).stderr
                self.assertEqual(f"fermata: {words}\n  give text in UTF-8; iconv converts it\n", told)
        self.folder.write("zero.json", '{"a": "b\\u0000"}')
        self.assertIn("holds a zero byte", self.fermata("run", "job.xml", "--params", "zero.json", exit_code=9).stderr)
        self.assertEqual([], self.folder.list())

    def test_a_mistyped_one_is_warned_of(self):
        self.folder.write("job.xml", command_job("job", "echo #{jobParameters['region']}?:eu;"))
        said = self.fermata("run", "job.xml", "-p", "regoin=us").stderr
        self.assertIn('job.xml: warning: parameter "regoin" is used nowhere in the job; did you mean "region"?', said)
        self.assertIn('"regoin" is used nowhere', self.fermata("validate", "job.xml", "-p", "regoin=us").stdout)
        self.folder.write("ask.xml", SQL)
        self.assertIn('did you mean "region"?', self.fermata("run", "ask.xml", "-p", "regoin=us", exit_code=9).stderr)

    def test_a_label_is_nobodys_mistake(self):
        self.assertNotIn("warning", self.fermata("run", self.job("true"), "-p", "ticket=4711").stderr)


class Once(Case):
    def test_a_finding_is_told_once(self):
        self.folder.write("bad.xml", IMPORT.replace("csvReader", "csvReadr"))
        said = self.fermata("run", "bad.xml", "-p", "file=x", exit_code=9).stderr
        self.assertEqual(1, said.count("csvReadr"), said)
        self.assertTrue(said.endswith("fermata: nothing was started: 1 error\n"), said)
        self.folder.write("bad.xml", IMPORT.replace("csvReader", "csvReadr").replace('"map"', '"mapp"'))
        said = self.fermata("run", "bad.xml", "-p", "file=x", exit_code=9).stderr
        self.assertEqual((1, 1), (said.count("csvReadr"), said.count('"mapp"')), said)
        self.assertIn("nothing was started: 2 errors\n", said)


class Limits(Case):
    def test_the_skip_limit_that_is_used_up_is_named(self):
        self.folder.write("import.xml", IMPORT.replace('skip-limit="5"', 'skip-limit="2"'))
        self.folder.write("in.csv", "id,amount\n" + "1,x\n" * 3)
        self.fermata("run", "import.xml", "-p", "file=in.csv", exit_code=1)
        error = self.folder.show()["error"]
        self.assertIn('; skip-limit="2" of the chunk is used up', error["message"])
        self.assertEqual("fermata.ConversionError", error["class"])
        self.assertIn("in.csv:4", error["position"])

    def test_the_retry_limit_too(self):
        text = IMPORT.replace("skippable", "retryable").replace('skip-limit="5"', 'retry-limit="1"')
        self.folder.write("import.xml", text)
        self.folder.write("in.csv", "id,amount\n1,x\n")
        self.fermata("run", "import.xml", "-p", "file=in.csv", exit_code=1)
        self.assertIn('retry-limit="1" of the chunk is used up', self.folder.show()["error"]["message"])


class Skips(Case):
    JOB = HEAD.format(id="refused") + """
  <step id="load">
    <chunk item-count="10" skip-limit="9">
      <reader ref="csvReader"><properties><property name="resource" value="in.csv"/></properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="sink.db"/><property name="table" value="item"/>
      </properties></writer>
      <skippable-exception-classes><include class="fermata.ConstraintError"/></skippable-exception-classes>
    </chunk>
  </step>
</job>
"""

    def setUp(self):
        super().setUp()
        self.folder.write("refused.xml", self.JOB)
        self.folder.write("in.csv", "id\n" + "".join(f"{row % 15}\n" for row in range(20)))
        self.fermata("exec", "--", "sqlite3", "sink.db", "CREATE TABLE item (id INTEGER PRIMARY KEY)")

    def test_a_refused_row_costs_its_chunk_which_is_told_and_warned_of(self):
        self.fermata("run", "refused.xml")
        self.assertEqual(10, self.folder.show()["steps"][0]["write_skips"])
        table = self.fermata("show", "@latest", "--skips").stdout.splitlines()
        self.assertEqual(["STEP", "POSITION", "ITEMS", "CLASS"], table[0].split()[:4])
        self.assertEqual("10", table[1].split()[2])
        warning = self.fermata("validate", "refused.xml").stdout
        self.assertRegex(warning, r"refused\.xml:\d+:\d+: warning: fermata\.ConstraintError is skippable but not retryable")

    def test_listed_in_both_it_costs_the_row(self):
        both = '<retryable-exception-classes><include class="{}"/></retryable-exception-classes>\n    </chunk>'
        for retryable in ("fermata.ConstraintError", "fermata.ItemError", "java.lang.Exception"):
            self.folder.write("refused.xml", self.JOB.replace("</chunk>", both.format(retryable)))
            self.assertEqual("refused.xml: ok\n", self.fermata("validate", "refused.xml").stdout)
        self.fermata("run", "refused.xml")
        self.assertEqual(5, self.folder.show()["steps"][0]["write_skips"])

    def test_what_the_journal_left_out_is_said(self):
        self.folder.write("import.xml", IMPORT.replace('skip-limit="5"', ""))
        self.folder.write("many.csv", "id,amount\n" + "1,x\n" * 120)
        self.fermata("run", "import.xml", "-p", "file=many.csv")
        told = self.fermata("show", "@latest", "--skips")
        self.assertEqual(101, len(told.stdout.splitlines()))
        self.assertIn("120 items were skipped", told.stderr)
        self.assertIn("rejectFile", told.stderr)


class Properties(Case):
    BAD = HEAD.format(id="bad") + """
  <step id="load">
    <chunk>
      <reader ref="csvReader"><properties>
        <property name="header" value="yes"/><property name="delimiter" value=";;"/>
        <property name="max-line" value="0"/><property name="encoding" value="latin"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="mode" value="replace"/><property name="create" value="1"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""

    def test_all_that_is_wrong_with_an_artifact_is_told(self):
        self.folder.write("bad.xml", self.BAD)
        told = self.fermata("validate", "bad.xml", exit_code=9).stdout
        for name in ("resource", "header", "delimiter", "max-line", "encoding", "table", "mode", "create"):
            self.assertEqual(1, told.count(f'property "{name}"'), told)
        self.assertEqual(8, len(told.splitlines()), told)

    def test_a_file_that_is_missing_or_empty_does_not_hide_the_others(self):
        self.job("true")
        self.folder.write("empty.xml", "")
        self.folder.write("bad.xml", self.BAD)
        told = self.fermata("validate", "none.xml", "job.xml", "empty.xml", ".", "bad.xml", exit_code=9).stdout
        for line in (r"none\.xml: error: does not exist", r"job\.xml: ok", r"empty\.xml: error: is empty",
                     r"\.: error: is a folder", r"bad\.xml:\d+:\d+: error: "):
            self.assertRegex(told, f"(?m)^{line}")
        self.fermata("validate", "none.xml", "job.xml", exit_code=6)


class Secrets(Case):
    def setUp(self):
        super().setUp()
        self.folder.write("numbers.xml", NUMBERS)

    def test_a_url_may_be_a_reference_as_a_whole(self):
        for number, reference in enumerate(("@env:SINK", "sqlite:@env:SINK", "@file:sink.txt")):
            self.folder.write("sink.txt", f"three{number}.db\n").chmod(0o600)
            self.fermata("run", "numbers.xml", "-p", f"sink={reference}",
                         environment={"SINK": f"three{number}.db"})
            self.assertEqual([(3,)], rows(self.folder.path / f"three{number}.db", "SELECT count(*) FROM item"))
        self.assertEqual([], [path.name for path in self.folder.path.iterdir() if path.name.startswith("@")])
        stored = rows(self.folder.repository, "SELECT url FROM instance_sink ORDER BY 1")
        self.assertEqual([("@env:SINK",), ("@file:sink.txt",), ("sqlite:@env:SINK",)], stored)

    def test_one_that_leads_nowhere(self):
        literal = NUMBERS.replace("#{jobParameters['sink']}", "@env:NOWHERE")
        self.folder.write("numbers.xml", literal)
        warning = self.fermata("validate", "numbers.xml").stdout
        self.assertRegex(warning, r'numbers\.xml:\d+:\d+: warning: .*"url": "@env:NOWHERE": there is no such environment')
        self.fermata("run", "numbers.xml", exit_code=1)
        self.assertIn("set NOWHERE where the job runs", self.folder.show()["error"]["message"])
        self.folder.write("env.xml", command_job("env", "true").replace(
            "</properties>", '<property name="env.KEY" value="@file:/nowhere"/></properties>'))
        self.assertRegex(self.fermata("validate", "env.xml").stdout, r'warning: .*"env\.KEY": "@file:/nowhere"')

    def test_one_that_stands_where_it_is_not_replaced(self):
        self.folder.write("numbers.xml", NUMBERS.replace("#{jobParameters['sink']}", "data/@env:HOME"))
        told = self.fermata("run", "numbers.xml", exit_code=9).stderr
        self.assertIn("stands where it is not replaced", told)
        self.assertFalse((self.folder.path / "data").exists())

    def test_a_plain_password_is_warned_of_and_shown_nowhere(self):
        url = "postgresql://ann:hunter2@127.0.0.1:1/sales?connect_timeout=2"
        self.folder.write("plain.xml", NUMBERS.replace("#{jobParameters['sink']}", url))
        self.folder.write("psql.xml", command_job("psql", f"false {url}"))
        warning = (r'(?m)^{}:\d+:\d+: warning: property "{}" holds a password in plain text, and all who may read the repository '
                   r'will read it there; {}')
        of_url = warning.format(r"(plain|numbers)\.xml", "url", "write @env:NAME or @file:PATH in its place, or, for PostgreSQL, "
                                                              r"leave it to ~/\.pgpass")
        said = []

        def fermata(*arguments, exit_code=0):
            result = self.folder.fermata(*arguments, exit_code=exit_code)
            said.append(result.stdout + result.stderr)
            return said[-1]

        self.assertRegex(fermata("validate", "plain.xml"), of_url)
        self.assertRegex(fermata("validate", "numbers.xml", "-p", f"sink={url}"), of_url)
        self.assertRegex(fermata("validate", "psql.xml"), warning.format(r"psql\.xml", "command", "keep it where only the job"))
        for verb, exit_code in (("run", 1), ("start", 0)):
            self.assertRegex(fermata(verb, "plain.xml", exit_code=exit_code), of_url)
            self.assertEqual(1, len([line for line in said[-1].splitlines() if "plain text" in line]), said[-1])
            self.assertRegex(fermata(verb, "numbers.xml", "-p", f"sink={url}", "--instance", verb, exit_code=exit_code), of_url)
        self.assertIn("has other parameters", fermata("run", "numbers.xml", "-p", f"sink={url}x", "--instance", "run", exit_code=8))
        self.assertIn('"postgresql://ann:***@127.0.0.1:1/sales', fermata("explain", "plain.xml"))
        self.assertIn("ann:***@", fermata("explain", "numbers.xml", "-p", f"sink={url}"))
        self.assertIn("ann:***@", fermata("explain", "psql.xml"))
        for look in (["show"], ["show", "-o", "json"], ["show", "--skips"], ["events", "-o", "jsonl"], ["logs"]):
            fermata(look[0], "2", *look[1:])
        self.assertIn("sink=postgresql://ann:***@", fermata("show", "2"))
        fermata("list", "-o", "json")
        for text in said:
            self.assertNotIn("hunter2", text)

    def test_an_encoded_keyword_hides_no_password(self):
        for encoded in ("passwor%64", "%70assword"):
            url = f"postgresql:///none?host=/nowhere&{encoded}=hunter2"
            for arguments, exit_code in ((["config", "show"], 0), (["db", "init"], 13), (["list"], 13)):
                told = self.folder.fermata(*arguments, "--repository", url, exit_code=exit_code)
                self.assertNotIn("hunter2", told.stdout + told.stderr)

    def test_the_value_is_stored_and_shown_nowhere(self):
        canary = "c4nary-of-a-password"
        known = {"SINK": f"postgresql://ann:{canary}@127.0.0.1:1/sales?connect_timeout=2", "KEY": canary}
        self.folder.write("key.txt", canary + "\n").chmod(0o600)
        self.folder.write("numbers.xml", NUMBERS)
        self.folder.write("env.xml", command_job("env", "sh same.sh").replace(
            "</properties>", '<property name="env.KEY" value="@env:KEY"/><property name="env.SAME" value="@file:key.txt"/>'
                             "</properties>"))
        self.folder.write("same.sh", 'test "$KEY" = "$SAME" && exit 3\n')
        said = []

        def fermata(*arguments, exit_code=0):
            result = self.folder.fermata(*arguments, environment=known, exit_code=exit_code)
            said.append(result.stdout + result.stderr)

        fermata("run", "numbers.xml", "-p", "sink=@env:SINK", exit_code=1)
        self.assertIn("127.0.0.1", said[-1])  # nobody listens there
        fermata("run", "numbers.xml", "-p", "sink=postgresql://ann:@file:key.txt@127.0.0.1:1/sales", exit_code=1)
        fermata("run", "env.xml", exit_code=1)
        self.assertIn("exit code 3", said[-1])
        for job in ("numbers.xml", "env.xml"):
            fermata("validate", job)
        fermata("explain", "numbers.xml", "-p", "sink=@env:SINK")
        for execution in ("1", "2", "3"):
            for look in (["show"], ["show", "-o", "json"], ["show", "--skips"], ["logs"], ["events", "-o", "jsonl"]):
                fermata(look[0], execution, *look[1:])
        fermata("restart", "1", exit_code=1)
        fermata("list", "-o", "json")
        for text in said:
            self.assertNotIn(canary, text)
        for path in self.folder.path.rglob("*"):
            if path.is_file() and path.name != "key.txt":
                self.assertNotIn(canary.encode(), path.read_bytes(), path)

    def test_the_repository_may_be_one_too(self):
        where = {"WHERE": str(self.folder.path / "elsewhere.db")}
        self.fermata("run", self.job("true"), "--repository", "@env:WHERE", environment=where)
        self.assertEqual("1\n", self.fermata("list", "--repository", "elsewhere.db", "-o", "name").stdout)
        self.assertIn('"@env:WHERE"', self.fermata("config", "show", "--repository", "@env:WHERE", environment=where).stdout)
        self.assertTrue((self.folder.path / "elsewhere.db.d").is_dir())


class CommandLine(Case):
    def test_a_repository_without_a_name(self):
        for empty in ("sqlite:", ""):
            error = self.error("list", "--repository", empty, exit_code=2)
            self.assertEqual(f'--repository: "{empty}" names no database', error["message"])
        self.assertIn("names no database", self.error("list", exit_code=9,
                                                      environment={"FERMATA_REPOSITORY": "sqlite:"})["message"])
        self.assertIn("names no folder", self.error("jobs", "--jobs", "", exit_code=2)["message"])

    def test_an_unknown_option_is_told_before_what_it_makes_of_the_rest(self):
        for arguments in (["--partition", "7"], ["--partition"], ["--partition=7"]):
            error = self.error("stop", "3", *arguments, exit_code=2)
            self.assertRegex(error["message"], "^unknown option --partition")

    def test_an_empty_csv_names_the_property(self):
        self.folder.write("import.xml", IMPORT)
        self.folder.write("empty.csv", "")
        self.assertIn('empty="ok"', self.fermata("run", "import.xml", "-p", "file=empty.csv", exit_code=1).stdout)
        self.folder.write("import.xml", IMPORT.replace('name="resource"', 'name="empty" value="ok"/><property name="resource"'))
        self.fermata("run", "import.xml", "-p", "file=empty.csv")

    def test_a_number_that_json_has_and_we_have_not(self):
        self.folder.write("import.xml", IMPORT.replace("csvReader", "jsonlReader").replace("fermata.Error", "none"))
        self.folder.write("big.jsonl", '{"amount": 123456789012345678901234567890}\n')
        message = self.fermata("run", "import.xml", "-p", "file=big.jsonl", exit_code=1).stdout
        self.assertIn("a whole number of more than 64 bits, which is to stand between quotes", message)
        self.assertIn("big.jsonl:1", message)

    def test_terminated_twice_it_is_killed(self):
        self.folder.write("stubborn.sh", "trap '' TERM\ntouch ready\nwhile :; do tail -f /dev/null & wait; done\n")
        process = self.folder.spawn("run", self.job("sh stubborn.sh"))
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        wait_until("it runs", (self.folder.path / "ready").exists)
        process.send_signal(signal.SIGTERM)
        self.assertIn("once more kills", self.until(process, "once more kills"))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        self.assertEqual(130, process.returncode)

    def test_what_others_wrote_is_no_command_for_a_terminal_nor_for_a_parser_of_lines(self):
        said = self.fermata("exec", "--name", "a\nb c\x1b[31m", "--", "false", exit_code=1)
        self.assertNotIn("\x1b", said.stdout + said.stderr)
        for line in (line for line in said.stderr.splitlines() if " job=" in line):
            self.assertIn(r'job="a\nb c\x1B[31m" execution=1 ', line)
        self.assertIn(r' step="a\nb c\x1B[31m" status=FAILED', said.stderr)

    def test_the_answer_can_be_pasted(self):
        for point in ("sign off", "it's", "$HOME;ls", "a\tb\\'\x1b", "ä", "plain-1.2"):
            with self.subTest(point=point):
                written = point.replace("\t", "&#9;").replace("\x1b", "")
                self.folder.write("two.xml", two_steps("true", "true", f'<fer:pause on="*" point="{written}"/>'))
                told = self.fermata("run", "two.xml", exit_code=11).stdout
                (answer,) = [line.split(None, 1)[1] for line in told.splitlines() if line.startswith("  answer ")]
                pasted = answer.replace("fermata ", binary() + " ", 1)
                result = subprocess.run(["bash", "-c", pasted], cwd=self.folder.path, env=self.folder.environment, text=True,
                                        capture_output=True, timeout=DEADLINE)
                self.assertTrue(result.stdout.startswith("applied"), (answer, result))

    def until(self, process, words):
        text = ""
        while words not in text:
            line = process.stderr.readline()
            self.assertTrue(line, text)
            text += line
        return text


PARTITIONS = HEAD.format(id="partitions") + """
  <step id="load">
    <listeners><listener ref="rejectFile"><properties><property name="file" value="REJECTS"/></properties></listener></listeners>
    <chunk item-count="2">
      <reader ref="csvReader"><properties><property name="resource" value="#{partitionPlan['file']}"/></properties></reader>
      <writer ref="csvWriter"><properties><property name="resource" value="WRITTEN"/></properties></writer>
      <skippable-exception-classes><include class="fermata.ItemError"/></skippable-exception-classes>
    </chunk>
    <partition><mapper ref="filesMapper"><properties>
      <property name="files" value="in/*.csv"/><property name="threads" value="#{jobParameters['threads']}?:3;"/>
    </properties></mapper></partition>
  </step>
</job>
"""


class FilesOfPartitions(Case):
    """Partitions that share a file would each write a part of it over the others'."""

    def setUp(self):
        super().setUp()
        (self.folder.path / "in").mkdir()
        for part in range(3):
            self.folder.write(f"in/{part}.csv", f"id,n\n{part}1,a\n{part}2\n{part}3,c\n")

    def write(self, written, rejects, more=""):
        text = PARTITIONS.replace("REJECTS", rejects).replace('"WRITTEN"/>', f'"{written}"/>{more}')
        self.folder.write("job.xml", text)

    def test_one_file_for_all_is_refused(self):
        for plan in (None, '<plan partitions="2"/>'):
            self.write("out.csv", "#{jobParameters['rejects']}?:rejects.csv;")
            if plan:
                text = (self.folder.path / "job.xml").read_text()
                self.folder.write("job.xml", text[:text.index("<mapper")] + plan + text[text.index("</partition>"):])
            told = self.fermata("validate", "job.xml", exit_code=9).stdout
            self.assertRegex(told, r'job\.xml:\d+:\d+: error: writer "csvWriter": property "resource": all partitions would write the one file "out\.csv"')
            self.assertNotIn("rejectFile", told)  # depends on a parameter
            told = self.fermata("run", "job.xml", exit_code=9).stderr
            self.assertIn('listener "rejectFile": property "file": all partitions would write the one file "rejects.csv"', told)
        self.folder.write("job.xml", (self.folder.path / "job.xml").read_text().replace('partitions="2"', 'partitions="1"'))
        self.fermata("validate", "job.xml")

    def test_each_has_its_own(self):
        self.write("#{partitionPlan['name']}.out", "#{partitionPlan['name']}.rejects")
        self.fermata("run", "job.xml")
        for part in range(3):
            self.assertEqual(f"id,n\n{part}1,a\n{part}3,c\n", (self.folder.path / f"{part}.csv.out").read_text())
            rejected = (self.folder.path / f"{part}.csv.rejects").read_text().splitlines()
            self.assertEqual(2, len(rejected))
            self.assertIn(f"{part}.csv:3", rejected[1])

    def test_one_after_the_other_may_append(self):
        self.write("out.csv", "#{partitionPlan['name']}.rejects", '<property name="exists" value="append"/>')
        self.fermata("run", "job.xml", "-p", "threads=1")
        self.assertEqual("id,n\n" + "".join(f"{part}1,a\n{part}3,c\n" for part in range(3)),
                         (self.folder.path / "out.csv").read_text())

    def test_of_those_that_meet_in_one_name_all_but_one_fail(self):
        self.write("#{partitionPlan['same']}out.csv", "#{partitionPlan['name']}.rejects")
        self.fermata("run", "job.xml", exit_code=1)
        self.assertIn("exists already", self.folder.show()["error"]["message"])
        lines = (self.folder.path / "out.csv").read_text().splitlines()
        self.assertEqual([lines[0], 2], ["id,n", len(lines[1:])])
        self.assertEqual(lines[1][0], lines[2][0])  # a whole partition's


class Doubts(Case):
    """What validate warns of is told before a run, too, once, and changes nothing."""

    def test_a_run_tells_them(self):
        self.folder.write("doubtful.xml", NUMBERS.replace("</chunk>", """
      <skippable-exception-classes><include class="fermata.ParseEror"/></skippable-exception-classes></chunk>"""))
        said = self.fermata("run", "doubtful.xml", "-p", "sink=one.db", "-p", "sikn=one.db").stderr
        self.assertRegex(said, r'doubtful\.xml:\d+:\d+: warning: unknown exception class "fermata\.ParseEror"; did you mean '
                               r'"fermata\.ParseError"\?')
        self.assertEqual(1, said.count("ParseEror"))
        again = self.fermata("run", "doubtful.xml", "-p", "sink=two.db", "--instance", "only").stderr
        self.assertIn("ParseEror", again)
        again = self.fermata("run", "doubtful.xml", "-p", "sink=two.db", "--instance", "only").stderr
        self.assertNotIn("ParseEror", again)  # there is nothing to run

    def test_two_steps_that_write_one_file(self):
        step = """
  <step id="{0}" {1}>
    <listeners><listener ref="rejectFile"><properties><property name="file" value="{2}"/></properties></listener></listeners>
    <chunk>
      <reader ref="rangeReader"><properties><property name="to" value="3"/></properties></reader><writer ref="discardWriter"/>
    </chunk>
  </step>"""
        for second, warns in (("rejects.csv", True), ("others.csv", False)):
            self.folder.write("two.xml", HEAD.format(id="two") + step.format("a", 'next="b"', "rejects.csv")
                              + step.format("b", "", second) + "</job>")
            told = self.fermata("validate", "two.xml").stdout
            self.assertEqual(warns, 'step "a" writes "rejects.csv", too' in told, told)
            self.assertEqual(warns, 'step "a" writes "rejects.csv", too' in self.fermata("run", "two.xml").stderr)


class Files(Case):
    def test_a_sink_follows_the_umask_and_the_repository_does_not(self):
        self.folder.write("numbers.xml", NUMBERS)
        self.fermata("run", "numbers.xml", "-p", "sink=new/sink.db", before=["sh", "-c", 'umask 027; exec "$@"', "sh"])
        mode = lambda name: stat.S_IMODE((self.folder.path / name).stat().st_mode)  # noqa: E731
        self.assertEqual((0o750, 0o640, 0o600), (mode("new"), mode("new/sink.db"), mode("repository.db")))

    def test_a_child_that_ends_badly_publishes_nothing(self):
        self.folder.write("child.py", """import json, os, sys
hello = json.loads(sys.stdin.readline())
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"seq": request["seq"], "results": [{"item": item} for item in request["items"]]}), flush=True)
sys.exit(0 if os.path.exists("ready") else 3)
""")
        self.folder.write("pipe.xml", HEAD.format(id="pipe") + """
  <step id="load"><chunk>
    <reader ref="rangeReader"><properties><property name="to" value="3"/></properties></reader>
    <processor ref="pipe"><properties><property name="command" value="python3 child.py"/></properties></processor>
    <writer ref="csvWriter"><properties><property name="resource" value="out.csv"/></properties></writer>
  </chunk></step>
</job>
""")
        self.assertIn("exit code 3", self.fermata("run", "pipe.xml", exit_code=1).stdout)
        self.assertFalse((self.folder.path / "out.csv").exists())
        self.folder.write("ready", "")
        self.fermata("restart", "1")
        self.assertEqual("value\n1\n2\n3\n", (self.folder.path / "out.csv").read_text())

    def test_a_dry_purge_lists_what_would_go(self):
        self.folder.write("numbers.xml", NUMBERS)
        self.fermata("run", "numbers.xml", "-p", "sink=sink.db", "--instance", "monday")
        self.fermata("run", self.job("true"))
        told = self.fermata("purge", "--job", "numbers", "--dry-run").stdout
        self.assertRegex(told, r"(?m)^instance 1 \(monday\)  numbers  execution 1  COMPLETED  \d{4}-")
        self.assertRegex(told, r"(?m)^rows of 1 instance in fermata_sink of sqlite:\S+sink\.db$")
        self.assertIn("would delete 1 instance with 1 execution", told)
        self.assertNotIn("instance 2", told)


if __name__ == "__main__":
    unittest.main()
