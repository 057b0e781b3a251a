"""Imported tasks: data that a user brought, kept in the cache folder and run like any task.

Each is a folder ``imported/<name>/``: a BEIR folder and a ``task.json``. It appears whole or not at
all, and what is read from it is checked against the hashes in ``task.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tool_bench.data import beir_folder, task_file
from tool_bench.data.fetch import sha256_of
from tool_bench.data.load import load
from tool_bench.data.paths import cache_folder
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError, UnknownNameError, UsageError
from tool_bench.progress import report
from tool_bench.task import Files, Task

_FILES = (beir_folder.CORPUS, beir_folder.QUERIES, beir_folder.QRELS.format(beir_folder.SPLIT))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def folder_of(name: str) -> Path:
    """Return where the imported task ``name`` lies."""
    return _root() / name


def tasks() -> tuple[dict[str, Task], dict[str, DataError]]:
    """Return name -> imported task, and name -> what is wrong with one that cannot be read.

    Only their ``task.json`` files are read.
    """
    whole: dict[str, Task] = {}
    broken: dict[str, DataError] = {}
    for name in _names():
        try:
            whole[name] = _task(folder_of(name))
        except DataError as error:
            broken[name] = error
    return whole, broken


def write_folder(task: Task, folder: Path) -> None:
    """Write the data and declaration of ``task`` as ``folder``, whole or not at all.

    Args:
        task: the task; its data is loaded and checked.
        folder: what is to be made; its parent is made too.

    Raises:
        UsageError: the folder is there and holds something.
        DataError, UnavailableError: the task cannot be loaded.
        OSError: it cannot be written.
    """
    folder = folder.resolve()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; name a folder that is new or empty")
    dataset = load(task)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as temporary:
        made = Path(temporary) / folder.name
        _write(task, dataset, made)
        os.replace(made, folder)


def save(tasks: Iterable[Task], taken: Collection[str], *, replacing: bool) -> set[str]:
    """Keep tasks as imported ones: all of them, or none where something is wrong with one.

    Args:
        tasks: the tasks; their data is loaded and checked.
        taken: names of the declared tasks.
        replacing: whether an import of the same name and other content gives way.

    Returns:
        The names of those that were not there before exactly like this.

    Raises:
        UsageError: a name cannot be had.
        DataError: the data is not what it must be.
        OSError: it cannot be written.
    """
    tasks = list(tasks)
    for task in tasks:
        check_name(task.name, taken)
    _root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_root(), prefix=".new-") as temporary:
        for task in tasks:
            report(f"write {task.name}", 0, 0)
            _write(task, load(task), Path(temporary) / task.name)
        fresh = {task.name for task in tasks if not _is_there(Path(temporary) / task.name)}
        for name in fresh:
            if folder_of(name).exists() and not replacing:
                raise UsageError(
                    f"a task '{name}' with other content was imported before; --replace puts this "
                    "one in its place"
                )
        for name in fresh:
            if folder_of(name).exists():
                os.replace(folder_of(name), Path(temporary) / f"{name}.old")
            os.replace(Path(temporary) / name, folder_of(name))
    return fresh


def check_name(name: str, taken: Collection[str]) -> None:
    """Raise UsageError where ``name`` cannot be that of an imported task."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be the name of a task: use up to 64 letters, digits, '-' and '_' "
            "(--name)"
        )
    for other in (*taken, *_names()):
        if other.casefold() == name.casefold() and not (other == name and other in _names()):
            raise UsageError(f"there is a task '{other}' already; choose another name with --name")


def remove(name: str) -> None:
    """Delete the imported task ``name``; UnknownNameError if there is none."""
    if name not in _names():
        raise UnknownNameError("imported task", name, _names())
    with tempfile.TemporaryDirectory(dir=_root(), prefix=".old-") as temporary:
        os.replace(folder_of(name), Path(temporary) / name)


def build(name: str, revision: str, _: Files) -> ToolDataset:
    """Read the imported task ``name`` whose content is ``revision``.

    Raises:
        DataError: it is gone, a file was changed, or it was imported anew in the meantime.
    """
    folder = folder_of(name)
    record = task_file.read(folder / task_file.NAME)
    if _revision(record) != revision:
        raise DataError(folder, "was imported anew in the meantime; give the command again")
    for file in _FILES:
        path = folder / file
        if not path.is_file() or sha256_of(path) != record["files"].get(file):
            problem = (
                f"is not the file that was imported; 'tool-bench data remove {name}' deletes the "
                "task, then import it again"
            )
            raise DataError(path, problem)
    rows = beir_folder.read(folder)
    return ToolDataset(
        name=name,
        tools=rows.tools,
        queries=rows.queries,
        relevance=rows.relevance,
        examples=rows.examples,
        **task_file.slices(record),
    )


def _root() -> Path:
    return cache_folder() / "imported"


def _names() -> list[str]:
    """Return the names of what is imported; a name with a dot before it is being written."""
    if not _root().is_dir():
        return []
    return sorted(p.name for p in _root().iterdir() if p.is_dir() and p.name[0] != ".")


def _task(folder: Path) -> Task:
    try:
        record = task_file.read(folder / task_file.NAME)
    except DataError as error:
        raise DataError(
            folder,
            f"this import cannot be read ({error}); 'tool-bench data remove {folder.name}' "
            "deletes it",
        ) from None
    revision = _revision(record)
    task = task_file.as_task(record, partial(build, folder.name, revision))
    upstream = {"path": record["upstream"]["path"], "revision": revision}
    return replace(task, name=folder.name, dataset=upstream)


def _write(task: Task, dataset: ToolDataset, folder: Path) -> None:
    folder.mkdir()
    beir_folder.write(dataset, folder)
    hashes = {file: sha256_of(folder / file) for file in _FILES}
    task_file.write(folder, task_file.as_record(task, dataset, hashes))


def _revision(record: Mapping[str, Any]) -> str:
    """Return a hash of all that decides the data."""
    parts = ("files", "groups", "averages", "splits", "families")
    deciding = {key: record[key] for key in parts}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _is_there(made: Path) -> bool:
    """Tell whether the import of the same name has the content of ``made``, undamaged."""
    there = folder_of(made.name)
    return all(
        (there / file).is_file() and sha256_of(there / file) == sha256_of(made / file)
        for file in (task_file.NAME, *_FILES)
    )
