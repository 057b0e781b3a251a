from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from tool_bench.significance import difference_variances, holm, more_queries, p_values


def even(queries: int) -> NDArray[np.float64]:
    return np.full(queries, 1 / queries)


def test_few_clusters_are_enumerated_as_scipy_does() -> None:
    scores = np.random.default_rng(1).random((9, 2))
    p = p_values(scores, np.arange(9), even(9))
    theirs = scipy.stats.permutation_test(
        (scores[:, 0], scores[:, 1]),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
    )
    assert p[0, 1] == p[1, 0] == pytest.approx(theirs.pvalue)
    assert p[0, 0] == 1


def test_many_clusters_are_drawn_and_come_near_scipy() -> None:
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 2, (60, 2)).astype(float)
    scores[:15, 0] = 1
    p = p_values(scores, np.arange(60), even(60))[0, 1]
    theirs = scipy.stats.permutation_test(
        (scores[:, 0], scores[:, 1]),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=50_000,
        rng=3,
    )
    assert 0.001 < p < 0.5
    assert p == pytest.approx(theirs.pvalue, abs=0.01)


def test_ties_of_equal_sums_count_as_reached() -> None:
    gaps = np.array([0.1, 0.2, 0.3])  # 0.1 + 0.2 is not 0.3 in floating point
    scores = np.stack([gaps, np.zeros(3)], axis=1)
    flips = [abs(np.dot(s, [1, 2, 3])) for s in itertools.product((1, -1), repeat=3)]
    assert p_values(scores, np.arange(3), even(3))[0, 1] == np.mean(np.array(flips) >= 6)
    scores = np.stack([gaps * [1, 1, -1], np.zeros(3)], axis=1)
    assert p_values(scores, np.arange(3), even(3))[0, 1] == 1


def test_equal_scores_are_no_evidence() -> None:
    scores = np.repeat(np.random.default_rng(4).random((300, 1)), 3, axis=1)
    assert (p_values(scores, np.arange(300), even(300)) == 1).all()


def test_repeating_a_query_adds_no_evidence() -> None:
    scores = np.random.default_rng(5).random((12, 2))
    alone = p_values(scores, np.arange(12), even(12))[0, 1]
    repeated = np.repeat(scores, 5, axis=0)
    assert p_values(repeated, np.repeat(np.arange(12), 5), even(60))[0, 1] == pytest.approx(alone)
    assert p_values(repeated, np.arange(60), even(60))[0, 1] < alone / 2


def test_a_query_without_weight_does_not_count() -> None:
    scores = np.random.default_rng(6).random((10, 2))
    weight = np.append(even(9), 0)
    without = p_values(scores[:9], np.arange(9), even(9))[0, 1]
    assert p_values(scores, np.arange(10), weight)[0, 1] == pytest.approx(without)


def test_all_pairs_at_once_give_what_each_gives_alone() -> None:
    scores = np.random.default_rng(7).random((200, 4)) + np.array([0, 0.02, 0.05, 0.3])
    cluster = np.arange(200) // 2
    together = p_values(scores, cluster, even(200))
    for a, b in itertools.combinations(range(4), 2):
        assert together[a, b] == p_values(scores[:, [a, b]], cluster, even(200))[0, 1]
    assert together[0, 3] == 1 / 100_001  # never 0: the flips drawn include none so extreme


def test_holm_is_that_of_the_textbook() -> None:
    assert holm(np.array([0.04, 0.01, 0.03, 0.005])).tolist() == pytest.approx(
        [0.06, 0.03, 0.06, 0.02]  # R: p.adjust(c(.04, .01, .03, .005), "holm")
    )
    assert holm(np.array([0.6, 0.9])).tolist() == [1, 1]


def test_the_variance_is_the_squared_standard_error_where_queries_are_independent() -> None:
    scores = np.random.default_rng(8).random((50, 2))
    variances = difference_variances(scores, np.arange(50), even(50))
    assert variances[0, 1] == pytest.approx(scipy.stats.sem(scores[:, 0] - scores[:, 1]) ** 2)
    assert variances[0, 0] == 0


def test_the_variance_counts_a_repeated_query_once() -> None:
    scores = np.random.default_rng(9).random((50, 2))
    repeated = difference_variances(
        np.repeat(scores, 3, axis=0), np.repeat(np.arange(50), 3), even(150)
    )
    assert repeated == pytest.approx(difference_variances(scores, np.arange(50), even(50)))


def test_groups_of_other_weight_vary_apart() -> None:
    scores = np.random.default_rng(10).random((60, 2))
    scores[:20, 0] += 5  # the groups' differences are unlike, which says nothing about chance
    weight = np.repeat([0.5 / 20, 0.5 / 40], [20, 40])
    gap = scores[:, 0] - scores[:, 1]
    expected = (scipy.stats.sem(gap[:20]) ** 2 + scipy.stats.sem(gap[20:]) ** 2) / 4
    assert difference_variances(scores, np.arange(60), weight)[0, 1] == pytest.approx(expected)


def test_more_queries_is_the_sample_size_of_the_textbook() -> None:
    # Cohen (1988): d = 0.5, two-sided 0.05, power 0.8, one sample: n = (1.96 + 0.84)^2 / 0.25 = 32
    assert more_queries(0.5, 1 / 10, 10) == 32 - 10
    assert more_queries(-0.5, 1 / 10, 10) == 32 - 10
    at_corrected_level = more_queries(0.5, 1 / 10, 10, level=0.001)
    assert at_corrected_level is not None
    assert at_corrected_level > 32 - 10
    assert more_queries(0.0, 1 / 10, 10) is None
    assert more_queries(0.9, 1 / 100, 10) == 1
