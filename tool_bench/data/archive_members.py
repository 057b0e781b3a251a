"""The files of a folder or of an archive, read one after the other without unpacking it."""

from __future__ import annotations

import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from tool_bench.errors import DataError

Wanted = Callable[[PurePosixPath], bool]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what a damaged archive raises, wherever it is found out, into DataError."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        gzip.BadGzipFile,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        RuntimeError,  # zipfile: a password, or a way of packing that it does not know
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        problem = f"the archive cannot be read: {reason}; fetch it again, or give its folder"
        raise DataError(path, problem) from error


def members(path: Path, wanted: Wanted) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """Yield (place, stream) of each wanted file, in the archive's order.

    A stream must be read before the next one is asked for.

    Args:
        path: a folder, or a zip or tar archive, compressed or not.
        wanted: says by its place which file to open.

    Raises:
        DataError: it is none of these.
    """
    if not path.exists():
        raise DataError(path, "there is no such file or folder")
    if path.is_dir():
        yield from _of_folder(path, wanted)
    elif zipfile.is_zipfile(path):
        yield from _of_zip(path, wanted)
    elif tarfile.is_tarfile(path):
        yield from _of_tar(path, wanted)
    else:
        problem = (
            "is neither a folder nor a zip or tar archive; a download may have been cut off, or be "
            "the web page about the archive"
        )
        raise DataError(path, problem)


def _of_folder(path: Path, wanted: Wanted) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    for folder, folders, files in os.walk(path.resolve()):
        folders.sort()
        for name in sorted(files):
            place = PurePosixPath(Path(folder, name).as_posix())
            if wanted(place):
                with Path(place).open("rb") as stream:
                    yield place, stream


def _of_zip(path: Path, wanted: Wanted) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            place = PurePosixPath(info.filename)
            if not info.is_dir() and wanted(place):
                with archive.open(info) as stream:
                    yield place, stream


def _of_tar(path: Path, wanted: Wanted) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with tarfile.open(path, "r|*") as archive:
        for info in archive:
            place = PurePosixPath(info.name)
            if info.isfile() and wanted(place):
                stream = archive.extractfile(info)
                assert stream is not None
                yield place, stream
