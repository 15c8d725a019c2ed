#!/usr/bin/env python3
"""F1, F2, F4: workers are killed while they import, one after the other; each time another one takes over, and in the end
each row is there once. FERMATA_TAKES=n asks for another number of take-overs, FERMATA_SEED=n for other double kills."""

import os
import random
import signal
import statistics
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases")]
from engines import Postgres, Sqlite  # noqa: E402
from fermata_process import use_program_with_faults, wait_until  # noqa: E402
from jobs import RANGE, into_item  # noqa: E402
from workers import Workers  # noqa: E402

TAKES = int(os.environ.get("FERMATA_TAKES", "50"))
CHAINS = 5  # at a time
CHUNK = 2
GATED = """<processor ref="gated"><properties>
        <property name="prefix" value="#{jobParameters['gate']}"/><property name="width" value="2"/>
      </properties></processor>"""
# Where an owner dies, and where its adopter does.
POINTS = ["claim.before-commit", "claim.after-commit", "step.entered", "chunk.before-commit", "chunk.after-commit:2",
          "step.before-end", "step.ended", "execution.before-end", "execution.ended"]
ADOPTERS_POINTS = [*POINTS, "let_go.before-commit"]


class Import(Workers):
    """An import of `chunks` chunks, each of which waits for its gate; in a folder of its own."""

    def __init__(self, test, engine, chunks):
        self.ENGINE, self.addCleanup, self.chunks = engine, test.addCleanup, chunks
        self.setUp()
        self.define(into_item("numbers", RANGE, GATED, item_count=CHUNK))
        self.started = 0

    def begin(self):
        gate = self.folder.path / "gate."
        self.execution = self.start("numbers", "-p", f"sink={self.engine.own.url}", "-p", f"to={self.chunks * CHUNK}",
                                    "-p", f"gate={gate}")

    def open_gates(self, *numbers):
        for number in numbers:
            self.folder.write(f"gate.{number}", "")

    def next_worker(self, **options):
        self.started += 1
        name = f"w{self.started}"
        worker = self.spawn_worker("--slots", "1", name=name, **options)
        wait_until("it is listed", lambda: self.engine.own.rows(f"SELECT 1 FROM worker_job JOIN worker ON id = worker "
                                                                f"WHERE name = '{name}'")
                   or worker.process.poll() is not None)
        return worker

    def claims(self):
        """When it was claimed, in seconds."""
        return [int(at) / 1e6 for (at,) in self.engine.own.rows(
            "SELECT at FROM event WHERE kind = 'execution.claimed' ORDER BY id")]

    def expect_each_row_once(self):
        self.wait(self.execution)
        rows = self.chunks * CHUNK
        assert self.engine.own.numbers("value") == list(range(1, rows + 1)), self.engine.own.numbers("value")
        [step] = self.folder.show(self.execution)["steps"]
        assert (step["read"], step["written"]) == (rows, rows), step
        self.sound()


class Chain(Import):
    """Its owners die one after the other, each after one chunk: without progress the third death would end the step."""

    def takes(self, count):
        owner = self.next_worker()
        self.begin()
        taken = []
        for chunk in range(count):
            self.open_gates(chunk)
            wait_until("the owner's chunk", lambda: len(self.engine.own.numbers("value")) == (chunk + 1) * CHUNK)  # noqa: B023
            heir = self.next_worker()
            died = time.time()
            owner.kill()
            owner = heir
            wait_until("it is taken over", lambda: len(self.claims()) == len(taken) + 2)
            taken.append(self.claims()[-1] - died)
        self.open_gates(*range(count, self.chunks))
        self.expect_each_row_once()
        owner.kill()
        return taken


def report(taken, where):
    print(f"{len(taken)} take-overs {where}, 0 duplicates; median {statistics.median(taken):.2f} s, "
          f"longest {max(taken):.2f} s")


class TakeOvers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        use_program_with_faults()

    def of_dead_processes(self, engine):
        count = max(1, TAKES // 2 // CHAINS)
        chains = [Chain(self, engine, count + 1) for _ in range(CHAINS)]
        with ThreadPoolExecutor(CHAINS) as pool:
            taken = [each for chain in pool.map(lambda chain: chain.takes(count), chains) for each in chain]
        report(taken, f"of dead processes ({engine.__name__})")

    def test_of_dead_processes_on_sqlite(self):
        self.of_dead_processes(Sqlite)

    def test_of_dead_processes_on_postgres(self):
        self.of_dead_processes(Postgres)

    def test_of_dead_hosts(self):
        """Ten of them, which die at once."""
        hosts = 10
        imports = [Import(self, Postgres, 3) for _ in range(hosts)]
        for each in imports:
            each.on("north")
            each.begin()
            each.open_gates(0)
        owners = [each.next_worker() for each in imports]
        for each in imports:
            wait_until("a chunk", lambda: len(each.engine.own.numbers("value")) == CHUNK)  # noqa: B023
            each.on("south")
            each.next_worker()
        died = time.time()
        for owner in owners:
            owner.kill()
        for each in imports:
            each.open_gates(1, 2)
            each.expect_each_row_once()
        report([each.claims()[-1] - died for each in imports], "of dead hosts")

    def die_twice(self, engine, first, second):
        each = Import(self, engine, 3)
        each.open_gates(0, 1, 2)
        each.begin()
        owner = each.next_worker(environment={"FERMATA_POINT": first})
        self.assertEqual(-signal.SIGKILL, owner.ended(), first)
        adopter = each.next_worker(environment={"FERMATA_POINT": second})
        wait_until("the adopter dies, or has nothing to do there",
                   lambda: adopter.process.poll() is not None or each.status(each.execution) == "COMPLETED")
        each.next_worker()
        each.expect_each_row_once()
        return adopter.process.poll() == -signal.SIGKILL

    def double_kills(self, engine, each):
        """Every point of the owner with `each` points of the adopter."""
        chooser = random.Random(int(os.environ.get("FERMATA_SEED", "1")))
        pairs = [(first, second) for first in POINTS for second in chooser.sample(ADOPTERS_POINTS, each)]
        with ThreadPoolExecutor(4) as pool:
            killed = list(pool.map(lambda pair: self.die_twice(engine, *pair), pairs))
        print(f"{len(pairs)} double kills attempted, {sum(killed)} killed the adopter as well, {len(pairs)} held")

    def test_the_adopter_dies_as_well_on_sqlite(self):
        self.double_kills(Sqlite, len(ADOPTERS_POINTS))

    def test_the_adopter_dies_as_well_on_postgres(self):
        self.double_kills(Postgres, 2)


if __name__ == "__main__":
    unittest.main()
