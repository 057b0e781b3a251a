"""How well a model answers the validation requests of a snapshot: what recipes are chosen by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.encoder import Role

    Encode = Callable[[Sequence[str], Role], NDArray[np.float32]]

MOST_TOOLS = 1_000
"""A source's validation catalogue: every right tool, and others of least hash up to so many."""
MOST_REQUESTS = 300


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over one source's validation requests."""

    requests: int
    tools: int
    hit_at_1: float
    """Over the source's catalogue."""
    mrr_at_10: float
    scoped_hit_at_1: float | None
    """Over the tools of the right tool's provider; None where tools name none."""


def validate(
    encode: Encode, tools: Sequence[Mapping[str, Any]], requests: Sequence[Mapping[str, Any]]
) -> dict[str, Scores]:
    """Return source -> scores, for every source that has validation requests.

    Args:
        encode: texts and role -> unit vectors, shape (texts, dimensions).
        tools: rows of a snapshot's ``tools.jsonl``.
        requests: rows of its ``validation.jsonl``.
    """
    found = {}
    for source in dict.fromkeys(request["source"] for request in requests):
        asked = [request for request in requests if request["source"] == source][:MOST_REQUESTS]
        right = {id_ for request in asked for id_ in request["right"]}
        own = [tool for tool in tools if tool["id"].partition("/")[0] == source]
        own.sort(key=lambda tool: (tool["id"] not in right, _lot(tool["id"])))
        found[source] = _score(encode, own[: max(MOST_TOOLS, len(right))], asked)
    return found


def mean_hit_at_1(scores: Mapping[str, Scores]) -> float:
    """Return the mean over sources, each counting the same: what a recipe is chosen by.

    A source with providers counts with the mean of its two scopes.
    """
    each = [
        s.hit_at_1 if s.scoped_hit_at_1 is None else (s.hit_at_1 + s.scoped_hit_at_1) / 2
        for s in scores.values()
    ]
    return sum(each) / len(each)


def _score(
    encode: Encode, tools: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]
) -> Scores:
    import numpy as np

    documents = encode([tool["text"] for tool in tools], "document")
    queries = encode([request["query"] for request in asked], "query")
    scores = queries @ documents.T
    number = {tool["id"]: n for n, tool in enumerate(tools)}
    providers = [tool["provider"] for tool in tools]
    hits, reciprocal, scoped = [], [], []
    for row, request in zip(scores, asked, strict=True):
        right = {number[id_] for id_ in request["right"]}
        ranked = [int(n) for n in np.argsort(-row, kind="stable")]
        rank = next(place for place, n in enumerate(ranked, start=1) if n in right)
        hits.append(rank == 1)
        reciprocal.append(1 / rank if rank <= 10 else 0.0)  # noqa: PLR2004  MRR@10
        own = providers[number[request["tools"][0]]]
        if own is not None:
            best = next(n for n in ranked if providers[n] == own)
            scoped.append(best in right)
    return Scores(
        requests=len(asked),
        tools=len(tools),
        hit_at_1=float(np.mean(hits)),
        mrr_at_10=float(np.mean(reciprocal)),
        scoped_hit_at_1=float(np.mean(scoped)) if scoped else None,
    )


def _lot(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
