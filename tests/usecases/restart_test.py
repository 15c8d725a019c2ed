#!/usr/bin/env python3
"""UC3, restart, on both engines: the fermata binary as separate processes, nothing but job XML and commands."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres, Sqlite, kill_until_done  # noqa: E402
from fermata_process import DEADLINE, wait_until  # noqa: E402
from jobs import HEAD, into_item  # noqa: E402

# `prepare` counts its runs; `work` succeeds as soon as a file named "repaired" exists.
TWO_STEPS = HEAD + """
  <step id="prepare" next="work">
    <batchlet ref="command"><properties>
      <property name="command" value="echo prepared >> prepared.txt"/><property name="shell" value="true"/>
    </properties></batchlet>
  </step>
  <step id="work">
    <batchlet ref="command"><properties><property name="command" value="test -e repaired"/></properties></batchlet>
  </step>
</job>
"""

WAITING = HEAD + """
  <step id="wait">
    <batchlet ref="command"><properties><property name="command" value="tail -f /dev/null"/></properties></batchlet>
  </step>
</job>
"""

INPUT_CSV = '<reader ref="csvReader"><properties><property name="resource" value="input.csv"/></properties></reader>'


class Restart(unittest.TestCase):
    ENGINE = Sqlite

    def setUp(self):
        self.engine = self.ENGINE()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder

    def job(self, text, name="job", more=""):
        self.folder.write(f"{name}.xml", text.format(id=name, more=more))
        return f"{name}.xml"

    def import_job(self):
        """Slow enough to be killed several times on any machine."""
        self.folder.write("import.xml", into_item("import", INPUT_CSV, max_rate=2000))
        return "import.xml"

    def refused(self, *arguments, saying):
        """Exit code 8 and one message with all of these words."""
        result = self.folder.fermata(*arguments, exit_code=8)
        for word in saying:
            self.assertIn(word, result.stderr)
        return result.stderr

    def test_1_completed_steps_are_passed_over(self):
        self.folder.fermata("run", self.job(TWO_STEPS), exit_code=1)
        failed = self.folder.show()
        self.folder.write("repaired", "")
        self.folder.fermata("restart", failed["id"], exit_code=0)

        after = self.folder.show()
        self.assertEqual("COMPLETED", after["status"])
        self.assertNotEqual(failed["id"], after["id"])
        self.assertEqual(failed["instance_id"], after["instance_id"])
        self.assertEqual(["work"], [step["name"] for step in after["steps"]])
        self.assertEqual("prepared\n", (self.folder.path / "prepared.txt").read_text())

    def test_2_only_the_newest_execution_can_be_restarted(self):
        self.folder.fermata("run", self.job(TWO_STEPS), exit_code=1)
        first = self.folder.show()["id"]
        self.folder.fermata("restart", first, exit_code=1)
        second = self.folder.show()["id"]
        self.refused("restart", first, saying=[str(first), str(second)])
        self.folder.write("repaired", "")
        self.folder.fermata("restart", second, exit_code=0)

    def test_3_what_cannot_be_restarted_says_why(self):
        self.folder.write("repaired", "")
        self.folder.fermata("run", self.job(TWO_STEPS, "completed"), exit_code=0)
        words = {self.refused("restart", "completed@latest", saying=["COMPLETED"])}
        (self.folder.path / "repaired").unlink()

        self.folder.fermata("run", self.job(TWO_STEPS, "abandoned"), exit_code=1)
        self.folder.fermata("abandon", "abandoned@latest", exit_code=0)
        words.add(self.refused("restart", "abandoned@latest", saying=["ABANDONED"]))

        self.folder.fermata("run", self.job(TWO_STEPS, "once", more=' restartable="false"'), exit_code=1)
        words.add(self.refused("restart", "once@latest", saying=["restartable"]))

        running = self.folder.spawn("run", self.job(WAITING, "running"))
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        wait_until("the job runs its step", lambda: any(
            step["status"] == "STARTED" for execution in self.folder.list() if execution["job"] == "running"
            for step in self.folder.show(execution["id"])["steps"]))
        words.add(self.refused("restart", "running@latest", saying=["STARTED"]))
        self.folder.fermata("stop", "running@latest", "--now", exit_code=0)
        self.assertEqual(10, running.wait(DEADLINE))

        self.assertEqual(4, len(words), words)

    def test_3_running_again_makes_a_new_instance(self):
        job = self.job(TWO_STEPS)
        self.folder.write("repaired", "")
        self.folder.fermata("run", job, exit_code=0)
        self.folder.fermata("run", job, exit_code=0)
        second, first = self.folder.list()
        self.assertNotEqual(first["instance_id"], second["instance_id"])

    def test_4_of_two_restarts_at_once_one_wins(self):
        rounds = 200
        self.folder.fermata("run", self.job(TWO_STEPS), exit_code=1)
        for number in range(rounds):
            previous = self.folder.list()[0]["id"]
            codes = self.both_at_once("restart", previous)
            self.assertEqual([1, 8], sorted(codes), f"round {number}")
        executions = self.folder.list(limit=1000)
        self.assertEqual(rounds + 1, len(executions))
        self.assertEqual(1, len({execution["instance_id"] for execution in executions}))
        self.assertEqual({"FAILED"}, {execution["status"] for execution in executions})
        self.folder.fermata("db", "verify", exit_code=0)
        self.assertEqual([], self.overlapping())

    def both_at_once(self, *arguments):
        """Two shells wait for the end of one pipe and then become fermata."""
        gate, opener = os.pipe()
        processes = [self.folder.spawn(*arguments, before=["sh", "-c", 'read -r _; exec "$@"', "sh"], stdin=gate)
                     for _ in range(2)]
        os.close(gate)
        os.close(opener)
        for process in processes:
            process.communicate(timeout=DEADLINE)
        return [process.returncode for process in processes]

    def overlapping(self):
        """Pairs of executions that ran at the same time."""
        spans = sorted((execution["started"], execution["ended"]) for execution in self.folder.list(limit=1000))
        return [(one, other) for one, other in zip(spans, spans[1:]) if other[0] < one[1]]

    def import_survives_kills(self, sink):
        count = 4000
        self.folder.write("input.csv", "id,name\n" + "".join(f"{row},name {row}\n" for row in range(1, count + 1)))
        arguments = ["run", self.import_job(), "--instance", "only", "-p", f"sink={sink.url}"]

        kills = kill_until_done(self.folder, arguments, sink, range(0, count, 250))

        self.assertGreater(kills, 5)
        self.assertEqual(list(range(1, count + 1)), sink.numbers("id"))
        sink.check()
        self.folder.fermata("db", "verify", exit_code=0)

    def test_5_kills_during_an_import_into_the_repositorys_database(self):
        self.import_survives_kills(self.engine.own)

    def test_5_kills_during_an_import_into_another_database(self):
        self.import_survives_kills(self.engine.other)

    def test_5_kills_during_an_import_into_another_engine(self):
        self.import_survives_kills(self.engine.foreign)

    def test_5_without_the_repository_the_same_sink_is_imported_into_again(self):
        sink = self.engine.other
        self.folder.write("input.csv", "id,name\n1,one\n2,two\n")
        arguments = ["run", self.import_job(), "--instance", "only", "-p", f"sink={sink.url}"]
        self.folder.fermata(*arguments, exit_code=0)
        said = self.folder.fermata(*arguments, exit_code=0)
        self.assertIn("already", said.stdout + said.stderr)
        self.engine.lose_repository()
        self.folder.fermata(*arguments, exit_code=0)
        self.assertEqual([("4",)], sink.rows("SELECT count(*) FROM item"))


class RestartOnPostgres(Restart):
    ENGINE = Postgres


if __name__ == "__main__":
    unittest.main()
