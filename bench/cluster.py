"""Workers that share a repository on PostgreSQL, against statements written by hand. The cluster is this run's own, with
fsync."""

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from on_postgres import execute, query, repository
from results import cost, speed


HERE = Path(__file__).resolve().parent
STATISTICS = ["-c", "shared_preload_libraries=pg_stat_statements"]


def milliseconds(seconds):
    return f"{seconds * 1000:.2f} ms"


def microseconds(seconds):
    return f"{seconds * 1e6:.0f} µs"


def quantiles(bench, program, *arguments):
    """The median and the 99th of a hundred, in seconds."""
    _, median, late = bench.run(bench.bin / f"bench_{program}", *arguments)[2].split()
    return float(median), float(late)


def submit(bench):
    """From the submission of an execution until an attached worker has it, one after the other."""
    count, url = bench.rows(3000), repository(bench, "submit")
    pairs = bench.in_turn(lambda: quantiles(bench, "notify_postgres", url, count),
                          lambda: quantiles(bench, "submit", url, bench.fresh("submit.d"), count))
    work = "submit to STARTED by an attached worker, against UPDATE, NOTIFY, COMMIT and hearing it"
    return [cost(f"{work}: {name}", [(hand[i], fermata[i]) for hand, fermata in pairs], 2.5, milliseconds)
            for i, name in enumerate(["the median", "99 of 100"])]


def claims(bench, what):
    """Executions that wait, or partitions of one step, are claimed and completed with nothing in between. So many that
    what each session prepares once, which a worker does in its life and not each second, is a small part."""
    count = bench.rows(5_000)

    def fermata(workers):
        url = repository(bench, "claims")
        return bench.timed("claims", what, url, bench.fresh("claims.d"), count, workers)

    def by_hand(workers):
        return bench.timed("skip_locked_postgres", repository(bench, "claims"), count, workers)

    return [speed(f"claim and complete {what} of nothing, {workers} worker{'s' if workers > 1 else ''}, "
                  "against SKIP LOCKED by hand",
                  bench.in_turn(lambda: by_hand(workers), lambda: fermata(workers)), 0.90, count, what)  # noqa: B023
            for workers in (1, 4)]


@contextmanager
def workers(bench, url, count, slots):
    """`fermata worker` so many times, serving bench/jobs; all of them serve when this begins."""
    running = [subprocess.Popen([bench.bin / "fermata", "worker", "--jobs", HERE / "jobs", "--name", f"w{n}", "--slots",
                                 str(slots)], env={**bench.environment, "FERMATA_REPOSITORY": url}, cwd=bench.folder,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(count)]
    try:
        while int(query(url, "SELECT count(*) FROM worker WHERE slots > 0")[0][0]) < count:
            time.sleep(0.1)  # only between two looks
        yield {process.pid: process for process in running}
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait(timeout=60)


def remote(bench, url, partitions, items, rate):
    """Seconds by the repository's own clock from the submission to the end, and the pid of the manager."""
    def fermata(*arguments):
        return bench.fermata(*arguments, environment={"FERMATA_REPOSITORY": url})[2]

    execution = fermata("start", HERE / "jobs/remote.xml", "-p", f"partitions={partitions}", "-p", f"to={items}", "-p",
                        f"rate={rate}", "-o", "name").strip()
    manager = None
    while query(url, f"SELECT status FROM job_execution WHERE id = {execution}") != [("COMPLETED",)]:
        owner = query(url, f"SELECT w.pid FROM job_execution e JOIN worker w ON w.id = e.owner WHERE e.id = {execution}")
        manager = int(owner[0][0]) if owner else manager
        time.sleep(0.1)  # only between two looks
    [(taken,)] = query(url, f"SELECT ended - created FROM job_execution WHERE id = {execution}")
    return int(taken) / 1e6, manager


def uc4(bench):
    """50 partitions of 50 items of 50 ms on 16 slots, in turns of a chunk; without turns they are four waves of 2.5 s."""
    url = repository(bench, "uc4")
    work = 50 * 50 * 0.05
    with workers(bench, url, 4, 4):
        taken = [remote(bench, url, 50, 50, 20)[0] for _ in range(3)]
    return [cost("50 partitions of 50 items of 50 ms, 4 workers of 4 slots, against work ÷ slots",
                 [(work / 16, each) for each in taken], 1.1, lambda s: f"{s:.2f} s")]


def cpu_of(pid):
    """Seconds so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def many(bench):
    """What each of many partitions costs beside eight workers, against each of a tenth of them."""
    few, all_of_them = bench.rows(1_000), bench.rows(10_000)

    def one(count):
        url = repository(bench, "many")
        execute(url, "CREATE EXTENSION pg_stat_statements")
        with workers(bench, url, 8, 2) as running:
            execute(url, "SELECT pg_stat_statements_reset()")
            before = {pid: cpu_of(pid) for pid in running}
            taken, manager = remote(bench, url, count, 0, 0)
            used = cpu_of(manager) - before[manager]
            calls = query(url, "SELECT sum(calls) FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_%'")[0][0]
        return taken / count, used / count, int(calls) / count

    a, b = one(few), one(all_of_them)
    return [cost(f"one of {all_of_them:,} partitions, 8 workers, against one of {few:,}: {what}", [(a[i], b[i])], 1.2, shown)
            for i, (what, shown) in enumerate([("time", milliseconds), ("the manager's CPU", microseconds),
                                               ("statements of all", lambda n: f"{n:.1f}")])]


BENCHES = {
    "submit": submit,
    "claims": lambda bench: claims(bench, "executions"),
    "claims-of-partitions": lambda bench: claims(bench, "partitions"),
    "uc4": uc4,
    "many": many,
}
