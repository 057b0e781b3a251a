from __future__ import annotations

import pytest

from tool_bench import encoder, pricing, timing
from tool_bench.query import Query

QUERIES = [Query(id=f"q{i}", text=f"text {i}") for i in range(500)]


class Clock:
    """A clock that moves only when it is pushed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_warm_up_is_not_counted_and_each_query_is_alone() -> None:
    clock, asked = Clock(), []

    def search_one(query: Query) -> None:
        asked.append(query.id)
        clock.now += 0.5 if len(asked) <= timing.WARM_UP else 0.01

    seconds = timing.latencies(search_one, QUERIES, clock)
    assert seconds == pytest.approx([0.01] * timing.SAMPLE)
    assert len(asked) == timing.WARM_UP + timing.SAMPLE
    assert len(set(asked)) == timing.SAMPLE


def test_a_slow_method_is_timed_on_fewer_queries_but_not_on_too_few() -> None:
    clock = Clock()

    def search_one(_: Query) -> None:
        clock.now += 1

    assert len(timing.latencies(search_one, QUERIES, clock)) == timing.SECONDS_LIMIT + 1

    def search_very_slowly(_: Query) -> None:
        clock.now += 1_000

    assert len(timing.latencies(search_very_slowly, QUERIES, clock)) == timing.LEAST


def test_nothing_is_timed_from_the_cache() -> None:
    allowed: list[bool] = []
    timing.latencies(lambda _: allowed.append(encoder._use_cache.get()), QUERIES[:3])
    assert set(allowed) == {False}
    assert encoder._use_cache.get() is True


def test_the_sample_is_fixed_whatever_the_order() -> None:
    chosen = timing.sample(QUERIES, 50)
    assert chosen == timing.sample(QUERIES[::-1], 50)
    assert chosen != QUERIES[:50]


def test_an_hour_of_queries_costs_an_hour() -> None:
    price = pricing.instance_price()
    assert price.usd_per_hour > 0
    assert price.date
    assert price.source.startswith("https://")
    assert pricing.usd_per_1000_queries(3.6, price) == pytest.approx(price.usd_per_hour)
