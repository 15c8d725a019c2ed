#!/usr/bin/env python3
"""What a server tells is kept there for a session until that one reads it."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from postgres import rows  # noqa: E402
from worker_test import job  # noqa: E402
from workers import Workers  # noqa: E402

LISTENERS = ("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND "
             "query = 'LISTEN \"fermata_request\"'")


class Listening(Workers, unittest.TestCase):
    ENGINE = Postgres

    def listens(self):
        return rows(self.engine.own.url, LISTENERS)

    def test_nobody_listens_for_requests_once_nothing_runs(self):
        self.define(job("sh -c 'until test -e go; do sleep 0.05; done'"))
        self.worker()
        for _ in range(2):
            one = self.start("job")
            wait_until("the execution's owner listens", self.listens)
            self.folder.write("go", "")
            self.folder.fermata("wait", one, exit_code=0)
            wait_until("it does not", lambda: not self.listens())
            (self.folder.path / "go").unlink()


if __name__ == "__main__":
    unittest.main()
