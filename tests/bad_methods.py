"""Methods that break the protocol, each in its own way, importable by the processes of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import fakes

from tool_bench.baseline import Baseline
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever

VICTIM = "q3"

Spoil = Callable[[Ranking], Any]


class Spoiled(fakes.Overlap):
    """Overlap that spoils the ranking of one query."""

    def __init__(self, spoil: Spoil) -> None:
        self._spoil = spoil

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        rankings = super().search(queries, k, scopes)
        return [
            self._spoil(ranking) if query.id == VICTIM else ranking
            for query, ranking in zip(queries, rankings, strict=True)
        ]


class Forgetful(fakes.Overlap):
    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        return super().search(queries[:3], k, scopes[:3])


class Silent(fakes.Overlap):
    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        return [()] * len(queries)


class NotFinite(fakes.Overlap):
    """Hands a score that is no number to the shared top-k step."""

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        import numpy as np

        scores = np.zeros(len(self.catalogue.ids))
        scores[5] = math.nan
        return [
            self.catalogue.top(scores if query.id == VICTIM else np.ones(len(scores)), k, scope)
            for query, scope in zip(queries, scopes, strict=True)
        ]


def rescored(score: Any, ranking: Ranking) -> Any:
    return [(ranking[0][0], score), *ranking[1:]]


def renamed(tool_id: Any, ranking: Ranking) -> Any:
    return [(tool_id, 1.0), *ranking[1:]]


def twice(ranking: Ranking) -> Any:
    return [*ranking[:5], *ranking[:5]]


def cut(ranking: Ranking) -> Any:
    return ranking[:3]


def nothing(_: Ranking) -> Any:
    return None


def only_ids(ranking: Ranking) -> Any:
    return [tool_id for tool_id, _ in ranking]


def load(kind: Callable[..., Retriever], *arguments: Any) -> Retriever:
    return kind(*arguments)


def spoiled(name: str, spoil: Spoil) -> Baseline:
    return fakes.baseline(name, partial(load, Spoiled, spoil))


BAD: dict[str, tuple[Baseline, str]] = {
    method.name: (method, message)
    for method, message in (
        (spoiled("nan", partial(rescored, math.nan)), "query 'q3': score of '[a-z_]+' is nan"),
        (spoiled("infinite", partial(rescored, math.inf)), "query 'q3': score of '[a-z_]+' is inf"),
        (spoiled("none", partial(rescored, None)), "is NoneType None, not a number"),
        (spoiled("text", partial(rescored, "high")), "is str 'high', not a number"),
        (spoiled("complex", partial(rescored, 1j)), "is complex 1j, not a number"),
        (spoiled("huge", partial(rescored, 10**400)), "query 'q3': score of '[a-z_]+' is inf"),
        (spoiled("twice", twice), "query 'q3': '[a-z_]+' is ranked twice"),
        (spoiled("ghost", partial(renamed, "ghost")), "query 'q3': 'ghost' is no tool of the cat"),
        (spoiled("number", partial(renamed, 7)), "query 'q3': ranks int 7, which is no tool's id"),
        (spoiled("nothing", nothing), "query 'q3': its ranking is NoneType None, not"),
        (spoiled("ids", only_ids), "query 'q3': ranks str '[a-z_]+', not a"),
        (
            spoiled("cut", cut),
            r"scope global: query 'q3' got 3 tools of the 10 asked for, out of 12 candidates \(1",
        ),
        (fakes.baseline("forgetful", Forgetful), "3 rankings for 12 queries, none for 'q3'"),
        (fakes.baseline("silent", Silent), "scope global: it ranked no tool for any of 12 queries"),
        (fakes.baseline("top", NotFinite), "score of '[a-z_]+' is nan"),
    )
}
