"""Software products with near-alike actions, and requests for each; all written for training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from typing import Any

from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .written import read_yaml

SUFFIX = ".yaml"


def build(_: Files) -> TrainingData:
    """Build every product of the package."""
    return products(package_files("tool_bench.training") / "products")


def products(folder: Traversable) -> TrainingData:
    """Build the products of ``folder``.

    Args:
        folder: one YAML file a product, named by it: ``category``, and ``tools`` that each have
            ``name``, ``description`` and ``requests``.

    Raises:
        DataError: a file cannot be read, or a field is not what it must be.
    """
    tools: list[Tool] = []
    labels: list[tuple[str, str, str]] = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(SUFFIX):
            continue
        written = read_yaml(file)
        for tool, requests in _tools(file, written):
            tools.append(tool)
            labels += [(text, tool.id, f"{file.name}, tool '{tool.id}'") for text in requests]
    return TrainingData(source=SOURCE.name, tools=tuple(tools), pairs=pooled(labels))


def _tools(file: Traversable, written: Mapping[str, Any]) -> Iterator[tuple[Tool, list[str]]]:
    category = _text(file, written, "category", "the product")
    rows = written.get("tools")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise DataError(file, "field 'tools' must be a list of objects")
    for number, row in enumerate(rows):
        where = f"tool {number}"
        requests = row.get("requests")
        if not isinstance(requests, list) or not all(isinstance(text, str) for text in requests):
            raise DataError(file, "field 'requests' must be a list of texts", where)
        name = _text(file, row, "name", where)
        tool = Tool(
            id=name,
            name=name,
            description=_text(file, row, "description", where),
            provider=file.name.removesuffix(SUFFIX),
            category=category,
        )
        yield tool, requests


def _text(file: Traversable, row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DataError(file, f"field '{name}' must be a text", where)
    return value


SOURCE = TrainingSource(
    name="products",
    description="Fourteen tools of each of 40 software products, from kitchens to clusters, with "
    "six requests each; written for this project by language models.",
    reference="https://www.stackone.com/blog/autoresearch-charged-action-search",
    license="apache-2.0",
    build=build,
)
