#!/usr/bin/env python3
"""Workers: executions that are asked for here and run there, each worker a process of its own."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD, RANGE, into_item  # noqa: E402
from workers import Running, Workers  # noqa: E402

FER = ' xmlns:fer="urn:fermata:job:1"'


def command(line, name="job", after="", more="", next_step=""):
    return HEAD.format(id=name, more=FER) + f"""
  <step id="one"{next_step}><batchlet ref="command"><properties>
    <property name="command" value="{line}"/>{more}
  </properties></batchlet>{after}</step>"""


def job(line, **options):
    return command(line, **options) + "\n</job>\n"


class Cluster(Workers):
    """The tests, on the engine of the class."""

    def test_what_is_asked_for_here_runs_there(self):
        self.define(job("sh -c 'echo said; exit $FERMATA_PARAM_code'"))
        self.worker()
        first = self.start("job", "-p", "code=0")
        second = self.fermata("run", "job", "-p", "code=3", "--detach", "-o", "name").stdout.strip()
        self.assertEqual("1 is COMPLETED\n", self.folder.fermata("wait", first, exit_code=0).stdout)
        self.folder.fermata("wait", second, exit_code=1)
        third = self.fermata("restart", second, "-p", "code=0", "--detach", "-o", "name").stdout.strip()
        self.folder.fermata("wait", third, exit_code=0)
        self.assertIn("said", self.folder.fermata("logs", third, exit_code=0).stdout)
        self.assertEqual(["execution.submitted", "execution.claimed"], self.events(first)[:2])
        alpha = self.workers()["alpha"]
        self.assertEqual(("serving", 0, ["job"]), (alpha["state"], alpha["owns"], alpha["jobs"]))
        self.sound()

    def test_while_nobody_serves_it_waits(self):
        self.define(job("true"))
        asked = self.fermata("start", "job")
        self.assertIn("execution 1 is STARTING", asked.stdout)
        self.assertIn("no worker serves job", asked.stderr)
        self.assertEqual("worker", self.folder.show("1")["waiting_for"][0]["kind"])
        self.assertIn("a worker", self.folder.fermata("show", "1").stdout)
        self.folder.fermata("resume", "1", exit_code=0)
        self.start("job")
        self.assertIn("2 is STOPPED", self.folder.fermata("stop", "2", exit_code=0).stdout)
        self.start("job")
        self.folder.fermata("pause", "3", exit_code=0)
        self.assertEqual("PAUSED", self.status("3"))
        self.folder.fermata("resume", "3", "--detach", exit_code=0)
        self.assertEqual("STARTING", self.status("3"))
        self.worker()
        self.folder.fermata("wait", "3", exit_code=0)
        self.assertEqual("", self.fermata("start", "job").stderr)
        self.folder.fermata("wait", "4", exit_code=0)
        self.sound()

    def test_a_notification_that_hangs_holds_no_slot(self):
        self.folder.write("tell.sh", "exec sleep 600\n")
        self.define(job("true", after='<fer:pause on="*" point="p" notify="sh tell.sh"/>'))
        self.worker("--slots", "1")
        for _ in range(2):
            self.folder.fermata("wait", self.start("job"), "--for", "paused", exit_code=0)

    def test_only_the_definition_it_holds_is_claimed(self):
        self.define(job("true"))
        other = self.folder.write("job.xml", job("false"))
        worker = self.worker()
        self.assertIn("no worker serves", self.folder.fermata("start", other, exit_code=0).stderr)
        own = self.start("job")
        self.folder.fermata("wait", own, exit_code=0)
        self.assertEqual("STARTING", self.status("1"))
        self.define(job("false"))  # now the folder holds the other one
        self.folder.fermata("wait", "1", exit_code=1)
        self.define(job("true").replace("ref=", "rfe="), "bad")
        wait_until("the file is told of", lambda: "bad.xml:" in worker.said())
        self.define(job("true", name="strange").replace("ref=\"command\"", "ref=\"nobodyHasThis\""), "strange")
        wait_until("the artifact is told of", lambda: "nobodyHasThis" in worker.said())
        self.assertEqual(["job"], self.workers()["alpha"]["jobs"])
        self.sound()

    def test_a_jobs_folder_that_is_away_for_a_moment(self):
        self.define(job("true"))
        worker = self.worker()
        jobs, away = self.folder.path / "jobs", self.folder.path / "away"
        jobs.rename(away)
        wait_until("it says so", lambda: str(jobs) in worker.said().partition("serves ")[2].partition("\n")[2])
        away.rename(jobs)
        self.folder.fermata("wait", self.start("job"), exit_code=0)
        self.assertIsNone(worker.process.poll(), worker.said())

    def test_what_cannot_be_assembled_fails_with_its_reason(self):
        self.define(job("true", more='<property name="timeout" value="#{systemProperties[\'limit\']}?:9s;"/>'))
        running = Running(self.folder, "-D", "limit=nonsense")
        self.addCleanup(lambda: (running.process.kill(), running.process.wait()))
        self.folder.fermata("wait", self.start("job"), exit_code=1)
        self.assertIn("nonsense", self.folder.show("1")["error"]["message"])
        self.fermata("start", "job", "-D", "limit=1s", exit_code=2)
        self.sound()

    def test_no_more_at_a_time_than_slots(self):
        self.define(job("sh -c 'echo $$ > up.$FERMATA_EXECUTION_ID; cat gate.$FERMATA_EXECUTION_ID'"))
        for n in "123":
            os.mkfifo(self.folder.path / f"gate.{n}")
        self.worker("--slots", "2")
        for _ in range(3):
            self.start("job")
        wait_until("two run", lambda: len(list(self.folder.path.glob("up.*"))) == 2)
        self.assertEqual(["STARTED", "STARTED", "STARTING"], [self.status(n) for n in "123"])
        self.assertEqual(2, self.workers()["alpha"]["owns"])
        for n in "123":
            wait_until(f"{n} runs", (self.folder.path / f"up.{n}").exists)
            (self.folder.path / f"gate.{n}").write_text("go\n")
        for n in "123":
            self.folder.fermata("wait", n, exit_code=0)
        self.sound()

    def test_of_several_workers_each_execution_has_one(self):
        self.define(job("sh -c 'echo $FERMATA_EXECUTION_ID >> ran'"))
        for name in ("alpha", "beta", "gamma"):
            self.worker("--slots", "2", name=name)
        ids = [self.start("job") for _ in range(12)]
        self.folder.fermata("wait", *ids, exit_code=0)
        ran = (self.folder.path / "ran").read_text().split()
        self.assertEqual(sorted(ids, key=int), sorted(ran, key=int))
        self.sound()

    def test_a_signal_and_a_deadline_are_for_workers(self):
        self.define(job("true", after='<fer:pause on="*" point="approve"/>', next_step=' next="two"').replace(
            "</job>", '<step id="two"><batchlet ref="command"><properties><property name="command" value="true"/>'
            "</properties></batchlet></step></job>"), "signal")
        self.define(job("true", name="timed", after='<fer:pause on="*" point="p" timeout="1ms" on-timeout="resume"/>'),
                    "timed")
        self.worker()
        approval, timed = self.start("job"), self.start("timed")
        self.folder.fermata("wait", approval, "--for", "paused", exit_code=0)
        self.folder.fermata("signal", approval, "--point", "approve", exit_code=0)
        for execution in approval, timed:
            wait_until("it goes on by itself", lambda: self.status(execution) == "COMPLETED")  # noqa: B023
        self.assertEqual(2, len(self.folder.show(approval)["steps"]))
        self.sound()

    def test_an_orderly_end_lets_what_runs_end(self):
        self.define(job("sh -c 'echo up > up; cat gate'"))
        os.mkfifo(self.folder.path / "gate")
        worker = self.worker()
        first = self.start("job")
        wait_until("it runs", (self.folder.path / "up").exists)
        worker.drain()
        wait_until("it says so", lambda: self.workers()["alpha"]["state"] == "draining")
        second = self.start("job")
        (self.folder.path / "gate").write_text("go\n")
        self.assertEqual(0, worker.ended(), worker.said())
        self.assertEqual(("COMPLETED", "STARTING"), (self.status(first), self.status(second)))
        self.assertEqual({}, self.workers())
        self.assertIn("1 job COMPLETED", worker.said())
        self.sound()

    def test_what_takes_longer_is_handed_on(self):
        self.define(into_item("numbers", RANGE, item_count=5, max_rate=200))
        sink = self.engine.own
        worker = self.worker("--drain", "0")
        execution = self.start("numbers", "-p", f"sink={sink.url}", "-p", "to=300")
        wait_until("a chunk", lambda: sink.numbers("value"))
        worker.drain()
        self.assertEqual(0, worker.ended(), worker.said())
        self.assertIn("1 numbers handed on", worker.said())
        self.assertEqual("STARTING", self.status(execution))
        self.worker(name="beta")
        self.folder.fermata("wait", execution, exit_code=0)
        self.assertEqual(list(range(1, 301)), sink.numbers("value"))
        [step] = self.folder.show(execution)["steps"]
        self.assertEqual((300, 300), (step["read"], step["written"]))
        self.sound()

    def test_the_second_signal_leaves_at_once(self):
        self.define(job("tail -f /dev/null"))
        worker = self.worker()
        execution = self.start("job")
        wait_until("it runs", lambda: self.status(execution) == "STARTED")
        worker.drain()
        wait_until("it drains", lambda: "claims nothing more" in worker.said())
        worker.drain()
        self.assertEqual(130, worker.ended())

    def test_a_stop_reaches_a_worker(self):
        self.define(job("tail -f /dev/null"))
        self.worker()
        execution = self.start("job")
        wait_until("it runs", lambda: self.status(execution) == "STARTED")
        owner = self.folder.show(execution)["owner"]
        self.assertEqual("alpha", owner["name"])
        self.assertIn("worker alpha", self.folder.fermata("show", execution).stdout)
        self.assertIn("is STOPPED", self.folder.fermata("stop", execution, "--now", "--wait", exit_code=0).stdout)
        self.sound()

    def test_a_crontab_line_is_safe_to_repeat(self):
        self.define(job("test -e repaired"))
        self.worker()
        first = self.start("job", "--instance", "today")
        self.folder.fermata("wait", first, exit_code=1)
        self.folder.write("repaired", "")
        second = self.start("job", "--instance", "today")
        self.folder.fermata("wait", second, exit_code=0)
        self.assertEqual(("1", "2"), (first, second))
        self.assertIn("already completed", self.fermata("start", "job", "--instance", "today").stdout)

    def test_what_lost_its_process_is_left_to_a_worker(self):
        self.define(job("sh -c 'test -e once || { touch once; exec tail -f /dev/null; }'"))
        lost = self.folder.spawn("run", "job", "--jobs", self.folder.path / "jobs")
        wait_until("it runs", (self.folder.path / "once").exists)
        lost.kill()
        lost.communicate()
        wait_until("its children are gone", lambda: self.folder.show("1")["owner_lost"])
        self.folder.fermata("recover", "1", "--detach", exit_code=0)
        self.worker()
        self.folder.fermata("wait", "1", exit_code=0)
        self.sound()

    def test_what_a_dead_worker_owned_goes_on_elsewhere(self):
        self.define(into_item("numbers", RANGE, item_count=5, max_rate=200))
        sink = self.engine.own
        alpha = self.worker("--slots", "1")
        execution = self.start("numbers", "-p", f"sink={sink.url}", "-p", "to=300")
        wait_until("a chunk", lambda: sink.numbers("value"))
        beta = self.worker("--slots", "1", name="beta")
        alpha.process.kill()
        self.folder.fermata("wait", execution, exit_code=0)
        self.assertEqual(list(range(1, 301)), sink.numbers("value"))
        [step] = self.folder.show(execution)["steps"]
        self.assertEqual((300, 300), (step["read"], step["written"]))
        self.assertIn("has lost its owner and is STARTING", beta.said())
        wait_until("the dead one is forgotten", lambda: list(self.workers()) == ["beta"])
        self.sound()

    def test_what_a_dead_run_owned_is_adopted(self):
        self.define(job("sh -c 'test -e once || { touch once; exec tail -f /dev/null; }'"))
        self.worker()
        lost = self.folder.spawn("run", "job", "--jobs", self.folder.path / "jobs")
        wait_until("it runs", (self.folder.path / "once").exists)
        lost.kill()
        lost.communicate()
        wait_until("it has ended", lambda: self.status("1") == "COMPLETED")
        self.sound()

    def test_a_job_may_end_with_its_owner(self):
        self.define(job("tail -f /dev/null").replace(
            "<step id=", '<properties><property name="fermata.on-owner-loss" value="fail"/></properties><step id=', 1))
        alpha = self.worker()
        execution = self.start("job")
        wait_until("it runs", lambda: self.status(execution) == "STARTED")
        self.worker(name="beta")
        alpha.process.kill()
        self.folder.fermata("wait", execution, exit_code=1)
        self.assertEqual("fermata.OwnerLost", self.folder.show(execution)["error"]["class"])
        self.sound()

    def test_a_stop_or_pause_outlives_the_owner(self):
        self.define(job("sh -c 'trap : TERM; echo up > up.$FERMATA_EXECUTION_ID; while :; do sleep 0.01; done'"))
        alpha = self.worker("--slots", "2")
        stopping, pausing = self.start("job"), self.start("job")
        for execution in stopping, pausing:
            wait_until("it runs", (self.folder.path / f"up.{execution}").exists)
        self.folder.fermata("stop", stopping, exit_code=0)
        self.folder.fermata("pause", pausing, exit_code=0)
        self.assertEqual(("STOPPING", "PAUSING"), (self.status(stopping), self.status(pausing)))
        self.worker(name="beta")
        alpha.process.kill()
        for execution, status in (stopping, "STOPPED"), (pausing, "PAUSED"):
            wait_until(f"{execution} is {status}", lambda: self.status(execution) == status)  # noqa: B023
        self.sound()

    def test_what_a_worker_needs(self):
        self.assertIn("no jobs folder", self.folder.fermata("worker", exit_code=6).stderr)
        self.assertIn("between 1 and", self.fermata("worker", "--slots", "0", exit_code=2).stderr)


class ClusterOnSqlite(Cluster, unittest.TestCase):
    ENGINE = Sqlite


class ClusterOnPostgres(Cluster, unittest.TestCase):
    ENGINE = Postgres


if __name__ == "__main__":
    unittest.main()
