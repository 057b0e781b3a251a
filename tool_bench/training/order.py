"""Which rows make a batch, and in which order batches come."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tool_bench.query import letters
from tool_bench.training.recipe import Order


def batches(
    rows: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str],
    order: Order,
    size: int,
    seed: int,
) -> list[list[int]]:
    """Return one epoch's batches of row numbers; the last of a run may be smaller.

    Args:
        rows: a snapshot's training rows.
        texts: tool -> text.
        order: ``random``; ``by-source``, each batch of one source; ``easy-first`` and
            ``hard-first``, by the share of a request's words that its tool's text has.
        size: rows a batch.
        seed: of the shuffle; another each epoch.
    """
    shuffled = list(range(len(rows)))
    chosen = random.Random(seed)  # noqa: S311  no secret
    chosen.shuffle(shuffled)
    if order == "by-source":
        by_source: dict[str, list[int]] = {}
        for number in shuffled:
            by_source.setdefault(rows[number]["tool"].partition("/")[0], []).append(number)
        found = [batch for own in by_source.values() for batch in _cut(own, size)]
        chosen.shuffle(found)
        return found
    if order != "random":
        sign = -1 if order == "easy-first" else 1
        shuffled.sort(key=lambda number: sign * ease(rows[number]["query"], texts, rows[number]))
    return list(_cut(shuffled, size))


def ease(query: str, texts: Mapping[str, str], row: Mapping[str, Any]) -> float:
    """Return the share of the query's words that its tool's text has, in [0, 1]."""
    words = set(letters(query).split())
    return len(words & set(letters(texts[row["tool"]]).split())) / max(1, len(words))


def _cut(numbers: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield list(numbers[start : start + size])
