#!/usr/bin/env python3
"""F20: many operators at once give random commands to a few executions while workers run them. Each is obeyed or refused in
words, the history is a legal one, and no execution has two owners at a time. FERMATA_COMMANDS=n, FERMATA_SEED=n."""

import collections
import itertools
import os
import random
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD  # noqa: E402
from workers import Workers  # noqa: E402

COMMANDS = int(os.environ.get("FERMATA_COMMANDS", "300"))
OPERATORS = 4
KEYS = 40
AT_A_TIME = 4  # executions they give commands to, the newest ones
STEP = """
  <step id="{step}"{next}>
    <properties><property name="max-rate" value="100"/></properties>
    <chunk item-count="2">
      <reader ref="rangeReader"><properties><property name="to" value="10"/></properties></reader>
      <writer ref="discardWriter"/>
    </chunk>{pause}
  </step>"""
JOB = (HEAD.format(id="job", more=' xmlns:fer="urn:fermata:job:1"')
       + STEP.format(step="one", next=' next="two"', pause='<fer:pause on="*" point="p"/>')
       + STEP.format(step="two", next="", pause="") + "\n</job>\n")
OK, NOT_FOUND, CONFLICT, STOPPED, PAUSED = 0, 6, 8, 10, 11
VERBS = {"start": 3, "pause": 4, "resume": 4, "signal": 3, "stop": 2, "restart": 3, "abandon": 1, "recover": 1}
ENDED = {"COMPLETED", "STOPPED", "FAILED", "ABANDONED"}


class Operators(Workers):
    def command(self, verb, key, execution):
        detached = ["--jobs", self.folder.path / "jobs", "--detach"]
        if verb == "start":
            return ["run", "job", "--instance", f"key-{key}", *detached]
        if verb in ("resume", "restart", "recover"):
            return [verb, execution, *detached]
        return [verb, execution] + (["--point", "p"] if verb == "signal" else [])

    def storm(self, seed):
        """The commands of one operator; answers how often each verb had which exit code."""
        chooser, told = random.Random(seed), collections.Counter()
        for _ in range(COMMANDS // OPERATORS):
            [verb] = chooser.choices(list(VERBS), VERBS.values())
            newest = self.newest()
            arguments = self.command(verb, chooser.randrange(KEYS), chooser.randint(max(1, newest - AT_A_TIME + 1), newest))
            done = self.folder.fermata(*arguments)
            self.assertIn(done.returncode, (OK, NOT_FOUND, CONFLICT, STOPPED, PAUSED), (arguments, done.stdout, done.stderr))
            self.assertTrue(done.returncode == OK or done.stderr or done.stdout, arguments)
            told[verb, done.returncode] += 1
        return told

    def newest(self):
        return int(self.engine.own.rows("SELECT MAX(id) FROM job_execution")[0][0])

    def test_random_commands_of_many(self):
        self.define(JOB)
        workers = [self.worker("--slots", "2", name=name) for name in ("alpha", "beta")]
        for key in range(AT_A_TIME):
            self.folder.fermata(*self.command("start", key, None), exit_code=OK)
        first = int(os.environ.get("FERMATA_SEED", "1"))
        with ThreadPoolExecutor(OPERATORS) as pool:
            told = sum(pool.map(self.storm, range(first, first + OPERATORS)), collections.Counter())
        self.expect_one_owner_at_a_time()
        self.settle()
        self.sound()
        self.assertEqual([None, None], [worker.process.poll() for worker in workers])
        self.assertLess(0, sum(count for (_, code), count in told.items() if code == CONFLICT), "nobody lost")
        print(f"{sum(told.values())} commands of {OPERATORS} operators: "
              + ", ".join(f"{verb} {code}: {count}" for (verb, code), count in sorted(told.items())))

    def expect_one_owner_at_a_time(self):
        """Epochs of one execution only rise, and no two claims have the same one."""
        claims = self.engine.own.rows("SELECT execution_id, data FROM event WHERE kind = 'execution.claimed' ORDER BY id")
        for execution, of_one in itertools.groupby(sorted(claims, key=lambda row: int(row[0])), lambda row: row[0]):
            epochs = [int(data.split('"epoch":')[1].split(",")[0]) for _, data in of_one]
            self.assertEqual(sorted(set(epochs)), epochs, execution)

    def settle(self):
        """With the storm over everything comes to its end."""
        def open_ones():
            return [each for each in self.folder.list(limit=1000) if each["status"] not in ENDED]

        def nudge():
            for each in open_ones():
                if each["status"] == "PAUSED":
                    self.folder.fermata("resume", each["id"], "--jobs", self.folder.path / "jobs", "--detach")
            return not open_ones()
        wait_until("all have ended", nudge)


class OperatorsOnSqlite(Operators, unittest.TestCase):
    ENGINE = Sqlite


class OperatorsOnPostgres(Operators, unittest.TestCase):
    ENGINE = Postgres


if __name__ == "__main__":
    unittest.main()
