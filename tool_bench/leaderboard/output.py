"""The folder that the board is written to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tool_bench.errors import ToolBenchError

STAMP = ".inputs.sha256"
"""What the board in a folder was made from; it is there when the board is whole."""
FILES = ".files.txt"
"""What a build wrote, so that the next can remove what it no longer writes and nothing else."""


class Output:
    """Writes files below one folder; what an earlier build wrote there and this one did not goes.

    A file is written beside its place and moved there, so that whoever reads meanwhile finds a
    whole one.
    """

    def __init__(self, folder: Path) -> None:
        """Begin a build: until :meth:`finish` the folder counts as unfinished.

        Raises:
            ToolBenchError: the folder cannot be written.
        """
        self.folder = folder
        self._written: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / STAMP).unlink(missing_ok=True)
        except OSError as error:
            raise self._cannot(folder, error) from None
        listed = folder / FILES
        self._earlier = set(listed.read_text("utf-8").split("\n")) if listed.is_file() else set()

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file; ``name`` has slashes, from the folder."""
        data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        path = self._place(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"{path.name}.new")
            temporary.write_bytes(data)
            os.replace(temporary, path)
        except OSError as error:
            raise self._cannot(path, error) from None

    def copy(self, name: str, source: Path) -> None:
        """Copy ``source``; a copy of the same size and time is left alone."""
        path = self._place(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or _state(path) != _state(source):
                shutil.copy2(source, path)
        except OSError as error:
            raise self._cannot(path, error) from None

    def finish(self, stamp: str | None) -> None:
        """Remove what is left of the earlier build.

        Args:
            stamp: what the board was made from; None for a board that must be built again.
        """
        for name in sorted(self._earlier - self._written, reverse=True):
            path = self.folder / name
            if name and path.is_file() and self.folder.resolve() in path.resolve().parents:
                path.unlink()
                if not any(path.parent.iterdir()) and path.parent != self.folder:
                    path.parent.rmdir()
        (self.folder / FILES).write_text("\n".join(sorted(self._written)), "utf-8")
        if stamp is not None:
            (self.folder / STAMP).write_text(stamp, "utf-8")

    def _place(self, name: str) -> Path:
        self._written.add(name)
        return self.folder / name

    def _cannot(self, path: Path, error: OSError) -> ToolBenchError:
        return ToolBenchError(f"cannot write {path}: {error.strerror or error}")


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
