"""A PostgreSQL of the tests' own (testing/postgres/cluster): ctest's for its whole run, or one of this process."""

import contextlib
import csv
import functools
import io
import itertools
import os
import signal
import subprocess
from pathlib import Path

from server_guard import ServerGuard, address_of_ctest

CLUSTER = Path(__file__).resolve().parents[2] / "testing" / "postgres" / "cluster"
numbers = itertools.count(1)


class Cluster:
    """`folder`: somebody else's; none: a new one, gone when this process ends, however it ends."""

    def __init__(self, folder=None, arguments=()):
        self.guard = None if folder else ServerGuard(CLUSTER, arguments)
        self.folder = folder or self.guard.address

    def stop(self, how="fast"):
        self.guard.obey(f"stop {how}")

    def start(self):
        self.guard.obey("start")

    def kill_backends(self):
        """kill -9 of everybody's server process; PostgreSQL then recovers as after a crash."""
        for (pid,) in rows(self.url(), "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                       "AND pid <> pg_backend_pid()"):
            with contextlib.suppress(ProcessLookupError):  # the death of the first may have ended it
                os.kill(int(pid), signal.SIGKILL)

    def close(self):
        self.guard.close()

    def url(self, database="postgres"):
        return f"postgresql:///{database}?host={self.folder}&user=fermata"

    @property
    def socket(self):
        return f"{self.folder}/.s.PGSQL.5432"


@functools.lru_cache(maxsize=None)
def shared():
    """Without fsync, which only a power cut would notice. Never to be stopped: others work there."""
    if folder := address_of_ctest("FERMATA_TEST_POSTGRES"):
        return Cluster(folder=folder)
    return Cluster(arguments=["--fsync", "off"])


class Database:
    """A database of one test's own."""

    def __init__(self, cluster=None):
        self.cluster = cluster or shared()
        self.name = f"test_{os.getpid()}_{next(numbers)}"
        self.url = self.cluster.url(self.name)
        execute(self.cluster.url(), f"CREATE DATABASE {self.name} TEMPLATE template0")

    def remove(self):
        execute(self.cluster.url(), f"DROP DATABASE {self.name} WITH (FORCE)")


def execute(url, sql, timeout=60):
    """The output of psql as CSV text; an error is shown in its own words."""
    done = subprocess.run(["psql", "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql],
                          capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def rows(url, sql):
    """Every value is text."""
    return [tuple(row) for row in csv.reader(io.StringIO(execute(url, sql)))]
