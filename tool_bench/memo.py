"""Values computed from files, kept until the file changes.

A run with nothing to do must not read every result and parse every plugin to find that out. A file
counts as unchanged while its size and time of change are the same, as make and git have it; one
that changed in the last seconds is computed again, since two changes can share a tick of the clock.
The memory is never needed for a right answer: where it cannot be read or written, all is computed.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from tool_bench.data.paths import cache_folder

V = TypeVar("V", str, dict[str, Any])

_SETTLED_NS = 2 * 10**9


class _Memory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.changed = False
        self.values: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            stored = json.loads(path.read_text(encoding="utf-8"))
            self.values = stored if isinstance(stored, dict) else {}


@lru_cache(maxsize=4)
def _memory(cache: Path) -> _Memory:
    return _Memory(cache / "memo" / "files.json")


def _current() -> _Memory:
    return _memory(cache_folder())


@lru_cache
def _state(code: str) -> tuple[int, int]:
    status = Path(code).stat()
    return status.st_size, status.st_mtime_ns


def of_file(path: Path, compute: Callable[[Path], V]) -> V:
    """Return ``compute(path)``, from memory where neither the file nor the code changed.

    Args:
        path: the file.
        compute: a module's function of the file's content alone; its value must be JSON.

    Raises:
        OSError: there is no such file.
    """
    memory = _current()
    status = path.stat()
    state = [status.st_size, status.st_mtime_ns, *_state(compute.__code__.co_filename)]
    name = f"{compute.__module__}.{compute.__name__} {os.path.abspath(path)}"  # noqa: PTH100  hundreds of times
    entry = memory.values.get(name)
    if isinstance(entry, list) and len(entry) == 2 and entry[0] == state:  # noqa: PLR2004  a pair
        kept: V = entry[1]
        return kept
    value = compute(path)
    if time.time_ns() - status.st_mtime_ns > _SETTLED_NS:
        memory.values[name] = [state, value]
        memory.changed = True
    return value


def save() -> None:
    """Write what was computed since the last time, without what belongs to files that are gone."""
    memory = _current()
    if not memory.changed:
        return
    there = {
        name: entry
        for name, entry in memory.values.items()
        if os.path.exists(name.partition(" ")[2])  # noqa: PTH110  thousands of times, and as text
    }
    with suppress(OSError):
        memory.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=memory.path.parent, delete=False, encoding="utf-8"
        ) as file:
            json.dump(there, file)
        os.replace(file.name, memory.path)
        memory.changed = False
