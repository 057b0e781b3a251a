from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_bench.llm.catalogue import RESERVED, ApiCatalogues, ApiTools, api_names, input_schema
from tool_bench.llm.estimate import FOUND, OVERHEAD, PASSES, most_usd, size, tokens
from tool_bench.llm.request import MODEL, request
from tool_bench.pricing import model_price
from tool_bench.tool import Parameter, Tool

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def test_a_name_that_fits_is_kept_and_others_are_mapped() -> None:
    tools = [
        Tool(id="1", name="create_employee"),
        Tool(id="2", name="PDF&URLTool"),
        Tool(id="3", name="suivi-colis Health"),
        Tool(id="4", name="员工"),
        Tool(id="5", name="x" * 100),
        Tool(id="6", name=""),
    ]
    assert list(api_names(tools).values()) == [
        "create_employee",
        "PDF_URLTool",
        "suivi-colis_Health",
        "_",
        "x" * 64,
        "tool",
    ]


def test_twins_get_a_hash_of_their_id_and_reserved_names_too() -> None:
    twins = [Tool(id=id_, name=name) for id_, name in (("a", "get it"), ("b", "get_it"))]
    names = api_names([*twins, Tool(id="c", name="other"), Tool(id="d", name=min(RESERVED))])
    assert re.fullmatch(r"get_it_[0-9a-f]{8}", names["a"])
    assert re.fullmatch(r"get_it_[0-9a-f]{8}", names["b"])
    assert names["c"] == "other"
    assert names["d"] not in RESERVED
    assert api_names(twins) == {id_: names[id_] for id_ in "ab"}
    long = [Tool(id=str(i), name="x" * 70 + str(i)) for i in range(3)]
    assert all(NAME.fullmatch(name) for name in api_names(long).values())
    imitator = Tool(id="e", name=names["a"])
    assert len(set(api_names([*twins, imitator]).values())) == 3


@given(st.lists(st.tuples(st.integers(0, 20), st.text(max_size=70)), unique_by=lambda t: t[0]))
def test_names_go_there_and_back(tools: list[tuple[int, str]]) -> None:
    made = ApiTools([Tool(id=str(id_), name=name) for id_, name in tools])
    names = [param["name"] for param in made.params]
    assert all(NAME.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)
    assert made.ids(names) == sorted(str(id_) for id_, _ in tools)


def test_unknown_and_repeated_names_are_left_out() -> None:
    made = ApiTools([Tool(id="a", name="one"), Tool(id="b", name="two")])
    assert made.ids(["two", "three", "one", "two"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        ("STRING", "string"),
        ("NUMBER", "number"),
        ("int", "integer"),
        ("Boolean", "boolean"),
        ("list[str]", "array"),
        ("dict", "object"),
        ("DATE (YYYY-MM-DD)", "string"),
        ("ENUM", "string"),
        ("", "string"),
        ("员工", "string"),
    ],
)
def test_types_become_schema_types(upstream: str, expected: str) -> None:
    schema = input_schema([Parameter("p", upstream)])
    assert schema == {"type": "object", "properties": {"p": {"type": expected}}}


def test_parameter_names_become_keys() -> None:
    names = ["array[]", "array[]", "How to", "", "a.b-c", "x" * 80, "x" * 90]
    schema = input_schema([Parameter(name, required=True, description=" d ") for name in names])
    keys = list(schema["properties"])
    assert keys[:5] == ["array_", "array__2", "How_to", "parameter", "a.b-c"]
    assert keys[5:] == ["x" * 64, "x" * 62 + "_2"]
    assert all(KEY.fullmatch(key) for key in keys)
    assert schema["required"] == keys
    assert schema["properties"]["How_to"] == {"type": "string", "description": "d"}


def test_catalogues_are_made_once_and_are_equal_texts() -> None:
    tools = [Tool(id=id_, name=id_, description=f"does {id_}") for id_ in "cab"]
    catalogues = ApiCatalogues(tools)
    assert [param["name"] for param in catalogues.of(None).params] == ["a", "b", "c"]
    assert catalogues.of(None) is catalogues.of(None)
    assert catalogues.of(["b", "a", "?"]).params == ApiTools([tools[1], tools[2]]).params
    assert catalogues.of(()).params == []
    assert "description" not in ApiTools([Tool(id="x", name="x", description=" ")]).params[0]


def test_tokens_are_estimated_from_bytes() -> None:
    assert tokens("abc" * 10) == 10
    assert tokens("员" * 10) == 10
    assert tokens({"a": 1}) == round(len('{"a": 1}') / 3)


def test_the_most_that_a_request_costs() -> None:
    price = model_price(MODEL)
    plain = {**request("hello", 1_000), "tools": []}
    dollars = ((OVERHEAD + size(plain) / 2) * price.cache_write + 1_000 * price.output) / 1e6
    assert most_usd(plain, price) == pytest.approx(dollars)
    tool = {"name": "x" * 50, "input_schema": {"type": "object"}}
    few, many = (
        request("hello", 1_000, tools=[{"type": "t"}, *[{**tool, "defer_loading": True}] * n])
        for n in (FOUND * PASSES, 1_000)
    )
    assert most_usd(many, price) == pytest.approx(most_usd(few, price))
    assert most_usd(request("hello", 1_000, tools=[tool] * 1_000), price) > most_usd(many, price)
