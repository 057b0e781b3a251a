"""The queries that a task's page shows: some examples, the hardest, and how providers fare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_bench.leaderboard.printed import Score
from tool_bench.retriever import tie_key
from tool_bench.stats import FEW_CLUSTERS, mean_intervals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.leaderboard.explorer import Explored
    from tool_bench.query import Query

EXAMPLES, HARDEST, FIRSTS = 5, 20, 3
LEAST_QUERIES = 5
"""A provider with fewer is not shown."""
MOST_PROVIDERS = 100
"""So many, the hardest."""


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """A query, its answers and how hard it is."""

    id: str
    text: str
    instruction: str
    golds: tuple[str, ...]
    """Names of the right tools, with their providers."""
    mean: float
    """Its nDCG@10, mean over methods."""
    first: tuple[tuple[str, int, bool], ...]
    """(tool that methods rank first, how many do, whether it is right), most frequent first."""


@dataclass(frozen=True, slots=True)
class ProviderScores:
    """How methods find one provider's tools."""

    provider: str
    queries: int
    mean: Score
    """nDCG@10, mean over methods."""
    best: str
    """The method with the best score."""
    score: Score


def examples(table: Explored) -> tuple[ShownQuery, ...]:
    """Return some queries, chosen by a fixed shuffle."""
    rows = sorted(range(len(table.scores.queries)), key=lambda r: tie_key(table.scores.queries[r]))
    return _shown(table, rows[:EXAMPLES])


def hardest(table: Explored) -> tuple[ShownQuery, ...]:
    """Return the queries on which methods score least, equal ones by a fixed shuffle."""
    mean = table.scores.values.mean(axis=1)
    queries = table.scores.queries
    rows = sorted(range(len(queries)), key=lambda r: (mean[r], tie_key(queries[r])))
    return _shown(table, rows[:HARDEST])


def providers(table: Explored) -> tuple[ProviderScores, ...]:
    """Return the providers with several queries, the hardest first; a query is its golds' one."""
    import numpy as np

    mean = table.scores.values.mean(axis=1)
    members: dict[str, list[int]] = {}
    for row, query in enumerate(table.scores.queries):
        owners = {table.tools[tool].provider for tool in table.golds.get(query, ())}
        for owner in filter(None, owners):
            members.setdefault(owner, []).append(row)
    several = [own for own in members.items() if len(own[1]) >= LEAST_QUERIES]
    several.sort(key=lambda own: (mean[own[1]].mean(), own[0]))
    shown = []
    for provider, rows in several[:MOST_PROVIDERS]:
        values = table.scores.values[rows]
        best = int(values.mean(axis=0).argmax())
        both = np.stack([values.mean(axis=1), values[:, best]], axis=1)
        _, cluster = np.unique(table.scores.cluster[rows], return_inverse=True)
        over_methods, score = _scores(both, cluster)
        method = table.scores.methods[best]
        shown.append(ProviderScores(provider, len(rows), over_methods, method, score))
    return tuple(shown)


def _scores(values: NDArray[np.float64], cluster: NDArray[np.intp]) -> list[Score]:
    import numpy as np

    ends = mean_intervals(values, cluster)
    few = int(cluster.max()) + 1 < FEW_CLUSTERS
    return [
        Score(float(value), None if np.isnan(low) else low, None if np.isnan(high) else high, few)
        for value, (low, high) in zip(values.mean(axis=0), ends.tolist(), strict=True)
    ]


def _shown(table: Explored, rows: Sequence[int]) -> tuple[ShownQuery, ...]:
    queries: Mapping[str, Query] = table.queries
    mean = table.scores.values.mean(axis=1)
    shown = []
    for row in rows:
        query = table.scores.queries[row]
        golds = table.golds.get(query, {})
        firsts = Counter(table.rankings.ranked[row, :, 0].tolist())
        shown.append(
            ShownQuery(
                id=query,
                text=queries[query].text if query in queries else query,
                instruction=(queries[query].instruction or "") if query in queries else "",
                golds=tuple(_name(table, tool) for tool in golds),
                mean=float(mean[row]),
                first=tuple(
                    (_name(table, tool), count, tool in golds)
                    for place, count in firsts.most_common()
                    if place >= 0 and (tool := table.rankings.tools[place])
                )[:FIRSTS],
            )
        )
    return tuple(shown)


def _name(table: Explored, tool: str) -> str:
    known = table.tools.get(tool)
    if known is None:
        return tool
    return f"{known.name} ({known.provider})" if known.provider else known.name
