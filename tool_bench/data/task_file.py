"""``task.json``: what a BEIR folder cannot say about a task, beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

from tool_bench.data.read import need, read_json
from tool_bench.dataset import Split, ToolDataset
from tool_bench.errors import DataError
from tool_bench.task import GLOBAL_ENGLISH, Files, Task

NAME = "task.json"
_FORMAT = 1
_TEXTS = (
    "name",
    "description",
    "reference",
    "license",
    "annotations_creators",
    "sample_creation",
    "bibtex_citation",
    "headline",
)
_COUNTS = ("tools", "queries", "providers")


def given(dataset: ToolDataset, _: Files) -> ToolDataset:
    """Return ``dataset``: the ``build`` of a task whose data is in memory."""
    return dataset


def as_record(task: Task, dataset: ToolDataset, hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of the file.

    Args:
        task: the declaration.
        dataset: its data.
        hashes: name -> sha256 of the other files of the folder.
    """
    return {
        "format": _FORMAT,
        **{field: getattr(task, field) for field in _TEXTS},
        "upstream": dict(task.dataset),
        "date": list(task.date),
        "domains": list(task.domains),
        "rules": list(task.rules),
        "skewed": task.skewed,
        "eval_langs": {subset: list(langs) for subset, langs in task.eval_langs.items()},
        "counts": {
            "tools": len(dataset.tools),
            "queries": len(dataset.queries),
            "providers": len(dataset.tools_of_provider),
        },
        "groups": {name: list(ids) for name, ids in dataset.groups.items()},
        "averages": {name: dict(weights) for name, weights in dataset.averages.items()},
        "splits": dict(dataset.splits),
        "families": {name: list(ids) for name, ids in dataset.families.items()},
        "files": dict(hashes),
    }


def read(path: Path) -> dict[str, Any]:
    """Read and check a file that :func:`as_record` gave the content of.

    Raises:
        DataError: it is missing or not what it must be, with the field.
    """
    if not path.is_file():
        raise DataError(path, "the file does not exist")
    record: dict[str, Any] = read_json(path)
    found = need(record, "format", int, path, "the file")
    if found != _FORMAT:
        problem = f"its format is {found}, this version of tool-bench reads {_FORMAT}"
        raise DataError(path, problem)
    _check_declaration(record, path)
    _check_data(record, path)
    return record


def _check_declaration(record: dict[str, Any], path: Path) -> None:
    for field in _TEXTS:
        need(record, field, str, path, "the file")
    for field in ("rules", "domains", "date"):
        _need_all(record, field, list, str, path)
    if len(record["date"]) != len(("from", "to")):
        raise DataError(path, f"holds {len(record['date'])} days, expected 2", "field 'date'")
    need(record, "skewed", bool, path, "the file")
    for field, within in (("upstream", ("path", "revision")), ("counts", _COUNTS)):
        values = _need_all(record, field, dict, int if within is _COUNTS else str, path)
        if set(values) != set(within):
            problem = f"holds {sorted(values)}, expected {sorted(within)}"
            raise DataError(path, problem, f"field '{field}'")


def _check_data(record: dict[str, Any], path: Path) -> None:
    record.setdefault("families", {})  # files written before tasks had any
    for field in ("groups", "families", "eval_langs"):
        for name in _need_all(record, field, dict, list, path):
            _need_all(record[field], name, list, str, path)
    for name in _need_all(record, "averages", dict, dict, path):
        _need_all(record["averages"], name, dict, (int, float), path)
    for split in _need_all(record, "splits", dict, str, path).values():
        if split not in get_args(Split):
            expected = ", ".join(get_args(Split))
            raise DataError(path, f"'{split}' is none of {expected}", "field 'splits'")
    _need_all(record, "files", dict, str, path)


def _need_all(row: Any, field: str, kind: type, inner: type | tuple[type, ...], path: Path) -> Any:
    """Return ``row[field]``, a list or object whose values are all of type ``inner``."""
    values = need(row, field, kind, path, "the file")
    for value in values.values() if isinstance(values, dict) else values:
        if not isinstance(value, inner):
            problem = f"holds a {type(value).__name__}, which cannot be there"
            raise DataError(path, problem, f"field '{field}'")
    return values


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the file into ``folder``."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / NAME).write_text(f"{text}\n", encoding="utf-8")


def as_task(record: Mapping[str, Any], build: Callable[[Files], ToolDataset]) -> Task:
    """Return the task that ``record`` declares.

    Args:
        record: from :func:`read`.
        build: its ``build``.
    """
    return Task(
        **{field: record[field] for field in _TEXTS},
        dataset=dict(record["upstream"]),
        date=(record["date"][0], record["date"][1]),
        domains=tuple(record["domains"]),
        rules=tuple(record["rules"]),
        skewed=record["skewed"],
        eval_langs={subset: tuple(langs) for subset, langs in record["eval_langs"].items()},
        build=build,
        sources=(),
        **record["counts"],
    )


def slices(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``record`` adds to the rows, as arguments of :class:`ToolDataset`."""
    groups = {name: tuple(ids) for name, ids in record["groups"].items()}
    families = {name: tuple(ids) for name, ids in record["families"].items()}
    return {
        "groups": groups,
        "averages": record["averages"],
        "splits": record["splits"],
        "families": families,
    }


def plain_task(name: str, dataset: ToolDataset, about: Mapping[str, Any]) -> Task:
    """Return a task around ``dataset``, whose subsets are its scopes and kinds.

    Args:
        name: the task's name.
        dataset: its data.
        about: the fields of :class:`~tool_bench.task.Task` that describe it.
    """
    language = GLOBAL_ENGLISH["global"]
    kinds = [query.kind for query in dataset.queries if query.kind is not None]
    return Task(
        name=name,
        build=partial(given, dataset),
        sources=(),
        tools=len(dataset.tools),
        queries=len(dataset.queries),
        providers=len(dataset.tools_of_provider),
        eval_langs=dict.fromkeys((*dataset.scopes, *kinds), language),
        **about,
    )
