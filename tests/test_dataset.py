from __future__ import annotations

from dataclasses import replace

import fakes
import pytest

from tool_bench.dataset import ToolDataset, dataset_hash, pool_golds
from tool_bench.errors import DataError
from tool_bench.query import Query
from tool_bench.task import check
from tool_bench.tool import Tool

A, B = Tool(id="a", name="a", provider="p"), Tool(id="b", name="b", provider="r")
Q = Query(id="q", text="do it")


def make(**changes: object) -> ToolDataset:
    fields: dict[str, object] = {
        "name": "T",
        "tools": (A, B),
        "queries": (Q,),
        "relevance": {"q": {"a": 1}},
    }
    return ToolDataset(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tools": (A, A)}, "tool id 'a' occurs 2 times"),
        ({"tools": (replace(A, id="a b"), B)}, "tool id 'a b' is empty or holds whitespace"),
        ({"queries": (replace(Q, id=""),)}, "query id '' is empty"),
        ({"relevance": {}}, "query 'q' has no relevant tool"),
        ({"relevance": {"q": {"z": 1}}}, "query 'q': unknown tool 'z'"),
        ({"relevance": {"q": {"a": 1}, "z": {"a": 1}}}, "unknown query 'z'"),
        ({"relevance": {"q": {"a": 0}}}, "grade 0 of 'a' is below 1"),
        ({"examples": {"z": ("x",)}}, "examples name unknown tool 'z'"),
        ({"families": {"f": ("a", "z")}}, "family 'f' names unknown tool 'z'"),
        ({"queries": (replace(Q, provider="r"),)}, "no relevant tool belongs to provider 'r'"),
        ({"groups": {"all": ("q",)}}, "'all' cannot be the name of a kind, a group or an average"),
        ({"groups": {"scoped": ("q",)}}, "'scoped' cannot be the name"),
        ({"queries": (replace(Q, kind="all"),)}, "'all' cannot be the name"),
        ({"queries": (replace(Q, kind=" "),)}, "' ' cannot be the name"),
        (
            {"queries": (replace(Q, kind="k"),), "groups": {"k": ("q",)}},
            "group 'k' has the name of another slice",
        ),
        ({"averages": {"mean": {"z": 1.0}}}, "average 'mean' names unknown slice 'z'"),
        ({"averages": {"mean": {"all": 0.5}}}, "the weights of average 'mean' are not above 0 or"),
        (
            {"queries": (replace(Q, kind="k"),), "averages": {"mean": {"all": 3.0, "k": -2.0}}},
            "the weights of average 'mean' are not above 0",
        ),
        ({"groups": {"night": ()}}, "group 'night' is empty"),
        ({"groups": {"night": ("z",)}}, "group 'night' names unknown query 'z'"),
        ({"groups": {"night": ("q", "q")}}, "group 'night' repeats query 'q'"),
        ({"splits": {"p": "train"}}, "splits and providers differ in 'r'"),
    ],
)
def test_bad_data_is_refused_with_its_place(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(**changes)


def test_some_queries_with_and_some_without_provider_are_refused() -> None:
    two = (replace(Q, provider="p"), replace(Q, id="q2"))
    with pytest.raises(DataError, match="query 'q2': only some queries name a provider"):
        make(queries=two, relevance={"q": {"a": 1}, "q2": {"a": 1}})


def test_scoped_counts_only_the_golds_of_the_provider() -> None:
    data = make(queries=(replace(Q, provider="p"),), relevance={"q": {"a": 1, "b": 2}})
    assert data.scopes == ("global", "scoped")
    assert data.candidates("scoped", data.queries[0]) == ("a",)
    assert data.candidates("global", data.queries[0]) is None
    assert data.relevant("scoped") == {"q": {"a": 1}}
    assert data.relevant("global") == {"q": {"a": 1, "b": 2}}


def test_without_providers_there_is_one_scope() -> None:
    assert make().scopes == ("global",)


def test_slices_are_all_and_each_kind() -> None:
    slices = fakes.dataset().slices
    assert list(slices) == ["all", "early", "late"]
    assert len(slices["all"]) == 12
    assert slices["early"] == ("q0", "q1", "q2", "q3")


def test_groups_are_slices_after_the_kinds() -> None:
    data = make(queries=(replace(Q, kind="early"),), groups={"night": ("q",)})
    assert data.slices == {"all": ("q",), "early": ("q",), "night": ("q",)}


def test_the_hash_covers_whatever_an_evaluation_depends_on() -> None:
    data = make()
    others = [
        make(groups={"night": ("q",)}),
        make(examples={"a": ("x",)}),
        make(relevance={"q": {"b": 1}}),
        make(queries=(replace(Q, text="do that"),)),
        make(tools=(replace(A, description="x"), B)),
    ]
    assert len({dataset_hash(one) for one in (data, *others)}) == 6
    assert dataset_hash(make()) == dataset_hash(data)


def test_a_model_may_be_trained_on_the_train_split_alone() -> None:
    examples = {"a": ("do a",), "b": ("do b",)}
    assert make(examples=examples).training_examples == examples
    split = make(examples=examples, splits={"p": "train", "r": "test"})
    assert split.training_examples == {"a": ("do a",)}
    assert split.examples == examples


def test_counts_name_the_defects() -> None:
    queries = (Q, replace(Q, id="q2", text=" DO  it"), replace(Q, id="q3", text=" "))
    data = make(
        queries=queries,
        relevance={"q": {"a": 1, "b": 1}, "q2": {"a": 1}, "q3": {"a": 1}},
        examples={"a": ("x", "y")},
    )
    assert data.counts == {
        "tools": 2,
        "queries": 3,
        "relevant pairs": 4,
        "queries with several golds": 1,
        "empty queries": 1,
        "repeated queries": 1,
        "tools without description": 2,
        "usage examples": 2,
    }


def test_golds_of_the_same_text_are_pooled() -> None:
    assert pool_golds([("Book a  trip", ["a"]), ("book a trip", ["b", "a"]), ("fly", ["c"])]) == {
        "book a trip": {"a": 1, "b": 1},
        "fly": {"c": 1},
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tools": 13}, "Tiny: built 12 tools, expected 13"),
        ({"queries": 11}, "Tiny: built 12 queries, expected 11"),
        ({"eval_langs": {"nights": ("eng-Latn",)}}, "declared subset 'nights'"),
    ],
)
def test_a_dataset_must_be_what_its_task_declares(changes: dict[str, object], message: str) -> None:
    check(fakes.TASK, fakes.dataset())
    with pytest.raises(DataError, match=message):
        check(replace(fakes.TASK, **changes), fakes.dataset())  # type: ignore[arg-type]
