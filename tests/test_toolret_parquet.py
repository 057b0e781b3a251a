"""ToolRet's own path: parquet files with JSON strings, fetched, read and checked."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import toolret_files
from toolret_files import QUERIES, QUERY_SCHEMA, TOOL_SCHEMA, TOOLS, hub_files, query, write

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError, UnavailableError
from tool_bench.task import Task

TASK = registry.tasks()["ToolRet"]
BUILD = importlib.import_module("tool_bench.tasks.toolret.build")


def declared(files: dict[str, Path], tools: int, queries: int) -> Task:
    """Return ToolRet as it would be declared if the hub held ``files``."""
    pinned = {
        path: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)
        for path, file in files.items()
    }
    subsets = [file.parent.name for path, file in files.items() if "Queries" in path]
    return replace(
        TASK,
        sources=tuple(
            replace(source, sha256=pinned[source.path][0], size=pinned[source.path][1])
            for source in TASK.sources
            if source.path in files
        ),
        tools=tools,
        queries=queries,
        eval_langs=dict.fromkeys(("global", *subsets), ("eng-Latn",)),
    )


def test_the_hubs_form_of_the_same_rows_gives_the_same_data(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = load(registry.tasks()["ToolRet4"])
    folder = mirror / "toolret-4" / "dataset" / "from_toolret"
    tools: dict[str, list[Any]] = {"web": [], "code": []}
    queries = {}
    for subset in ("apibank", "apigen", "gorilla-huggingface", "toolink"):
        rows = json.loads((folder / subset / "tools.json").read_text(encoding="utf-8"))
        tools[rows[0]["type"]] += rows
        queries[subset] = json.loads((folder / subset / "queries.json").read_text(encoding="utf-8"))
    files = hub_files(tmp_path / "mirror", tools, queries)
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(tmp_path / "cache"))
    read = load(declared(files, 6_417, 2_098))
    assert read == replace(copied, name="ToolRet")


def test_the_whole_path_from_a_mirror_to_a_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = {"apibank": QUERIES["songs"], "apigen": QUERIES["sky"], "toolink": QUERIES["sums"]}
    files = hub_files(tmp_path, TOOLS, renamed)
    task = declared(files, 4, 4)
    with pytest.raises(UnavailableError, match=r"web/tools-00000.*TOOL_BENCH_MIRROR"):
        load(task)
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path))
    data = load(task)
    assert [tool.id for tool in data.tools] == ["w1", "w2", "c1", "c2"]
    assert data.tools[0].raw == '{"name": "w1", "description": "tells the weather"}'
    assert data.counts["empty queries"] == 1
    assert data.relevance["s2"] == {"w1": 1, "w2": 1}  # one of its labels stands there twice
    assert {q.kind for q in data.queries} == {"apibank", "apigen", "toolink"}
    instructed = replace(task, build=partial(BUILD.build, name="ToolRet", instructions=True))
    assert load(instructed).queries[0].instruction == "Find tools for s1."


def test_equal_texts_keep_their_own_golds(tmp_path: Path) -> None:
    twice = {"songs": [query("s1", "play", "w1"), query("s2", "play", "w2")]}
    data: ToolDataset = BUILD.build(hub_files(tmp_path, TOOLS, twice), "Small", instructions=False)
    assert data.relevance == {"s1": {"w1": 1}, "s2": {"w2": 1}}


Change = Callable[[dict[str, Any]], None]


def labels(value: Any) -> Change:
    return lambda row: row.update(labels=value)


def label(**fields: Any) -> Change:
    return lambda row: row.update(labels=[{**row["labels"][0], **fields}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (labels("[{'id'"), "row 1: field 'labels' is not valid JSON: .* at character 2"),
        (labels('{"id": "w1"}'), "row 1: field 'labels' is dict, expected list"),
        (labels("[]"), "row 1: field 'labels' names no relevant tool"),
        (labels('["w1"]'), "row 1, label 0: expected an object, found str"),
        (label(id="w9"), "row 1, label 0: unknown tool 'w9'"),
        (label(id=4), "row 1, label 0: field 'id' is int, expected str"),
        (label(relevance="1"), "row 1, label 0: field 'relevance' is str, expected int"),
        (label(relevance=0), "row 1: field 'labels' names no relevant tool"),
        (lambda row: row.update(category="code"), "row 1: category 'code' in a sub-dataset of"),
        (lambda row: row.pop("query"), "row 1: field 'query' is NoneType, expected str"),
    ],
)
def test_an_unreadable_row_is_named(change: Change, message: str, tmp_path: Path) -> None:
    files = toolret_files.small_files(tmp_path)
    rows = [{**row} for row in QUERIES["songs"]]
    change(rows[1])
    path = next(file for file in files.values() if file.parent.name == "songs")
    write(path, rows, QUERY_SCHEMA)
    with pytest.raises(DataError, match=f"songs/queries-00000-of-00001.parquet, {message}"):
        BUILD.build(files, "Small", instructions=False)


def test_labels_below_one_are_no_golds(tmp_path: Path) -> None:
    row = query("s1", "play", "w1", "w2")
    row["labels"][0]["relevance"], row["labels"][1]["relevance"] = 0, 2
    files = hub_files(tmp_path, TOOLS, {"songs": [row]})
    assert BUILD.build(files, "Small", instructions=False).relevance == {"s1": {"w2": 2}}


@pytest.mark.parametrize(
    ("rows", "schema", "message"),
    [
        ([{"id": "w1"}], pa.schema([("id", pa.string())]), "column 'documentation' is missing"),
        (
            [{"id": "w1", "documentation": "{"}],
            TOOL_SCHEMA,
            "row 0: field 'documentation' is not valid JSON",
        ),
        ([TOOLS["code"][0]], TOOL_SCHEMA, "row 0: tool id 'c1' occurs twice"),
    ],
)
def test_an_unreadable_file_of_tools_is_named(
    rows: list[dict[str, Any]], schema: pa.Schema, message: str, tmp_path: Path
) -> None:
    files = hub_files(tmp_path, {"code": TOOLS["code"], "web": TOOLS["web"]}, QUERIES)
    path = next(file for file in files.values() if file.parent.name == "web")
    write(path, rows, schema)
    with pytest.raises(DataError, match=f"web/tools-00000-of-00001.parquet.*{message}"):
        BUILD.build(files, "Small", instructions=False)


@pytest.mark.parametrize("keep", [0, 4, 200])
def test_a_broken_parquet_file_is_named(keep: int, tmp_path: Path) -> None:
    files = toolret_files.small_files(tmp_path)
    path = next(iter(files.values()))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"tools-00000-of-00001.parquet: not a readable parquet"):
        BUILD.build(files, "Small", instructions=False)
