#!/usr/bin/env python3
"""Rows the database refuses are skipped, each by itself (retried and skipped), whichever engine refuses them and whenever it says so."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Sqlite  # noqa: E402

JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job id="refused" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="prepare" next="load">
    <batchlet ref="sql"><properties>
      <property name="url" value="#{jobParameters['sink']}"/>
      <property name="sql" value="CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"/>
    </properties></batchlet>
  </step>
  <step id="load">
    <listeners>
      <listener ref="rejectFile"><properties><property name="file" value="rejects.csv"/></properties></listener>
    </listeners>
    <chunk item-count="#{jobParameters['chunk']}" skip-limit="10">
      <reader ref="csvReader"><properties>
        <property name="resource" value="input.csv"/><property name="null" value=""/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{jobParameters['sink']}"/><property name="table" value="item"/>
      </properties></writer>
      <skippable-exception-classes>
        <include class="fermata.ConstraintError"/><include class="fermata.ConversionError"/>
      </skippable-exception-classes>
      <retryable-exception-classes>
        <include class="fermata.ConstraintError"/><include class="fermata.ConversionError"/>
      </retryable-exception-classes>
    </chunk>
  </step>
</job>
"""
BAD = {7: "3,twice", 11: "4,twice", 12: "x,no number", 29: "29,"}  # line of the input: its text


class Skip(unittest.TestCase):
    ENGINE = Sqlite

    def setUp(self):
        self.engine = self.ENGINE()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder
        self.folder.write("refused.xml", JOB)

    def refused_rows_are_skipped(self, sink, count, chunk):
        lines = [BAD.get(line, f"{line},name {line}") for line in range(2, count + 2)]
        self.folder.write("input.csv", "id,name\n" + "".join(line + "\n" for line in lines))
        self.folder.fermata("run", "refused.xml", "-p", f"sink={sink.url}", "-p", f"chunk={chunk}", exit_code=0)

        self.assertEqual([line for line in range(2, count + 2) if line not in BAD], sorted(sink.numbers("id")))
        step = self.folder.show()["steps"][1]
        self.assertEqual((count, count - 4, 4), (step["read"], step["written"], step["write_skips"]))
        rejects = (self.folder.path / "rejects.csv").read_text()
        for line, text in BAD.items():
            self.assertIn(f"{line}", rejects)
            self.assertIn(text, rejects)

    def test_in_small_chunks(self):
        self.refused_rows_are_skipped(self.engine.own, 40, 10)

    def test_in_one_large_chunk(self):
        self.refused_rows_are_skipped(self.engine.own, 2000, 2000)

    def test_in_small_chunks_into_another_engine(self):
        self.refused_rows_are_skipped(self.engine.foreign, 40, 10)

    def test_in_one_large_chunk_into_another_engine(self):
        self.refused_rows_are_skipped(self.engine.foreign, 2000, 2000)


if __name__ == "__main__":
    unittest.main()
