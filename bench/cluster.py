"""Workers that share a repository on PostgreSQL, against statements written by hand. The cluster is this run's own, with
fsync."""

from on_postgres import repository
from results import cost, speed


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
    count, url = bench.rows(500), repository(bench, "submit")
    pairs = bench.in_turn(lambda: quantiles(bench, "notify_postgres", url, count),
                          lambda: quantiles(bench, "submit", url, bench.fresh("submit.d"), count))
    work = "submit to STARTED by an attached worker, against UPDATE, NOTIFY, COMMIT and hearing it"
    return [cost(f"{work}: {name}", [(hand[i], fermata[i]) for hand, fermata in pairs], 2.5, milliseconds)
            for i, name in enumerate(["the median", "99 of 100"])]


def claims(bench):
    """Executions that wait are claimed and completed with nothing in between."""
    count = bench.rows(1_000)

    def fermata(workers):
        url = repository(bench, "claims")
        return bench.timed("claims", url, bench.fresh("claims.d"), count, workers)

    def by_hand(workers):
        return bench.timed("skip_locked_postgres", repository(bench, "claims"), count, workers)

    return [speed(f"claim and complete executions of nothing, {workers} worker{'s' if workers > 1 else ''}, "
                  "against SKIP LOCKED by hand",
                  bench.in_turn(lambda: by_hand(workers), lambda: fermata(workers)), 0.90, count, "executions")  # noqa: B023
            for workers in (1, 4)]


BENCHES = {
    "submit": submit,
    "claims": claims,
}
