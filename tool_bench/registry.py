"""Finds the declared tasks and baselines: one file each, no list to edit.

A module in ``tasks/`` declares ``TASKS`` and one in ``baselines/`` declares ``BASELINES``, a
tuple each. They are imported on first use and hold nothing heavy. Tasks that a user imported lie
in the cache folder and join the declared ones.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

from tool_bench.baseline import Baseline
from tool_bench.data.paths import cache_folder
from tool_bench.errors import DataError, ToolBenchError, UnknownNameError
from tool_bench.task import Task

Declared = TypeVar("Declared", Task, Baseline)

_IMPORTS = dict.fromkeys(
    ("toolbenchg1", "toolbenchg2", "toolbenchg3"),
    "it is made from ToolBench's own archive: 'tool-bench data import toolbench PATH' reads it "
    "('tool-bench data import toolbench --help' says where it is from)",
)
"""Name in small letters -> how that task gets here."""


def tasks() -> dict[str, Task]:
    """Return name -> task: the declared ones, then the imported ones that can be read.

    Raises:
        ToolBenchError: as :func:`declared_tasks`; or an import has the name of a declared task.
    """
    declared, (found, _) = declared_tasks(), imported_tasks()
    taken = {name.casefold() for name in declared}
    for name in found:
        if name.casefold() in taken:
            raise ToolBenchError(
                f"the imported task '{name}' has the name of a declared one; 'tool-bench data "
                f"remove {name}' deletes it, and --name imports it under another"
            )
    return {**declared, **found}


def broken_imports() -> dict[str, DataError]:
    """Return name -> what is wrong with each import that cannot be read."""
    return imported_tasks()[1]


def imported_tasks() -> tuple[dict[str, Task], dict[str, DataError]]:
    """Return name -> imported task, and name -> what is wrong with one that cannot be read."""
    if not (cache_folder() / "imported").is_dir():  # most users have none: nothing to load
        return {}, {}
    from tool_bench.data import imported

    return imported.tasks()


@lru_cache(maxsize=1)
def declared_tasks() -> dict[str, Task]:
    """Return name -> task: those that need no download first, then by file and declaration.

    Raises:
        ToolBenchError: two declarations have the same name, or a module declares none.
    """
    found = _collect("tasks", "TASKS", Task)
    return dict(sorted(found.items(), key=lambda item: bool(item[1].sources)))


@lru_cache(maxsize=1)
def baselines() -> dict[str, Baseline]:
    """Return name -> baseline; errors as :func:`declared_tasks`."""
    return _collect("baselines", "BASELINES", Baseline)


def pick_tasks(names: Iterable[str]) -> list[Task]:
    """Return the named tasks.

    Raises:
        UnknownNameError: one is not there, with the nearest names.
        DataError: one is an import that cannot be read.
    """
    names = list(names)
    for name, problem in broken_imports().items():
        if name in names:
            raise problem
    return _pick("task", names, tasks())


def pick_baselines(names: Iterable[str]) -> list[Baseline]:
    """Return the named baselines; errors as :func:`pick_tasks`."""
    return _pick("baseline", names, baselines())


def _pick(kind: str, names: Iterable[str], known: dict[str, Declared]) -> list[Declared]:
    picked = {}
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known, _IMPORTS.get(name.casefold()))
        picked[name] = known[name]
    return list(picked.values())


def _collect(folder: str, attribute: str, kind: type[Declared]) -> dict[str, Declared]:
    package = importlib.import_module(f"tool_bench.{folder}")
    found: dict[str, Declared] = {}
    origin: dict[str, str] = {}
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        try:
            module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        except Exception as error:
            raise ToolBenchError(
                f"{folder}/{module_info.name} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        declared = getattr(module, attribute, None)
        if not isinstance(declared, tuple) or not all(isinstance(d, kind) for d in declared):
            raise ToolBenchError(
                f"{folder}/{module_info.name} must declare {attribute}, a tuple of "
                f"{kind.__name__} values"
            )
        for value in declared:
            folded = value.name.casefold()
            if folded in origin:
                raise ToolBenchError(
                    f"the name '{value.name}' is declared by {folder}/{origin[folded]} and by "
                    f"{folder}/{module_info.name}; names must differ in more than case"
                )
            origin[folded] = module_info.name
            found[value.name] = value
    return found
