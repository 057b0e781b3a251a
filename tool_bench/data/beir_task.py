"""A BEIR folder as a task: our own export, or anyone's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from tool_bench.data import beir_folder, task_file
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.query import letters
from tool_bench.task import Task


def read_task(folder: Path, name: str | None, split: str) -> tuple[Task, list[str]]:
    """Read a BEIR folder.

    Args:
        folder: has ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv``; a ``task.json``
            beside them, as an export has it, declares the task and its groups.
        name: the task's name; that in ``task.json`` or that of the folder when None.
        split: which qrels are read.

    Returns:
        The task, its data in memory, and what a user should know about it, a sentence each.

    Raises:
        DataError: a file is missing or a row is not what it must be.
    """
    path = folder / task_file.NAME
    record = task_file.read(path) if path.is_file() else None
    chosen = name or (str(record["name"]) if record else folder.resolve().name)
    rows = beir_folder.read(folder, split)
    examples, evaluated = _unseen(rows)
    dataset = ToolDataset(
        name=chosen,
        tools=rows.tools,
        queries=rows.queries,
        relevance=rows.relevance,
        examples=examples,
        **(task_file.slices(record) if record else {}),
    )
    counted = (
        (rows.without_gold, "queries have no relevant tool and were left out."),
        (rows.not_relevant, "judgements of grade 0 or less were left out."),
        (evaluated, "usage examples are evaluation queries and were left out."),
    )
    notes = [f"{n:,} {what}" for n, what in counted if n]
    if record is None:
        return _plain(chosen, dataset, notes), notes
    task = task_file.as_task(record, partial(task_file.given, dataset))
    return replace(
        task,
        name=chosen,
        tools=len(dataset.tools),
        queries=len(dataset.queries),
        providers=len(dataset.tools_of_provider),
        rules=(*task.rules, *notes),
    ), notes


def _unseen(rows: beir_folder.BeirData) -> tuple[Examples, int]:
    """Return the examples that are no evaluation query, and how many are one."""
    asked = {letters(query.text) for query in rows.queries}
    kept = {
        id_: tuple(text for text in texts if letters(text) not in asked)
        for id_, texts in rows.examples.items()
    }
    dropped = sum(map(len, rows.examples.values())) - sum(map(len, kept.values()))
    return {id_: texts for id_, texts in kept.items() if texts}, dropped


def _plain(name: str, dataset: ToolDataset, rules: list[str]) -> Task:
    return task_file.plain_task(
        name,
        dataset,
        {
            "description": (
                f"{len(dataset.queries):,} queries over {len(dataset.tools):,} tools, imported "
                "from a BEIR folder."
            ),
            "reference": "https://github.com/beir-cellar/beir",
            "dataset": {"path": "BEIR folder", "revision": "imported"},
            "date": ("1970-01-01", "1970-01-01"),  # the folder does not say
            "domains": (),
            "license": "not specified",
            "annotations_creators": "derived",
            "sample_creation": "found",
            "bibtex_citation": "",
            "rules": tuple(rules),
        },
    )
