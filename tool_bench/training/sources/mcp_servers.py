"""Real MCP servers, with requests for their tools that were written for training."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from tool_bench.data.lines import decoded, parsed
from tool_bench.data.read import need
from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Parameter, Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .pinned import Upstream
from .written import read_yaml

SERVERS = Upstream(None, "a1976dea7688c0f36533aa6e3a3fa4c27e017b4b", "mit").file(
    "toucan-mcp-servers/toucan_tools_dedup.jsonl.gz",
    "93455f7b2bd48bff1bccb77c979d54471c1e3f8a6c93bcbce7209a9fe0dcd6f4",
    917_556,
)
BOILERPLATE = "Deploy Server "
"""How the text of a registry's page begins where a crawler took it for a description."""


def build(files: Files) -> TrainingData:
    """Build the servers that have requests, all their tools, and the requests."""
    file = package_files("tool_bench.training") / "requests" / "mcp_servers.yaml"
    written = read_yaml(file)
    tools: dict[str, Tool] = {}
    for tool in _tools(files[SERVERS.path]):
        if tool.provider in written:
            tools.setdefault(tool.id, tool)
    return TrainingData(
        source=SOURCE.name,
        tools=tuple(tools.values()),
        pairs=pooled(_labels(file, written, tools)),
    )


def _labels(
    file: Traversable, written: Mapping[str, Any], tools: Mapping[str, Tool]
) -> Iterator[tuple[str, str, str]]:
    for server, by_tool in written.items():
        if not isinstance(by_tool, Mapping):
            raise DataError(file, "expected tools and their requests", f"server '{server}'")
        for name, texts in by_tool.items():
            where = f"server '{server}', tool '{name}'"
            id_ = f"{server}/{name}"
            if id_ not in tools:
                raise DataError(file, "the server has no such tool", where)
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise DataError(file, "expected a list of requests", where)
            yield from ((text, id_, f"{file.name}, {where}") for text in texts)


def _tools(path: Path) -> Iterator[Tool]:
    """Yield the tools of all servers in the file's order."""
    try:
        with gzip.open(path) as stream:
            for number, line in enumerate(decoded(stream, path), start=1):
                where = f"line {number}"
                yield _tool(parsed(line, path, where), path, where)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(path, f"cannot be unpacked: {error}") from None


def _tool(row: Any, path: Path, where: str) -> Tool:
    server = need(row, "file", str, path, where)
    server = server.removeprefix("mcp_servers/").removesuffix(".json").removesuffix("_labeled")
    name = need(row, "name", str, path, where)
    description = " ".join(need(row, "description", str, path, where).split())
    return Tool(
        id="".join(f"{server}/{name}".split()),
        name=name,
        description="" if description.startswith(BOILERPLATE) else description,
        parameters=tuple(
            Parameter(
                name=str(need(each, "name", str, path, where)),
                type=str(each.get("type") or ""),
                description=str(each.get("description") or ""),
            )
            for each in need(row, "parameters", list, path, where)
        ),
        provider=server,
        category=need(row, "category", str, path, where),
    )


SOURCE = TrainingSource(
    name="mcp-servers",
    description="Two requests for each of some 2,400 tools of 366 MCP servers. The tools are as "
    "their authors published them; the requests were written for this project by language models.",
    reference="https://github.com/TheAgentArk/Toucan",
    license="mit",
    build=build,
    sources=(SERVERS,),
)
