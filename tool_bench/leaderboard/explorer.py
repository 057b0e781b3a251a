"""The files that the query explorer reads: every query with what every method ranked.

They are scripts that hand a value to the page, since a page opened from a folder may not read other
files. An ``index`` per scope has what lists are made of, a file per method its scores; texts and
rankings come in pieces, of which a page loads those that it shows.

=================  =================================================================================
file               value
=================  =================================================================================
``index.js``       ``methods`` (name, page, mean), ``ids`` of the queries, ``mean`` score of each
                   over methods, ``slices`` (name, a bit for each query), sizes of the pieces
``score-M.js``     score of method M on each query
``text-N.js``      ``queries``: text and instruction of each
``rank-N.js``      ``tools``: (id, name, provider); for each query ``gold``: places in it, and
                   ``ranked``: ten places + 1 for each method, 0 where a ranking has ended
=================  =================================================================================

Scores, bits and places are packed as :mod:`tool_bench.leaderboard.packed` has it: scores in three
digits, 0..262143; six bits a digit; places in three.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_bench.errors import DataError
from tool_bench.leaderboard.packed import packed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.dataset import Scope, ToolDataset
    from tool_bench.leaderboard.rankings import Rankings
    from tool_bench.leaderboard.scores import Scores
    from tool_bench.query import Query
    from tool_bench.tool import Tool

TEXTS, RANKS = 500, 50
"""Queries in a piece."""
TOP = 64**3 - 1
"""A score of 1."""
LONGEST = 2_000
"""Longer texts are cut, in characters."""

_BITS = 6


@dataclass(frozen=True, slots=True)
class Explored:
    """What the explorer shows of one table; without the task's data, ids stand for texts."""

    scores: Scores
    rankings: Rankings
    pages: Mapping[str, str]
    """Method -> the name of its page."""
    queries: Mapping[str, Query]
    tools: Mapping[str, Tool]
    golds: Mapping[str, Mapping[str, int]]
    slices: Mapping[str, Sequence[str]]


def explored(
    scores: Scores,
    rankings: Rankings,
    pages: Mapping[str, str],
    dataset: ToolDataset | None,
    scope: Scope,
) -> Explored:
    """Bring together what the explorer shows of one table; ``dataset`` is the task's, if here.

    Raises:
        DataError: the scores are of other queries than the data has.
    """
    if dataset is None:
        return Explored(scores, rankings, pages, {}, {}, {}, {})
    if set(scores.queries) != {query.id for query in dataset.queries}:
        raise DataError(dataset.name, "its scores are of other queries than its data has")
    return Explored(
        scores=scores,
        rankings=rankings,
        pages=pages,
        queries={query.id: query for query in dataset.queries},
        tools={tool.id: tool for tool in dataset.tools},
        golds=dataset.relevant(scope),
        slices=dataset.slices,
    )


def files(table: Explored) -> Iterator[tuple[str, str]]:
    """Yield (name, content) of every file of one table."""
    scores = table.scores
    yield _script("index", _index(table))
    for number in range(len(scores.methods)):
        yield _script(f"score-{number}", packed(_coarse(scores.values[:, number]), 3))
    if table.queries:
        asked = [table.queries[query] for query in scores.queries]
        texts = [[cut(query.text), cut(query.instruction or "")] for query in asked]
        for number, start in enumerate(range(0, len(texts), TEXTS)):
            yield _script(f"text-{number}", {"queries": texts[start : start + TEXTS]})
    for number, start in enumerate(range(0, len(scores.queries), RANKS)):
        yield _script(f"rank-{number}", _ranks(table, start, start + RANKS))


def cut(text: str) -> str:
    """Return ``text``, cut where it is too long to be shown, with a note of how long it is."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… (cut; {len(text):,} characters)"


def _script(name: str, value: Any) -> tuple[str, str]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{name}.js", f"toolBench.put({json.dumps(name)},{text})\n"


def _coarse(values: NDArray[np.float64]) -> NDArray[np.int64]:
    import numpy as np

    return np.rint(values * TOP).astype(np.int64)


def _index(table: Explored) -> dict[str, Any]:
    scores = table.scores
    means = scores.weight @ scores.values
    return {
        "methods": [
            [method, table.pages[method], round(float(mean), 6)]
            for method, mean in zip(scores.methods, means, strict=True)
        ],
        "ids": scores.queries,
        "mean": packed(_coarse(scores.values.mean(axis=1)), 3),
        "slices": _slices(table),
        "texts": TEXTS if table.queries else 0,
        "ranks": RANKS,
    }


def _slices(table: Explored) -> list[tuple[str, str]]:
    import numpy as np

    row_of = {query: row for row, query in enumerate(table.scores.queries)}
    packs = []
    for name, members in table.slices.items():
        bits = np.zeros(-(-len(row_of) // _BITS) * _BITS, dtype=np.int64)
        bits[[row_of[query] for query in members]] = 1
        numbers = bits.reshape(-1, _BITS) @ (2 ** np.arange(_BITS)[::-1])
        packs.append((name, packed(numbers, 1)))
    return packs


def _ranks(table: Explored, start: int, end: int) -> dict[str, Any]:
    import numpy as np

    ranked = table.rankings.ranked[start:end]
    found, places = np.unique(ranked, return_inverse=True)
    places = places.reshape(len(ranked), -1) + (0 if found[0] < 0 else 1)
    tools = [table.rankings.tools[tool] for tool in found if tool >= 0]
    place_of = {tool: place for place, tool in enumerate(tools)}
    golds = [
        [place_of.setdefault(tool, len(place_of)) for tool in table.golds.get(query, ())]
        for query in table.scores.queries[start:end]
    ]
    return {
        "tools": [_named(table, tool) for tool in place_of],
        "gold": golds,
        "ranked": [packed(row, 3) for row in places],
    }


def _named(table: Explored, tool: str) -> list[str]:
    known = table.tools.get(tool)
    return [tool] if known is None else [tool, cut(known.name), cut(known.provider or "")]
