"""How well a model answers the validation requests of a snapshot: what recipes are chosen by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_bench.stats import clusters

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


@dataclass(frozen=True, slots=True)
class Hits:
    """One source's validation requests one by one, so that models can be compared on them."""

    tools: int
    requests: tuple[str, ...]
    """What was asked, in the snapshot's order."""
    clusters: tuple[int, ...]
    """Requests with the same right tools share a number: they are one piece of evidence."""
    hit_at_1: tuple[bool, ...]
    reciprocal_at_10: tuple[float, ...]
    scoped_hit_at_1: tuple[bool | None, ...]
    """None where the right tool names no provider."""

    @property
    def values(self) -> tuple[float, ...]:
        """Each request's part in :func:`mean_hit_at_1`: the mean of the scopes that it has."""
        return tuple(
            float(hit) if scoped is None else (hit + scoped) / 2
            for hit, scoped in zip(self.hit_at_1, self.scoped_hit_at_1, strict=True)
        )


def validate(
    encode: Encode, tools: Sequence[Mapping[str, Any]], requests: Sequence[Mapping[str, Any]]
) -> dict[str, Scores]:
    """Return source -> scores, for every source that has validation requests.

    Args:
        encode: texts and role -> unit vectors, shape (texts, dimensions).
        tools: rows of a snapshot's ``tools.jsonl``.
        requests: rows of its ``validation.jsonl``.
    """
    return {source: _scores(own) for source, own in hits(encode, tools, requests).items()}


def hits(
    encode: Encode, tools: Sequence[Mapping[str, Any]], requests: Sequence[Mapping[str, Any]]
) -> dict[str, Hits]:
    """Return source -> hits request by request; the arguments are those of :func:`validate`."""
    found = {}
    for source in dict.fromkeys(request["source"] for request in requests):
        asked = [request for request in requests if request["source"] == source][:MOST_REQUESTS]
        right = {id_ for request in asked for id_ in request["right"]}
        own = [tool for tool in tools if tool["id"].partition("/")[0] == source]
        own.sort(key=lambda tool: (tool["id"] not in right, _lot(tool["id"])))
        kept = own[: max(MOST_TOOLS, len(right))]
        kept.sort(key=lambda tool: _lot(tool["id"]))  # a tie is not to be the right tool's
        found[source] = _hits(encode, kept, asked)
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


def _hits(
    encode: Encode, tools: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]
) -> Hits:
    import numpy as np

    documents = encode([tool["text"] for tool in tools], "document")
    queries = encode([request["query"] for request in asked], "query")
    scores = queries @ documents.T
    number = {tool["id"]: n for n, tool in enumerate(tools)}
    providers = [tool["provider"] for tool in tools]
    hit: list[bool] = []
    reciprocal: list[float] = []
    scoped: list[bool | None] = []
    for row, request in zip(scores, asked, strict=True):
        right = {number[id_] for id_ in request["right"]}
        ranked = [int(n) for n in np.argsort(-row, kind="stable")]
        rank = next(place for place, n in enumerate(ranked, start=1) if n in right)
        hit.append(rank == 1)
        reciprocal.append(1 / rank if rank <= 10 else 0.0)  # noqa: PLR2004  MRR@10
        own = providers[number[request["tools"][0]]]
        if own is None:
            scoped.append(None)
        else:
            scoped.append(next(n for n in ranked if providers[n] == own) in right)
    golds = {str(n): dict.fromkeys(request["right"], 1) for n, request in enumerate(asked)}
    return Hits(
        tools=len(tools),
        requests=tuple(request["query"] for request in asked),
        clusters=tuple(clusters([*golds], golds)),
        hit_at_1=tuple(hit),
        reciprocal_at_10=tuple(reciprocal),
        scoped_hit_at_1=tuple(scoped),
    )


def _scores(own: Hits) -> Scores:
    scoped = [hit for hit in own.scoped_hit_at_1 if hit is not None]
    return Scores(
        requests=len(own.requests),
        tools=own.tools,
        hit_at_1=_mean(own.hit_at_1),
        mrr_at_10=_mean(own.reciprocal_at_10),
        scoped_hit_at_1=_mean(scoped) if scoped else None,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _lot(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
