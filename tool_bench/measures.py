"""The measures, per query and as means, computed by ir_measures.

The denominator is every query with at least one relevant tool: a query that a run lacks scores 0.

=================  =======================================================  ==================
name               per query                                                ir_measures
=================  =======================================================  ==================
Hit@k              1 if a relevant tool is in the top k                     ``Success@k``
MRR@10             1 / rank of the first relevant tool in the top 10        ``RR@10``
nDCG@k             DCG / ideal DCG, gain = grade, discount = log2(rank+1)   ``nDCG@k``
Recall@10          share of the relevant tools in the top 10                ``R@10``
Completeness@10    1 if all relevant tools are in the top 10 (COLT, 2024)   ``R@10`` = 1
=================  =======================================================  ==================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from tool_bench.dataset import Relevance
from tool_bench.runs import Run

MEASURES: tuple[str, ...] = (
    "Hit@1",
    "Hit@3",
    "Hit@5",
    "Hit@10",
    "MRR@10",
    "nDCG@5",
    "nDCG@10",
    "Recall@10",
    "Completeness@10",
)
_IR_NAME = {"Hit": "Success", "MRR": "RR", "nDCG": "nDCG", "Recall": "R"}

PerQuery = dict[str, dict[str, float]]
"""Measure -> {query id: score}."""


@lru_cache(maxsize=1)
def _ir_measures() -> dict[Any, str]:
    import ir_measures

    names = {}
    for measure in MEASURES:
        base, cut = measure.split("@")
        if base in _IR_NAME:
            names[ir_measures.parse_measure(f"{_IR_NAME[base]}@{cut}")] = measure
    return names


def score(run: Run, relevance: Relevance) -> PerQuery:
    """Score ``run`` against ``relevance``, query by query.

    Args:
        run: rankings with strictly falling scores, as :func:`tool_bench.runs.settle` makes them.
        relevance: query id -> {tool id: grade}; each query here is scored, in this order.

    Returns:
        Measure -> {query id: score in 0..1}, for every measure in :data:`MEASURES`.
    """
    import ir_measures

    names = _ir_measures()
    scores: PerQuery = {measure: dict.fromkeys(relevance, 0.0) for measure in MEASURES}
    judged = {q: dict(golds) for q, golds in relevance.items()}
    ranked = {q: dict(run[q]) for q in relevance if run.get(q)}
    for metric in ir_measures.iter_calc(list(names), judged, ranked):
        scores[names[metric.measure]][metric.query_id] = float(metric.value)
    scores["Completeness@10"] = {q: float(r == 1.0) for q, r in scores["Recall@10"].items()}
    return scores


def mean(values: Iterable[float]) -> float:
    """Return the arithmetic mean; NaN for no values."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")


def by_tool(values: Mapping[str, float], relevance: Relevance) -> dict[str, float]:
    """Return relevant tool -> the mean over its queries; their mean is the macro average.

    A query with several relevant tools counts for each of them.
    """
    own: dict[str, list[float]] = {}
    for query_id, value in values.items():
        for tool_id in relevance[query_id]:
            own.setdefault(tool_id, []).append(value)
    return {tool_id: mean(some) for tool_id, some in own.items()}
