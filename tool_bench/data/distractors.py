"""ToolBench's tool library: 39,343 real APIs, as a catalogue and as distractors.

The two files are derived (see ``docs/decisions/0011-toolbench16k.md``), so no address offers them:
they come from a mirror alone.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tool_bench.data.lines import decoded, parsed
from tool_bench.data.read import need
from tool_bench.data.toolbench_api import api_tool, document
from tool_bench.errors import DataError
from tool_bench.query import letters
from tool_bench.task import Files, Source
from tool_bench.tool import Tool

_REVISION = "f3495f8-dcf36bf8"  # holi-lab/ToolDial and jvhoffbauer/syntax-constrained-decoding-…

OFFICIAL = Source(
    path="toolbench-catalogue/toolbench_official_apis.jsonl.gz",
    url=None,
    revision=_REVISION,
    sha256="b0db805a8e49ac3ac184977f375f5b73efd28b241e28001761c581b83b27a8d8",
    size=1_372_085,
    license="apache-2.0",
)
"""The 16,427 APIs of the 3,451 tools on ToolBench's own list."""
OTHERS = Source(
    path="toolbench-catalogue/toolbench_other_rapidapi_apis.jsonl.gz",
    url=None,
    revision=_REVISION,
    sha256="ab0c19857a99151377cd783769025982b4e3a0cfe31d6395f5acaa2b7b2b6e34",
    size=1_633_022,
    license="apache-2.0",
)
"""22,916 further APIs of RapidAPI."""
SOURCES: tuple[Source, ...] = (OFFICIAL, OTHERS)


def read_catalogue(files: Files) -> tuple[Tool, ...]:
    """Return all 39,343 APIs in one fixed order: by the sha256 of their ids, a fixed shuffle.

    Args:
        files: the verified files of :data:`SOURCES`.

    Raises:
        DataError: a row cannot be read, or an id occurs twice.
    """
    tools: dict[str, Tool] = {}
    for source in SOURCES:
        for tool in read_apis(files[source.path]):
            if tool.id in tools:
                raise DataError(files[source.path], f"the id '{tool.id}' occurs twice")
            tools[tool.id] = tool
    return tuple(sorted(tools.values(), key=lambda t: hashlib.sha256(t.id.encode()).hexdigest()))


def read_apis(path: Path) -> tuple[Tool, ...]:
    """Return the APIs of one catalogue file in its order.

    Raises:
        DataError: a row cannot be read.
    """
    return tuple(_tool(row, path, where) for where, row in _rows(path))


def endpoint(tool_name: str, api_name: str) -> str:
    """Return what two APIs share that are the same endpoint under another category or spelling.

    Copies of the library spell some names in small letters with underscores, so case and
    punctuation do not count.
    """
    return f"{letters(tool_name)}/{letters(api_name)}"


def endpoint_of(tool: Tool) -> str:
    """Return :func:`endpoint` of a tool of any ToolBench task or of this catalogue."""
    provider = tool.provider or ""
    return endpoint(provider, tool.name.removeprefix(provider))


def _tool(row: Any, path: Path, where: str) -> Tool:
    id_ = need(row, "id", str, path, where)
    api = {**row, "category_name": need(row, "category", str, path, where)}
    raw = document(api, no_schema={}, ascii_only=False)
    return api_tool(id_, api, raw, path, where)


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        with gzip.open(path, "rb") as file:
            for number, line in enumerate(decoded(file, path), start=1):
                yield f"line {number}", parsed(line, path, f"line {number}")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(path, f"cannot be read: {error}") from None
