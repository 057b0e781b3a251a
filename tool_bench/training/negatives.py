"""Wrong answers for each training row, of four kinds.

``cross`` the same action at another provider, ``same`` another action of the same provider,
``mined`` what a model took for the answer, ``random`` any tool of the source. Never one that is
alike, and never a near-duplicate of the answer: an unlabelled right answer teaches the wrong thing.
Where a source does not say which tools do the same, the same action elsewhere is wrong only for a
request that names its provider.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_bench.query import letters
from tool_bench.tool import Tool, render
from tool_bench.training.recipe import NegativeKind, Negatives
from tool_bench.training.records import Pair, TrainingData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAREST = 50
"""Neighbours of a tool, by their words, among which negatives are looked for."""
NEAR_DUPLICATE = 0.9
"""Cosine of word weights from which two tools count as the same one under two names."""

WORD = r"\w+"

Mined = Mapping[str, Sequence[str]]
"""A query -> tools that a model ranked high for it, best first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step's material: a request, its answer, wrong answers, and what must not be wrong."""

    query: str
    tool: str
    negatives: tuple[str, ...]
    right: frozenset[str]
    """Tools that no row of the same batch may make a wrong answer of."""
    pair: Pair


def rows(
    data: TrainingData, pairs: Sequence[Pair], wanted: Negatives, mined: Mined, seed: int
) -> Iterator[Row]:
    """Yield the rows of ``pairs``, one a right tool, with up to ``wanted.count`` negatives.

    Args:
        data: the source that the pairs are of; only its tools are negatives, and of these only
            those in the train split where it names splits.
        pairs: what is trained on.
        wanted: how many of which kinds.
        mined: what a model confuses; empty before the first model.
        seed: decides the random ones.
    """
    candidates = _Candidates(data, wanted)
    for pair in pairs:
        barred = candidates.barred(pair)
        for id_ in pair.tools:
            chosen = random.Random(f"{seed}:{id_}:{pair.query}")  # noqa: S311  no secret
            found = candidates.choose(pair, id_, barred, mined.get(pair.query, ()), chosen)
            yield Row(pair.query, id_, found, barred, pair)


def names_provider(query: str, tool: Tool) -> bool:
    """Tell whether ``query`` names the provider of ``tool``: its likes elsewhere are wrong then."""
    provider = letters((tool.provider or "").replace("_", " "))
    return bool(provider) and f" {provider} " in f" {letters(query)} "


class _Candidates:
    """A source's tools, and how near they are to each other by their words."""

    def __init__(self, data: TrainingData, wanted: Negatives) -> None:
        self._data = data
        self._wanted = wanted
        self._ids = [t.id for t in data.tools if data.splits.get(t.id, "train") == "train"]
        self._number = {id_: number for number, id_ in enumerate(self._ids)}
        self._near, self._cosines = _nearest([data.by_id[id_] for id_ in self._ids])

    def barred(self, pair: Pair) -> frozenset[str]:
        """Return what is no wrong answer to ``pair``: the right ones and their near-duplicates."""
        right = self._data.right(pair)
        return right.union(*map(self._duplicates, right))

    def choose(
        self,
        pair: Pair,
        gold: str,
        barred: frozenset[str],
        mined: Sequence[str],
        chosen: random.Random,
    ) -> tuple[str, ...]:
        """Return the negatives of one row, kinds in turn."""
        tool = self._data.by_id[gold]
        named = names_provider(pair.query, tool)
        pools: dict[NegativeKind, Iterator[str]] = {
            "cross": self._cross(tool, set(pair.tools) if named else barred)
            if named or self._data.families
            else iter(()),
            "same": self._same(tool, barred, chosen),
            "mined": self._mined(tool, mined, barred, anywhere=named or bool(self._data.families)),
            "random": self._random(barred, chosen),
        }
        found: dict[str, None] = {}
        kinds = list(self._wanted.kinds)
        count = self._wanted.count
        while kinds and len(found) < count:
            for kind in tuple(kinds):
                next_ = next((id_ for id_ in pools[kind] if id_ not in found), None)
                if next_ is None:
                    kinds.remove(kind)
                elif len(found) < count:
                    found[next_] = None
        for id_ in pools["random"]:
            if len(found) >= count:
                break
            found.setdefault(id_)
        return tuple(found)

    def _neighbours(self, gold: str) -> Iterator[str]:
        if gold in self._number:
            for number in self._near[self._number[gold]]:
                yield self._ids[number]

    def _duplicates(self, gold: str) -> frozenset[str]:
        if gold not in self._number:
            return frozenset()
        number = self._number[gold]
        close = self._cosines[number] >= NEAR_DUPLICATE
        return frozenset(self._ids[n] for n in self._near[number][close])

    def _cross(self, tool: Tool, barred: set[str] | frozenset[str]) -> Iterator[str]:
        """The nearest of other providers; a caller knows which of these do the same."""
        for id_ in self._neighbours(tool.id):
            other = self._data.by_id[id_]
            if id_ not in barred and tool.provider and other.provider != tool.provider:
                yield id_

    def _same(self, tool: Tool, barred: frozenset[str], chosen: random.Random) -> Iterator[str]:
        """Siblings, nearest first and then the others; without providers, the nearest tools."""
        near = [
            id_
            for id_ in self._neighbours(tool.id)
            if id_ not in barred and self._data.by_id[id_].provider == tool.provider
        ]
        yield from near
        if tool.provider:
            others = [
                other.id
                for other in self._data.tools
                if other.provider == tool.provider and other.id in self._number
            ]
            chosen.shuffle(others)
            yield from (id_ for id_ in others if id_ not in barred)

    def _mined(
        self, tool: Tool, mined: Sequence[str], barred: frozenset[str], *, anywhere: bool
    ) -> Iterator[str]:
        """What a model confuses; only siblings where the same action elsewhere would be right."""
        for id_ in mined:
            if id_ in self._number and id_ not in barred:
                sibling = self._data.by_id[id_].provider == tool.provider
                if anywhere or sibling:
                    yield id_

    def _random(self, barred: frozenset[str], chosen: random.Random) -> Iterator[str]:
        drawn = chosen.sample(self._ids, min(len(self._ids), NEAREST))
        yield from (id_ for id_ in drawn if id_ not in barred)


def _nearest(tools: Sequence[Tool]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return, for each tool, the numbers of its nearest tools by words, and their cosines.

    Shape (tools, up to :data:`NEAREST`) each, nearest first; a tool is not its own neighbour. The
    words of the provider's name do not count, since they would make all siblings near.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(tools) < 2:  # noqa: PLR2004  one tool has no neighbour
        empty = np.zeros((len(tools), 0))
        return empty.astype(np.int64), empty
    texts = [_words(tool) for tool in tools]
    weights = TfidfVectorizer(sublinear_tf=True, token_pattern=WORD).fit_transform(texts)
    width = min(NEAREST, len(tools) - 1)
    numbers = np.zeros((len(tools), width), dtype=np.int64)
    cosines = np.zeros((len(tools), width))
    step = 512
    for start in range(0, len(tools), step):
        block = (weights[start : start + step] @ weights.T).toarray()
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -1
        order = np.argsort(-block, axis=1, kind="stable")[:, :width]
        numbers[start : start + step] = order
        cosines[start : start + step] = np.take_along_axis(block, order, axis=1)
    return numbers, cosines


def _words(tool: Tool) -> str:
    text = letters(render(tool, "name-description").replace("_", " "))
    provider = letters((tool.provider or "").replace("_", " "))
    return f" {text} ".replace(f" {provider} ", " ") if provider else text
