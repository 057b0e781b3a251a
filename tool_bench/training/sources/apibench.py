"""APIBench's TorchHub and TensorFlow Hub parts (Patil et al. 2023, arXiv 2305.15334)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tool_bench.data.lines import json_rows
from tool_bench.data.read import need
from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .pinned import Upstream

_UPSTREAM = Upstream(
    "ShishirPatil/gorilla", "6ea57973c7a6097fd7c5915698c54c17c5b1b6c8", "apache-2.0"
)
_FILES = tuple(
    _UPSTREAM.file(path, sha256, size)
    for path, sha256, size in (
        (
            "gorilla-apibench/data/apibench/torchhub_train.json",
            "02256a7d21cd4531514466ba624c075d0d11c5e4eb7746b99208b9c25c6cb30d",
            1_765_828,
        ),
        (
            "gorilla-apibench/data/apibench/torchhub_eval.json",
            "e575eec9289ee46a577b80ee3065111dd8accf4e6145d6ad5fd919879a79efe9",
            388_690,
        ),
        (
            "gorilla-apibench/data/apibench/tensorflow_eval.json",
            "14fd83b6e1fb61ccb43609483a13b658cc31bd55bd5e118bc19067ab73164f0a",
            1_428_974,
        ),
    )
)
_INSTRUCTION = re.compile(
    r"[\"']?Instruction[\"']?: *(.+?)(?:\\n|\n|,? *[\"']Output[\"']|###|$)", re.DOTALL
)


def build(files: Files) -> TrainingData:
    """Build one tool an API call; the rows of the corpus carry the API's record."""
    tools: dict[str, Tool] = {}
    labels: list[tuple[str, str, str]] = []
    for source in _FILES:
        path = files[source.path]
        for text, tool, where in _rows(path):
            tools.setdefault(tool.id, tool)
            labels.append((text, tool.id, f"{source.path}, {where}"))
    return TrainingData(source=SOURCE.name, tools=tuple(tools.values()), pairs=pooled(labels))


def _rows(path: Path) -> Iterator[tuple[str, Tool, str]]:
    """Yield (instruction, tool, place) of each row."""
    for where, row in json_rows(path):
        api = need(row, "api_data", dict, path, where)
        call = need(row, "api_call", str, path, where)
        found = _INSTRUCTION.search(need(row, "code", str, path, where))
        if found is None:
            raise DataError(path, "field 'code' holds no instruction", where)
        yield (
            found.group(1).strip().strip("\"'"),
            Tool(
                id="".join(call.split()),
                name=need(api, "api_name", str, path, where),
                description=" ".join(
                    need(api, field, str, path, where) for field in ("functionality", "description")
                ),
                category=need(api, "domain", str, path, where),
            ),
            where,
        )


SOURCE = TrainingSource(
    name="apibench",
    description="Instructions, written by language models, for models of TorchHub and TF Hub.",
    reference="https://arxiv.org/abs/2305.15334",
    license="apache-2.0",
    build=build,
    sources=_FILES,
)
