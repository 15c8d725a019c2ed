#!/usr/bin/env python3
"""Partitions of one step on several hosts, and what becomes of them when a process dies: UC4, "a manager dies"."""

import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD  # noqa: E402
from workers import Workers  # noqa: E402

PARTITIONS = 16
ITEMS = 20
FIRST = 10  # of the values of the mapper, so that all have two digits


def sliced(name="sliced", workers=' fer:workers="any"', rate=40):
    """Partition v writes the numbers v01 to v20, slowly enough to be met in the middle."""
    values = ",".join(str(FIRST + i) for i in range(PARTITIONS))
    return HEAD.format(id=name, more=' xmlns:fer="urn:fermata:job:1"') + f"""
  <step id="load">
    <properties><property name="max-rate" value="{rate}"/></properties>
    <chunk item-count="4">
      <reader ref="rangeReader"><properties>
        <property name="from" value="#{{partitionPlan['value']}}01"/>
        <property name="to" value="#{{partitionPlan['value']}}{ITEMS}"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{{jobParameters['sink']}}"/>
        <property name="table" value="item"/><property name="create" value="true"/>
      </properties></writer>
    </chunk>
    <partition{workers}>
      <mapper ref="listMapper"><properties><property name="values" value="{values}"/></properties></mapper>
    </partition>
  </step>
</job>
"""


SHORT = HEAD.format(id="short", more=' xmlns:fer="urn:fermata:job:1"') + """
  <step id="count">
    <chunk>
      <reader ref="rangeReader"><properties><property name="from" value="1"/><property name="to" value="9"/></properties></reader>
      <writer ref="discardWriter"/>
    </chunk>
    <partition fer:workers="any"><plan partitions="2"/></partition>
  </step>
</job>
"""

ALL = sorted(100 * (FIRST + i) + item for i in range(PARTITIONS) for item in range(1, ITEMS + 1))

# The queries people run against Spring Batch's tables to find jobs whose manager has died.
STUCK_COUNT = """SELECT COUNT(*) FROM BATCH_JOB_INSTANCE bji INNER JOIN BATCH_JOB_EXECUTION bje
    ON bji.JOB_INSTANCE_ID = bje.JOB_INSTANCE_ID WHERE bje.STATUS IN ('STARTED') AND bji.JOB_NAME = 'sliced'
    AND bje.JOB_INSTANCE_ID NOT IN (SELECT bje.JOB_INSTANCE_ID FROM BATCH_JOB_INSTANCE bji INNER JOIN
    BATCH_JOB_EXECUTION bje ON bji.JOB_INSTANCE_ID = bje.JOB_INSTANCE_ID WHERE bje.STATUS = 'COMPLETED' AND
    bji.JOB_NAME = 'sliced')"""
STUCK_IDS = STUCK_COUNT.replace("SELECT COUNT(*)", "SELECT bje.JOB_EXECUTION_ID", 1)
PARTITIONS_LEFT = """SELECT COUNT(bse.STEP_EXECUTION_ID) FROM BATCH_STEP_EXECUTION bse
    WHERE bse.JOB_EXECUTION_ID = {execution} AND bse.STEP_NAME <> 'load' AND bse.status <> 'COMPLETED'"""


class RemotePartitions(Workers, unittest.TestCase):
    """UC4. Each worker is of a host of its own, as far as Fermata can tell."""

    ENGINE = Postgres

    def sink(self):
        return f"sink={self.engine.own.url}"

    def manager_and_workers(self, *workers, slots="1", drain="20s"):
        """alpha owns the execution and runs partitions too; the others come when it has it."""
        self.define(sliced(), name="sliced")
        self.on("north")
        alpha = self.worker("--slots", slots)
        execution = self.start("sliced", "-p", self.sink())
        wait_until("the plan", lambda: self.partitions(execution))
        others = []
        for name in workers:
            self.on(f"host-of-{name}")
            others.append(self.worker("--slots", slots, "--drain", drain, name=name))
        return execution, alpha, others

    def partitions(self, execution):
        steps = self.folder.show(execution)["steps"]
        return steps[0]["partitions"] if steps else []

    def running_on(self, execution, worker):
        return [each for each in self.partitions(execution) if (each["status"], each["worker"]) == ("STARTED", worker)]

    def in_the_middle(self, execution, worker):
        """Partitions of the worker that have committed a chunk."""
        return [each["number"] for each in self.running_on(execution, worker) if each["commits"] > 0]

    def expect_everything_once(self, execution):
        self.wait(execution)
        self.assertEqual(ALL, self.engine.own.numbers("value"))
        [step] = self.folder.show(execution)["steps"]
        self.assertEqual((len(ALL), len(ALL)), (step["read"], step["written"]))
        self.assertEqual({"COMPLETED"}, {each["status"] for each in step["partitions"]})
        self.assertEqual(1, len(self.folder.list()), "one execution")
        self.sound()

    def entries(self):
        """How often each partition was entered: its epoch rises at every entry, and whenever it is taken away."""
        found = self.engine.own.rows("SELECT partition, epoch FROM step_progress WHERE partition > 0")
        return {int(partition) - 1: int(epoch) - 1 for partition, epoch in found}

    def test_1_a_manager_and_workers_on_other_hosts_share_the_partitions(self):
        execution, _, _ = self.manager_and_workers("beta", "gamma")
        for name in ("alpha", "beta", "gamma"):
            wait_until(f"{name} runs one", lambda name=name: self.running_on(execution, name))
        self.expect_everything_once(execution)
        self.assertEqual({"alpha", "beta", "gamma"}, {each["worker"] for each in self.partitions(execution)})
        self.assertEqual({1}, set(self.entries().values()), "each was entered once")
        told = self.folder.fermata("show", execution, "--partitions", exit_code=0).stdout
        self.assertIn("WORKER", told.splitlines()[0])
        self.assertIn("gamma", told)

    def test_2_the_manager_is_killed_and_workers_go_on(self):
        execution, alpha, _ = self.manager_and_workers("beta", "gamma")
        wait_until("both are in the middle of one", lambda: self.in_the_middle(execution, "alpha")
                   and self.in_the_middle(execution, "beta"))
        alpha.process.kill()
        self.expect_everything_once(execution)
        ran = {each["number"]: each["worker"] for each in self.partitions(execution)}
        self.assertEqual({"beta", "gamma"}, set(ran.values()) - {"alpha"})
        lost = [number for number, times in self.entries().items() if times > 1]
        self.assertLessEqual(len(lost), 1, "only the one that alpha ran was entered again")
        self.assertIn("execution.orphaned", self.events(execution))

    def test_3_a_worker_that_is_started_later_adopts(self):
        execution, alpha, _ = self.manager_and_workers()
        wait_until("alpha is in the middle of one", lambda: self.in_the_middle(execution, "alpha"))
        alpha.process.kill()
        alpha.process.wait()
        self.on("south")
        self.worker("--slots", "2", name="beta")
        self.expect_everything_once(execution)

    def test_3_so_does_recover_by_hand(self):
        self.define(sliced(workers="", rate=5), name="sliced")  # all of them run at once
        run = self.folder.spawn("run", "jobs/sliced.xml", "--workers", "-p", self.sink())
        wait_until("it is in the middle", lambda: self.folder.list() and any(
            each["commits"] > 0 for each in self.partitions("@latest")))
        run.kill()
        run.communicate()
        self.folder.fermata("recover", "@latest", exit_code=0)
        self.expect_everything_once("@latest")

    def test_4_partitions_of_a_killed_worker_go_on_elsewhere_from_their_checkpoints(self):
        execution, _, [beta] = self.manager_and_workers("beta")
        [number] = wait_until("beta is in the middle of one", lambda: self.in_the_middle(execution, "beta"))
        beta.process.kill()
        self.expect_everything_once(execution)
        after = next(each for each in self.partitions(execution) if each["number"] == number)
        self.assertEqual("alpha", after["worker"])
        self.assertEqual(1, len({each["commits"] for each in self.partitions(execution)}), "from its checkpoint")
        self.assertIn("partition.orphaned", self.events(execution))

    def test_4_a_worker_that_slept_through_its_lease_commits_nothing_more(self):
        execution, _, [beta] = self.manager_and_workers("beta")
        wait_until("beta is in the middle of one", lambda: self.in_the_middle(execution, "beta"))
        beta.process.send_signal(signal.SIGSTOP)
        self.expect_everything_once(execution)
        beta.process.send_signal(signal.SIGCONT)
        self.assertEqual(4, beta.ended(), beta.said())
        self.expect_everything_once(execution)

    def test_5_a_worker_that_leaves_hands_its_partitions_on(self):
        execution, _, [beta] = self.manager_and_workers("beta", slots="2", drain="0s")
        wait_until("beta is in the middle of one", lambda: self.in_the_middle(execution, "beta"))
        beta.drain()
        self.assertEqual(0, beta.ended(), beta.said())
        self.expect_everything_once(execution)

    def test_6_stop_pause_and_restart_mean_what_they_mean_for_partitions_here(self):
        execution, _, _ = self.manager_and_workers("beta")
        wait_until("beta is in the middle of one", lambda: self.in_the_middle(execution, "beta"))
        self.folder.fermata("pause", execution, exit_code=0)
        wait_until("it is PAUSED", lambda: self.status(execution) == "PAUSED")
        self.assertFalse({each["status"] for each in self.partitions(execution)} - {"STARTING", "PAUSED", "COMPLETED"})
        self.fermata("resume", execution, "--detach")
        wait_until("beta is in the middle of one", lambda: self.in_the_middle(execution, "beta"))
        self.folder.fermata("stop", execution, exit_code=0)
        wait_until("it is STOPPED", lambda: self.status(execution) == "STOPPED")
        self.sound()
        again = self.fermata("restart", execution, "--detach", "-o", "name").stdout.strip()
        self.wait(again)
        self.assertEqual(ALL, self.engine.own.numbers("value"))
        self.sound()

    def test_7_the_queries_of_those_who_know_spring_batch_give_right_answers(self):
        def ask(sql):
            return [int(value) for (value,) in self.engine.own.rows(sql)]

        execution, alpha, _ = self.manager_and_workers("beta")
        left = PARTITIONS_LEFT.format(execution=execution)
        self.assertEqual([1], ask(STUCK_COUNT), "what runs is STARTED, as there")
        self.assertEqual([int(execution)], ask(STUCK_IDS))
        wait_until("beta is in the middle of one", lambda: self.in_the_middle(execution, "beta"))
        [before] = ask(left)
        self.assertTrue(1 < before <= PARTITIONS)
        alpha.process.kill()
        self.assertEqual(PARTITIONS + 1, ask(
            f"SELECT COUNT(*) FROM BATCH_STEP_EXECUTION WHERE JOB_EXECUTION_ID = {execution}")[0])
        self.expect_everything_once(execution)
        self.assertEqual(([0], [], [0]), (ask(STUCK_COUNT), ask(STUCK_IDS), ask(left)))
        self.assertEqual([len(ALL)], ask(f"SELECT SUM(WRITE_COUNT) FROM BATCH_STEP_EXECUTION WHERE JOB_EXECUTION_ID = "
                                         f"{execution} AND STEP_NAME LIKE 'load:partition%'"))

    def test_8_another_jobs_partitions_get_their_turn_while_long_ones_work(self):
        """One slot, a chunk a turn: what comes later waits for a round of those before it, not for their ends."""
        self.define(sliced(workers=' fer:workers="any" fer:turn="100ms"'), name="sliced")
        self.define(SHORT, name="short")
        self.worker("--slots", "1")
        longer = self.start("sliced", "-p", self.sink())
        wait_until("it is in the middle of one", lambda: self.in_the_middle(longer, "alpha"))
        self.wait(self.start("short"))
        self.assertEqual("STARTED", self.status(longer))

        def in_a_turn():
            """Between two of them none is STARTED."""
            found = self.partitions(longer)
            return found if "STARTED" in {each["status"] for each in found} else None
        partitions = wait_until("one has its turn", in_a_turn)
        self.assertEqual({"STARTED", "STARTING"}, {each["status"] for each in partitions}, "none has ended")
        self.assertLessEqual(max(each["commits"] for each in partitions) - min(each["commits"] for each in partitions), 2)
        self.wait(longer)
        self.assertEqual(ALL, self.engine.own.numbers("value"))
        [step] = self.folder.show(longer)["steps"]
        self.assertEqual((len(ALL), len(ALL)), (step["read"], step["written"]))
        self.assertNotIn("step.paused", self.events(longer))
        self.sound()


if __name__ == "__main__":
    unittest.main()
