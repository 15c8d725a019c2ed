#!/usr/bin/env python3
"""What executions and workers cost a PostgreSQL server, as it counts them itself: statements, transactions, write-ahead
log, connections, disk. The figures docs/scale.md reckons with; no ratios, no goals."""

import argparse
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

from on_postgres import SETTINGS, Cluster, execute, query, repository
from run import HERE, Bench

STATISTICS = ["-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_utility=on"]
EXECUTIONS = 500
CHUNKS = 2_000
IDLE = 20  # seconds an idle worker is watched


class Costs:
    """The server's counters between two looks."""

    def __init__(self, url):
        self.url = url
        execute(url, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CHECKPOINT; SELECT pg_stat_statements_reset()")
        self.wal = self._wal()
        self.size = self._size()
        self.begin = time.monotonic()

    def _wal(self):
        return int(query(self.url, "SELECT pg_current_wal_insert_lsn() - '0/0'")[0][0].split(".")[0])

    def _size(self):
        return int(query(self.url, "SELECT pg_database_size(current_database())")[0][0])

    def taken(self):
        """(seconds, statements without BEGIN and COMMIT, commits that wrote, their seconds on the server, bytes of log,
        bytes of the database)"""
        seconds = time.monotonic() - self.begin
        own = "query NOT LIKE '%pg_stat_%' AND query NOT LIKE '%pg_current_wal%'"
        [(calls, commits, server)] = query(
            self.url, "SELECT sum(calls) FILTER (WHERE query !~* '^(BEGIN|COMMIT|ROLLBACK)'), "
                      "coalesce(sum(calls) FILTER (WHERE query ~* '^COMMIT'), 0), sum(total_exec_time) / 1000 "
                      f"FROM pg_stat_statements WHERE {own}")
        return seconds, int(calls), int(commits), float(server), self._wal() - self.wal, self._size() - self.size


@contextmanager
def workers(bench, url, count):
    """`fermata worker` so many times, serving bench/jobs."""
    running = [subprocess.Popen([bench.bin / "fermata", "worker", "--jobs", HERE / "jobs", "--name", f"w{n}"],
                                env={**bench.environment, "FERMATA_REPOSITORY": url}, cwd=bench.folder,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(count)]
    try:
        while int(query(url, "SELECT count(*) FROM worker")[0][0]) < count:
            time.sleep(0.1)  # only between two looks
        yield running
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait(timeout=60)


def told(what, each, count, costs):
    seconds, statements, commits, server, wal, size = costs
    print(f"| {what} | {statements / count:.1f} | {commits / count:.1f} | {server / count * 1e3:.2f} ms | "
          f"{wal / count / 1024:.1f} KiB | {size / count / 1024:.1f} KiB | {each} |", flush=True)


def executions(bench):
    """The others hear each, and ask for work that is not theirs."""
    for others in (0, 8):
        url = repository(bench, "costs")
        with workers(bench, url, others):
            costs = Costs(url)
            bench.run(bench.bin / "bench_submit", url, bench.fresh("costs.d"), EXECUTIONS)
            beside = f" beside {others} workers of other jobs" if others else ""
            told(f"an execution of one batchlet that does nothing, submitted and run{beside}", f"of {EXECUTIONS:,}",
                 EXECUTIONS, costs.taken())


def chunks(bench):
    url = repository(bench, "costs")
    costs = Costs(url)
    bench.fermata("run", HERE / "jobs/empty.xml", "-p", f"to={CHUNKS}", environment={"FERMATA_REPOSITORY": url})
    told("a chunk", f"of {CHUNKS:,}", CHUNKS, costs.taken())


# Rows of others that serve, own nothing and live on, as this one's host can tell.
OTHERS = ("INSERT INTO worker (id, incarnation, pid, start_ticks, host, boot_id, user_name, device, inode, started, name, slots, lease) "
          "SELECT n, 'other-' || n, 1, 1, 'other-' || n, 'other', 'bench', 1, 1, 0, 'other-' || n, 4, "
          "(extract(epoch FROM now()) * 1000000)::bigint + 3600000000 FROM generate_series(1, {}) n; ANALYZE worker")


def idle(bench):
    for count, others in ((1, 0), (4, 0), (1, 1_000)):
        url = repository(bench, "costs")
        with workers(bench, url, count):
            execute(url, OTHERS.format(others))
            [(connections,)] = query(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'costs' AND "
                                          "pid <> pg_backend_pid()")
            costs = Costs(url)
            time.sleep(IDLE)  # that is what is measured
            seconds, *rest = costs.taken()
            beside = f" beside the rows of {others:,} others" if others else ""
            told(f"a second of a worker that has nothing to do{beside}", f"of {count}, with {connections} connections",
                 seconds * count, (seconds, *rest))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    bench = Bench(parser.parse_args().build, False)
    bench.cluster = Cluster(arguments=SETTINGS + STATISTICS)
    print("| | statements | commits | on the server | log | disk | |\n|---|---|---|---|---|---|---|", flush=True)
    for measured in (executions, chunks, idle):
        measured(bench)
    shutil.rmtree(bench.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
