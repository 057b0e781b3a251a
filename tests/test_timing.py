from __future__ import annotations

import gc
import time

import numpy as np
import pytest

from tool_bench import encoder, timing
from tool_bench.query import Query
from tool_bench.timing import Phases, Timed

QUERIES = [Query(id=f"q{i}", text=f"text {i}") for i in range(500)]
PHASES = Phases(load_s=1, index_s=2, index_encode_s=0, queries_per_s=3)


class Clock:
    """A clock that moves only when it is pushed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def timed(seconds: object, encoding: object = 0.0) -> Timed:
    whole = np.asarray(seconds, dtype=float)
    return Timed(whole, np.broadcast_to(np.asarray(encoding, dtype=float), whole.shape), 0.0)


def test_warm_up_is_not_counted_and_each_query_is_alone() -> None:
    clock, asked = Clock(), []

    def search_one(query: Query) -> None:
        asked.append(query.id)
        clock.now += 0.5 if len(asked) <= timing.WARM_UP else 0.01

    found = timing.measured(search_one, QUERIES, clock)
    assert found.seconds == pytest.approx(np.full((timing.SAMPLE, 1), 0.01))
    assert len(asked) == timing.WARM_UP + timing.SAMPLE
    assert len(set(asked)) == timing.SAMPLE


def test_a_fast_method_is_warmed_up_for_a_while_and_goes_over_its_sample_again() -> None:
    clock, asked = Clock(), []

    def search_one(query: Query) -> None:
        asked.append(query.id)
        clock.now += 0.002

    found = timing.measured(search_one, QUERIES, clock)
    assert found.seconds.shape == (timing.SAMPLE, 3)  # 3 x 200 x 2 ms
    warm = len(asked) - found.seconds.size
    assert warm == pytest.approx(150, abs=1)
    assert asked[warm : warm + timing.SAMPLE] == asked[-timing.SAMPLE :]


def test_a_method_too_fast_for_the_clock_comes_to_an_end() -> None:
    asked: list[str] = []
    found = timing.measured(lambda query: asked.append(query.id), QUERIES, Clock())
    assert found.seconds.shape == (timing.SAMPLE, timing.PASSES)
    assert len(asked) == timing.WARM_UP_LIMIT + found.seconds.size


def test_a_slow_method_is_timed_on_fewer_queries_but_not_on_too_few() -> None:
    clock = Clock()

    def search_one(_: Query) -> None:
        clock.now += 1

    found = timing.measured(search_one, QUERIES, clock)
    assert found.seconds.shape == (timing.SECONDS_LIMIT + 1, 1)

    def search_very_slowly(_: Query) -> None:
        clock.now += 1_000

    assert timing.measured(search_very_slowly, QUERIES, clock).seconds.shape == (timing.LEAST, 1)


def test_nothing_is_timed_from_the_cache_nor_while_garbage_is_collected() -> None:
    seen: set[tuple[bool, bool]] = set()
    timing.measured(lambda _: seen.add((encoder._use_cache.get(), gc.isenabled())), QUERIES[:3])
    assert seen == {(False, False)}
    assert encoder._use_cache.get() is True
    assert gc.isenabled()


def test_a_search_that_breaks_leaves_garbage_collection_on() -> None:
    def search_one(_: Query) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        timing.measured(search_one, QUERIES)
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

    found = timing.record(PHASES, timing.measured(search_one, QUERIES[:20]), None)
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
    width = (found.ratio.high - found.ratio.low) / found.ratio.value
    assert width > (alone.high - alone.low) / alone.ms


def test_a_method_compared_with_itself_is_near_one() -> None:
    same = timed(np.random.default_rng(0).lognormal(0, 0.3, (200, 3)))
    ratio = timing.compared(same, same, "Task", "method").ratio
    assert ratio.value == 1
    assert ratio.low < 1 < ratio.high
