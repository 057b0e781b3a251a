"""The folder that the board is written to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tool_bench.errors import ToolBenchError, UsageError

STAMP = ".inputs.sha256"
"""What the board in a folder was made from; it is there when the board is whole."""
FILES = ".files.txt"
"""What builds wrote, so that the next can remove what it no longer writes and nothing else."""
LOCK = ".lock"

_OTHERS = {STAMP, FILES, LOCK}


@contextmanager
def writing(folder: Path) -> Iterator[Output]:
    """Give a block the board in ``folder`` to write; two builds wait for each other.

    Raises:
        UsageError: the folder holds files that no build wrote.
        ToolBenchError: it cannot be written.
    """
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_own(folder)
        with FileLock(folder / LOCK):
            yield Output(folder)
    except OSError as error:
        raise ToolBenchError(
            f"cannot write {error.filename or folder}: {error.strerror or error}"
        ) from None


def _check_own(folder: Path) -> None:
    """Refuse a folder that holds something else: the board would overwrite and mix with it."""
    found = {path.name for path in folder.iterdir()}
    charts = {name for name in found if name.startswith("scaling-") and name.endswith(".svg")}
    if found - charts and not found & _OTHERS:
        raise UsageError(
            f"{folder} holds files that are no leaderboard ({min(found - charts)}); "
            "choose an empty folder by --out"
        )


class Output:
    """Writes files below one folder; what an earlier build wrote there and this one did not goes.

    A file is written beside its place and moved there, so that whoever reads meanwhile finds a
    whole one. Until :meth:`finish` the board counts as unfinished.
    """

    def __init__(self, folder: Path) -> None:
        """Begin a build."""
        self.folder = folder
        self._written: set[str] = set()
        (folder / STAMP).unlink(missing_ok=True)
        listed = folder / FILES
        self._earlier = set(listed.read_text("utf-8").splitlines()) if listed.is_file() else set()

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file; ``name`` has slashes, from the folder. Threads may write side by side."""
        data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        self._put(name, lambda temporary: temporary.write_bytes(data))

    def copy(self, name: str, source: Path) -> None:
        """Copy ``source``; a copy of the same size and time is left alone."""
        there = self._place(name)
        if there.is_file() and _state(there) == _state(source):
            self._written.add(name)
            return

        def copied(temporary: Path) -> None:
            shutil.copyfile(source, temporary)
            status = source.stat()
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))

        self._put(name, copied)

    def finish(self, stamp: str | None) -> None:
        """Remove what is left of earlier builds.

        Args:
            stamp: what the board was made from; None for a board that must be built again.
        """
        for name in sorted(self._earlier - self._written, reverse=True):
            path = self._place(name)
            for old in (path, _beside(path)):
                old.unlink(missing_ok=True)
            if (
                path.parent != self.folder
                and path.parent.is_dir()
                and not any(path.parent.iterdir())
            ):
                path.parent.rmdir()
        (self.folder / FILES).write_text("\n".join(sorted(self._written)) + "\n", "utf-8")
        if stamp is not None:
            (self.folder / STAMP).write_text(stamp, "utf-8")

    def _put(self, name: str, fill: Callable[[Path], object]) -> None:
        path = self._place(name)
        self._written.add(name)
        if name not in self._earlier:  # so that a build that is killed leaves nothing unlisted
            with (self.folder / FILES).open("a", encoding="utf-8") as listed:
                listed.write(f"{name}\n")
        path.parent.mkdir(parents=True, exist_ok=True)
        fill(_beside(path))
        os.replace(_beside(path), path)

    def _place(self, name: str) -> Path:
        path = self.folder / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise ToolBenchError(f"{name} does not lie in the board's folder")
        return path


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
