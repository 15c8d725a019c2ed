"""Runs the built fermata binary as separate processes, as an operator would: a folder of its own, a repository of its
own, nothing shared with the machine."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

DEADLINE = 60  # seconds; how long anything may take before the test says it hangs
MARK = "FERMATA_TEST_FOLDER"  # in the environment of everything started here, to find what was left behind


def binary():
    path = os.environ.get("FERMATA_BIN")
    if not path or not os.access(path, os.X_OK):
        raise SystemExit(f"FERMATA_BIN={path!r} is no executable; set it to build/release/bin/fermata")
    return str(Path(path).resolve())


def use_program_with_faults():
    """tests/faults/main.cpp, in the place of fermata."""
    os.environ["FERMATA_BIN"] = str(Path(binary()).parent / "fermata_with_faults")


class Folder:
    """A working folder with a repository; removed at the end."""

    def __init__(self, repository="repository.db"):
        self.path = Path(tempfile.mkdtemp(prefix="fermata-test-"))
        self.repository = self.path / repository
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "LC_ALL": "C.UTF-8",
            MARK: str(self.path),
        }
        self.use_repository(self.repository)

    def use_repository(self, place):
        """A path, or a URL."""
        self.environment["FERMATA_REPOSITORY"] = str(place)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        for process in self.left_behind():  # of a test that failed
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.split()[0]), signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        return path

    def spawn(self, *arguments, before=(), environment=None, **options):
        """Starts `before… fermata arguments…` and returns the Popen."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([*before, binary(), *map(str, arguments)], cwd=self.path, text=True,
                                env={**self.environment, **(environment or {})}, **options)

    def fermata(self, *arguments, exit_code=None, timeout=DEADLINE, **options):
        """Runs to the end; with `exit_code` anything else is an error that shows all output."""
        process = self.spawn(*arguments, **options)
        out, err = process.communicate(timeout=timeout)
        if exit_code is not None and process.returncode != exit_code:
            raise AssertionError(f"fermata {' '.join(map(str, arguments))}: exit code {process.returncode}, "
                                 f"expected {exit_code}\nstdout: {out}\nstderr: {err}")
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def show(self, execution="@latest"):
        return json.loads(self.fermata("show", execution, "-o", "json", exit_code=0).stdout)

    def list(self, limit=10):
        """Executions, newest first."""
        return json.loads(self.fermata("list", "--limit", limit, "-o", "json", exit_code=0).stdout)

    def left_behind(self):
        """Processes started from here that still live."""
        mark = f"{MARK}={self.path}".encode()
        found = []
        for process in os.listdir("/proc"):
            if not process.isdigit():
                continue
            with contextlib.suppress(OSError):  # it ended meanwhile
                if mark in _content(f"/proc/{process}/environ").split(b"\0"):
                    found.append(f"{process} {_content(f'/proc/{process}/cmdline').replace(bytes(1), b' ').decode()}")
        return found


def _content(path):
    """As read_bytes, a quarter of the time: the kill rig reads hundreds of thousands."""
    file = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while part := os.read(file, 65536):
            content += part
        return content
    finally:
        os.close(file)


def wait_until(what, condition):
    """Asks again and again until the condition's answer is true, and returns it."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.002)  # only between two questions; nothing depends on its length
    raise AssertionError(f"after {DEADLINE} s still waiting for: {what}")


def rows(database, sql, *parameters):
    """Reads a database that others may be writing."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=DEADLINE)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def rows_or_nothing(database, sql, *parameters):
    """As rows, but [] while the database or the table does not exist yet."""
    try:
        return rows(database, sql, *parameters)
    except sqlite3.OperationalError:
        return []
