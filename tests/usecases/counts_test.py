#!/usr/bin/env python3
"""What a chunk costs, counted and not timed: system calls of the built binary under strace."""

import collections
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import Folder  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402

JOB = into_item("count", RANGE)


class Counts(unittest.TestCase):
    def syncs(self, sink, chunks):
        """fsync and fdatasync of a run by file name."""
        with Folder() as folder:
            folder.write("job.xml", JOB)
            folder.fermata("db", "init", exit_code=0)
            trace = folder.path / "trace"
            folder.fermata("run", "job.xml", "-p", f"to={10 * chunks}", "-p", f"sink={sink}", exit_code=0,
                           before=["strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=fsync,fdatasync"])
            files = re.findall(r"(?:fsync|fdatasync)\(\d+<([^>]*)>", trace.read_text())
            return collections.Counter(Path(file).name for file in files)

    def syncs_a_chunk(self, sink):
        """How many more syncs of the log a longer run makes for each chunk more; what runs cost once falls out."""
        few, many = self.syncs(sink, 20), self.syncs(sink, 60)
        return (many[f"{sink}-wal"] - few[f"{sink}-wal"]) / 40

    def test_one_sync_a_chunk_in_the_repositorys_file(self):
        self.assertEqual(1, self.syncs_a_chunk("repository.db"))

    def test_one_sync_a_chunk_in_another_file(self):
        self.assertEqual(1, self.syncs_a_chunk("sink.db"))

    def sends(self, sink, chunks):
        """What the busiest thread sent to PostgreSQL in a run: nothing is sent before the last answer has come."""
        engine = Postgres()
        self.addCleanup(engine.remove)
        engine.folder.write("job.xml", JOB)
        engine.folder.fermata("db", "init", exit_code=0)
        trace = engine.folder.path / "trace"
        engine.folder.fermata("run", "job.xml", "-p", f"to={10 * chunks}", "-p", f"sink={getattr(engine, sink).url}",
                              exit_code=0, before=["strace", "-f", "-qq", "-o", trace, "-e", "trace=sendto"])
        return max(collections.Counter(re.findall(r"^(\d+) +sendto\(", trace.read_text(), re.MULTILINE)).values())

    def round_trips_a_chunk(self, sink):
        few, many = self.sends(sink, 20), self.sends(sink, 220)
        return round((many - few) / 200, 1)  # once a second somebody else asks, too

    def test_one_round_trip_a_chunk_in_the_repositorys_database(self):
        self.assertEqual(1, self.round_trips_a_chunk("own"))

    def test_one_round_trip_a_chunk_in_another_database(self):
        self.assertEqual(1, self.round_trips_a_chunk("other"))


if __name__ == "__main__":
    unittest.main()
