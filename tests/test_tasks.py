from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.data.stabletoolbench import GROUPS, path_of
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError
from tool_bench.query import fold, letters

registry.tasks()
METATOOL = importlib.import_module("tool_bench.tasks.metatool")
TOOLBENCH = importlib.import_module("tool_bench.tasks.toolbench.union")


def real(name: str) -> ToolDataset:
    return load(registry.tasks()[name])


@pytest.mark.usefixtures("mirror")
def test_metatool_is_what_it_says() -> None:
    data = real("MetaTool")
    assert data.counts == {
        "tools": 199,
        "queries": 2_000,
        "relevant pairs": 2_000,
        "queries with several golds": 0,
        "empty queries": 0,
        "repeated queries": 0,
        "tools without description": 0,
        "usage examples": 18_549,
    }


def test_the_committed_rows_are_the_stated_draw(mirror: Path) -> None:
    tools = METATOOL.read_tools(mirror / METATOOL.TOOLS)
    rows = METATOOL.read_rows(mirror / METATOOL.SINGLE, {tool.id for tool in tools})
    first = METATOOL.first_rows(rows)
    assert len(rows) == 20_614
    assert len(first) == 20_550
    assert METATOOL.draw(first) == METATOOL.evaluation_rows()
    golds: dict[str, set[str]] = {}
    for text, tool in rows:
        golds.setdefault(fold(text), set()).add(tool)
    assert sum(len(own) > 1 for own in golds.values()) == 12


@pytest.mark.usefixtures("mirror")
def test_no_evaluation_query_is_in_the_training_split() -> None:
    data = real("MetaTool")
    evaluated = {letters(query.text) for query in data.queries}
    evaluated |= {letters(query.text) for query in real("MetaToolMulti").queries}
    trained = {letters(text) for texts in data.examples.values() for text in texts}
    assert not evaluated & trained
    assert set(data.examples) == {tool.id for tool in data.tools}


@pytest.mark.usefixtures("mirror")
def test_metatool_multi_has_two_golds_each() -> None:
    data = real("MetaToolMulti")
    assert {len(golds) for golds in data.relevance.values()} == {2}
    assert len({tool for golds in data.relevance.values() for tool in golds}) == 15
    assert not data.examples


@pytest.mark.usefixtures("mirror")
def test_toolbench_is_what_it_says() -> None:
    data = real("ToolBench")
    assert data.counts["tools"] == 2_479
    assert data.counts["queries"] == 765
    assert data.counts["repeated queries"] == 1
    assert data.counts["relevant pairs"] / 765 == pytest.approx(2.35, abs=0.005)
    assert {name: len(ids) for name, ids in data.slices.items()} == {
        "all": 765,
        "G1_category": 153,
        "G1_instruction": 163,
        "G1_tool": 158,
        "G2_category": 124,
        "G2_instruction": 106,
        "G3_instruction": 61,
    }


def metatool_files(tmp_path: Path, rows: list[list[str]]) -> dict[str, Path]:
    tools, single = tmp_path / "plugin_des.json", tmp_path / "all_clean_data.csv"
    tools.write_text(json.dumps({"A": "does a", "B": "does b"}))
    with single.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["Query", "Tool"], *rows])
    return {METATOOL.TOOLS: tools, METATOOL.SINGLE: single}


def test_metatool_keeps_every_gold_of_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [["Do  it", "A"], ["do IT", "B"], ["do that", "B"], ["Do that!", "B"], ["do it?", "A"]]
    monkeypatch.setattr(METATOOL, "evaluation_rows", lambda: [0])
    data = METATOOL.build_single(metatool_files(tmp_path, rows))
    assert data.relevance == {"row0": {"A": 1, "B": 1}}
    assert data.examples == {"B": ("do that",)}


def test_the_draw_ignores_the_order_of_rows() -> None:
    texts = {f"text {n}": n for n in range(5_000)}
    drawn = METATOOL.draw(texts)
    assert len(set(drawn)) == 2_000
    assert drawn == METATOOL.draw(dict(reversed(texts.items()))) == sorted(drawn)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["do it", "Z"], "row 1: unknown tool 'Z'"),
        (["  ", "A"], "row 1: the query is empty"),
        (["do it"], r"row 1 \(line 3\): 1 cells, expected 2"),
    ],
)
def test_an_unreadable_metatool_row_is_named(tmp_path: Path, row: list[str], message: str) -> None:
    with pytest.raises(DataError, match=f"all_clean_data.csv, {message}"):
        METATOOL.build_single(metatool_files(tmp_path, [["fine", "A"], row]))


def api(tool: str, name: str, category: str = "Weather") -> dict[str, Any]:
    return {
        "category_name": category,
        "tool_name": tool,
        "api_name": name,
        "api_description": f"{name} of {tool}",
        "required_parameters": [{"name": "city", "type": "STRING", "description": "Where"}],
        "optional_parameters": [{"name": "days", "type": "NUMBER", "description": None}],
        "method": "GET",
    }


def request(number: int, text: str, golds: list[list[str]]) -> dict[str, Any]:
    apis = [api("Sky", "Get Rain"), api("Sky", "Get Sun"), api("Sky", "Get Rain", "Other")]
    return {"query_id": number, "query": text, "api_list": apis, "relevant APIs": golds}


def toolbench_files(tmp_path: Path, first: object) -> dict[str, Path]:
    files = {}
    for number, group in enumerate(GROUPS):
        path = files[path_of(group)] = tmp_path / f"{group}.json"
        rows = first if number == 0 else [request(number, f"rain {number}?", [["Sky", "Get Rain"]])]
        path.write_text(json.dumps(rows), encoding="utf-8")
    return files


def test_toolbench_merges_by_two_names_and_pools_repeated_queries(tmp_path: Path) -> None:
    first = [
        request(100, "Rain?", [["Sky", "Get Rain"]]),
        request(101, "rain? ", [["Sky", "Get Sun"]]),
    ]
    data = TOOLBENCH.build(toolbench_files(tmp_path, first))
    assert [tool.id for tool in data.tools] == ["Sky/Get_Rain", "Sky/Get_Sun"]
    assert data.tools[0].category == "Weather"
    assert [(p.name, p.required) for p in data.tools[0].parameters] == [
        ("city", True),
        ("days", False),
    ]
    both = {"Sky/Get_Rain": 1, "Sky/Get_Sun": 1}
    assert data.relevance["100"] == data.relevance["101"] == both
    assert data.queries[0].kind == "G1_category"
    assert data.tools[0].raw == (
        "Weather, Sky, Get Rain, Get Rain of Sky, "
        'required_params: [{"name": "city", "type": "STRING", "description": "Where"}], '
        'optional_params: [{"name": "days", "type": "NUMBER", "description": null}], '
        "return_schema: {}"
    )


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ({}, "expected a list, found dict"),
        ([{"query": "x"}], "row 0: field 'api_list' is missing"),
        ([request(1, "x", [["Sky", "Nope"]])], "row 0: relevant API .* is not in its api_list"),
        ([request(1, "x", [["Sky"]])], r"row 0: relevant API \['Sky'\] is not \[tool, API\]"),
        ([{**request(1, "x", []), "query_id": "1"}], "'query_id' is str, expected int"),
    ],
)
def test_an_unreadable_toolbench_row_is_named(tmp_path: Path, first: object, message: str) -> None:
    with pytest.raises(DataError, match=f"G1_category.json.*{message}"):
        TOOLBENCH.build(toolbench_files(tmp_path, first))
