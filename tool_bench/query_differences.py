"""The queries on which two methods differ most, and what each answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_bench.dataset import Relevance, ToolDataset
from tool_bench.retriever import tie_key
from tool_bench.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TIE = 1e-6
"""Scores closer than this are equal: they are stored with six digits."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A tool in a ranking."""

    tool: str
    name: str | None
    """None where the task's data is not here."""
    gold: bool | None
    """None likewise."""


@dataclass(frozen=True, slots=True)
class QueryDifference:
    """One query and what each method answered."""

    query: str
    text: str | None
    """None where the task's data is not here."""
    a: float
    b: float
    golds: tuple[str, ...] | None
    """Names of the right tools; None likewise."""
    ranking_a: tuple[Ranked, ...]
    ranking_b: tuple[Ranked, ...]


def differing(  # noqa: PLR0913, PLR0917  what a query's difference is made of
    queries: Sequence[str],
    scores: NDArray[np.float64],
    runs: tuple[Run, Run],
    top: int,
    dataset: ToolDataset | None,
    scope: str,
) -> tuple[QueryDifference, ...]:
    """Return the ``top`` queries of the largest wins and losses of the first method, in turn.

    Args:
        queries: their ids.
        scores: of both methods, shape (queries, 2).
        runs: of both methods.
        top: how many; where wins run out, losses go on, and the other way round.
        dataset: the task's data, or None where it is not here.
        scope: which tools are right.
    """
    names = {tool.id: tool.name for tool in dataset.tools} if dataset else {}
    texts = {query.id: query.text for query in dataset.queries} if dataset else {}
    relevance: Relevance = {}
    if dataset:
        relevance = next(dataset.relevant(own) for own in dataset.scopes if own == scope)

    def ranked(run: Run, query: str) -> tuple[Ranked, ...]:
        golds = relevance.get(query)
        return tuple(
            Ranked(tool, names.get(tool), None if golds is None else tool in golds)
            for tool, _ in run.get(query, ())
        )

    return tuple(
        QueryDifference(
            query=queries[row],
            text=texts.get(queries[row]),
            a=float(scores[row, 0]),
            b=float(scores[row, 1]),
            golds=tuple(names[tool] for tool in relevance[queries[row]]) if dataset else None,
            ranking_a=ranked(runs[0], queries[row]),
            ranking_b=ranked(runs[1], queries[row]),
        )
        for row in _largest(queries, scores[:, 0] - scores[:, 1], top)
    )


def _largest(queries: Sequence[str], gap: NDArray[np.float64], top: int) -> list[int]:
    """Return the rows of the largest wins and losses in turn; equal ones in a fixed shuffle."""
    order = sorted(range(len(gap)), key=lambda row: (-abs(gap[row]), tie_key(queries[row])))
    turns = []
    for sign in (1, -1):
        own = [row for row in order if sign * gap[row] > TIE]
        turns += [(place, -sign, row) for place, row in enumerate(own)]
    return [row for _, _, row in sorted(turns)[:top]]
