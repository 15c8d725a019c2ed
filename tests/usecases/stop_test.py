#!/usr/bin/env python3
"""Stop from another process: beside a tight loop of commits, beside a slow pipe, and the restart after it."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import DEADLINE, Folder, rows_or_nothing, wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402

PIPE = """<processor ref="pipe"><properties>
        <property name="command" value="python3 slow.py"/>
      </properties></processor>"""

# Answers a chunk after somebody has opened the named pipe "gate".
SLOW_CHILD = """
import json, sys
hello = json.loads(sys.stdin.readline())
for line in sys.stdin:
    with open("gate") as gate:
        gate.readline()
    request = json.loads(line)
    print(json.dumps({"seq": request["seq"], "results": [{"item": item} for item in request["items"]]}), flush=True)
"""


class Stop(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)

    def ids(self, sink):
        return [int(row) for (row,) in rows_or_nothing(self.folder.path / sink, "SELECT value FROM item ORDER BY rowid")]

    def gate_to_child(self):
        try:
            return os.open(self.folder.path / "gate", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None  # nobody reads it

    def let_one_chunk_pass(self):
        gate = self.gate_to_child()
        if gate is not None:
            os.close(gate)

    def stop_and_restart(self, sink):
        """A commit for every item, as fast as it can: the request still gets its turn."""
        self.folder.write("job.xml", into_item("stoppable", RANGE, sink=sink, item_count=1))
        running = self.folder.spawn("run", "job.xml", "-p", "to=1000000000")
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        wait_until("a hundred commits", lambda: len(self.ids(sink)) > 100)
        self.folder.fermata("stop", "@latest", exit_code=0)
        running.communicate(timeout=DEADLINE)
        self.assertEqual(10, running.returncode)

        stopped = self.folder.show()
        self.assertEqual("STOPPED", stopped["status"])
        done = self.ids(sink)
        self.assertEqual(list(range(1, len(done) + 1)), done)
        self.folder.fermata("restart", "@latest", "-p", f"to={len(done) + 50}", exit_code=0)
        self.assertEqual(list(range(1, len(done) + 51)), self.ids(sink))

    def test_beside_a_tight_loop_of_commits_into_the_repositorys_file(self):
        self.stop_and_restart("repository.db")

    def test_beside_a_tight_loop_of_commits_into_another_file(self):
        self.stop_and_restart("sink.db")

    def test_beside_a_slow_pipe(self):
        self.folder.write("slow.py", SLOW_CHILD)
        self.folder.write("job.xml", into_item("stoppable", RANGE, PIPE, sink="sink.db", item_count=2))
        os.mkfifo(self.folder.path / "gate")
        running = self.folder.spawn("run", "job.xml", "-p", "to=1000000000")
        self.addCleanup(lambda: (running.kill(), running.communicate()))

        os.close(wait_until("the child waits", self.gate_to_child))
        wait_until("the first chunk", lambda: self.ids("sink.db") == [1, 2])
        self.folder.fermata("stop", "@latest", exit_code=0)
        self.assertEqual("STOPPING", self.folder.show()["status"])
        wait_until("the end, chunk by chunk", lambda: self.let_one_chunk_pass() or running.poll() is not None)
        running.communicate(timeout=DEADLINE)
        self.assertEqual(10, running.returncode)
        done = self.ids("sink.db")
        self.assertEqual(list(range(1, len(done) + 1)), done)
        self.assertEqual([], self.folder.left_behind())


if __name__ == "__main__":
    unittest.main()
