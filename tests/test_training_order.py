"""Which rows make a batch: each once an epoch, in the order that the recipe asks for."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_data import recipe

from tool_bench.training.order import CHUNK, batches, ease
from tool_bench.training.recipe import Order
from tool_bench.training.sampler import BatchSampler

ORDERS: tuple[Order, ...] = get_args(Order)
TOOLS: dict[str, dict[str, Any]] = {
    "one/a": {"text": "copy_file: Copies a file.", "provider": "disk"},
    "one/b": {"text": "send: Sends mail.", "provider": "mail"},
    "two/a": {"text": "list: Lists.", "provider": None},
}
ROWS: list[dict[str, Any]] = [
    {"query": "copy a file", "tool": "one/a"},
    {"query": "duplicate this", "tool": "one/a"},
    {"query": "send it", "tool": "one/b"},
    {"query": "what is there", "tool": "two/a"},
    {"query": "list!", "tool": "two/a"},
] * 5


@given(order=st.sampled_from(ORDERS), size=st.integers(1, 30), seed=st.integers(0, 99))
def test_an_epoch_has_every_row_once(order: Order, size: int, seed: int) -> None:
    found = batches(ROWS, TOOLS, order, size, seed)
    assert sorted(number for batch in found for number in batch) == list(range(len(ROWS)))
    assert all(0 < len(batch) <= size for batch in found)
    assert found == batches(ROWS, TOOLS, order, size, seed)
    assert len(found) == len(batches(ROWS, TOOLS, order, size, seed + 1))


@pytest.mark.parametrize("order", ORDERS)
def test_another_epoch_is_another_shuffle(order: Order) -> None:
    assert batches(ROWS, TOOLS, order, 4, 1) != batches(ROWS, TOOLS, order, 4, 2)


@pytest.mark.parametrize("order", ["by-source", "by-provider"])
def test_a_batch_of_one_source(order: Order) -> None:
    for batch in batches(ROWS, TOOLS, order, 4, 1):
        assert len({ROWS[number]["tool"].partition("/")[0] for number in batch}) == 1


def test_a_batch_of_few_providers() -> None:
    """Two chunks of one provider each fill a batch."""
    rows = [{"query": f"{n}", "tool": f"one/{n % 40}"} for n in range(40 * CHUNK)]
    tools = {f"one/{n}": {"text": "", "provider": f"{n % 10}"} for n in range(40)}
    for batch in batches(rows, tools, "by-provider", 2 * CHUNK, 1):
        assert len({tools[rows[number]["tool"]]["provider"] for number in batch}) <= 2
        assert len({rows[number]["tool"] for number in batch}) > 2


def test_easy_and_hard_first() -> None:
    """Easy is what repeats the tool's own words."""
    found = [ease(row, TOOLS) for row in ROWS[:5]]
    assert found == [1, 0, 0.5, 0, 1]
    for order, reverse in (("easy-first", True), ("hard-first", False)):
        made = batches(ROWS, TOOLS, order, 4, 1)  # type: ignore[arg-type]  # a literal in a tuple
        eases = [ease(ROWS[n], TOOLS) for batch in made for n in batch]
        assert eases == sorted(eases, reverse=reverse)


def test_the_trainers_sampler_shuffles_anew_each_epoch_and_the_same_after_a_resume() -> None:
    wanted = recipe("one", seed=7, optimiser={"batch": 4, "order": "random"})
    data = list(range(len(ROWS)))
    sampler = BatchSampler(data, ROWS, TOOLS, wanted)
    assert len(sampler) == 7
    first = list(sampler)
    assert first == batches(ROWS, TOOLS, "random", 4, 7)
    sampler.set_epoch(1)
    second = list(sampler)
    assert second != first
    resumed = BatchSampler(data, ROWS, TOOLS, wanted)
    resumed.set_epoch(1)
    assert list(resumed) == second


def test_no_rows_make_no_batches() -> None:
    for order in ORDERS:
        assert batches([], TOOLS, order, 4, 1) == []
