from __future__ import annotations

import importlib
from collections.abc import Sequence

import fakes
import numpy as np
import pytest
from numpy.typing import NDArray

from tool_bench import registry
from tool_bench.baseline import Baseline
from tool_bench.evaluate import search_scope
from tool_bench.fusion import FusedRetriever, convex, load_parts, reciprocal_rank
from tool_bench.query import Query
from tool_bench.rerank import Reranked
from tool_bench.retriever import Candidates, Ranking, tie_key


def test_reciprocal_rank_is_the_papers_sum() -> None:
    fused = reciprocal_rank([(("a", 9.0), ("b", 8.0)), (("b", 0.3), ("c", 0.2))])
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_a_tie_is_no_vote() -> None:
    one = reciprocal_rank([(("a", 2.0), ("b", 0.0), ("c", 0.0), ("d", -1.0))])
    other = reciprocal_rank([(("c", 0.0), ("d", -1.0), ("b", 0.0), ("a", 2.0))])
    assert one == other == pytest.approx({"a": 1 / 61, "b": 1 / 62, "c": 1 / 62, "d": 1 / 64})


def test_words_that_are_not_there_are_no_vote() -> None:
    """BM25 fills its list with tools of score 0; which ones is the tie-breaker's choice."""
    rrf = importlib.import_module("tool_bench.baselines.rrf")
    dense = (("x", 0.9), ("y", 0.8), ("a", 0.7))
    fused = rrf.fuse([(("a", 2.0), ("z", 0.0), ("x", 0.0)), dense])
    assert fused == pytest.approx({"a": 1 / 61 + 1 / 63, "x": 1 / 61, "y": 1 / 62})


def test_convex_normalises_by_the_floor_and_the_best() -> None:
    lexical, dense = (("a", 10.0), ("b", 5.0)), (("b", 0.6), ("c", -0.2))
    fused = convex([lexical, dense], weights=(0.25, 0.75), floors=(0, -1))
    assert fused == pytest.approx({"a": 0.25, "b": 0.125 + 0.75, "c": 0.75 * 0.8 / 1.6})


def test_convex_survives_parts_that_say_nothing() -> None:
    nothing: Ranking = ()
    flat = (("a", 0.0), ("b", 0.0))
    assert convex([nothing, flat], weights=(0.5, 0.5), floors=(0, 0)) == {"a": 0.0, "b": 0.0}


def test_fusing_a_method_with_itself_changes_nothing() -> None:
    data = fakes.dataset()
    alone, fused = (
        fakes.Overlap(),
        FusedRetriever([fakes.Overlap(), fakes.Overlap()], reciprocal_rank, depth=100),
    )
    for retriever in (alone, fused):
        retriever.index(data.tools, {})
    for scope in data.scopes:
        runs = [search_scope(r, data, scope) for r in (alone, fused)]
        orders = [{q: [t for t, _ in ranking] for q, ranking in run.items()} for run in runs]
        assert orders[0] == orders[1]


class Script:
    """Returns fixed rankings, and remembers how deep it was asked."""

    def __init__(self, ranking: Ranking) -> None:
        self.ranking, self.depths = ranking, list[int]()

    def index(self, tools: Sequence[object], examples: object) -> None: ...

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        self.depths.append(k)
        return [self.ranking[:k] for _ in queries]


def by_length(request: str, texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([len(text) for text in texts], dtype=np.float32)


def test_the_second_stage_orders_the_head_and_leaves_the_tail_below_it() -> None:
    data = fakes.dataset()
    tools = {tool.id: f"{tool.name}: {tool.description}" for tool in data.tools}
    first = Script(tuple((id_, float(-n)) for n, id_ in enumerate(tools)))
    retriever = Reranked(first, by_length, depth=5, style="name-description")
    retriever.index(data.tools, {})
    ((*found,),) = retriever.search([Query(id="q", text="any")], 7, [None])
    assert first.depths == [7]
    ids = [tool_id for tool_id, _ in found]
    head = list(tools)[:5]
    order = sorted(head, key=lambda id_: (-len(tools[id_]), tie_key(id_)))
    assert ids == [*order, *list(tools)[5:7]]
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores[4:])) == 3  # the tail lies strictly below


def test_a_first_stage_that_finds_nothing_ends_the_matter() -> None:
    retriever = Reranked(Script(()), by_length, depth=5, style="full")
    retriever.index([], {})
    assert retriever.search([Query(id="q", text="any")], 5, [None]) == [()]


def test_parts_are_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Baseline] = {"overlap": fakes.OVERLAP, "constant": fakes.CONSTANT}
    monkeypatch.setattr(registry, "baselines", lambda: known)
    loaded = load_parts(["constant", "overlap"])
    assert [type(part).__name__ for part in loaded] == ["Constant", "Overlap"]
