"""What a source may hold: bad rows are named before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from training_data import tiny

from tool_bench.errors import DataError
from tool_bench.tool import Tool
from tool_bench.training.records import MAX_QUERY_CHARACTERS, Kind, Pair, TrainingData, pooled

TOOLS = (Tool("a", "copy", "Copies files."), Tool("b", "move"), Tool("c", "list", "Lists files."))
PLACE = "rows.csv, line 7"


def data(*pairs: Pair, tools: tuple[Tool, ...] = TOOLS, **fields: Any) -> TrainingData:
    return TrainingData(source="files", tools=tools, pairs=pairs, **fields)


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        (Pair("", ("a",), PLACE), "field 'query' has no letters"),
        (Pair(" ?! \n", ("a",), PLACE), "field 'query' has no letters"),
        (
            Pair("x" * (MAX_QUERY_CHARACTERS + 1), ("a",), PLACE),
            "field 'query' has 2001 characters, over 2000",
        ),
        (Pair("copy", (), PLACE), "field 'tools' names no tool"),
        (Pair("copy", ("a", "z"), PLACE), "field 'tools' names unknown tool 'z'"),
        (Pair("copy", ("a", "b", "a"), PLACE), "field 'tools' names 'a' 2 times"),
        (Pair("copy", ("a",), PLACE, cast("Kind", "guess")), "field 'kind' is 'guess'"),
    ],
)
def test_a_bad_pair_is_named_with_its_file_and_row(pair: Pair, problem: str) -> None:
    good = Pair("copy this", ("a",), "rows.csv, line 6")
    with pytest.raises(DataError) as error:
        data(good, pair, good)
    assert str(error.value) == f"{PLACE}: {problem}"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: data(tools=(*TOOLS, TOOLS[0])), "tool id 'a' occurs 2 times"),
        (
            lambda: data(tools=(*TOOLS, Tool("d", " ", "\t"))),
            "tool d: has neither name nor description",
        ),
        (lambda: data(families={"f": ("a", "z")}), "family 'f': unknown tool 'z'"),
        (lambda: data(splits={"z": "train"}), "the split names unknown tool 'z'"),
        (
            lambda: data(splits={"a": "train", "b": "train"}),
            "tool 'c' is in no split, and others are",
        ),
    ],
)
def test_a_bad_catalogue_is_named(make: Callable[[], TrainingData], problem: str) -> None:
    with pytest.raises(DataError, match=r"^files\b") as error:
        make()
    assert problem in str(error.value)


def test_the_longest_query_and_a_query_in_any_script_are_taken() -> None:
    data(
        Pair("x" * MAX_QUERY_CHARACTERS, ("a",), PLACE),
        Pair("ファイルをコピー", ("a",), PLACE),
        Pair("7", ("b",), PLACE),
    )


def test_twins_and_families_are_no_wrong_answers() -> None:
    tools = (
        Tool("a", "get_user", "Returns a user."),
        Tool("b", "Get User", "returns a user"),  # the same text but for case and punctuation
        Tool("c", "get_user", "Returns a group."),
        Tool("d", "fetch_group", "Fetches a group."),
    )
    found = data(tools=tools, families={"group": ("c", "d")})
    assert {frozenset(group) for group in found.twins} == {
        frozenset("ab"),
        frozenset("c"),
        frozenset("d"),
    }
    assert found.alike == {
        "a": frozenset("ab"),
        "b": frozenset("ab"),
        "c": frozenset("cd"),
        "d": frozenset("cd"),
    }
    assert found.right(Pair("users", ("a",), PLACE)) == frozenset("ab")
    assert found.right(Pair("both", ("a", "d"), PLACE)) == frozenset("abcd")


def test_one_request_in_two_pairs_has_the_answers_of_both() -> None:
    """Upstream files differ in case and punctuation where the request is the same."""
    first = Pair("Copy my files!", ("a",), "rows.csv, line 1")
    second = Pair("copy my files", ("b",), "rows.csv, line 2", "paraphrase")
    found = data(first, second, Pair("list", ("c",), PLACE))
    assert found.right(first) == found.right(second) == frozenset("ab")


def test_rows_of_one_text_become_one_pair_with_the_place_of_the_first() -> None:
    pairs = pooled([("copy", "a", "1"), ("list", "c", "2"), ("copy", "b", "3"), ("copy", "a", "4")])
    assert pairs == (Pair("copy", ("a", "b"), "1"), Pair("list", ("c",), "2"))


def test_what_is_derived_follows_a_replaced_catalogue() -> None:
    """The guard replaces tools and pairs; nothing that was cached before may survive that."""
    whole = tiny()
    assert whole.right(whole.pairs[0])
    assert len(whole.by_id) == 16
    halved = replace(whole, tools=whole.tools[:8], pairs=whole.pairs[:4])
    assert len(halved.by_id) == 8
    assert halved.alike.keys() == halved.by_id.keys()
