"""Keeps evaluation data out of training data, and says what was kept out.

A training query is dropped when an evaluation task has it, a training tool when an evaluation task
other than the source's own has it. Both are compared by their letters and digits alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tool_bench.dataset import ToolDataset
from tool_bench.query import letters
from tool_bench.trained import tool_key
from tool_bench.training.records import Pair, TrainingData


@dataclass(frozen=True)
class Evaluated:
    """What the tasks hold that a model must not have learned."""

    queries: Mapping[str, str] = field(default_factory=dict)
    """Letters of a query -> the task that has it."""
    tools: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """:func:`tool_key` -> the tasks that have it."""
    unchecked: tuple[str, ...] = ()
    """Tasks whose data could not be had here."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """One thing that was kept out of training."""

    source: str
    what: str
    """``query`` or ``tool``."""
    text: str
    task: str
    """An evaluation task that has it."""


def evaluated(datasets: Iterable[ToolDataset], unchecked: Iterable[str] = ()) -> Evaluated:
    """Collect the queries and tools of ``datasets``."""
    queries: dict[str, str] = {}
    tools: dict[str, set[str]] = {}
    for dataset in datasets:
        for query in dataset.queries:
            if letters(query.text):
                queries.setdefault(letters(query.text), dataset.name)
        for tool in dataset.tools:
            tools.setdefault(tool_key(tool), set()).add(dataset.name)
    return Evaluated(
        queries=queries,
        tools={key: frozenset(names) for key, names in tools.items()},
        unchecked=tuple(unchecked),
    )


def clean(
    data: TrainingData, own: str | None, known: Evaluated
) -> tuple[TrainingData, tuple[Dropped, ...]]:
    """Return ``data`` without what is evaluated, and what was dropped.

    Args:
        data: one source's.
        own: the task whose training split it is; that task's tools stay, and those of tasks with
            the same catalogue.
        known: what is evaluated.
    """
    dropped: list[Dropped] = []
    gone: set[str] = set()
    for tool in data.tools:
        tasks = known.tools.get(tool_key(tool), frozenset())
        if tasks and own not in tasks:
            gone.add(tool.id)
            dropped.append(Dropped(data.source, "tool", tool_key(tool), min(tasks)))
    pairs: list[Pair] = []
    for pair in data.pairs:
        task = known.queries.get(letters(pair.query))
        if task is not None:
            dropped.append(Dropped(data.source, "query", pair.query, task))
        elif gone.isdisjoint(pair.tools):
            pairs.append(pair)
    cleaned = replace(
        data,
        tools=tuple(tool for tool in data.tools if tool.id not in gone),
        pairs=tuple(pairs),
        families={
            name: tuple(id_ for id_ in members if id_ not in gone)
            for name, members in data.families.items()
        },
        splits={id_: split for id_, split in data.splits.items() if id_ not in gone},
    )
    return cleaned, tuple(dropped)
