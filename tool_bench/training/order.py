"""Which rows make a batch, and in which order batches come."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from tool_bench.query import letters
from tool_bench.training.recipe import ONE_SOURCE, Order

CHUNK = 16
"""Rows of one provider that stay together, about as many as a provider has tools."""


def batches(
    rows: Sequence[Mapping[str, Any]],
    tools: Mapping[str, Mapping[str, Any]],
    order: Order,
    size: int,
    seed: int,
) -> list[list[int]]:
    """Return one epoch's batches of row numbers; the last of a source, or of all, may be smaller.

    Args:
        rows: a snapshot's training rows.
        tools: id -> tool, of the same snapshot.
        order: ``random``; ``by-source``, each batch of one source; ``by-provider``, of a few
            providers of one source; ``easy-first`` and ``hard-first``, by the share of a request's
            words that its tool's text has.
        size: rows a batch.
        seed: of the shuffle; another each epoch.
    """
    shuffled = list(range(len(rows)))
    chosen = random.Random(seed)  # noqa: S311  no secret
    chosen.shuffle(shuffled)

    def provider(number: int) -> str | None:
        return tools[rows[number]["tool"]].get("provider")

    if order in ONE_SOURCE:
        found: list[list[int]] = []
        for own in _grouped(shuffled, lambda number: source_of(rows[number])):
            found += _cut(_chunks(own, provider, chosen) if order == "by-provider" else own, size)
        chosen.shuffle(found)
        return found
    if order != "random":
        sign = -1 if order == "easy-first" else 1
        shuffled.sort(key=lambda number: sign * ease(rows[number], tools))
    return list(_cut(shuffled, size))


def ease(row: Mapping[str, Any], tools: Mapping[str, Mapping[str, Any]]) -> float:
    """Return the share of the words of the row's query that its tool's text has, in [0, 1]."""
    words = set(letters(row["query"]).split())
    return len(words & set(letters(tools[row["tool"]]["text"]).split())) / max(1, len(words))


def source_of(row: Mapping[str, Any]) -> str:
    """Return the source of a snapshot's training row."""
    return str(row["tool"]).partition("/")[0]


def _chunks(
    numbers: Sequence[int], provider: Callable[[int], str | None], chosen: random.Random
) -> list[int]:
    """Return the rows shuffled in chunks of :data:`CHUNK` of one provider each."""
    chunks = [chunk for own in _grouped(numbers, provider) for chunk in _cut(own, CHUNK)]
    chosen.shuffle(chunks)
    return [number for chunk in chunks for number in chunk]


def _grouped(numbers: Sequence[int], key: Callable[[int], str | None]) -> Collection[list[int]]:
    """Return the rows of each key, in the order that they come in."""
    groups: dict[str | None, list[int]] = {}
    for number in numbers:
        groups.setdefault(key(number), []).append(number)
    return groups.values()


def _cut(numbers: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield list(numbers[start : start + size])
