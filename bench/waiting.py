"""Waiting and stopping, against the commit of an empty chunk by hand in the same run."""

from results import cost


def per(bench, program, *arguments):
    """Seconds for one."""
    count = int(arguments[-1])
    return bench.timed(program, bench.fresh("waiting.db"), *arguments) / count


def milliseconds(seconds):
    return f"{seconds * 1000:.3f} ms"


def of(bench):
    commits, times, many = bench.rows(5_000), bench.rows(1_000), bench.rows(10_000)

    def commit():
        return per(bench, "empty_chunk", commits)

    def resumes(count, before=0):
        return bench.timed("waiting", bench.fresh("waiting.db"), "resumes", count, before) / count

    def signals():
        return per(bench, "waiting", "signals", times)

    trips = bench.in_turn(commit, lambda: resumes(times))
    sent = bench.in_turn(commit, signals)
    stops = bench.in_turn(lambda: per(bench, "waiting", "chunks", 20) + commit(),
                          lambda: per(bench, "waiting", "stops", 20))
    last = bench.in_turn(lambda: resumes(200), lambda: resumes(200, many - 200))
    return [cost("pause, resume, pause of a step that does nothing, in commits of an empty chunk", trips, 4.0, milliseconds),
            cost("a signal, in commits of an empty chunk", sent, 2.0,
                 lambda seconds: f"{milliseconds(seconds)}, {1 / seconds:,.0f} a second"),
            cost("stop to STOPPED from elsewhere, against one chunk of 20 ms and a commit", stops, 1.0, milliseconds),
            cost(f"resume number {many:,}, against the first", last, 1.5, milliseconds)]
