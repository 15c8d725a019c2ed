#!/usr/bin/env python3
"""Workers of two hosts import for three minutes while every few seconds something breaks: everything that can, several
things at a time. Then nothing breaks any more, all of it comes to an end, and each row is there once.

FERMATA_SOAK=seconds asks for another length, FERMATA_SEED=n for other faults; the same seed chooses the same ones."""

import itertools
import os
import random
import sys
import threading
import time
import traceback
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "harness"), str(TESTS / "usecases"), str(TESTS / "faults")]
import kafka  # noqa: E402
import postgres  # noqa: E402
from engines import Postgres, Sink  # noqa: E402
from fermata_process import DEADLINE, use_program_with_faults, wait_until  # noqa: E402
from jobs import HEAD, into_item  # noqa: E402
from network import Network  # noqa: E402
from poison_test import POISON  # noqa: E402
from soak_faults import KILLED, UNREACHABLE, Faults  # noqa: E402
from workers import Workers  # noqa: E402

SECONDS = int(os.environ.get("FERMATA_SOAK", "180"))
SEED = int(os.environ.get("FERMATA_SEED", "1"))
APART = (5, 11)  # seconds between two faults
PAUSE = 0.5  # seconds between two imports that are asked for
ROWS = 100
TAKEN_FOR_DEAD, CONFLICT = 4, 8
TO_AN_END = 3 * DEADLINE


def reader(first, last):
    return f"""<reader ref="rangeReader"><properties>
        <property name="from" value="#{{jobParameters['base']}}{first}"/>
        <property name="to" value="#{{jobParameters['base']}}{last}"/>
      </properties></reader>"""


TO_FILE = HEAD.format(id="file", more="") + f"""
  <step id="load">
    <properties><property name="max-rate" value="50"/></properties>
    <chunk item-count="5">
      {reader("001", "100")}
      <writer ref="csvWriter"><properties>
        <property name="resource" value="#{{jobParameters['base']}}.csv"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""
SHARED = into_item("shared", reader("#{partitionPlan['value']}01", "#{partitionPlan['value']}25"), item_count=5,
                   max_rate=20).replace("</step>", """
    <partition xmlns:fer="urn:fermata:job:1" fer:workers="any">
      <mapper ref="listMapper"><properties><property name="values" value="1,2,3,4"/></properties></mapper>
    </partition>
  </step>""")


def numbers(kind, base):
    """What an import writes."""
    if kind == "shared":
        return [1000 * base + 100 * partition + row for partition in range(1, 5) for row in range(1, 26)]
    return [1000 * base + row for row in range(1, ROWS + 1)]


class Served:
    """A worker with a network of its own, which its service manager starts again whenever it has ended."""

    def __init__(self, soak, name, host):
        self.soak, self.name, self.host = soak, name, host
        self.link = Network(soak.database)
        soak.addCleanup(self.link.close)
        self.next_environment, self.ends = {}, []
        self.begin()

    def begin(self):
        environment = {"FERMATA_REPOSITORY": self.link.url} | self.soak.of_host(self.soak.folder, self.host)
        self.running = self.soak.spawn_worker("--slots", "3", name=self.name,
                                              environment=environment | self.next_environment)
        self.next_environment = {}

    def tend(self):
        code = self.running.process.poll()
        if code is not None:
            self.ends.append(code)
            self.begin()


class Soak(Workers, unittest.TestCase):
    PARTITIONS = 3  # of the topic
    KINDS = ("own", "other", "file", "shared")

    def setUp(self):
        use_program_with_faults()
        self.server = postgres.Cluster(arguments=["-c", "fsync=on", "-c", "max_connections=110", "-c",
                                                  "superuser_reserved_connections=0", "-c", "max_wal_senders=0"])
        self.addCleanup(self.server.close)
        self.database, self.elsewhere = postgres.Database(self.server), postgres.Database(self.server)
        self.ENGINE = lambda: Postgres(lambda: self.database.url)
        super().setUp()
        self.complaints, self.deadly_starts, self.poisoned = [], [], []
        self.asked, self.bases, self.known = {}, itertools.count(1), {}
        self.only_one_at_the_server, self.only_one_at_the_broker = threading.Lock(), threading.Lock()
        self.lock = threading.Lock()
        self.set_up_kafka()
        self.set_up_clock()
        self.define_jobs()
        self.on("north")
        self.served = [Served(self, name, host) for name, host in
                       (("alpha", "north"), ("beta", "north"), ("gamma", "south"), ("delta", "south"))]

    def set_up_kafka(self):
        kafka.shared()  # skips where there is none
        self.broker = kafka.Broker()
        self.addCleanup(self.broker.close)
        self.topic = kafka.Topic(self.PARTITIONS, self.broker)
        self.folder.environment["FERMATA_KAFKA"] = f"{self.broker.url}/{self.topic.name}?group.id={self.topic.name}"

    def set_up_clock(self):
        """As database_clock_test.py does."""
        for sql in ("CREATE TABLE clock (step interval); INSERT INTO clock VALUES ('0')",
                    "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                    "'SELECT pg_catalog.clock_timestamp() + step FROM public.clock'",
                    f"ALTER DATABASE {self.database.name} SET search_path = public, pg_catalog"):
            postgres.execute(self.database.url, sql)

    def define_jobs(self):
        for name in ("own", "other"):
            self.define(into_item(name, reader("001", "100"), item_count=5, max_rate=50), name)
        self.define(TO_FILE, "file")
        self.define(SHARED, "shared")
        fifty = reader("01", "50").replace("#{jobParameters['base']}", "")
        self.define(into_item("poison", fifty, POISON, table="poisoned"), "poison")

    def complain(self, what):
        with self.lock:
            self.complaints.append(what)

    # --- work that comes in ------------------------------------------------------------------------------------------
    def next_import(self):
        """Its number, and what `fermata start` and `fermata run` are told."""
        with self.lock:
            base = next(self.bases)
            kind = self.KINDS[base % len(self.KINDS)]
            self.asked[base] = kind
        sink = self.elsewhere.url if kind == "other" else self.database.url
        return base, [kind, "--instance", f"import-{base}", "-p", f"sink={sink}", "-p", f"base={base}"]

    def ask_for(self, number, arguments):
        """Again, until it is certain that it was recorded."""
        environment = {"FERMATA_POINT": self.deadly_starts.pop()} if self.deadly_starts else {}
        while True:
            done = self.folder.fermata("start", *arguments, "--jobs", self.folder.path / "jobs", "-o", "name",
                                       environment=environment, timeout=TO_AN_END)
            environment = {}
            if done.returncode == 0:
                self.known[number] = done.stdout.strip()
                return
            if done.returncode == CONFLICT:
                return
            if done.returncode not in (UNREACHABLE, KILLED):
                return self.complain(f"start {arguments}: {done}")

    def submit(self, over):
        while not over.wait(PAUSE):
            self.ask_for(*self.next_import())

    def start_poison(self):
        number = len(self.poisoned) + 1
        self.poisoned.append(self.folder.write(f"touched-{number}", ""))
        self.ask_for(-number, ["poison", "--instance", f"poison-{number}", "-p", f"sink={self.database.url}", "-p",
                               "how=exit", "-p", f"log={self.poisoned[-1]}"])

    def some_execution(self, chance):
        newest = [known for number, known in sorted(self.known.items()) if number > 0][-8:]
        return chance.choice(newest) if newest else None

    def all_executions(self):
        return list(self.known.values())

    # --- the faults --------------------------------------------------------------------------------------------------
    def when_the_server_answers(self, sql):
        def done():
            try:
                postgres.execute(self.database.url, sql)
                return True
            except RuntimeError:
                return False
        wait_until(sql, done)

    def break_things(self):
        over = threading.Event()
        threads = [self.thread(self.submit, over)]
        faults, chance, deck, done = Faults(self, over), random.Random(SEED), [], []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if not deck:
                deck = Faults.kinds()
                chance.shuffle(deck)
            done.append(deck.pop())
            print(f"{SECONDS - (end - time.monotonic()):5.0f} s  {done[-1].replace('_', ' ')}", flush=True)
            threads.append(self.thread(getattr(faults, done[-1]), random.Random(f"{SEED} {len(done)}")))
            self.tend_until(min(end, time.monotonic() + chance.uniform(*APART)))
        over.set()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
                self.tend_until(0)
        return done

    def thread(self, target, *arguments):
        def run():
            try:
                target(*arguments)
            except Exception:  # whatever it is, the test must hear of it
                self.complain(traceback.format_exc())
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def tend_until(self, end):
        """What a service manager does meanwhile."""
        for worker in self.served:
            worker.tend()
        while time.monotonic() < end:
            for worker in self.served:
                worker.tend()
            time.sleep(0.05)  # between two looks

    # --- and the end -------------------------------------------------------------------------------------------------
    def newest_of_each(self):
        return self.engine.own.rows(
            "SELECT i.instance_key, e.id, e.status, COALESCE(e.error_message, '') FROM job_instance i JOIN job_execution e "
            "ON e.instance_id = i.id WHERE e.id = (SELECT MAX(id) FROM job_execution l WHERE l.instance_id = i.id) "
            "ORDER BY e.id")

    def come_to_an_end(self):
        """As operators would see to it."""
        verbs = {"PAUSED": "resume", "STOPPED": "restart", "FAILED": "restart"}
        end = time.monotonic() + TO_AN_END
        while time.monotonic() < end:
            self.tend_until(0)
            left = [each for each in self.newest_of_each()
                    if each[2] != ("FAILED" if each[0].startswith("poison") else "COMPLETED")]
            if not left:
                return
            for key, execution, status, _ in left:
                if status in verbs and not key.startswith("poison"):
                    self.folder.fermata(verbs[status], execution, "--jobs", self.folder.path / "jobs", "--detach")
            self.tend_until(time.monotonic() + 0.5)
        self.fail(f"{TO_AN_END} s later these have not ended: {left}")

    def expect_each_row_once(self):
        expected = {"own": [], "other": [], "file": [], "shared": []}
        for base, kind in self.asked.items():
            expected[kind] += numbers(kind, base)
            if kind == "file":
                lines = (self.folder.path / f"{base}.csv").read_text().split()[1:]
                self.assertEqual(numbers(kind, base), [int(line) for line in lines])
        self.assertEqual(sorted(expected["own"] + expected["shared"]), self.engine.own.numbers("value"))
        self.assertEqual(sorted(expected["other"]), Sink(self.elsewhere.url).numbers("value"))
        return sum(map(len, expected.values()))

    def expect_poison_to_be_named(self):
        for key, _, status, error in self.newest_of_each():
            if key.startswith("poison"):
                self.assertEqual("FAILED", status)
                self.assertIn("again and again at the same item: value 23", error)
        rows = self.engine.own.numbers("value", "poisoned")
        self.assertEqual(sorted(len(self.poisoned) * list(range(1, 23))), rows)

    def what_workers_said(self):
        """Beside what they do all the time."""
        usual = ("claimed", "COMPLETED after", "handed on", "owner and is")
        return "\n".join(f"{worker.name}: {line}" for worker in self.served for line in worker.running.said().splitlines()
                         if not any(words in line for words in usual))

    def expect_one_owner_at_a_time(self):
        claims = self.engine.own.rows("SELECT execution_id, data FROM event WHERE kind = 'execution.claimed' ORDER BY id")
        epochs = {}
        for execution, data in claims:
            epochs.setdefault(execution, []).append(int(data.split('"epoch":')[1].split(",")[0]))
        for execution, each in epochs.items():
            self.assertEqual(sorted(set(each)), each, execution)
        return len(claims)

    def test_three_minutes(self):
        print(f"seed {SEED}")
        done = self.break_things()
        self.come_to_an_end()
        self.assertEqual([], self.complaints)
        rows = self.expect_each_row_once()
        self.expect_poison_to_be_named()
        claims = self.expect_one_owner_at_a_time()
        ends = [code for worker in self.served for code in worker.ends]
        self.assertLessEqual(set(ends), {0, KILLED, TAKEN_FOR_DEAD, UNREACHABLE}, self.what_workers_said())
        if SECONDS >= 180:
            self.assertEqual(set(Faults.kinds()), set(done))
        self.sound()
        orphaned = self.engine.own.rows("SELECT count(*) FROM event WHERE kind = 'execution.orphaned'")[0][0]
        print(f"{len(done)} faults of {len(set(done))} kinds attempted, {len(done)} held, seed {SEED}: {len(self.asked)} "
              f"imports, {rows} rows each once, {claims} claims, {orphaned} executions taken over, {len(ends)} workers "
              f"started again")


if __name__ == "__main__":
    unittest.main()
