"""mock-connectors' examples, and paraphrases of each that were written for training."""

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

FOLDER = "paraphrases"
PARAPHRASES = 3


def build_mock_connectors(_: Files) -> TrainingData:
    """Build the examples of the train and validation connectors, with their paraphrases."""
    data = build(SOURCE.name, "MockConnectors")
    folder = package_files("tool_bench.training") / FOLDER
    return replace(data, pairs=(*data.pairs, *paraphrases(data, folder)))


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
            yield from _of_tool(file, id_, texts, written.get(id_, []))


def _of_tool(file: Traversable, id_: str, texts: list[str], rows: Any) -> Iterator[Pair]:
    if not isinstance(rows, list) or [_field(row, "of") for row in rows] != texts:
        problem = f"field 'of' must be its {len(texts)} examples, word for word and in order"
        raise DataError(file, problem, f"tool '{id_}'")
    for number, row in enumerate(rows):
        where = f"{file.name}, tool '{id_}', row {number}"
        says = _field(row, "says")
        if not isinstance(says, list) or len(says) != PARAPHRASES:
            raise DataError(file, f"field 'says' must be a list of {PARAPHRASES} texts", where)
        for text in says:
            if not isinstance(text, str):
                raise DataError(file, f"field 'says' holds {text!r}, which is no text", where)
            yield Pair(query=text, tools=(id_,), where=where, kind="paraphrase")


def _field(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else None


SOURCE = TrainingSource(
    name="mock-connectors",
    description="Three example requests a tool of 49 SaaS products, and three paraphrases of each; "
    "those of ten more products are for validation.",
    reference="https://www.stackone.com/blog/autoresearch-charged-action-search",
    license="apache-2.0",
    build=build_mock_connectors,
    task="MockConnectors",
)
