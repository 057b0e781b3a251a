"""Intervals and tests on simulated scores whose truth is known."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tool_bench.significance import ALPHA

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "statistics_check.py"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("statistics_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["statistics_check"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", [50, 100])
@pytest.mark.parametrize("kind", [0, 1, 2, 3], ids=["graded", ".50", ".90", ".97"])
def test_intervals_of_means_hold_the_truth_95_times_in_100(
    check: ModuleType, kind: int, number: int
) -> None:
    share = check.mean_coverage(list(check.KINDS.values())[kind], number, tables=1_000)
    assert 0.93 <= share <= 0.97


def test_intervals_of_differences_hold_the_truth_95_times_in_100(check: ModuleType) -> None:
    graded = check.difference_coverage(check.graded(0.15), check.graded(), 100, tables=1_000)
    hits = check.difference_coverage(check.binary(0.55), check.binary(0.5), 100, tables=1_000)
    assert 0.93 <= graded <= 0.97
    assert 0.93 <= hits <= 0.97


def test_intervals_of_weighted_headlines_hold_the_truth_95_times_in_100(
    check: ModuleType,
) -> None:
    kinds = [check.graded(0.5), check.graded(), check.graded(-0.5)]
    assert 0.93 <= check.headline_coverage(kinds, [20, 40, 120], tables=1_000) <= 0.97


def test_pretending_that_clustered_queries_are_independent_does_not(check: ModuleType) -> None:
    import numpy as np

    cluster = check.clusters(100)
    scores = check.graded().of(check.normals(np.random.default_rng(0), cluster, 1_000, 1)[:, :, 0])
    weight = np.full(len(cluster), 1 / len(cluster))
    alone = check.covered(scores, np.arange(len(cluster)), weight, check.graded().mean)
    assert alone < 0.9


def test_equal_methods_are_rarely_called_different(check: ModuleType) -> None:
    """Whichever two of five: correcting the leader's pairs alone would not do."""
    rules = (check.uncorrected, check.leader_called, check.pairs_called)
    kinds = [check.graded()] * 5
    none, leader, pairs = check.false_positives(rules, kinds, 60, tables=400, draws=2_000)
    assert pairs <= 0.05
    assert leader > 0.06
    assert none > 0.2


@pytest.mark.slow
def test_twenty_equal_methods_are_rarely_called_different(check: ModuleType) -> None:
    (share,) = check.false_positives([check.pairs_called], [check.graded()] * 20, 100, tables=300)
    assert share <= 0.05


@pytest.mark.slow
def test_equal_means_of_unlike_scores_are_rarely_called_different(check: ModuleType) -> None:
    unlike = [check.graded(), check.binary(check.graded().mean)]
    (share,) = check.false_positives([check.pairs_called], unlike * 3, 30, tables=1_000)
    assert share <= 0.05


def test_as_many_more_queries_as_named_separate_two_methods_4_times_in_5(
    check: ModuleType,
) -> None:
    assert 0.7 < check.power_with_more(ALPHA, tables=200) < 0.9
