#!/usr/bin/env python3
"""Machines on which there can be no broker: tests skip there, saying why."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BROKER = Path(__file__).resolve().parent.parent / "broker"


class Missing(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="fermata-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        self.program("python3", f'exec {sys.executable} "$@"')
        self.environment = {**os.environ, "PATH": str(self.programs), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def program(self, name, script):
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run_broker(self, *arguments):
        return subprocess.run([BROKER, *arguments], env=self.environment, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def test_programs_that_are_not_installed_are_named(self):
        for name in ("java", "mvn", "openssl"):
            self.assertEqual(f"missing {name} is not installed: run scripts/setup\n", self.run_broker("run").stdout)
            self.program(name, "exit 1")

    def test_maven_s_own_words_are_told_and_maven_is_asked_once_a_run(self):
        for name in ("java", "openssl"):
            self.program(name, "exit 1")
        self.program("mvn", f"echo once >> {self.folder}/asked; echo Network is unreachable; exit 1")
        state = self.folder / "state"
        started = self.run_broker("start", state)
        told = "missing Apache Kafka 3.9.1 cannot be had from Maven Central: Network is unreachable\n"
        self.assertEqual((0, told), (started.returncode, started.stdout))
        self.assertEqual(told, (state / str(os.getpid())).read_text().splitlines(keepends=True)[0])
        self.assertEqual("once\n", (self.folder / "asked").read_text())
        self.assertEqual(0, self.run_broker("stop", state).returncode)
        self.assertEqual([], list(state.iterdir()))
        self.assertEqual(["lock"], os.listdir(self.folder / "cache/fermata/kafka-3.9.1"))


if __name__ == "__main__":
    unittest.main()
