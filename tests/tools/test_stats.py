# SPDX-License-Identifier: MIT
"""Run-length encoding and statistics."""
import math
import random
import statistics

import pytest
from tollgate import stats


def test_encode_decode_round_trip():
    series = [1, 1, 1, 2, 1, 1, 5]
    assert stats.encode(series) == [[1, 3], [2, 1], [1, 2], [5, 1]]
    assert stats.decode(stats.encode(series)) == series


@pytest.mark.parametrize("runs", [
    None, {}, "x", [1], [[1]], [[1, 2, 3]], [[1, 0]], [[1, -1]], [[-1, 1]], [["1", 1]],
    [[1.5, 1]], [[1, True]], [[1, stats.MAX_SAMPLES + 1]]])
def test_bad_runs_are_refused(runs):
    with pytest.raises(stats.BadSeries):
        stats.check_runs(runs, "values")


def test_deltas_may_be_negative():
    assert stats.check_runs([[-1, 3]], "starts", signed=True) == 3


def test_positions_and_sums():
    runs = [[100, 1], [10, 3], [7, 1]]
    assert [stats.at(runs, i) for i in range(5)] == [100, 10, 10, 10, 7]
    assert [stats.prefix_sum(runs, i) for i in range(5)] == [100, 110, 120, 130, 137]
    for function in (stats.at, stats.prefix_sum):
        with pytest.raises(IndexError):
            function(runs, 5)


def test_constant_series():
    summary = stats.summarize([[7, 10000]])
    assert summary == {"n": 10000, "min": 7, "p50": 7, "p90": 7, "p99": 7, "p999": 7, "max": 7,
                       "mean": 7, "sd": 0}


def test_against_the_standard_library():
    generator = random.Random(1)
    series = [generator.randrange(1000) for _ in range(20000)]
    summary = stats.summarize(stats.encode(series))
    ordered = sorted(series)
    assert summary["mean"] == sum(series) / len(series)
    assert math.isclose(summary["sd"], statistics.stdev(series), rel_tol=1e-12)
    for name, fraction in (("p50", .5), ("p90", .9), ("p99", .99), ("p999", .999)):
        assert summary[name] == ordered[math.ceil(fraction * len(series)) - 1]


@pytest.mark.parametrize("n, name, printed", [
    (19, "p50", False), (20, "p50", True), (99, "p90", False), (100, "p90", True),
    (999, "p99", False), (1000, "p99", True), (9999, "p999", False), (10000, "p999", True)])
def test_percentile_needs_ten_samples_beyond(n, name, printed):
    assert (stats.summarize(stats.encode(range(n)))[name] is not None) == printed


def test_one_sample_has_no_deviation():
    assert stats.summarize([[3, 1]])["sd"] is None


def test_no_samples():
    with pytest.raises(stats.BadSeries):
        stats.summarize([])
    assert stats.mean([]) is None


def test_huge_values_stay_exact():
    big = 2 ** 63
    summary = stats.summarize([[big, 1], [big + 2, 1]])
    assert summary["min"] == big and summary["max"] == big + 2
    assert math.isclose(summary["sd"], math.sqrt(2))


def test_index_of_max_is_the_first():
    assert stats.index_of_max([[1, 5], [9, 2], [3, 1], [9, 1]]) == 5
