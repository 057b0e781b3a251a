"""Files as ToolRet's hub repositories hold them, written from rows that a test makes or has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

TOOL_SCHEMA = pa.schema([("id", pa.string()), ("documentation", pa.string())])
QUERY_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "query", "instruction", "labels", "category")]
)


def as_on_the_hub(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``row`` with its objects and lists as JSON strings."""
    return {
        field: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for field, value in row.items()
    }


def write(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Path:
    """Write ``rows`` as a parquet file of ``schema``; fields that it does not name are left out."""
    kept = [{name: as_on_the_hub(row).get(name) for name in schema.names} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(kept, schema=schema), path)
    return path


def hub_files(
    folder: Path,
    tools: Mapping[str, Iterable[Mapping[str, Any]]],
    queries: Mapping[str, Iterable[Mapping[str, Any]]],
) -> dict[str, Path]:
    """Write a file per category of tools and per sub-dataset of queries, where the hub has them."""
    files = {}
    for kind, schema, parts in (("Tools", TOOL_SCHEMA, tools), ("Queries", QUERY_SCHEMA, queries)):
        for name, rows in parts.items():
            path = f"toolret/ToolRet-{kind}/{name}/{kind.lower()}-00000-of-00001.parquet"
            files[path] = write(folder / path, rows, schema)
    return files


def tool(id_: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "documentation": {"name": id_, **fields}}


def query(id_: str, text: str, *golds: str, category: str = "web") -> dict[str, Any]:
    labels = [{"id": gold, "doc": {"score": float("nan")}, "relevance": 1} for gold in golds]
    return {
        "id": id_,
        "query": text,
        "instruction": f"Find tools for {id_}.",
        "labels": labels,
        "category": category,
    }


TOOLS = {
    "web": [tool("w1", description="tells the weather"), tool("w2", description="plays songs")],
    "code": [tool("c1", description="adds numbers"), tool("c2")],
}
QUERIES = {
    "songs": [query("s1", "what plays songs", "w2"), query("s2", "", "w2", "w1", "w2")],
    "sky": [query("k1", "what tells the weather", "w1")],
    "sums": [query("a1", "what adds numbers", "c1", category="code")],
}


def small_files(folder: Path) -> dict[str, Path]:
    """Write four tools of two categories and four queries of three sub-datasets, one empty."""
    return hub_files(folder, TOOLS, QUERIES)
