"""The same questions on PostgreSQL: its baselines are written with libpq, its cluster is this run's own, with fsync."""

import sys
from pathlib import Path

import repository_with_history
from results import cost, speed

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "harness"))
from postgres import Cluster, execute, rows as query  # noqa: E402

SETTINGS = ["-c", "max_wal_size=4GB", "-c", "shared_buffers=256MB"]
TABLE = ("CREATE TABLE item (id bigint PRIMARY KEY, quantity bigint, store bigint, price float8, weight float8, "
         "day text, name text, note text)")


def repository(bench, name):
    """A database with a repository in it."""
    url = bench.cluster.url(name)
    execute(bench.cluster.url(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    execute(bench.cluster.url(), f"CREATE DATABASE {name}")
    bench.fermata("db", "init", environment={"FERMATA_REPOSITORY": url})
    return url


# --- CSV to PostgreSQL -----------------------------------------------------------------------------------------------

def target(url):
    """The empty target; what earlier loads left to clean up is cleaned up before, not meanwhile."""
    execute(url, "DROP TABLE IF EXISTS item")
    execute(url, TABLE)
    execute(url, "CHECKPOINT")


def count_rows(url, expected):
    found = int(query(url, "SELECT count(*) FROM item")[0][0])
    if found != expected:
        raise SystemExit(f"{url}: {found} rows, expected {expected}")


def load_by_fermata(bench, url, count, chunk):
    target(url)
    seconds, _, _ = bench.fermata("run", HERE / "jobs/load.xml", "-p", f"chunk={chunk}", "-p",
                                  f"input={bench.input(count)}", "-p", f"sink={url}",
                                  environment={"FERMATA_REPOSITORY": url})
    count_rows(url, count)
    return seconds


def load_by_hand(bench, url, count, chunk, way):
    target(url)
    seconds, _, _ = bench.run(bench.bin / "bench_load_csv_postgres", way, bench.input(count), url, chunk)
    count_rows(url, count)
    return seconds


def load_by_psql(bench, url, count):
    target(url)
    seconds, _, _ = bench.run("psql", "-X", "-q", "-d", url, "-c", f"\\copy item FROM '{bench.input(count)}' CSV HEADER")
    count_rows(url, count)
    return seconds


def load(bench, chunk, way, goal):
    count, url = bench.rows(1_000_000), repository(bench, "load")
    pairs = bench.in_turn(lambda: load_by_hand(bench, url, count, chunk, way),
                          lambda: load_by_fermata(bench, url, count, chunk))
    return [speed(f"CSV to PostgreSQL, item-count {chunk:,}, against binary {way} by hand", pairs, goal, count, "rows")]


def load_against_psql(bench):
    count, url = bench.rows(1_000_000), repository(bench, "load")
    pairs = bench.in_turn(lambda: load_by_psql(bench, url, count), lambda: load_by_fermata(bench, url, count, 10_000))
    return [speed("CSV to PostgreSQL, item-count 10,000, against psql's \\copy of everything", pairs, 1.0, count, "rows")]


# --- the parts -------------------------------------------------------------------------------------------------------

def empty_chunks(bench):
    chunks, url = bench.rows(50_000), repository(bench, "empty_chunks")
    # Two pairs where others have one: it is a sync and little else, and a disk that has neighbours drifts by a tenth.
    pairs = bench.in_turn(lambda: bench.timed("empty_chunk_postgres", url, chunks),
                          lambda: bench.fermata("run", HERE / "jobs/empty.xml", "-p", f"to={chunks}",
                                                environment={"FERMATA_REPOSITORY": url})[0], times=2)
    return [speed("empty chunks, against two updates in one pipelined transaction", pairs, 0.90, chunks, "chunks")]


def start(bench):
    """One verb as its own process."""
    url = repository(bench, "start")
    bench.fermata("run", HERE / "jobs/empty.xml", "-p", "to=1", environment={"FERMATA_REPOSITORY": url})
    pairs = bench.in_turn(lambda: bench.run("psql", "-X", "-q", "-d", url, "-c", "SELECT 1")[0],
                          lambda: bench.fermata("list", environment={"FERMATA_REPOSITORY": url})[0])
    return [cost("fermata list, against psql -c 'SELECT 1'", pairs, 2.0)]


# --- history ---------------------------------------------------------------------------------------------------------

def microseconds(seconds):
    return f"{seconds * 1e6:.0f} µs"


def queries(bench):
    """Each query as the server and the driver see it: in one process, many times, in turn with SELECT 1; a list also in
    turn with the same rows asked for by hand, which is as little as they can cost."""
    count, url = bench.rows(1_000_000), repository(bench, "history")
    repository_with_history.make_on_postgres(bench, url, count)
    lines = [bench.run(bench.bin / "bench_repository_queries", url, bench.folder, 200)[2].splitlines()
             for _ in range(bench.pairs)]
    results = []
    for several in zip(*lines):
        name = several[0].split("\t")[0]
        figures = [[float(figure) for figure in line.split("\t")[1:]] for line in several]
        results.append(cost(f"{name} with {count:,} old executions, against SELECT 1",
                            [(one, asked) for one, asked, *_ in figures], 3.0, microseconds))
        if len(figures[0]) > 2:
            results.append(cost(f"{name}, against the same rows by hand",
                                [(by_hand, asked) for _, asked, by_hand in figures], 1.3, microseconds))
    return results


BENCHES = {
    "load-100": lambda bench: load(bench, 100, "arrays", 0.90),
    "load-1000": lambda bench: load(bench, 1000, "arrays", 0.90),
    "load-10000": lambda bench: load(bench, 10_000, "copy", 0.90),
    "psql-copy": load_against_psql,
    "empty": empty_chunks,
    "start": start,
    "queries": queries,
}
