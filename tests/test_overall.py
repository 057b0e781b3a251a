"""The ranking over several tasks, against the tests and intervals of one table."""

from __future__ import annotations

import numpy as np
import pytest

from tool_bench.leaderboard.overall import overall
from tool_bench.leaderboard.scores import Scores
from tool_bench.significance import holm, p_values
from tool_bench.stats import average_intervals


def scores(seed: int, queries: int = 400, methods: tuple[str, ...] = ("a", "b", "c")) -> Scores:
    """``a`` is better than the others by a little, which differ by nothing but chance."""
    rng = np.random.default_rng(seed)
    ease = rng.random(queries)[:, None]
    values = np.clip(ease + 0.3 * rng.standard_normal((queries, len(methods))), 0, 1)
    values[:, 0] = np.clip(values[:, 0] + 0.05, 0, 1)
    return Scores(
        methods=methods,
        queries=tuple(f"{seed}-{n}" for n in range(queries)),
        cluster=np.arange(queries) // 2,
        weight=np.full(queries, 1 / queries),
        values=values,
    )


def test_data_sets_count_the_same_and_so_do_their_tasks() -> None:
    tasks = {"one": scores(1), "two": scores(2), "three": scores(3, 50)}
    found = overall(tasks, {"one": "x", "two": "x", "three": "y"})
    assert found.weights == {"one": 0.25, "two": 0.25, "three": 0.5}
    means = {name: task.values.mean(axis=0) for name, task in tasks.items()}
    expected = 0.25 * means["one"] + 0.25 * means["two"] + 0.5 * means["three"]
    assert [found.places[m].score.value for m in "abc"] == pytest.approx(expected)
    values = [place.score.value for place in found.places.values()]
    assert values == sorted(values, reverse=True)


def test_a_method_that_lacks_a_task_is_not_ranked() -> None:
    tasks = {"one": scores(1), "two": scores(2, methods=("a", "b"))}
    assert set(overall(tasks, {"one": "x", "two": "y"}).places) == {"a", "b"}
    assert overall({}, {}).places == {}
    assert (
        overall(
            {"one": scores(1), "two": scores(2, methods=("z",))}, {"one": "x", "two": "y"}
        ).places
        == {}
    )


def test_p_agrees_with_the_randomisation_test() -> None:
    tasks = {"one": scores(1), "two": scores(2)}
    found = overall(tasks, {"one": "x", "two": "y"})
    both = np.concatenate([task.values for task in tasks.values()])
    cluster = np.concatenate([tasks["one"].cluster, tasks["two"].cluster + 200])
    p = p_values(both, cluster, np.full(800, 1 / 800), draws=20_000)
    pairs = np.triu_indices(3, 1)
    p[pairs] = holm(p[pairs])
    assert next(iter(found.places)) == "a"
    for name, place in list(found.places.items())[1:]:
        other = "abc".index(name)
        assert place.p == pytest.approx(p[0, other], abs=0.02)


def test_intervals_agree_with_the_bootstrap() -> None:
    tasks = {"one": scores(1), "two": scores(2)}
    found = overall(tasks, {"one": "x", "two": "y"})
    ends = average_intervals([(0.5, task.values, task.cluster) for task in tasks.values()])
    for column, name in enumerate("abc"):
        place = found.places[name]
        assert (place.score.low, place.score.high) == pytest.approx(tuple(ends[column]), abs=0.004)


def test_the_same_queries_asked_twice_are_no_more_evidence() -> None:
    one = scores(1)
    alone = overall({"one": one}, {"one": "x"})
    twice = overall({"one": one, "again": one}, {"one": "x", "again": "x"})
    for name, place in alone.places.items():
        other = twice.places[name]
        assert other.rank == place.rank
        ends = (place.score.low, place.score.high)
        assert (other.score.low, other.score.high) == pytest.approx(ends)


def test_equal_methods_share_the_first_rank() -> None:
    one = scores(1)
    same = Scores(one.methods, one.queries, one.cluster, one.weight, one.values[:, [0, 0, 0]])
    places = overall({"one": same}, {"one": "x"}).places
    assert [place.rank for place in places.values()] == [1, 1, 1]
    better = [place.rank for place in overall({"one": one}, {"one": "x"}).places.values()]
    assert better == [1, 2, 2]


def test_two_equal_methods_share_a_rank_among_others() -> None:
    one = scores(1)
    pair = Scores(one.methods, one.queries, one.cluster, one.weight, one.values[:, [0, 0, 1]])
    assert [p.rank for p in overall({"one": pair}, {"one": "x"}).places.values()] == [1, 1, 3]


@pytest.mark.parametrize("cluster", [[0, 0, 0], [0, 1, 2]])
def test_what_does_not_vary_proves_nothing(cluster: list[int]) -> None:
    always = Scores(
        ("right", "wrong"),
        ("1", "2", "3"),
        np.array(cluster),
        np.full(3, 1 / 3),
        np.array([[1.0, 0.0]] * 3),
    )
    places = overall({"one": always}, {"one": "x"}).places
    assert [place.rank for place in places.values()] == [1, 1]
    assert all(place.score.few for place in places.values())
    if len(set(cluster)) == 1:
        assert places["right"].score.low is None


def test_different_data_sets_are_never_taken_for_the_same_queries() -> None:
    one = scores(1)
    other = overall({"one": one, "again": one}, {"one": "x", "again": "y"}).places["a"].score
    same = overall({"one": one, "again": one}, {"one": "x", "again": "x"}).places["a"].score
    assert None not in {other.low, other.high, same.low, same.high}
    assert (other.high or 0) - (other.low or 0) < 0.8 * ((same.high or 0) - (same.low or 0))
