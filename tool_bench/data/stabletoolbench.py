"""StableToolBench's requests, which several tasks ask over different catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_bench.data.read import need, read_json
from tool_bench.data.toolbench_api import api_tool, document
from tool_bench.errors import DataError
from tool_bench.query import Query
from tool_bench.task import Files, Source
from tool_bench.tool import Tool

REPOSITORY = "THUNLP-MT/StableToolBench"
REVISION = "aa4ed9f4737ad98bd706663f01d63623c3427812"
FOLDER = "solvable_queries/test_instruction"

GROUPS = {
    "G1_category": (
        "123cb9073c8b6e6473df91c8a51170277087e1c263eba2eb6077170edbe849c3",
        779_243,
    ),
    "G1_instruction": (
        "500aa0105ed451538448f6ea04f10661536b013f3e1a293840fe401688160e7c",
        1_199_749,
    ),
    "G1_tool": (
        "05d0c180bbec9d060fd267cc79399bda05beddd0a6d0de68b5488926a9029a1a",
        1_266_963,
    ),
    "G2_category": (
        "71e18112f7940934f159d623b1c2b4740b1b4dc58a0b596c63b8151abbf8267e",
        865_527,
    ),
    "G2_instruction": (
        "82d569cd0fc8fc742a15a3011fb5cd6a8b11e0a5b344c884602347439f43cad7",
        903_088,
    ),
    "G3_instruction": (
        "f923d1a9452646bd1a415b266117d90675d0f8fc04cf014db58d3cd78c25634f",
        858_650,
    ),
}
"""Group -> (sha256, bytes) of its file."""

BIBTEX = """@inproceedings{guo2024stabletoolbench,
  author = {Guo, Zhicheng and Cheng, Sijie and Wang, Hao and Liang, Shihao and Qin, Yujia and
            Li, Peng and Liu, Zhiyuan and Sun, Maosong and Liu, Yang},
  title = {StableToolBench: Towards Stable Large-Scale Benchmarking on Tool Learning of Large
           Language Models},
  booktitle = {Findings of the Association for Computational Linguistics: ACL 2024},
  year = {2024},
}"""


def path_of(group: str) -> str:
    """Return the source path of a group's file."""
    return f"stabletoolbench/{FOLDER}/{group}.json"


SOURCES = tuple(
    Source(
        path=path_of(group),
        url=f"https://raw.githubusercontent.com/{REPOSITORY}/{REVISION}/{FOLDER}/{group}.json",
        revision=REVISION,
        sha256=sha256,
        size=size,
        license="apache-2.0",
    )
    for group, (sha256, size) in GROUPS.items()
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with what upstream offers and labels."""

    query: Query
    """Its kind is its group."""
    offered: tuple[Tool, ...]
    """The APIs of its candidate list; ids are those of :func:`tool_id`."""
    golds: tuple[tuple[str, str], ...]
    """(tool name, API name) of the right ones; each is among those offered."""


def tool_id(tool_name: str, api_name: str) -> str:
    """Return the id of an API: upstream's labels tell APIs apart by these two names alone."""
    return "/".join("_".join(name.split()) for name in (tool_name, api_name))


def read_requests(files: Files) -> Iterator[Request]:
    """Yield every request of the six groups, in upstream's order.

    Args:
        files: the verified files of :data:`SOURCES`.

    Raises:
        DataError: a row cannot be read, or a label is not in its candidate list.
    """
    for group in GROUPS:
        path = files[path_of(group)]
        for where, row in _rows(path):
            offered = tuple(
                _tool(api, path, where) for api in need(row, "api_list", list, path, where)
            )
            query = Query(
                id=str(need(row, "query_id", int, path, where)),
                text=need(row, "query", str, path, where),
                kind=group,
            )
            ids = {tool.id for tool in offered}
            yield Request(query, offered, tuple(_golds(row, ids, path, where)))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise DataError(path, f"expected a list, found {type(rows).__name__}")
    for number, row in enumerate(rows):
        yield f"row {number}", row


def _golds(
    row: dict[str, Any], offered: set[str], path: Path, where: str
) -> Iterator[tuple[str, str]]:
    for names in need(row, "relevant APIs", list, path, where):
        match names:
            case [str(tool_name), str(api_name)] if tool_id(tool_name, api_name) in offered:
                yield tool_name, api_name
            case [str(), str()]:
                raise DataError(path, f"relevant API {names!r} is not in its api_list", where)
            case _:
                raise DataError(path, f"relevant API {names!r} is not [tool, API]", where)


def _tool(api: Any, path: Path, where: str) -> Tool:
    id_ = tool_id(*(need(api, name, str, path, where) for name in ("tool_name", "api_name")))
    return api_tool(id_, api, document(api, no_schema={}, ascii_only=False), path, where)
