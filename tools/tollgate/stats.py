# SPDX-License-Identifier: MIT
"""Statistics of one series, exact: integers until the last division, so figures repeat."""
import math

MAX_SAMPLES = 100_000_000
_BEYOND = 10  # samples that must lie beyond a percentile for it to be printed
PERCENTILES = {"p50": 500, "p90": 900, "p99": 990, "p999": 999}  # in thousandths


class BadSeries(Exception):
    """A series in a record contradicts itself."""


def check_runs(runs, what, *, signed=False):
    """Checks a run-length encoded series [[value, count], ...]; returns its length."""
    if not isinstance(runs, list):
        raise BadSeries(f"{what}: not a list")
    total = 0
    for run in runs:
        if (not isinstance(run, list) or len(run) != 2
                or any(isinstance(x, bool) or not isinstance(x, int) for x in run)):
            raise BadSeries(f"{what}: {run!r} is no [value, count] of integers")
        value, count = run
        if count < 1 or (value < 0 and not signed):
            raise BadSeries(f"{what}: {run!r} is out of range")
        total += count
    if total > MAX_SAMPLES:
        raise BadSeries(f"{what}: {total} samples are more than {MAX_SAMPLES}")
    return total


def at(runs, index):
    """The value at position index of a run-length encoded series."""
    for value, count in runs:
        if index < count:
            return value
        index -= count
    raise IndexError(index)


def prefix_sum(runs, index):
    """The sum of positions 0 to index, inclusive: turns deltas into an absolute value."""
    total, left = 0, index + 1
    for value, count in runs:
        take = min(count, left)
        total += value * take
        left -= take
        if not left:
            return total
    raise IndexError(index)


def decode(runs):
    """The series as a plain list."""
    series = []
    for value, count in runs:
        series.extend([value] * count)
    return series


def encode(series):
    """The run-length encoding of an iterable of values."""
    runs = []
    for value in series:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return runs


def mean(runs):
    """The mean of a run-length encoded series, None when it is empty."""
    n = sum(count for _, count in runs)
    return sum(value * count for value, count in runs) / n if n else None


def _percentile(ordered, n, thousandths):
    rank = -(-n * thousandths // 1000)  # nearest rank, counted from 1
    if n - rank < _BEYOND:
        return None
    return at(ordered, rank - 1)


def summarize(runs):
    """n, min, max, mean, sd and percentiles of a checked, run-length encoded series."""
    counts = {}
    for value, count in runs:
        counts[value] = counts.get(value, 0) + count
    ordered = sorted(counts.items())
    n = sum(counts.values())
    if not n:
        raise BadSeries("no samples")
    total = sum(v * c for v, c in ordered)
    squares = sum(v * v * c for v, c in ordered)
    summary = {"n": n, "min": ordered[0][0]}
    for name, thousandths in PERCENTILES.items():
        summary[name] = _percentile(ordered, n, thousandths)
    summary["max"] = ordered[-1][0]
    summary["mean"] = total / n
    summary["sd"] = math.sqrt((n * squares - total * total) / (n * (n - 1))) if n > 1 else None
    return summary


def index_of_max(runs):
    """Position of the first largest value."""
    best, where, position = None, 0, 0
    for value, count in runs:
        if best is None or value > best:
            best, where = value, position
        position += count
    return where
