#!/usr/bin/env python3
"""Prints Fermata against hand-written baselines as ratios: baseline and Fermata in turn (A B A B …), the median of the
pairs' ratios, their spread, the goal and whether it is met. Absolute figures belong to the machine."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cluster
import on_postgres
import partitions
import repository_with_history
import waiting
from results import cost, line, speed

HERE = Path(__file__).resolve().parent


class Bench:
    """Where the programs are, where the files go, and how much to do."""

    def __init__(self, build, quick):
        self.bin = Path(build).resolve() / "bin"
        self.folder = Path(build).resolve() / "bench-files"
        self.quick = quick
        self.pairs = 3 if quick else 5
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                            "FERMATA_REPOSITORY": str(self.folder / "repository.db")}
        self.fermata("db", "init")

    def rows(self, full):
        return full // 10 if self.quick else full

    def run(self, *command, exit_code=0, environment=None):
        """Runs a command under `measure`: (seconds, peak MiB, stdout)."""
        done = subprocess.run([self.bin / "bench_measure", *map(str, command)], cwd=self.folder, capture_output=True,
                              text=True, env={**self.environment, **(environment or {})})
        if done.returncode != exit_code:
            raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        seconds, kib = done.stderr.splitlines()[-1].split()
        return float(seconds), int(kib) / 1024, done.stdout

    def fermata(self, *arguments, **options):
        return self.run(self.bin / "fermata", *arguments, **options)

    def timed(self, program, *arguments):
        """Seconds an own program says its loop took; what it did to get there does not count."""
        return float(self.run(self.bin / f"bench_{program}", *arguments)[2].split()[1])

    def input(self, rows):
        path = self.folder / f"rows-{rows}.csv"
        if not path.exists():
            self.run(self.bin / "bench_generate_rows", rows, path)
        return path

    def fresh(self, name):
        for old in self.folder.glob(name + "*"):
            old.unlink() if old.is_file() else shutil.rmtree(old)
        return self.folder / name

    def in_turn(self, baseline, fermata, times=1):
        """Seconds of both, in turn, so many times as many pairs; the first one warms up and is not counted."""
        pairs = [(baseline(), fermata()) for _ in range(times * self.pairs + 1)]
        return pairs[1:]


# --- CSV to SQLite -------------------------------------------------------------------------------------------------

TABLE = ("CREATE TABLE item (id INTEGER PRIMARY KEY, quantity INTEGER, store INTEGER, price REAL, weight REAL, "
         "day TEXT, name TEXT, note TEXT)")


def target(bench):
    """An empty target in WAL mode, as the hand-written loop makes its own."""
    path = bench.fresh("sink.db")
    bench.run("sqlite3", path, "PRAGMA journal_mode=WAL", TABLE)
    return path


def count_rows(bench, path, expected):
    found = int(bench.run("sqlite3", path, "SELECT count(*) FROM item")[2])
    if found != expected:
        raise SystemExit(f"{path}: {found} rows, expected {expected}")


def load_by_fermata(bench, rows, chunk):
    path = target(bench)
    seconds, peak, _ = bench.fermata("run", HERE / "jobs/load.xml", "-p", f"chunk={chunk}", "-p",
                                     f"input={bench.input(rows)}", "-p", f"sink={path}")
    count_rows(bench, path, rows)
    return seconds, peak


def load_by_hand(bench, rows, chunk):
    return bench.run(bench.bin / "bench_load_csv", bench.input(rows), bench.fresh("hand.db"), chunk)[0]


def load(bench, chunk, full, goal):
    rows = bench.rows(full)
    pairs = bench.in_turn(lambda: load_by_hand(bench, rows, chunk), lambda: load_by_fermata(bench, rows, chunk)[0])
    return [speed(f"CSV to SQLite, item-count {chunk}, against the loop by hand", pairs, goal, rows, "rows")]


def load_against_import(bench):
    rows = bench.rows(1_000_000)

    def by_shell():
        path = target(bench)
        return bench.run("sqlite3", path, f".import --csv --skip 1 {bench.input(rows)} item")[0]

    pairs = bench.in_turn(by_shell, lambda: load_by_fermata(bench, rows, 1000)[0])
    return [speed("CSV to SQLite, item-count 1000, against sqlite3 .import", pairs, 1.15, rows, "rows")]


def memory(bench):
    small, large = bench.rows(100_000), bench.rows(1_000_000)
    pairs = bench.in_turn(lambda: load_by_fermata(bench, small, 1000)[1], lambda: load_by_fermata(bench, large, 1000)[1])
    return [cost("peak memory, ten times the rows", pairs, 1.10, lambda mib: f"{mib:.1f} MiB")]


# --- the parts -----------------------------------------------------------------------------------------------------

def csv_reader(bench):
    rows = bench.rows(1_000_000)
    path = bench.input(rows)
    fermata = lambda: bench.timed("csv_reader", path)  # noqa: E731
    tuned = bench.in_turn(lambda: bench.timed("parse_csv", "owned", path), fermata)
    naive = bench.in_turn(lambda: bench.timed("parse_csv", "naive", path), fermata)
    return [speed("CSV into owned typed items, against tuned by hand", tuned, 0.70, rows, "rows"),
            speed("CSV into owned typed items, against naive", naive, 3.0, rows, "rows")]


def pipeline(bench):
    items = bench.rows(20_000_000)
    pairs = bench.in_turn(lambda: bench.timed("virtual_loop", items), lambda: bench.timed("pipeline", items))
    return [cost("reader, processor, writer in memory, against virtual calls", pairs, 2.0,
                 lambda s: f"{s / items * 1e9:.2f} ns/item")]


def empty_chunks(bench):
    chunks = bench.rows(10_000)
    pairs = bench.in_turn(lambda: bench.timed("empty_chunk", bench.fresh("empty.db"), chunks),
                          lambda: bench.fermata("run", HERE / "jobs/empty.xml", "-p", f"to={chunks}")[0])
    return [speed("empty chunks, against two updates and a commit", pairs, 0.90, chunks, "chunks")]


# --- start ---------------------------------------------------------------------------------------------------------

def start(bench):
    path = bench.fresh("bare.db")

    def bare():
        return bench.run(bench.bin / "bench_open_and_write", path)[0]

    def one_item():
        return bench.fermata("run", HERE / "jobs/empty.xml", "-p", "to=1")

    bare()
    one_item()
    many = [bench.in_turn(bare, lambda: bench.fermata("--version")[0]) for _ in range(4)]
    version = [pair for pairs in many for pair in pairs]
    many = [bench.in_turn(bare, lambda: one_item()[0]) for _ in range(4)]
    job = [pair for pairs in many for pair in pairs]
    peak = [(16.0, one_item()[1]) for _ in range(bench.pairs)]
    return [cost("fermata --version, against a bare program's open and write", version, 1.5),
            cost("a job of one item, against a bare program's open and write", job, 3.0),
            cost("a job of one item: peak memory, against 16 MiB", peak, 1.0, lambda mib: f"{mib:.1f} MiB")]


# --- history -------------------------------------------------------------------------------------------------------

def history(bench):
    few, many = 10_000, bench.rows(1_000_000)
    repositories = {count: bench.fresh(f"history-{count}.db") for count in (few, many)}
    for count, path in repositories.items():
        repository_with_history.make(bench, path, count)

    def verb(count, *arguments, exit_code=0):
        return bench.fermata(*arguments, exit_code=exit_code,
                             environment={"FERMATA_REPOSITORY": str(repositories[count])})

    def compared(work, *arguments, exit_code=0):
        pairs = bench.in_turn(lambda: verb(few, *arguments, exit_code=exit_code)[0],
                              lambda: verb(many, *arguments, exit_code=exit_code)[0])
        return cost(f"{work} with {many:,} old executions, against {few:,}", pairs, 2.0)

    return [compared("list", "list"), compared("list of one job's failures", "list", "--job", "fail", "--status", "FAILED"),
            compared("show", "show", "fail@latest"),
            compared("restart (the job fails again)", "restart", "fail@latest", exit_code=1)]


BENCHES = {
    "load-1000": lambda bench: load(bench, 1000, 1_000_000, 0.90),
    "load-100": lambda bench: load(bench, 100, 1_000_000, 0.85),
    "load-10": lambda bench: load(bench, 10, 200_000, 0.75),
    "import": load_against_import,
    "csv": csv_reader,
    "pipeline": pipeline,
    "empty": empty_chunks,
    "start": start,
    "memory": memory,
    "history": history,
    "partitions": partitions.of_nothing,
    "partitions-2": partitions.two_against_one,
    "pause": waiting.of,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, three pairs")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, in a cluster of its own")
    parser.add_argument("--cluster", action="store_true", help="workers that share a PostgreSQL, in a cluster of its own")
    parser.add_argument("--list", action="store_true", help="the names, one a line")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    options = parser.parse_args()
    benches = cluster.BENCHES if options.cluster else on_postgres.BENCHES if options.postgres else BENCHES
    if options.list:
        print("\n".join(benches))
        return 0
    unknown = set(options.names) - set(benches)
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(benches)}")

    bench = Bench(options.build, options.quick)
    if options.postgres or options.cluster:
        more = cluster.STATISTICS if options.cluster else []
        bench.cluster = on_postgres.Cluster(arguments=on_postgres.SETTINGS + more)
    print("| work | baseline | Fermata | ratio [min–max] | goal | |\n|---|---|---|---|---|---|", flush=True)
    missed = 0
    for name in options.names or benches:
        for found in benches[name](bench):
            text, met = line(found)
            missed += not met
            print(text, flush=True)
    shutil.rmtree(bench.folder)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
