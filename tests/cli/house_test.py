#!/usr/bin/env python3
"""Housekeeping: help, usage errors, config, db, doctor, purge, completion."""

import json
import os
import pty
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fermata_process import DEADLINE, binary, rows  # noqa: E402
from jobs import NUMBERS, command_job, two_steps  # noqa: E402
from run_test import Case  # noqa: E402

VERBS = ["run", "exec", "start", "restart", "recover", "stop", "abandon", "pause", "resume", "signal", "list", "show", "logs", "watch",
         "wait", "events", "validate", "explain", "graph", "artifacts", "jobs", "worker", "workers", "purge", "db", "config", "doctor", "completion"]


class Help(Case):
    def test_every_verb_has_its_own(self):
        overview = self.fermata("--help").stdout
        for verb in VERBS:
            self.assertRegex(overview, rf"(?m)^  {verb} +\S")
            text = self.fermata(verb, "--help").stdout
            self.assertIn(f"usage: fermata {verb}", text)
            self.assertIn("--repository", text)

    def test_version(self):
        self.assertRegex(self.fermata("--version").stdout, r"^fermata \d+\.\d+\.\d+\n$")


class Usage(Case):
    def test_what_is_wrong_is_named_with_a_suggestion(self):
        for arguments, words in ((["lsit"], ["unknown command", 'did you mean "list"?']),
                                 ([], ["no command given"]),
                                 (["list", "--stauts", "x"], ["unknown option", "--status"]),
                                 (["run"], ["JOB"]),
                                 (["jobs", "extra"], ['unexpected argument "extra"']),
                                 (["db", "vefiry"], ['did you mean "verify"?']),
                                 (["list", "-o", "xml"], ["none of table, json"]),
                                 (["list", "--repository"], ["--repository"]),
                                 (["run", "x.xml", "-p"], ["-p"])):
            result = self.fermata(*arguments, exit_code=2)
            self.assertTrue(result.stderr.startswith("fermata: "), result.stderr)
            for word in words:
                self.assertIn(word, result.stderr)

    def test_a_value_that_is_missing_is_told_by_its_name(self):
        for arguments, words in ((["run", "x.xml", "-p"], "-p,--param needs K=V"), (["list", "--lost", "--since"], "--since needs TIME"),
                                 (["run", "--instance", "-p", "x.xml", "--repository"], "--repository needs URL")):
            said = self.fermata(*arguments, exit_code=2).stderr
            self.assertEqual(f"fermata: {words}\n  fermata {arguments[0]} --help\n", said)

    def test_statuses_that_are_none(self):
        for verb in ("list", "purge"):
            for status, message, remedy in (("faild", 'did you mean "failed"?', ""),
                                            ("failed,stopped", "is none of", "--status failed --status stopped"),
                                            ("owner lost", "is none of", "fermata list --lost")):
                error = self.error(verb, "--status", status, exit_code=2)
                self.assertIn(message, error["message"])
                self.assertIn(remedy, error["remedy"])

    def test_an_empty_name_is_refused(self):
        for arguments in (["worker", "--name", ""], ["exec", "--name", "", "--", "true"]):
            self.assertIn("--name needs a name", self.fermata(*arguments, exit_code=2).stderr)
        self.assertFalse(self.folder.repository.exists())

    def test_as_json(self):
        self.assertEqual("usage", self.error("lsit", exit_code=2)["code"])

    def test_a_repeated_option_does_not_swallow_what_follows(self):
        self.fermata("run", "-p", "a=1", "-p", "b=2", self.job("true"))
        self.assertEqual({"a": "1", "b": "2"}, self.folder.show()["parameters"])

    def test_global_options_stand_before_or_after_the_verb(self):
        self.fermata("run", self.job("true"))
        self.assertEqual("1\n", self.fermata("-o", "name", "list").stdout)
        self.assertEqual("1\n", self.fermata("--output=name", "list").stdout)


class Config(Case):
    def show(self, **options):
        lines = self.fermata("config", "show", "--origin", **options).stdout.splitlines()
        return dict(line.split(" = ", 1) for line in lines)

    def test_precedence(self):
        (self.folder.path / ".config/fermata").mkdir(parents=True)
        self.folder.write(".config/fermata/config.toml", 'jobs = "mine"\nprogress = "none"\ncolor = "never"\n')
        self.folder.write("fermata.toml", 'jobs = "here"\nprogress = "tty"\n')
        shown = self.show(environment={"FERMATA_PROGRESS": "plain"})
        self.assertEqual(f'"{self.folder.path}/here"  # fermata.toml:1', shown["jobs"])
        self.assertEqual('"plain"  # FERMATA_PROGRESS', shown["progress"])
        self.assertEqual(f'"never"  # {self.folder.path}/.config/fermata/config.toml:3', shown["color"])
        shown = self.fermata("config", "show", "--origin", "--progress", "none").stdout
        self.assertIn('progress = "none"  # --progress', shown)
        self.assertIn("# FERMATA_REPOSITORY", shown)
        self.assertNotIn("#", self.fermata("config", "show").stdout)

    def test_paths_and_check(self):
        paths = self.fermata("config", "path").stdout.splitlines()
        self.assertEqual(3, len(paths))
        self.assertEqual("fermata.toml  (absent)", paths[2])
        self.assertEqual("ok\n", self.fermata("config", "check").stdout)
        self.assertIn("is no folder", self.error("config", "check", "--jobs", "none", exit_code=6)["message"])

    def test_what_is_wrong_is_told_with_its_line(self):
        for text, message in (('jobs = "x"\njosb = "y"\n', 'fermata.toml:2: unknown setting "josb"; did you mean "jobs"?'),
                              ('[run]\nx = "y"\n', 'fermata.toml:2: unknown setting "run.x"'),
                              ('progress = "loud"\n', 'fermata.toml:1: progress="loud" is none of auto|tty|plain|none'),
                              ("color = 1\n", 'fermata.toml:1: "color" must be text'),
                              ("color = \n", "fermata.toml:1:")):
            self.folder.write("fermata.toml", text)
            self.assertIn(message, self.error("config", "check", exit_code=9)["message"])

    def test_a_file_others_may_write_is_refused(self):
        path = self.folder.write("fermata.toml", "")
        path.chmod(0o666)
        self.assertIn("may be written by everybody", self.error("list", exit_code=7)["message"])
        path.chmod(0o644)
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
            self.assertIn("belongs to another user", self.error("list", exit_code=7)["message"])


class Default(Case):
    """The repository nobody named."""

    def setUp(self):
        super().setUp()
        del self.folder.environment["FERMATA_REPOSITORY"]

    def test_it_is_private(self):
        self.fermata("run", self.job("true"), environment={"XDG_STATE_HOME": str(self.folder.path / "state")})
        folder = self.folder.path / "state/fermata"
        self.assertEqual(0o700, folder.stat().st_mode & 0o777)
        self.assertEqual(0o600, (folder / "fermata.db").stat().st_mode & 0o777)
        self.assertEqual(0o700, (folder / "fermata.db.d").stat().st_mode & 0o777)

    def test_below_the_home_folder(self):
        self.fermata("run", self.job("true"))
        self.assertTrue((self.folder.path / ".local/state/fermata/fermata.db").exists())

    def test_without_a_home(self):
        del self.folder.environment["HOME"]
        self.assertIn("--repository", self.error("list", exit_code=2)["remedy"])

    def test_nothing_yet(self):
        error = self.error("list", exit_code=13)
        self.assertEqual("unreachable", error["code"])
        self.assertIn("fermata run", error["remedy"])


class Db(Case):
    def test_init_verify_migrate_backup(self):
        self.assertTrue(self.fermata("db", "init").stdout.startswith("made sqlite:"))
        self.assertTrue(self.fermata("db", "init").stdout.startswith("there is sqlite:"))
        self.fermata("run", self.job("true"))
        self.assertIn("is sound", self.fermata("db", "verify").stdout)
        self.assertIn("nothing to do", self.fermata("db", "migrate").stdout)
        self.fermata("db", "backup", "copy.db")
        self.assertIn("is sound", self.fermata("db", "verify", "--repository", "copy.db").stdout)
        self.assertIn("copy.db", self.fermata("db", "backup", "copy.db", exit_code=8).stderr)

    def test_wrong_use(self):
        self.assertIn("no FILE", self.error("db", "backup", exit_code=2)["message"])
        self.assertIn("no folder", self.error("db", "backup", "none/copy.db", exit_code=6)["message"])
        self.assertIn("takes no FILE", self.error("db", "verify", "x", exit_code=2)["message"])

    def test_what_is_no_repository(self):
        self.assertEqual("unreachable", self.error("db", "verify", exit_code=13)["code"])
        self.error("run", self.job("true"), "--repository", "job.xml/x.db", exit_code=13)
        error = self.error("list", "--repository", "mysql://host/db", exit_code=2)
        self.assertIn("sqlite", error["message"] + error["remedy"])
        self.assertEqual("unreachable", self.error("list", "--repository", "postgresql:///db?host=/nowhere", exit_code=13)["code"])
        self.folder.write("text.db", "this is a text, not a database, and long enough to be told from one" * 20)
        self.error("list", "--repository", "text.db", exit_code=5)
        with sqlite3.connect(self.folder.path / "other.db") as other:
            other.execute("CREATE TABLE mine (x)")
        self.error("list", "--repository", "other.db", exit_code=5)

    def test_what_the_schema_made_and_is_not_there(self):
        self.fermata("db", "init")
        with sqlite3.connect(self.folder.repository) as database:
            database.executescript("DROP TRIGGER event_final; DROP VIEW batch_job_execution; DROP TABLE signal")
        said = self.fermata("db", "verify", exit_code=1).stderr
        for thing in ("trigger event_final", "view batch_job_execution", "table signal"):
            self.assertIn(f"{thing} is missing\n", said)

    def test_a_server_without_slashes(self):
        for repository in ("postgresql:foo", "postgres:/foo"):
            error = self.error("db", "init", "--repository", repository, exit_code=2)
            self.assertIn('; did you mean "' + repository.split(":")[0] + '://foo"?', error["message"])
        self.folder.write("fermata.toml", 'repository = "postgresql:foo"\n')
        self.assertIn("fermata.toml:1: ", self.error("db", "init", exit_code=9)["message"])
        self.assertEqual([], [path.name for path in self.folder.path.iterdir() if "foo" in path.name])

    def test_a_broken_rule_is_named(self):
        self.fermata("run", self.job("true"))
        with sqlite3.connect(self.folder.repository) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            database.execute("UPDATE walk SET number = 7")
        self.assertIn("fault", self.fermata("db", "verify", exit_code=1).stderr)
        self.assertRegex(self.fermata("doctor", exit_code=1).stdout, r"(?m)^fail +repository ")


class Doctor(Case):
    def test_all_is_well(self):
        self.fermata("db", "init")
        lines = self.fermata("doctor").stdout.splitlines()
        self.assertEqual(["STATE", "CHECK", "FINDING"], lines[0].split())
        self.assertEqual({"ok"}, {line.split()[0] for line in lines[1:]})
        self.assertEqual(["repository", "access", "folder", "space", "clock", "jobs", "engine", "guard"],
                         [line.split()[1] for line in lines[1:]])

    def test_what_is_not(self):
        self.assertRegex(self.fermata("doctor").stdout, r"(?m)^warn +repository ")
        self.assertRegex(self.fermata("doctor", "--jobs", "none", exit_code=1).stdout, r"(?m)^fail +jobs ")
        self.folder.path.chmod(0o777)
        self.assertRegex(self.fermata("doctor", exit_code=1).stdout, r"(?m)^fail +folder ")

    def test_what_others_may_do_with_the_repository(self):
        self.fermata("run", self.job("true"))
        file = self.folder.repository
        for path, mode, exit_code, words in ((file, 0o644, 0, "warn +access .*mode 0644.* may be read by everybody: chmod 600 "),
                                             (file, 0o640, 0, "warn +access .*may be read by its group: chmod 600 "),
                                             (file, 0o620, 0, "warn +access .*may be written by its group: chmod 600 "),
                                             (file, 0o602, 1, "fail +access .*may be written by everybody: chmod 600 "),
                                             (Path(f"{file}.d"), 0o755, 0, "warn +access .*may be read by everybody: chmod 700 "),
                                             (Path(f"{file}-fermata.lock"), 0o666, 1, "fail +access .*written by everybody")):
            before = path.stat().st_mode & 0o777
            path.chmod(mode)
            self.assertRegex(self.fermata("doctor", exit_code=exit_code).stdout, f"(?m)^{words}")
            path.chmod(before)
        self.assertRegex(self.fermata("doctor").stdout, r"(?m)^ok +access ")
        if os.geteuid() == 0:
            os.chown(file, 65534, 65534)
            self.assertRegex(self.fermata("doctor").stdout, r"(?m)^warn +access .* belongs to \S+, who may change it")

    def test_broken_jobs_are_counted_and_named(self):
        self.fermata("db", "init")
        (self.folder.path / "jobs").mkdir()
        for name, text in (("good", command_job("good", "true")), ("torn", "<job"), ("empty", "<job/>")):
            self.folder.write(f"jobs/{name}.xml", text)
        self.assertRegex(self.fermata("doctor", "--jobs", "jobs").stdout,
                         r"(?m)^warn +jobs +jobs: 1 job; 2 no valid job: empty\.xml, torn\.xml; fermata jobs tells more")

    def test_a_clock_that_went_back(self):
        self.fermata("run", self.job("true"))
        with sqlite3.connect(self.folder.repository) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            database.execute("UPDATE job_execution SET created = created + 4000000000000000")
        self.assertRegex(self.fermata("doctor", exit_code=1).stdout, r"(?m)^fail +clock ")


class Purge(Case):
    def test_filters_are_needed_and_all_must_match(self):
        self.assertIn("delete everything", self.error("purge", "--yes", exit_code=2)["message"])
        for _ in range(3):
            self.fermata("run", self.job("echo said"))
        self.fermata("run", self.job("false", name="other"), exit_code=1)
        self.assertEqual("would delete 0 instances with 0 executions\n",
                         self.fermata("purge", "--older-than", "1d", "--dry-run").stdout)
        self.assertIn("would delete 3", self.fermata("purge", "--job", "job", "--dry-run").stdout)
        self.assertIn("is not a duration", self.error("purge", "--older-than", "90", "--dry-run", exit_code=2)["message"])
        self.assertIn("nobody to ask", self.error("purge", "--job", "job", exit_code=2)["message"])
        logs = self.folder.path / "repository.db.d/logs"
        self.assertTrue((logs / "1/step1.log").exists())
        result = json.loads(self.fermata("purge", "--job", "job", "--status", "completed", "--keep-last", "1", "--yes",
                                         "-o", "json").stdout)
        self.assertEqual({"instances": 2, "executions": 2, "dry_run": False, "sinks": 0, "sink_rows": 0,
                          "sinks_left": [], "execution_ids": [1, 2]}, result)
        self.assertEqual([4, 3], [execution["id"] for execution in self.folder.list()])
        self.assertFalse((logs / "1").exists())
        self.assertTrue((logs / "3/step1.log").exists())

    def test_names_lead_out_of_no_folder(self):
        self.fermata("exec", "--name", "../../../../escape", "--", "echo", "said")
        self.fermata("exec", "--name", "a/../b", "--", "echo", "said")
        self.fermata("exec", "--name", "x" * 300, "--", "echo", "said")
        logs = self.folder.path / "repository.db.d/logs"
        self.assertEqual({"1/%2E.%2F..%2F..%2F..%2Fescape.log", "2/a%2F..%2Fb.log"},
                         {str(path.relative_to(logs)) for path in logs.glob("[12]/*")})
        self.assertEqual([204], [len(path.name) for path in logs.glob("3/*")])
        for execution in "123":
            self.assertEqual("said\n", self.fermata("logs", execution).stdout)
        self.fermata("purge", "--job", "../../../../escape", "--yes")
        self.assertFalse((logs / "1").exists())

    def test_rows_in_other_databases_go_too(self):
        job = self.folder.write("numbers.xml", NUMBERS)
        for sink in ("one.db", "two.db", "two.db", "gone.db"):
            self.fermata("run", job, "-p", f"sink={sink}")
        self.fermata("run", job, "-p", "sink=repository.db")
        self.assertEqual("would delete 5 instances with 5 executions, and their rows in 3 sinks",
                         self.fermata("purge", "--job", "numbers", "--dry-run").stdout.splitlines()[-1])
        sinks = [self.folder.path / name for name in ("one.db", "two.db")]
        self.assertEqual([1, 2], [len(rows(sink, "SELECT * FROM fermata_sink")) for sink in sinks])
        (self.folder.path / "gone.db").unlink()
        purge = self.fermata("purge", "--job", "numbers", "--yes", "-o", "json", exit_code=1)
        self.assertRegex(purge.stderr, r"rows of 1 instance stay in fermata_sink of sqlite:.*/gone\.db: .*no such")
        result = json.loads(purge.stdout)
        [left] = result.pop("sinks_left")
        self.assertEqual({"instances": 5, "executions": 5, "dry_run": False, "sinks": 3, "sink_rows": 3,
                          "execution_ids": [1, 2, 3, 4, 5]}, result)
        self.assertEqual((f"sqlite:{self.folder.path}/gone.db", "fermata_sink", 1),
                         (left["url"], left["table"], left["instances"]))
        self.assertEqual([0, 0], [len(rows(sink, "SELECT * FROM fermata_sink")) for sink in sinks])
        self.assertEqual([3, 6], [len(rows(sink, "SELECT * FROM item")) for sink in sinks])
        self.assertEqual([], self.folder.list())

    def test_a_person_is_asked(self):
        self.fermata("run", self.job("true"))
        for answer, exit_code, left in ((b"n\n", 5, 1), (b"y\n", 0, 0)):
            ours, theirs = pty.openpty()
            process = self.folder.spawn("purge", "--job", "job", stdin=theirs)
            os.close(theirs)
            os.write(ours, answer)
            _, err = process.communicate(timeout=DEADLINE)
            os.close(ours)
            self.assertEqual(exit_code, process.returncode, err)
            self.assertIn("Delete 1 instance with 1 execution?", err)
            self.assertEqual(left, len(self.folder.list()))


class Completion(Case):
    def complete(self, *words, **options):
        return self.fermata("__complete", *words, **options).stdout.split()

    def test_verbs_options_values(self):
        self.assertEqual(VERBS, self.complete(""))
        self.assertEqual(["restart", "recover", "resume"], self.complete("re"))
        self.assertIn("--status", self.complete("list", "--s"))
        self.assertEqual(["json", "jsonl"], self.complete("list", "-o", "js"))
        self.assertEqual(["verify"], self.complete("db", "v"))
        self.assertEqual(["csvReader", "csvWriter", "csvMapper"], self.complete("artifacts", "csv"))
        self.assertEqual(["__files"], self.complete("validate", ""))
        self.assertEqual(["__files"], self.complete("run", ""))
        self.assertEqual([], self.complete("nothing", ""))
        self.assertEqual([], self.complete("jobs", ""))
        self.assertEqual([], self.complete("list", "--limit", ""))
        self.assertEqual(["starting", "started"], self.complete("list", "--status", "star"))
        self.assertNotIn("    Without", self.fermata("start", "--help").stdout)

    def test_executions_and_jobs(self):
        self.assertEqual([], self.complete("show", ""))
        self.fermata("run", self.job("true"))
        self.assertEqual(["@latest", "1", "job@latest"], self.complete("show", ""))
        self.assertEqual(["1"], self.complete("wait", "7", "1"))
        self.assertEqual(["job"], self.complete("list", "--job", ""))
        self.assertEqual(["step1"], self.complete("logs", "@latest", ""))
        self.assertEqual([], self.complete("logs", "7", ""))
        (self.folder.path / "jobs").mkdir()
        self.folder.write("jobs/n.xml", command_job("nightly", "true"))
        self.assertEqual(["nightly"], self.complete("run", "", environment={"FERMATA_JOBS": "jobs"}))

    def test_points(self):
        pauses = '<fer:pause on="A" point="other"/><fer:pause on="*" point="approve"/>'
        self.folder.write("job.xml", two_steps("true", "true", pauses))
        self.fermata("run", "job.xml", exit_code=11)
        for verb in "signal", "resume":
            self.assertEqual(["approve"], self.complete(verb, "1", "--point", ""))
        self.assertEqual(["approve"], self.complete("signal", "--key", "k", "1", "--point", "app"))
        self.fermata("resume", "1")
        self.assertEqual(["approve", "other"], self.complete("signal", "1", "--point", ""))
        self.assertEqual([], self.complete("signal", "7", "--point", ""))
        self.assertEqual([], self.complete("signal", "--point", ""))

    def test_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("__complete", self.fermata("completion", shell).stdout)
        self.assertEqual("usage", self.error("completion", "tcsh", exit_code=2)["code"])

    def test_bash_itself_completes(self):
        script = (f'fermata() {{ "{binary()}" "$@"; }}; source <(fermata completion bash); '
                  'COMP_WORDS=(fermata val); COMP_CWORD=1; _fermata; printf "%s\n" "${COMPREPLY[@]}"')
        result = subprocess.run(["bash", "-c", script], cwd=self.folder.path, env=self.folder.environment, text=True,
                                capture_output=True, timeout=DEADLINE, check=True)
        self.assertEqual("validate\n", result.stdout)


if __name__ == "__main__":
    unittest.main()
