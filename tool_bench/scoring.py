"""From a run to its scores: per query, and as means with intervals for every slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench import context, measures, store
from tool_bench.dataset import Relevance, Scope, ToolDataset
from tool_bench.progress import report
from tool_bench.results import Estimate, ScopeScores, SliceScores, StoredFile
from tool_bench.runs import Run, short
from tool_bench.stats import average_intervals, clusters

if TYPE_CHECKING:
    from tool_bench.stats import Part

RUN_SUFFIX = ".run.gz"
SCORES_SUFFIX = ".scores.csv.gz"
_DIGITS = 6


def score_scope(
    run: Run, dataset: ToolDataset, scope: Scope, headline: str, run_file: StoredFile
) -> tuple[ScopeScores, bytes]:
    """Score one scope's run.

    Args:
        run: the rankings.
        dataset: the data.
        scope: which golds count.
        headline: the slice or average whose weights go into the per-query file.
        run_file: the stored form of ``run``.

    Returns:
        The scores, and the content of the per-query file that they name (it lies beside
        ``run_file``).
    """
    report("score", 0, 1)
    relevance = dataset.relevant(scope)
    scores = measures.score(run, relevance)
    cluster = clusters([q.id for q in dataset.queries], relevance)
    data = store.per_query_csv(scores, cluster, dataset.weights(headline))
    per_query = StoredFile(
        name=run_file.name.replace(RUN_SUFFIX, SCORES_SUFFIX), sha256=store.content_hash(data)
    )
    slices = score_slices(scores, dataset, relevance)
    return (
        ScopeScores(
            run=run_file,
            per_query=per_query,
            slices=slices,
            short=len(short(run, dataset, scope)),
            context=context.tokens(run, dataset, scope),
        ),
        data,
    )


def score_slices(
    scores: measures.PerQuery, dataset: ToolDataset, relevance: Relevance
) -> dict[str, SliceScores]:
    """Return means with intervals for every slice of the queries, and for every average."""
    import numpy as np

    slices = {}
    parts: dict[str, Part] = {}
    for name, query_ids in dataset.slices.items():
        rows = np.array([[scores[m][q] for m in measures.MEASURES] for q in query_ids])
        cluster = clusters(query_ids, relevance)
        parts[name] = (1.0, rows, cluster)
        tools = [
            measures.by_tool({q: scores[m][q] for q in query_ids}, relevance)
            for m in measures.MEASURES
        ]
        by_tool = np.array([list(own.values()) for own in tools]).T
        slices[name] = SliceScores(
            queries=len(query_ids),
            clusters=max(cluster) + 1,
            measures=_estimates([parts[name]]),
            macro=_estimates([(1.0, by_tool, range(len(by_tool)))]),
        )
    for name, weights in dataset.averages.items():
        slices[name] = SliceScores(
            queries=sum(slices[part].queries for part in weights),
            clusters=min(slices[part].clusters for part in weights),
            measures=_estimates([(weight, *parts[part][1:]) for part, weight in weights.items()]),
            macro={},
        )
    return slices


def _estimates(parts: Sequence[Part]) -> dict[str, Estimate]:
    """Return measure -> weighted mean of the parts' means, and its interval."""
    means = sum(weight * rows.mean(axis=0) for weight, rows, _ in parts)
    intervals = average_intervals(parts)
    return {
        measure: Estimate(
            value=_round(float(means[column])),
            low=_end(float(intervals[column, 0])),
            high=_end(float(intervals[column, 1])),
        )
        for column, measure in enumerate(measures.MEASURES)
    }


def _end(value: float) -> float | None:
    return None if math.isnan(value) else _round(value)


def _round(value: float) -> float:
    return round(value, _DIGITS)
