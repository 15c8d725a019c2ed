"""A measured work: both sides' medians, the ratios of their pairs, and the goal."""

import statistics
from collections import namedtuple

Result = namedtuple("Result", "work baseline fermata ratios goal at_least")


def speed(work, pairs, goal, count, unit):
    """Fermata's speed as a part of the baseline's."""
    return result(work, pairs, [a / b for a, b in pairs], goal, True, lambda s: f"{count / s:,.0f} {unit}/s")


def cost(work, pairs, goal, shown=lambda s: f"{s * 1000:.2f} ms"):
    """Fermata's time as a multiple of the baseline's."""
    return result(work, pairs, [b / a for a, b in pairs], goal, False, shown)


def result(work, pairs, ratios, goal, at_least, shown):
    return Result(work, shown(statistics.median(a for a, _ in pairs)), shown(statistics.median(b for _, b in pairs)),
                  ratios, goal, at_least)


def line(result):
    ratio = statistics.median(result.ratios)
    met = ratio >= result.goal if result.at_least else ratio <= result.goal
    sign = "≥" if result.at_least else "≤"
    return (f"| {result.work} | {result.baseline} | {result.fermata} | {ratio:.2f} "
            f"[{min(result.ratios):.2f}–{max(result.ratios):.2f}] | {sign} {result.goal:.2f} | "
            f"{'met' if met else 'MISSED'} |"), met
