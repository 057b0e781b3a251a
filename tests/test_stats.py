from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from tool_bench.stats import clusters, mean_intervals, quantile_interval


def test_scipy_agrees_where_queries_are_independent() -> None:
    values = np.random.default_rng(1).random((300, 2))
    ours = mean_intervals(values, range(300))
    for column in range(2):
        theirs = scipy.stats.bootstrap(
            (values[:, column],), np.mean, method="percentile", n_resamples=10_000, rng=2
        ).confidence_interval
        assert ours[column] == pytest.approx([theirs.low, theirs.high], abs=0.002)


def test_repeating_evidence_does_not_narrow_the_interval() -> None:
    once = np.random.default_rng(3).random((100, 1))
    repeated = np.repeat(once, 10, axis=0)
    number = np.repeat(np.arange(100), 10)
    alone, together = mean_intervals(once, range(100)), mean_intervals(repeated, list(number))
    assert together == pytest.approx(alone, abs=0.005)
    pretended = mean_intervals(repeated, range(1_000))
    assert np.diff(pretended)[0, 0] < np.diff(together)[0, 0] / 2


def test_the_interval_is_seeded_and_holds_the_mean() -> None:
    values = np.random.default_rng(4).integers(0, 2, (50, 1)).astype(float)
    low, high = mean_intervals(values, range(50))[0]
    assert low < values.mean() < high
    assert mean_intervals(values, range(50)).tolist() == [[low, high]]


def test_one_cluster_has_no_interval() -> None:
    assert np.isnan(mean_intervals(np.array([[0.0], [1.0]]), [0, 0])).all()


def test_queries_with_equal_gold_sets_share_a_cluster() -> None:
    relevance = {"a": {"x": 1, "y": 1}, "b": {"y": 2, "x": 1}, "c": {"x": 1}}
    assert clusters(["a", "b", "c"], relevance) == [0, 0, 1]


def test_a_quantile_lies_in_its_interval() -> None:
    values = np.random.default_rng(5).exponential(size=200)
    low, high = quantile_interval(values, 0.5)
    assert low < float(np.median(values)) < high
