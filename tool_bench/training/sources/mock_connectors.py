"""mock-connectors' examples, paraphrases of each, and situations that call for each tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from typing import Any

from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.source import TrainingSource

from .from_task import build
from .written import read_yaml

PARAPHRASES = 3
SITUATIONS = 4


def build_mock_connectors(_: Files) -> TrainingData:
    """Build the examples of the train and validation connectors, and what was written beside."""
    data = build(SOURCE.name, "MockConnectors")
    here = package_files("tool_bench.training")
    reworded = paraphrases(data, here / "paraphrases")
    return replace(data, pairs=(*data.pairs, *reworded, *situations(data, here / "situations")))


def paraphrases(data: TrainingData, folder: Traversable) -> Iterator[Pair]:
    """Yield the paraphrases of every example, connector by connector.

    Args:
        data: the examples.
        folder: one YAML file a connector: tool -> a list of ``of`` (an example) and ``says``
            (its paraphrases).

    Raises:
        DataError: a file is missing or unreadable, an example has no paraphrases or the wrong
            number, or a paraphrase belongs to no example.
    """
    for file, id_, texts, rows in _by_tool(data, folder):
        yield from _reworded(file, id_, texts, rows)


def situations(data: TrainingData, folder: Traversable) -> Iterator[Pair]:
    """Yield requests that tell what happened and leave it to the reader what to do.

    Args:
        data: the examples; every tool that has some has situations.
        folder: one YAML file a connector: tool -> its requests.

    Raises:
        DataError: a file is missing or unreadable, or a tool is unknown or has not
            :data:`SITUATIONS` texts.
    """
    for file, id_, _, rows in _by_tool(data, folder):
        for text in _texts(file, f"tool '{id_}'", rows, SITUATIONS, "must be"):
            yield Pair(query=text, tools=(id_,), where=f"{file.name}, tool '{id_}'")


def _by_tool(
    data: TrainingData, folder: Traversable
) -> Iterator[tuple[Traversable, str, list[str], Any]]:
    """Yield the file, id and examples of each tool, and what its connector's file says of it."""
    examples: dict[str, dict[str, list[str]]] = {}
    for pair in data.pairs:
        for id_ in pair.tools:
            connector = data.by_id[id_].provider or ""
            examples.setdefault(connector, {}).setdefault(id_, []).append(pair.query)
    for connector, by_tool in examples.items():
        file = folder / f"{connector}.yaml"
        written = read_yaml(file)
        for id_ in sorted(set(written) - set(by_tool)):
            raise DataError(file, "is no tool with examples", f"tool '{id_}'")
        for id_, texts in by_tool.items():
            yield file, id_, texts, written.get(id_, [])


def _reworded(file: Traversable, id_: str, texts: list[str], rows: Any) -> Iterator[Pair]:
    if not isinstance(rows, list) or [_field(row, "of") for row in rows] != texts:
        problem = f"field 'of' must be its {len(texts)} examples, word for word and in order"
        raise DataError(file, problem, f"tool '{id_}'")
    for number, row in enumerate(rows):
        where = f"{file.name}, tool '{id_}', row {number}"
        for text in _texts(file, where, _field(row, "says"), PARAPHRASES, "field 'says' must be"):
            yield Pair(query=text, tools=(id_,), where=where, kind="paraphrase")


def _texts(file: Traversable, where: str, rows: Any, count: int, must: str) -> list[str]:
    if not isinstance(rows, list) or len(rows) != count:
        raise DataError(file, f"{must} a list of {count} texts", where)
    for text in rows:
        if not isinstance(text, str):
            raise DataError(file, f"{must} texts; {text!r} is none", where)
    return rows


def _field(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else None


SOURCE = TrainingSource(
    name="mock-connectors",
    description="Three example requests a tool of 49 SaaS products, three paraphrases of each, and "
    "four requests more that tell a situation; those of ten more products are for validation.",
    reference="https://www.stackone.com/blog/autoresearch-charged-action-search",
    license="apache-2.0",
    build=build_mock_connectors,
    task="MockConnectors",
)
