#!/usr/bin/env python3
"""F12: the network between workers and the database breaks, one link after the other, one way or both, or is slow. A
worker that is cut off fences itself before its lease runs out; what it sent and what it does later has no effect."""

import random
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Postgres  # noqa: E402
from fermata_process import use_program_with_faults, wait_until  # noqa: E402
from jobs import HEAD, RANGE, into_item  # noqa: E402
from network import Network  # noqa: E402
from postgres import Database  # noqa: E402
from workers import Workers  # noqa: E402

CHUNKS = 4
ROWS = list(range(1, 10 * CHUNKS + 1))
GATED = """<processor ref="gated"><properties>
        <property name="prefix" value="#{jobParameters['gate']}"/><property name="width" value="10"/>
      </properties></processor>"""
# Run again it tells whether it still runs somewhere.
COMMAND = HEAD.format(id="command", more="") + """
  <step id="one"><batchlet ref="command"><properties>
    <property name="shell" value="true"/>
    <property name="command" value="test -e first || { echo $$ > first; exec tail -f /dev/null; }; ! kill -0 $(cat first)"/>
  </properties></batchlet></step>
</job>
"""
TAKEN_FOR_DEAD, INTERRUPTED = 4, 130


class Networks(Workers, unittest.TestCase):
    def setUp(self):
        use_program_with_faults()
        self.database = Database()
        self.addCleanup(self.database.remove)
        self.ENGINE = lambda: Postgres(lambda: self.database.url)
        super().setUp()
        self.links, self.cut_off, self.executions = {}, {}, {}

    def behind_a_link(self, name, text, *parameters):
        """A worker of a host and a network of its own, which runs one job, and an execution of it."""
        link = self.links[name] = Network(self.database)
        self.addCleanup(link.close)
        only = self.folder.path / f"only-{name}"
        only.mkdir()
        for place in only, self.folder.path / "jobs":
            (place / f"{name}.xml").write_text(text)
        self.cut_off[name] = self.spawn_worker("--slots", "1", name=name, jobs=only, environment={
            "FERMATA_REPOSITORY": link.url} | self.of_host(self.folder, name))
        self.executions[name] = self.start(name, *parameters)

    def import_behind_a_link(self, name):
        self.behind_a_link(name, into_item(name, RANGE, GATED, table=name), "-p", f"sink={self.database.url}",
                           "-p", f"to={len(ROWS)}", "-p", f"gate={self.folder.path}/{name}.")
        self.open_gates(name, 0)

    def open_gates(self, name, *numbers):
        for number in numbers:
            self.folder.write(f"{name}.{number}", "")

    def claims(self, name):
        return self.events(self.executions[name]).count("execution.claimed")

    def test_one_link_after_the_other(self):
        broken = {"up": "to_server", "down": "to_client", "none": "both"}
        for name in (*broken, "slow"):
            self.import_behind_a_link(name)
        self.behind_a_link("command", COMMAND)
        for name in (*broken, "slow"):
            wait_until(f"a chunk of {name}", lambda: self.engine.own.numbers("value", name))  # noqa: B023
        wait_until("the command runs", (self.folder.path / "first").exists)

        self.on("home")
        self.worker("--slots", "5", name="home")
        self.links["slow"].lag(200)
        for name, where in broken.items():
            self.links[name].clog(where)
            self.open_gates(name, 1)  # what it sends now is under way
        self.links["command"].clog("both")
        for name in self.executions:
            self.open_gates(name, *range(1, CHUNKS))
        self.wait(*self.executions.values())

        self.assertEqual(1, self.claims("slow"), "slow is not dead")
        self.assertEqual(2, self.claims("command"))
        for name in random.sample(sorted(broken), len(broken)):
            self.links[name].clear()
        for name in broken:
            self.assertEqual(TAKEN_FOR_DEAD, self.cut_off[name].ended(), self.cut_off[name].said())
        for name in (*broken, "slow"):
            self.assertEqual(ROWS, self.engine.own.numbers("value", name), name)
        self.cut_off["command"].drain()
        wait_until("it drains", lambda: "claims nothing more" in self.cut_off["command"].said())
        self.cut_off["command"].drain()
        self.assertEqual(INTERRUPTED, self.cut_off["command"].ended(), "also while nothing is heard of the server")
        self.assertIsNone(self.cut_off["slow"].process.poll(), self.cut_off["slow"].said())
        self.sound()


if __name__ == "__main__":
    unittest.main()
