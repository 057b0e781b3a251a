"""ToolRet: what the data holds, and how a tool is read from its documentation."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import toolret_files

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.evaluate import search_scope
from tool_bench.measures import score
from tool_bench.query import Query
from tool_bench.tool import Parameter, render

registry.tasks()
BUILD = importlib.import_module("tool_bench.tasks.toolret.build")
DOCUMENTS = importlib.import_module("tool_bench.tasks.toolret.documents")
SOURCES = importlib.import_module("tool_bench.tasks.toolret.sources")


@pytest.fixture
def small(tmp_path: Path) -> ToolDataset:
    files = toolret_files.small_files(tmp_path)
    built: ToolDataset = BUILD.build(files, "Small", instructions=False)
    return built


@pytest.mark.parametrize("task", ["ToolRet4"])
def test_toolret4_is_what_it_says(task: str, dataset: ToolDataset) -> None:
    assert dataset.counts == {
        "tools": 6_417,
        "queries": 2_098,
        "relevant pairs": 3_020,
        "queries with several golds": 689,
        "empty queries": 0,
        "repeated queries": 0,
        "tools without description": 0,
        "usage examples": 0,
    }
    sizes = {name: len(ids) for name, ids in dataset.slices.items()}
    assert sizes == {
        "all": 2_098,
        "apibank": 101,
        "apigen": 1_000,
        "gorilla-huggingface": 500,
        "toolink": 497,
    }
    assert all(query.instruction is None for query in dataset.queries)
    assert not dataset.tools_of_provider


@pytest.mark.parametrize("task", ["ToolRet4Instruction"])
def test_instructions_are_all_that_differs(task: str, dataset: ToolDataset) -> None:
    plain = load(registry.tasks()["ToolRet4"])
    assert all(query.instruction for query in dataset.queries)
    stripped = tuple(replace(query, instruction=None) for query in dataset.queries)
    assert replace(dataset, name="ToolRet4", queries=stripped) == plain


@pytest.mark.parametrize("task", ["ToolRet4"])
def test_names_descriptions_and_parameters_are_upstreams(task: str, dataset: ToolDataset) -> None:
    tools = {tool.id: tool for tool in dataset.tools}
    bank = tools["apibank_tool_0"]
    assert bank.name == "GetUserToken"
    assert [(p.name, p.type) for p in bank.parameters] == [("username", "str"), ("password", "str")]
    assert bank.parameters[0].description == "The username of the user."
    gen = tools["apigen_tool_0"]
    assert gen.parameters[0].name == "type"
    assert gen.parameters[0].type == "str"
    gorilla = tools["gorilla_huggingface_tool_0"]
    assert gorilla.name == "YituTech/conv-bert-base"
    assert gorilla.description.startswith("A pre-trained ConvBERT model")
    link = tools["toolink_tool_0"]
    assert (link.name, link.parameters) == ("multiply_fractions", ())
    assert {tool.name for tool in dataset.tools if tool.name == tool.id} <= {
        tool.id for tool in dataset.tools if not json.loads(tool.raw or "")["name"]
    }


@pytest.mark.parametrize("task", ["ToolRet4"])
def test_the_document_string_is_the_documentation(
    task: str, dataset: ToolDataset, mirror: Path
) -> None:
    folder = mirror / "toolret-4" / SOURCES.COPY_FOLDER
    rows = [
        row
        for subset in SOURCES.COPIED_SUBSETS
        for row in json.loads((folder / subset / "tools.json").read_text(encoding="utf-8"))
    ]
    assert [(tool.id, json.loads(tool.raw or "")) for tool in dataset.tools] == [
        (row["id"], row["documentation"]) for row in rows
    ]
    assert "获取信息" in "".join(tool.raw or "" for tool in dataset.tools)


@pytest.mark.parametrize("task", ["ToolRet4"])
def test_the_headline_is_the_mean_of_category_means(task: str, dataset: ToolDataset) -> None:
    ones = {q.id: float(q.kind == "apibank") for q in dataset.queries}
    weights = dataset.weights("category macro")
    assert sum(weights[q] * value for q, value in ones.items()) == pytest.approx(0.25)
    assert dataset.averages["web"] == {"apibank": 0.5, "apigen": 0.5}
    assert dataset.averages["code"] == {"gorilla-huggingface": 0.5, "toolink": 0.5}
    assert registry.tasks()[task].headline == "category macro"


def test_categories_count_the_same_however_many_sub_datasets_they_have(small: ToolDataset) -> None:
    assert small.averages == {
        "category macro": {"songs": 0.25, "sky": 0.25, "sums": 0.5},
        "web": {"songs": 0.5, "sky": 0.5},
        "code": {"sums": 1.0},
    }


def test_the_declarations_name_every_file_once() -> None:
    tasks = registry.tasks()
    paths = [source.path for source in tasks["ToolRet"].sources]
    assert len(paths) == len(set(paths)) == 38
    assert tasks["ToolRet"].sources == tasks["ToolRetInstruction"].sources
    subsets = [s for s in tasks["ToolRet"].eval_langs if s != "global"]
    assert len(subsets) == 35
    for task in ("ToolRet4", "ToolRet4Instruction"):
        assert "comparable" in tasks[task].description
    mteb = importlib.import_module("mteb.tasks.retrieval.eng.tool_retrieval")
    assert set(subsets) == set(mteb.ToolRetrieval.metadata.eval_langs)
    for source in tasks["ToolRet"].sources:
        assert re.fullmatch(
            r"https://huggingface.co/datasets/mangopy/ToolRet-(Tools|Queries)/resolve/[0-9a-f]{40}/"
            r"[\w-]+/(tools|queries)-00000-of-00001.parquet",
            source.url or "",
        )


@pytest.mark.parametrize("task", ["ToolRet4"])
def test_only_the_redacted_file_lacks_an_address(task: str, mirror: Path) -> None:
    sources = registry.tasks()[task].sources
    assert [s.path for s in sources if s.url is None] == [SOURCES.copied_path("apigen/tools")]
    for source in sources:
        data = (mirror / source.path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (source.sha256, source.size)


SHAPES: list[tuple[dict[str, Any], list[Parameter]]] = [
    ({}, []),
    ({"parameters": None}, []),
    ({"parameters": "(image: str)"}, []),
    ({"parameters": ["a", 3]}, []),
    (
        {"parameters": {"city": {"description": "Where", "type": "str", "default": "Oslo"}}},
        [Parameter("city", "str", "Where")],
    ),
    (
        {"parameters": {"type": "object", "properties": {"x": {"type": "int"}}, "required": ["x"]}},
        [Parameter("x", "int", required=True)],
    ),
    (
        {"parameters": {"type": {"type": "str"}, "properties": {"type": "list"}}},
        [Parameter("type", "str"), Parameter("properties", "list")],
    ),
    (
        {"parameters": [{"name": "u", "schema": {"type": "str"}, "required": True}]},
        [Parameter("u", "str", required=True)],
    ),
    (
        {
            "required_parameters": [{"name": "a", "type": "STRING", "description": "A"}],
            "optional_parameters": [{"name": "b", "type": 7}, {"name": "a"}],
        },
        [Parameter("a", "STRING", "A", required=True), Parameter("b")],
    ),
    (
        {"additional_required_arguments": {"where_to (str)": "The city", "n ()": None}},
        [Parameter("where_to", "str", "The city", required=True), Parameter("n", required=True)],
    ),
]


@pytest.mark.parametrize(("fields", "expected"), SHAPES, ids=lambda value: str(value)[:40])
def test_parameters_are_read_where_their_shape_is_known(
    fields: dict[str, Any], expected: list[Parameter]
) -> None:
    assert list(DOCUMENTS.tool_of("t", fields, "{}").parameters) == expected


@pytest.mark.parametrize("documentation", [None, [], "a text", 3, {"name": ["x"]}, {"name": " "}])
def test_no_documentation_is_too_odd_for_a_tool(documentation: Any) -> None:
    tool = DOCUMENTS.tool_of("t_1", documentation, "as it is")
    assert (tool.id, tool.name, tool.description, tool.raw) == ("t_1", "t_1", "", "as it is")
    assert render(tool, "name-description") == "t_1"


def test_other_fields_describe_a_tool_that_has_no_description() -> None:
    fields = {"name": "n", "description": None, "func_description": "What it does"}
    assert DOCUMENTS.tool_of("t", fields, "").description == "What it does"


METHODS = ["bm25", "bm25s-verbatim", "bm25f", "tfidf", "stackone-sdk", "minilm-verbatim", "rrf"]


@pytest.mark.parametrize("instruction", [None, "Find tools for songs."])
@pytest.mark.parametrize("name", METHODS)
def test_an_empty_query_breaks_no_method(
    name: str, instruction: str | None, small: ToolDataset
) -> None:
    method = registry.baselines()[name]
    asked = tuple(replace(query, instruction=instruction) for query in small.queries)
    data = replace(small, queries=asked)
    retriever = method.load()
    retriever.index(data.tools, {})
    run = search_scope(retriever, data, "global")
    assert set(run) == {"s1", "s2", "k1", "a1"}
    scores = score(run, data.relevance)["Hit@10"]
    assert len(scores) == 4
    assert sum(scores.values()) >= 3  # all that were asked something


def test_words_and_prompts_are_told_an_instruction_differently() -> None:
    query = Query(id="q", text="play a song", instruction="Find music tools.")
    assert query.joined == "Find music tools. play a song"
    assert query.instructed == "Instruct: Find music tools.\nQuery: play a song"
    bare = replace(query, instruction=None)
    assert bare.joined == bare.instructed == "play a song"
