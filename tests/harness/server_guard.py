"""A server of the tests' own, behind a program that guards it (testing/guard/guarded.py): ctest's for its whole run, or
one of this process, gone when the process ends, however it ends."""

import os
import subprocess
import unittest
from pathlib import Path


class ServerGuard:
    def __init__(self, program, arguments=()):
        self.process = subprocess.Popen([program, "run", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.address = self._answer("ready")

    def _answer(self, good):
        return what_follows(good, self.process.stdout.readline())

    def obey(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self._answer("ok")

    def close(self):
        self.process.communicate()


def what_follows(good, line):
    """Skips the test where the server is missing."""
    word, _, rest = line.strip().partition(" ")
    if word == "missing":
        raise unittest.SkipTest(rest)
    if word != good:
        raise RuntimeError(f"{word} {rest}")
    return rest


def address_of_ctest(variable):
    """What ctest's fixture left in a folder named by `variable`; None where there is no ctest."""
    state = Path(os.environ.get(variable, "/nonexistent")) / str(os.getppid())
    return what_follows("ready", state.read_text().split("\n")[0]) if state.exists() else None
