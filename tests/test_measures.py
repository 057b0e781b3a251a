from __future__ import annotations

import math

import numpy as np
import pytest
import pytrec_eval
from beir.retrieval.evaluation import EvaluateRetrieval

from tool_bench.measures import MEASURES, by_tool, mean, score
from tool_bench.query import Query
from tool_bench.runs import Run, settle


def random_case(seed: int) -> tuple[Run, dict[str, dict[str, int]]]:
    rng = np.random.default_rng(seed)
    tools = [f"t{i}" for i in range(40)]
    queries = [Query(id=f"q{i}", text="x") for i in range(60)]
    relevance = {
        q.id: dict.fromkeys(rng.choice(tools, rng.integers(1, 13), replace=False).tolist(), 1)
        for q in queries
    }
    rankings = [
        tuple(
            (t, float(rng.choice([0.0, rng.random()])))
            for t in rng.choice(tools, 30, replace=False).tolist()
        )
        for _ in queries
    ]
    return settle(queries, rankings, [None] * len(queries), 20, tools), relevance


def test_by_hand() -> None:
    run = {"q": (("x", 3.0), ("a", 2.0), ("y", 1.0), ("b", 0.5))}
    scores = {m: s["q"] for m, s in score(run, {"q": {"a": 1, "b": 1, "c": 1}}).items()}
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    gained = 1 / math.log2(3) + 1 / math.log2(5)
    assert scores == pytest.approx(
        {
            "Hit@1": 0,
            "Hit@3": 1,
            "Hit@5": 1,
            "Hit@10": 1,
            "MRR@10": 1 / 2,
            "nDCG@5": gained / ideal,
            "nDCG@10": gained / ideal,
            "Recall@10": 2 / 3,
            "Completeness@10": 0,
        }
    )


def test_completeness_needs_every_gold() -> None:
    run = {"q": (("a", 3.0), ("b", 2.0))}
    assert score(run, {"q": {"a": 1, "b": 1}})["Completeness@10"] == {"q": 1.0}
    assert score(run, {"q": {"a": 1, "c": 1}})["Completeness@10"] == {"q": 0.0}


def test_a_rank_below_ten_earns_no_reciprocal_rank() -> None:
    run = {"q": (*((f"x{i}", 20.0 - i) for i in range(10)), ("a", 1.0))}
    assert score(run, {"q": {"a": 1}})["MRR@10"] == {"q": 0.0}


@pytest.mark.parametrize("run", [{}, {"b": ()}])
def test_a_missing_query_scores_zero_and_stays_in_the_denominator(run: Run) -> None:
    scores = score({"a": (("t", 1.0),), **run}, {"a": {"t": 1}, "b": {"t": 1}})
    for measure in MEASURES:
        assert list(scores[measure]) == ["a", "b"]
        assert mean(scores[measure].values()) == pytest.approx(0.5)


def test_a_query_that_is_not_judged_changes_nothing() -> None:
    scores = score({"a": (("t", 1.0),), "z": (("t", 1.0),)}, {"a": {"t": 1}})
    assert scores["Hit@1"] == {"a": 1.0}


@pytest.mark.parametrize("seed", range(5))
def test_pytrec_eval_agrees(seed: int) -> None:
    run, relevance = random_case(seed)
    judge = pytrec_eval.RelevanceEvaluator(
        relevance, {"success.1,3,5,10", "ndcg_cut.5,10", "recall.10", "recip_rank"}
    )
    cut = {q: dict(r[:10]) for q, r in run.items()}
    full, first_ten = judge.evaluate({q: dict(r) for q, r in run.items()}), judge.evaluate(cut)
    scores = score(run, relevance)
    for query_id in relevance:
        for ours, theirs in (
            ("Hit@1", "success_1"),
            ("Hit@3", "success_3"),
            ("Hit@5", "success_5"),
            ("Hit@10", "success_10"),
            ("nDCG@5", "ndcg_cut_5"),
            ("nDCG@10", "ndcg_cut_10"),
            ("Recall@10", "recall_10"),
        ):
            assert scores[ours][query_id] == pytest.approx(full[query_id][theirs], abs=1e-9)
        assert scores["MRR@10"][query_id] == pytest.approx(first_ten[query_id]["recip_rank"])


@pytest.mark.parametrize("seed", range(3))
def test_beir_agrees(seed: int) -> None:
    run, relevance = random_case(seed)
    results = {q: dict(ranking) for q, ranking in run.items()}
    ndcg, _, recall, _ = EvaluateRetrieval.evaluate(relevance, results, [5, 10])
    hits = EvaluateRetrieval.evaluate_custom(relevance, results, [1, 3, 5, 10], metric="acc")
    mrr = EvaluateRetrieval.evaluate_custom(relevance, results, [10], metric="mrr")
    means = {m: mean(s.values()) for m, s in score(run, relevance).items()}
    theirs = {
        "nDCG@5": ndcg["NDCG@5"],
        "nDCG@10": ndcg["NDCG@10"],
        "Recall@10": recall["Recall@10"],
        "MRR@10": mrr["MRR@10"],
        **{f"Hit@{k}": hits[f"Accuracy@{k}"] for k in (1, 3, 5, 10)},
    }
    assert {m: means[m] for m in theirs} == pytest.approx(theirs, abs=1e-5)


def test_macro_weighs_tools_alike() -> None:
    relevance = {"a": {"big": 1}, "b": {"big": 1}, "c": {"small": 1}}
    assert by_tool({"a": 1.0, "b": 0.0, "c": 0.0}, relevance) == {"big": 0.5, "small": 0.0}
    both = {"a": {"x": 1, "y": 1}, "b": {"y": 1}}
    assert by_tool({"a": 1.0, "b": 0.0}, both) == {"x": 1.0, "y": 0.5}
