#!/usr/bin/env python3
"""F10: the database server goes back in time: a standby that lacks the last commits takes the place of the primary. Whoever
worked with that one goes no further; whoever begins after it goes on from what is there, and of that nothing is missing
and nothing there twice."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Sink  # noqa: E402
from fermata_process import DEADLINE, Folder, wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from postgres import Cluster, Database, execute  # noqa: E402
from workers import Workers  # noqa: E402

ROWS = 4000
STALE = 4
WORDS = "the server went back in time, or another one took its place (timeline 00000002, before 00000001)"


class Pair:
    """A primary and its asynchronous standby, under one URL."""

    def __init__(self, test):
        self.primary = Cluster(arguments=["--fsync", "off"])
        test.addCleanup(self.primary.close)
        self.standby = Cluster(arguments=["--fsync", "off", "--standby-of", self.primary.folder])
        test.addCleanup(self.standby.close)
        self.database = Database(self.primary)
        self.url = (f"postgresql:///{self.database.name}?host={self.primary.folder},{self.standby.folder}&user=fermata&"
                    "target_session_attrs=read-write")

    def count(self, server):
        try:
            return int(execute(server.url(self.database.name), "SELECT count(*) FROM item"))
        except RuntimeError as error:
            if "does not exist" in str(error):
                return 0
            raise

    def executions_on_the_standby(self):
        return execute(self.standby.url(self.database.name), "SELECT count(*) FROM job_execution").strip()

    def cut(self):
        """The standby hears nothing more; answers the rows it has."""
        execute(self.standby.url(), "ALTER SYSTEM SET primary_conninfo = ''")
        execute(self.standby.url(), "SELECT pg_reload_conf()")
        wait_until("nothing is received",
                   lambda: execute(self.standby.url(), "SELECT count(*) FROM pg_stat_wal_receiver").strip() == "0")
        return self.count(self.standby)

    def promote(self):
        self.primary.stop("immediate")
        execute(self.standby.url(), "SELECT pg_promote()")

    def lose_rows(self, more=100):
        """In the middle of an import."""
        wait_until("rows on the standby", lambda: self.count(self.standby) > 50)
        left = self.cut()
        wait_until("rows the standby has not", lambda: self.count(self.primary) > left + more)
        self.promote()


class FailOvers(Workers, unittest.TestCase):
    def setUp(self):
        self.pair = Pair(self)
        self.ENGINE = lambda: _Engine(self.pair)
        super().setUp()
        self.define(into_item("steady", RANGE, max_rate=400, item_count=10), "steady")
        self.parameters = ["-p", f"to={ROWS}", "-p", f"sink={self.pair.url}"]

    def running(self):
        process = self.folder.spawn("run", "jobs/steady.xml", *self.parameters)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def expect_fenced(self, process):
        _, err = process.communicate(timeout=2 * DEADLINE)
        self.assertIn(WORDS, err)
        self.assertNotEqual(0, process.returncode, err)
        return process.returncode

    def expect_each_row_once(self):
        self.assertEqual(list(range(1, ROWS + 1)), Sink(self.pair.url).numbers("value"))
        self.sound()

    def test_a_run_in_its_repository(self):
        process = self.running()
        self.pair.lose_rows()
        self.assertEqual(STALE, self.expect_fenced(process))
        self.folder.fermata("recover", "steady@latest", exit_code=0, timeout=2 * DEADLINE)
        self.expect_each_row_once()

    def test_a_run_whose_sink_it_is(self):
        self.folder.use_repository(self.folder.path / "repository.db")
        process = self.running()
        self.pair.lose_rows(800)  # two seconds: the repository knows more than the sink by then
        self.expect_fenced(process)
        self.assertIn("was the sink restored from a backup?; restart with --accept-sink",
                      self.folder.fermata("restart", "steady@latest", exit_code=1).stderr)
        self.folder.fermata("restart", "steady@latest", "--accept-sink", exit_code=0, timeout=2 * DEADLINE)
        self.expect_each_row_once()

    def test_a_worker(self):
        alpha = self.worker(name="alpha")
        execution = self.start("steady", *self.parameters)
        self.pair.lose_rows()
        self.assertEqual(STALE, alpha.ended(), alpha.said())
        self.assertIn(WORDS, alpha.said())
        beta = self.worker(name="beta")
        self.wait(execution)
        self.expect_each_row_once()
        self.assertIsNone(beta.process.poll(), "it serves on")

    def test_what_was_submitted_last_is_gone(self):
        self.start("steady", *self.parameters)
        wait_until("it is on the standby", lambda: self.pair.executions_on_the_standby() == "1")
        self.pair.cut()
        lost = self.start("steady", *self.parameters)
        self.pair.promote()
        self.assertIn(f"no execution {lost}", self.folder.fermata("show", lost).stderr)
        self.sound()


class _Engine:
    """As those of engines.py."""

    def __init__(self, pair):
        self.folder = Folder()
        self.folder.use_repository(pair.url)

    def remove(self):
        self.folder.remove()


if __name__ == "__main__":
    unittest.main()
