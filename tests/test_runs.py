from __future__ import annotations

import gzip
import math
from itertools import pairwise
from pathlib import Path

import fakes
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from tool_bench.errors import DataError, RetrieverError
from tool_bench.evaluate import search_scope
from tool_bench.measures import score
from tool_bench.query import Query
from tool_bench.runs import read_run, settle, to_trec

Q = [Query(id="q", text="x")]
SCORES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("ranking", "message"),
    [
        ((("a", 1.0), ("a", 0.5)), "'a' is ranked twice"),
        ((("a", math.nan),), "score of 'a' is nan"),
        ((("a", math.inf),), "score of 'a' is inf"),
        ((("b", 1.0),), "'b' is out of scope"),
    ],
)
def test_a_broken_contract_is_named(ranking: tuple[tuple[str, float], ...], message: str) -> None:
    with pytest.raises(RetrieverError, match=message):
        settle(Q, [ranking], [["a"]], 20, {"a", "b"})


def test_a_tool_that_does_not_exist_is_said_to() -> None:
    with pytest.raises(RetrieverError, match="'ghost' is no tool of the catalogue"):
        settle(Q, [(("ghost", 1.0),)], [None], 20, {"a"})


def test_a_ranking_must_come_for_each_query() -> None:
    with pytest.raises(RetrieverError, match="0 rankings for 1 queries"):
        settle(Q, [], [None], 20, {"a"})


def test_a_constant_scorer_gets_chance_level() -> None:
    data = fakes.dataset()
    retriever = fakes.load_constant()
    retriever.index(data.tools, {})
    scores = score(search_scope(retriever, data, "global"), data.relevance)
    # every tool is the gold of one query, so whichever tools the tie-break puts in the first k
    # answer k queries of 12
    assert sum(scores["Hit@1"].values()) == 1
    assert sum(scores["Hit@3"].values()) == 3
    assert sum(scores["Hit@10"].values()) == 10
    assert sum(scores["MRR@10"].values()) == pytest.approx(sum(1 / r for r in range(1, 11)))


def test_ties_depend_neither_on_catalogue_order_nor_on_the_retriever() -> None:
    ids = [tool.id for tool in fakes.dataset().tools]
    tied = tuple((id_, 0.5) for id_ in ids)
    one = settle(Q, [tied], [None], 20, ids)
    other = settle(Q, [tied[::-1]], [None], 20, ids)
    assert one == other
    order = [id_ for id_, _ in one["q"]]
    assert order not in (ids, ids[::-1], sorted(ids), sorted(ids, reverse=True))


@given(SCORES)
def test_trec_eval_reads_the_order_that_was_settled(values: list[float]) -> None:
    ranking = tuple((f"t{i}", value) for i, value in enumerate(values))
    run = settle(Q, [ranking], [None], 20, dict(ranking))
    written = [s for _, s in run["q"]]
    assert all(a > b for a, b in pairwise(written))
    for rank, (tool_id, _) in enumerate(run["q"], start=1):
        judge = pytrec_eval.RelevanceEvaluator({"q": {tool_id: 1}}, {"recip_rank"})
        found = judge.evaluate({"q": dict(run["q"])})["q"]["recip_rank"]
        assert found == pytest.approx(1 / rank)


@given(SCORES)
def test_settling_keeps_the_order_of_scores(values: list[float]) -> None:
    ranking = tuple((f"t{i}", value) for i, value in enumerate(values))
    best = [values[int(id_[1:])] for id_, _ in settle(Q, [ranking], [None], 20, dict(ranking))["q"]]
    assert best == sorted(values, reverse=True)[:20]


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    ranking = (("PDF&URL", 3.25), ("Größe/👋", 3.25), ("c", -1e-12))
    run = settle(Q, [ranking], [None], 20, dict(ranking))
    path = tmp_path / "x.run.gz"
    path.write_bytes(to_trec(run, "tag"))
    assert read_run(path) == run


def test_equal_runs_have_equal_bytes() -> None:
    run = settle(Q, [(("a", 1.0),)], [None], 20, {"a"})
    assert to_trec(run, "x") == to_trec(dict(run), "x")
    assert gzip.decompress(to_trec(run, "x")) == b"q Q0 a 1 1 x\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 a 1 0.5\n", "line 1: 5 columns, expected 6"),
        ("q Q0 a 1 high t\n", "score 'high' is not a number"),
        ("q Q0 a 1 0.5 t\nq Q0 b 3 0.4 t\n", "line 2: rank 3, expected 2"),
        ("q Q0 a 1 0.5 t\nq Q0 b 2 0.5 t\n", "line 2: score 0.5 does not fall"),
    ],
)
def test_an_unreadable_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.run"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_run(path)


def test_a_cut_off_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.run.gz"
    run = {f"q{i}": (("a", 1.0),) for i in range(100)}
    good = to_trec(run, "t")
    for bad in (good[:-20], good[:20] + b"!!!!" + good[24:], b"plain"):
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"x\.run\.gz: cannot be read"):
            read_run(path)
    with pytest.raises(DataError, match="does not exist"):
        read_run(tmp_path / "none")
