"""Partitions: what each costs when it does nothing, that many cost in proportion, and two threads against one."""

import sys
from pathlib import Path

from results import cost, speed

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "harness"))
from postgres import Cluster, execute, rows  # noqa: E402

SETTINGS = ["-c", "max_wal_size=4GB", "-c", "shared_buffers=256MB"]
TABLE = ("CREATE TABLE item (id bigint PRIMARY KEY, quantity bigint, store bigint, price float8, weight float8, "
         "day text, name text, note text)")


def of_nothing(bench):
    few, many = bench.rows(1_000), bench.rows(10_000)

    def fermata(count):
        return bench.timed("partitions", bench.fresh("partitions.db"), count)

    by_hand = bench.in_turn(lambda: bench.timed("partitions_by_hand", bench.fresh("by_hand.db"), many),
                            lambda: fermata(many))
    linear = bench.in_turn(lambda: fermata(few) / few, lambda: fermata(many) / many)
    return [cost(f"{many:,} partitions of nothing, against their rows by hand", by_hand, 3.0, lambda s: f"{s:.2f} s"),
            cost(f"one of {many:,} partitions, against one of {few:,}", linear, 1.2, lambda s: f"{s * 1e6:.0f} µs")]


def two_against_one(bench):
    """A CSV file in byte ranges into PostgreSQL, which needs processors of its own."""
    count, chunk = bench.rows(1_000_000), 5_000
    cluster = Cluster(arguments=SETTINGS)
    url = cluster.url("postgres")
    bench.fermata("db", "init", environment={"FERMATA_REPOSITORY": url})

    def load(partitions):
        execute(url, "DROP TABLE IF EXISTS item")
        execute(url, TABLE)
        execute(url, "CHECKPOINT")
        seconds, _, _ = bench.fermata("run", HERE / "jobs/partitions.xml", "-p", f"partitions={partitions}", "-p",
                                      f"chunk={chunk}", "-p", f"input={bench.input(count)}", "-p", f"sink={url}",
                                      environment={"FERMATA_REPOSITORY": url})
        if int(rows(url, "SELECT count(*) FROM item")[0][0]) != count:
            raise SystemExit("not every row is there once")
        return seconds

    pairs = bench.in_turn(lambda: load(1), lambda: load(2))
    return [speed("CSV to PostgreSQL in two partitions, against one", pairs, 1.4, count, "rows")]
