"""ToolBench: StableToolBench's solvable requests over the real APIs they were written for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tool_bench.data.read import need, read_json
from tool_bench.dataset import ToolDataset, pool_golds
from tool_bench.errors import DataError
from tool_bench.query import Query, fold
from tool_bench.task import Files, Source, Task
from tool_bench.tool import Parameter, Tool

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


def tool_id(tool_name: str, api_name: str) -> str:
    """Return the id of an API: upstream's labels tell APIs apart by these two names alone."""
    return "/".join("_".join(name.split()) for name in (tool_name, api_name))


def build(files: Files) -> ToolDataset:
    """Build the union of the six groups: every API any request offers, every request."""
    tools: dict[str, Tool] = {}
    queries: list[Query] = []
    golds: dict[str, list[str]] = {}
    for group in GROUPS:
        path = files[path_of(group)]
        for where, row in _rows(path):
            offered = [_tool(api, path, where) for api in need(row, "api_list", list, path, where)]
            for tool in offered:
                tools.setdefault(tool.id, tool)
            query = Query(
                id=str(need(row, "query_id", int, path, where)),
                text=need(row, "query", str, path, where),
                kind=group,
            )
            queries.append(query)
            golds[query.id] = _golds(row, {tool.id for tool in offered}, path, where)
    pooled = pool_golds((query.text, golds[query.id]) for query in queries)
    return ToolDataset(
        name="ToolBench",
        tools=tuple(tools.values()),
        queries=tuple(queries),
        relevance={query.id: pooled[fold(query.text)] for query in queries},
    )


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise DataError(path, f"expected a list, found {type(rows).__name__}")
    for number, row in enumerate(rows):
        yield f"row {number}", row


def _golds(row: dict[str, Any], offered: set[str], path: Path, where: str) -> list[str]:
    ids = []
    for names in need(row, "relevant APIs", list, path, where):
        match names:
            case [str(tool_name), str(api_name)]:
                id_ = tool_id(tool_name, api_name)
            case _:
                raise DataError(path, f"relevant API {names!r} is not [tool, API]", where)
        if id_ not in offered:
            raise DataError(path, f"relevant API {names!r} is not in its api_list", where)
        ids.append(id_)
    return ids


def _tool(api: Any, path: Path, where: str) -> Tool:
    provider = need(api, "tool_name", str, path, where)
    name = need(api, "api_name", str, path, where)
    required = need(api, "required_parameters", list, path, where)
    optional = need(api, "optional_parameters", list, path, where)
    return Tool(
        id=tool_id(provider, name),
        name=f"{provider} {name}",
        description=need(api, "api_description", str, path, where),
        parameters=tuple(
            Parameter(
                name=str(need(parameter, "name", str, path, where)),
                type=str(parameter.get("type", "")),
                description=str(parameter.get("description") or ""),
                required=is_required,
            )
            for group, is_required in ((required, True), (optional, False))
            for parameter in group
        ),
        provider=provider,
        category=need(api, "category_name", str, path, where),
        raw=_verbatim(api, required, optional),
    )


def _verbatim(api: dict[str, Any], required: list[Any], optional: list[Any]) -> str:
    """Return the document string of ToolBench's own retriever (ToolLLM, section 3.1)."""
    return ", ".join(
        (
            str(api["category_name"]),
            str(api["tool_name"]),
            str(api["api_name"]),
            str(api["api_description"]),
            f"required_params: {json.dumps(required, ensure_ascii=False)}",
            f"optional_params: {json.dumps(optional, ensure_ascii=False)}",
            f"return_schema: {json.dumps(api.get('template_response', {}), ensure_ascii=False)}",
        )
    )


TASKS = (
    Task(
        name="ToolBench",
        description=(
            "StableToolBench's 765 solvable requests over the 2,479 RapidAPI endpoints that "
            "their candidate lists hold together; 2.35 right endpoints a request on average."
        ),
        reference="https://arxiv.org/abs/2403.07714",
        dataset={"path": REPOSITORY, "revision": REVISION},
        date=("2023-07-01", "2024-03-12"),
        domains=("Web", "Programming", "Written"),
        license="apache-2.0",
        annotations_creators="LM-generated",
        sample_creation="LM-generated and verified",
        bibtex_citation="""@inproceedings{guo2024stabletoolbench,
  author = {Guo, Zhicheng and Cheng, Sijie and Wang, Hao and Liang, Shihao and Qin, Yujia and
            Li, Peng and Liu, Zhiyuan and Sun, Maosong and Liu, Yang},
  title = {StableToolBench: Towards Stable Large-Scale Benchmarking on Tool Learning of Large
           Language Models},
  booktitle = {Findings of the Association for Computational Linguistics: ACL 2024},
  year = {2024},
}""",
        build=build,
        sources=SOURCES,
        tools=2_479,
        queries=765,
        providers=811,
        eval_langs=dict.fromkeys(("global", *GROUPS), ("eng-Latn",)),
        rules=(
            (
                "Upstream's labels name an endpoint by tool and API name, so endpoints that differ "
                "in category alone are one tool (11 of 2,490), described as where it occurs first."
            ),
            "One text stands under two query ids; both are evaluated with the golds of both.",
            (
                "The candidates are this union, not the 10,439 endpoints of ToolBench's own G1 "
                "index: scores are not comparable with those."
            ),
        ),
    ),
)
