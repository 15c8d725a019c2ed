#!/usr/bin/env python3
"""The setting kafka, and what happens where it leads nowhere."""

import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Sqlite  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from rung import Rung  # noqa: E402

NOBODY = "kafka://127.0.0.1:1"  # where no broker is


class NobodyRings(Rung, unittest.TestCase):
    ENGINE = Sqlite

    def test_no_broker_at_all(self):
        self.begin(NOBODY)
        worker = self.worker()
        wait_until("the trouble is told", lambda: "no broker of kafka://127.0.0.1:1" in worker.said())
        for _ in range(3):
            asked = self.fermata("start", "job", "-o", "name")
            self.assertIn("workers were not rung for (no broker of kafka://127.0.0.1:1", asked.stderr)
            self.finish(asked.stdout.strip())
        worker.drain()
        self.assertEqual(0, worker.ended())
        self.assertEqual(1, worker.said().count("no broker of"), worker.said())
        self.expect_each_ran_once()

    def test_who_makes_no_work_asks_nothing_of_it(self):
        self.begin("kafka://127.0.0.1:1?no.such.setting=1")
        for verb in ["list"], ["run", "job"], ["show", "1"], ["workers"]:
            self.assertNotIn("kafka", self.fermata(*verb).stderr)

    def test_a_wrong_setting_is_told(self):
        self.begin("kafka://127.0.0.1:1?no.such.setting=1")
        self.assertIn("no.such.setting", self.fermata("worker", exit_code=2).stderr)
        asked = self.fermata("start", "job")
        self.assertRegex(asked.stderr, "workers were not rung for .*no.such.setting")
        self.assertEqual("STARTING", self.status("1"))

    def test_without_the_module(self):
        self.begin(NOBODY)
        self.folder.environment["FERMATA_MODULE_PATH"] = str(self.folder.path)
        self.assertIn("libfermata_kafka.so", self.fermata("worker", exit_code=5).stderr)
        self.assertRegex(self.fermata("start", "job").stderr, "workers were not rung for .*libfermata_kafka.so")

    def test_the_setting(self):
        self.begin("")
        shown = lambda *more: re.search(  # noqa: E731
            r'kafka = "(.*)"  # (.*)', self.fermata("config", "show", "--origin", *more).stdout).groups()
        self.assertEqual(("", "default"), shown())
        self.folder.write("fermata.toml", 'kafka = "kafka://file:9092"\n')
        self.assertEqual(("kafka://file:9092", "fermata.toml:1"), shown())
        self.use("kafka://ann:secret@environment:9093?sasl.password=secret&client.id=x")
        self.assertEqual(("kafka://ann@environment:9093?client.id=x", "FERMATA_KAFKA"), shown())
        self.assertEqual(("kafka://ann:@env:WORD@flag", "--kafka"), shown("--kafka", "kafka://ann:@env:WORD@flag"))
        self.assertEqual(("@file:/etc/kafka", "--kafka"), shown("--kafka", "@file:/etc/kafka"))
        self.assertEqual(("", "--kafka"), shown("--kafka", ""))
        told = self.fermata("list", "--kafka", "http://ann:secret@a", "-o", "json", exit_code=2).stderr
        self.assertIn("no URL of Kafka", json.loads(told)["error"]["message"])
        self.assertNotIn("secret", told)


if __name__ == "__main__":
    unittest.main()
