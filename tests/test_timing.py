from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np
import pytest

from tool_bench import encoder, timing
from tool_bench.query import Query
from tool_bench.timing import Phases, SearchOne, Timed

QUERIES = [Query(id=f"q{i}", text=f"text {i}") for i in range(500)]
PHASES = Phases(load_s=1, index_s=2, index_encode_s=0, queries_per_s=3)


class Clock:
    """A clock that moves only when it is pushed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def timed(seconds: object) -> Timed:
    whole = np.asarray(seconds, dtype=float)
    return Timed(whole, np.zeros_like(whole), np.arange(len(whole)) % timing.ROUNDS, 0.0)


def measured(
    search_one: SearchOne,
    queries: Sequence[Query] = QUERIES,
    clock: Callable[[], float] = time.perf_counter,
) -> Timed:
    (found,) = timing.measured([(search_one, queries)], clock)
    return found


def test_warm_up_is_not_counted_and_each_query_is_alone() -> None:
    clock, asked = Clock(), []

    def search_one(query: Query) -> None:
        asked.append(query.id)
        clock.now += 0.5 if len(asked) <= timing.WARM_UP else 0.01

    found = measured(search_one, QUERIES, clock)
    assert found.seconds == pytest.approx(np.full((timing.SAMPLE, 1), 0.01))
    assert len(asked) == timing.WARM_UP + timing.SAMPLE
    assert len(set(asked)) == timing.SAMPLE


def test_a_fast_method_is_warmed_up_for_a_while_and_goes_over_its_sample_again() -> None:
    clock, asked = Clock(), []

    def search_one(query: Query) -> None:
        asked.append(query.id)
        clock.now += 0.002

    found = measured(search_one, QUERIES, clock)
    assert found.seconds.shape == (timing.SAMPLE, 3)  # a part of 20 takes 40 ms: three are over 100
    warm = len(asked) - found.seconds.size
    assert warm == pytest.approx(150, abs=1)
    first = asked[warm : warm + 20]
    assert asked[warm : warm + 60] == first * 3
    assert not set(first) & set(asked[warm + 60 :])


def test_a_method_too_fast_for_the_clock_comes_to_an_end() -> None:
    asked: list[str] = []
    found = measured(lambda query: asked.append(query.id), QUERIES, Clock())
    assert found.seconds.shape == (timing.SAMPLE, timing.PASSES)
    assert len(asked) == timing.WARM_UP_LIMIT + found.seconds.size


def test_a_slow_method_is_timed_on_fewer_queries_but_not_on_too_few() -> None:
    clock = Clock()

    def search_one(_: Query) -> None:
        clock.now += 1

    found = measured(search_one, QUERIES, clock)
    assert found.seconds.shape == (timing.SECONDS_LIMIT + timing.ROUNDS, 1)

    def search_very_slowly(_: Query) -> None:
        clock.now += 1_000

    assert measured(search_very_slowly, QUERIES, clock).seconds.shape == (timing.LEAST, 1)


def test_a_method_and_the_reference_take_turns() -> None:
    clock, turns = Clock(), []

    def of(name: str) -> SearchOne:
        def search_one(_: Query) -> None:
            clock.now += 0.01
            turns.append(name)

        return search_one

    both = timing.measured([(of("method"), QUERIES), (of("reference"), QUERIES)], clock)
    assert [series.seconds.shape for series in both] == [(timing.SAMPLE, 1)] * 2
    counted = turns[-2 * timing.SAMPLE :]
    assert [name for name, _ in groupby(counted)] == ["method", "reference"] * timing.ROUNDS


def test_what_slows_both_down_leaves_the_ratio_alone() -> None:
    """A machine that is half as fast in some rounds, as virtual ones are."""
    clock, rng = Clock(), np.random.default_rng(0)
    turns = [0]
    last = [""]
    slow = rng.random(timing.ROUNDS + 2) < 0.5

    def of(name: str, seconds: float) -> SearchOne:
        def search_one(_: Query) -> None:
            if name == "method" and last[0] != name:
                turns[0] += 1
            last[0] = name
            clock.now += seconds * (2 if slow[turns[0] % len(slow)] else 1)

        return search_one

    own, other = timing.measured(
        [(of("method", 0.03), QUERIES), (of("reference", 0.01), QUERIES)], clock
    )
    ratio = timing.compared(own, other, "Task", "method").ratio
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx((3, 3, 3))


def test_nothing_is_timed_from_the_cache_nor_while_garbage_is_collected() -> None:
    seen: set[tuple[bool, bool]] = set()
    measured(lambda _: seen.add((encoder._use_cache.get(), gc.isenabled())), QUERIES[:3])
    assert seen == {(False, False)}
    assert encoder._use_cache.get() is True
    assert gc.isenabled()


def test_a_search_that_breaks_leaves_garbage_collection_on() -> None:
    def search_one(_: Query) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        measured(search_one)
    assert gc.isenabled()


def test_the_sample_is_fixed_whatever_the_order() -> None:
    chosen = timing.sample(QUERIES, 50)
    assert chosen == timing.sample(QUERIES[::-1], 50)
    assert chosen != QUERIES[:50]


def test_encoding_and_searching_are_told_apart() -> None:
    def search_one(_: Query) -> None:
        with encoder.encoding():
            time.sleep(0.004)
        time.sleep(0.002)

    found = timing.record(PHASES, measured(search_one, QUERIES[:20]), None)
    assert found.encode is not None
    assert found.search is not None
    assert found.encode.ms == pytest.approx(4, rel=0.5)
    assert found.search.ms == pytest.approx(2, rel=0.5)
    assert found.encode.ms + found.search.ms == pytest.approx(found.latency["p50"].ms, rel=0.1)


def test_a_method_that_encodes_nothing_has_no_split() -> None:
    found = timing.record(PHASES, timed(np.ones((30, 2))), None)
    assert (found.encode, found.search, found.index_encode_s) == (None, None, None)
    assert (found.latency_queries, found.latency_samples) == (30, 60)


def test_the_median_is_that_of_all_samples_and_its_interval_covers_the_truth() -> None:
    """Latencies of queries from a known distribution, twice each: 95 % of intervals hold it."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        per_query = rng.lognormal(0, 0.5, 200)  # its median is 1
        found = timing.record(PHASES, timed(np.stack([per_query, per_query], axis=1)), None)
        p50 = found.latency["p50"]
        assert p50.ms == pytest.approx(float(np.median(per_query)) * 1_000)
        assert p50.high
        covered += p50.low <= 1_000 <= p50.high
    assert covered >= 90  # binomial: below with a chance of 1 in 100; passes as new evidence: 80


def test_the_ratio_to_the_reference_has_an_interval_of_both() -> None:
    rng = np.random.default_rng(0)
    slow, fast = (rng.lognormal(mean, 0.3, (200, 1)) for mean in (1.0, 0.0))
    found = timing.compared(timed(slow), timed(fast), "Task", "method")
    assert (found.task, found.baseline) == ("Task", "method")
    assert found.ratio.low < found.ratio.value < found.ratio.high
    assert found.ratio.low < np.e < found.ratio.high
    alone = timing.record(PHASES, timed(slow), None).latency["p50"]
    assert alone.high
    width = (found.ratio.high - found.ratio.low) / found.ratio.value
    assert width > (alone.high - alone.low) / alone.ms


def test_few_queries_bound_no_high_quantile() -> None:
    """The largest of 200 latencies is below the true p99 in 13 of 100 samples."""
    found = timing.record(PHASES, timed(np.random.default_rng(0).random((200, 1))), None).latency
    assert found["p50"].high is not None
    assert found["p95"].high is not None
    assert found["p99"].high is None
    few = timing.record(PHASES, timed(np.random.default_rng(0).random((30, 1))), None).latency
    assert few["p95"].high is None


def test_a_method_compared_with_itself_is_near_one() -> None:
    same = timed(np.random.default_rng(0).lognormal(0, 0.3, (200, 3)))
    ratio = timing.compared(same, same, "Task", "method").ratio
    assert ratio.value == 1
    assert ratio.low < 1 < ratio.high
