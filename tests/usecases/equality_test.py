#!/usr/bin/env python3
"""Design §8.1: at the end nothing distinguishes a run that paused here and there from one that never did. Every example,
with pauses behind its steps and asked for from outside at random places, leaves the record and the rows of a plain run."""

import os
import random
import re
import shutil
import sqlite3
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/harness"))
from fermata_process import DEADLINE, Folder, rows_or_nothing  # noqa: E402

ROUNDS = int(os.environ.get("FERMATA_ROUNDS", "4"))
NAMESPACE = ' xmlns:fer="urn:fermata:job:1"'
# Who ran a partition: its pid. That a pause was asked for too late is told, as an event is.
MAY_DIFFER = ("created", "started", "ended", "actions", "id", "instance_id", "worker", "unserved_pauses")


def examples():
    """Those the binary can run by itself."""
    return [job for job in sorted((ROOT / "examples").rglob("*.xml")) if not list(job.parent.glob("*.cpp"))]


def without(value, keys):
    if isinstance(value, list):
        return [without(each, keys) for each in value]
    if isinstance(value, dict):
        return {key: without(each, keys) for key, each in value.items() if key not in keys}
    return value


def rows_of(folder):
    """What stands in the databases the job wrote, and in its files; progress is another's business."""
    found = {}
    for path in sorted(folder.path.glob("*.db")):
        if path == folder.repository:
            continue
        with sqlite3.connect(path) as connection:
            found[path.name] = [line for line in connection.iterdump() if "fermata_sink" not in line]
    for path in sorted(folder.path.glob("*.csv")):
        found[path.name] = path.read_bytes()
    return found


class Equality(unittest.TestCase):
    def folder_of(self, example):
        folder = Folder()
        self.addCleanup(folder.remove)
        for file in example.parent.iterdir():
            if file.is_file():
                shutil.copy(file, folder.path)
        return folder

    def resumed(self, folder, code):
        while code == 11:
            code = folder.fermata("resume", "1").returncode
        self.assertEqual(0, code)
        folder.fermata("db", "verify", exit_code=0)
        self.assertEqual([], folder.left_behind())
        return without(folder.show("1"), MAY_DIFFER), rows_of(folder)

    def plain(self, example):
        folder = self.folder_of(example)
        return self.resumed(folder, folder.fermata("run", example.name).returncode)

    def with_pauses(self, example, draw):
        """Behind steps as drawn, and one from outside after as many chunks as drawn."""
        folder = self.folder_of(example)
        text = example.read_text()
        text = text.replace("<job ", f"<job{'' if NAMESPACE in text else NAMESPACE} ", 1)
        text = re.sub("</step>", lambda end: draw.choice(["", '<fer:pause on="*" point="drawn"/>']) + end[0], text)
        folder.write(example.name, text)
        running = folder.spawn("run", example.name)
        chunks = draw.randrange(30)
        seen = "SELECT 1 FROM step_progress WHERE sequence >= ? OR status = 'COMPLETED'"
        while running.poll() is None and not rows_or_nothing(folder.repository, seen, chunks):
            pass
        asked = folder.fermata("pause", "1", *draw.choice([(), ("--after-step",)]))
        self.assertIn(asked.returncode, (0, 6, 8, 13), asked.stderr)  # it may be over, or wait already
        running.communicate(timeout=DEADLINE)
        return self.resumed(folder, running.returncode)

    def test_every_example(self):
        self.assertGreaterEqual(len(examples()), 3)
        for example in examples():
            plain = self.plain(example)
            for seed in range(ROUNDS):
                with self.subTest(example=example.parent.name, seed=seed):
                    self.assertEqual(plain, self.with_pauses(example, random.Random(f"{example.name} {seed}")))


if __name__ == "__main__":
    unittest.main()
