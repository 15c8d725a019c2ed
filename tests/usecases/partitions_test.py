#!/usr/bin/env python3
"""UC3.5 for partitions: kill -9 at any instant of an import by several of them, and restart; each row is there once."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Sqlite, kill_until_done  # noqa: E402
from jobs import HEAD  # noqa: E402

ROWS = 4000
JOB = HEAD.format(id="import", more="") + """
  <step id="load">
    <properties><property name="max-rate" value="1000"/></properties>
    <chunk item-count="10">
      <reader ref="csvReader"><properties>
        <property name="resource" value="input.csv"/>
        <property name="start" value="#{partitionPlan['start']}"/><property name="end" value="#{partitionPlan['end']}"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{jobParameters['sink']}"/>
        <property name="table" value="item"/><property name="create" value="true"/>
      </properties></writer>
    </chunk>
    <partition><mapper ref="csvMapper"><properties>
      <property name="resource" value="input.csv"/><property name="partitions" value="5"/>
      <property name="threads" value="3"/>
    </properties></mapper></partition>
  </step>
</job>
"""


class PartitionedImport(unittest.TestCase):
    def setUp(self):
        self.engine = Sqlite()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder

    def survives_kills(self, sink):
        self.folder.write("import.xml", JOB)
        self.folder.write("input.csv", "id,name\n" + "".join(f"{row},name {row}\n" for row in range(1, ROWS + 1)))
        arguments = ["run", "import.xml", "--instance", "only", "-p", f"sink={sink.url}"]

        # Far enough apart for each partition to get on: three deaths at one item are a reason to give up.
        kills = kill_until_done(self.folder, arguments, sink, range(0, ROWS, 700))

        self.assertGreater(kills, 4)
        self.assertEqual(list(range(1, ROWS + 1)), sorted(sink.numbers("id")))
        sink.check()
        self.folder.fermata("db", "verify", exit_code=0)
        counted = sum(step["written"] for execution in self.folder.list(limit=100)
                      for step in self.folder.show(execution["id"])["steps"])
        self.assertEqual(ROWS, counted)

    def test_into_the_repositorys_file(self):
        self.survives_kills(self.engine.own)

    def test_into_another_file(self):
        self.survives_kills(self.engine.other)

    def test_into_postgresql(self):
        self.survives_kills(self.engine.foreign)

    def test_into_the_repository_in_postgresql(self):
        sink = self.engine.foreign
        self.folder.use_repository(sink.url)
        self.folder.fermata("db", "init", exit_code=0)
        self.survives_kills(sink)


if __name__ == "__main__":
    unittest.main()
