from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from tool_bench.stats import (
    average_intervals,
    clusters,
    mean_intervals,
    weighted_parts,
)


@pytest.mark.parametrize("power", [1, 8], ids=["even", "skewed"])
def test_scipy_agrees_where_queries_are_independent(power: int) -> None:
    values = np.random.default_rng(1).random((300, 2)) ** power
    ours = mean_intervals(values, range(300))
    for column in range(2):
        theirs = scipy.stats.bootstrap(
            (values[:, column],), np.mean, method="BCa", n_resamples=10_000, rng=2
        ).confidence_interval
        assert ours[column] == pytest.approx([theirs.low, theirs.high], abs=0.002)


def test_few_clusters_have_the_interval_of_students_t() -> None:
    values = np.random.default_rng(6).normal(0.5, 0.1, (15, 1))
    ours = mean_intervals(values, range(15))[0]
    theirs = scipy.stats.t.interval(0.95, 14, values.mean(), scipy.stats.sem(values[:, 0]))
    assert np.diff(ours) == pytest.approx(np.diff(theirs), rel=0.1)


def test_groups_of_a_headline_are_found_by_their_weight() -> None:
    rng = np.random.default_rng(7)
    values = np.concatenate([rng.random((40, 1)), 5 + rng.random((80, 1)), rng.random((9, 1))])
    weight = np.repeat([0.25 / 40, 0.75 / 80, 0], [40, 80, 9])
    cluster = np.arange(129) // 2
    found = weighted_parts(values, cluster, weight)
    assert sorted(share for share, _, _ in found) == pytest.approx([0.25, 0.75])
    named = [
        (0.25, values[:40], cluster[:40]),
        (0.75, values[40:120], cluster[40:120] - 20),
    ]
    ours, expected = average_intervals(found), average_intervals(named)
    assert ours == pytest.approx(expected, abs=0.003)
    assert np.diff(ours)[0, 0] < 0.2  # the groups are five apart: resampled together it were more


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


def test_equal_scores_have_an_interval_without_width() -> None:
    assert mean_intervals(np.ones((50, 1)), range(50)).tolist() == [[1, 1]]
