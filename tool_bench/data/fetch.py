"""Get pinned upstream files: from the cache, a mirror, or upstream, always verified.

A file appears in the cache whole and with the right sha256, or not at all (pooch's temporary
file and atomic move). An interrupted download leaves a ``.part`` file, which the next try goes
on from and which nothing else ever reads.

The hub's files are fetched from its addresses of a commit, as any other: with their size and sha256
pinned, its library would add nothing. Its variables ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` count.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from tool_bench.data.paths import cache_folder, mirror
from tool_bench.errors import DataError, UnavailableError
from tool_bench.task import Source, Task

Progress = Callable[[int], None]
"""Called with the number of bytes that just arrived."""
Status = Literal["cached", "mirror", "upstream", "missing from mirror", "needs a mirror"]

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_TRIES = 3
_CHUNK = 1 << 14
_HUB = "https://huggingface.co/"


def cached_path(source: Source) -> Path:
    """Return where ``source`` lies once it is fetched."""
    return cache_folder() / "data" / source.revision[:12] / source.path


def is_cached(source: Source) -> bool:
    """Tell whether a file of the right size is in the cache (:func:`fetch` verifies the hash)."""
    path = cached_path(source)
    return path.is_file() and path.stat().st_size == source.size


def status(source: Source) -> Status:
    """Tell where :func:`fetch` would get ``source`` from, without touching a network."""
    if is_cached(source):
        return "cached"
    base = mirror()
    if base is None:
        return "needs a mirror" if source.url is None else "upstream"
    if _is_address(base) or (Path(base).expanduser() / source.path).is_file():
        return "mirror"
    return "missing from mirror"


def is_local(source: Source) -> bool:
    """Tell whether :func:`fetch` would give ``source`` without a network."""
    places = [cached_path(source)]
    base = mirror()
    if base is not None and not _is_address(base):
        places.append(Path(base).expanduser() / source.path)
    return any(p.is_file() and sha256_of(p) == source.sha256 for p in places)


def fetch(source: Source, progress: Progress = lambda _: None) -> Path:
    """Return the verified local file of ``source``, downloading it where needed.

    Raises:
        UnavailableError: no origin could be reached or has the file.
        DataError: an origin answered with other bytes than the pinned ones.
    """
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    path = cached_path(source)
    if is_cached(source) and sha256_of(path) == source.sha256:
        return path
    refusals: list[str] = []
    corrupt = False
    for origin in _origins(source):
        try:
            pooch.retrieve(
                origin,
                known_hash=f"sha256:{source.sha256}",
                fname=path.name,
                path=path.parent,
                downloader=_Downloader(path.with_name(path.name + ".part"), source.size, progress),
            )
        except _OriginError as error:
            refusals.append(f"{origin}: {error}")
            corrupt = corrupt or error.corrupt
        except ValueError:  # pooch's word for a wrong hash
            refusals.append(
                f"{origin}: sha256 differs from the pinned {source.sha256[:16]}…; nothing was kept"
            )
            corrupt = True
        else:
            return path
    problem = "; ".join(filter(None, (*refusals, _not_asked(source))))
    if corrupt:
        raise DataError(source.path, problem)
    raise UnavailableError(f"data unavailable: {source.path}: {problem}. {_way_out(source)}")


def check_cached(source: Source) -> None:
    """Raise DataError if a file is in the cache and is not the pinned one."""
    path = cached_path(source)
    if path.is_file():
        found = sha256_of(path)
        if found != source.sha256:
            problem = (
                f"sha256 is {found}, expected {source.sha256}; 'tool-bench data pull' mends it"
            )
            raise DataError(path, problem)


def fetch_all(task: Task, progress: Progress = lambda _: None) -> dict[str, Path]:
    """Return source path -> verified local file for every source of ``task``.

    Raises:
        UnavailableError, DataError: as :func:`fetch`.
    """
    return {source.path: fetch(source, progress) for source in task.sources}


def missing_bytes(tasks: Iterable[Task]) -> int:
    """Return how many bytes of the tasks' sources are not in the cache yet."""
    sources = {s.path: s for task in tasks for s in task.sources}
    return sum(s.size for s in sources.values() if not is_cached(s))


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of the file at ``path``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _way_out(source: Source) -> str:
    offers = "TOOL_BENCH_MIRROR to a folder or address that has the file."
    if source.url is None:
        return f"Set {offers}"
    return f"Connect to the network and run 'tool-bench data pull', or set {offers}"


def _not_asked(source: Source) -> str:
    """Return why upstream is not asked for ``source``; empty if it is."""
    if source.url is None:
        return "only a mirror offers it"
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    if offline and source.url.startswith(_HUB):
        return "the hub is not asked, because HF_HUB_OFFLINE is set"
    return ""


def _is_address(base: str) -> bool:
    return base.startswith(("http://", "https://"))


def _origins(source: Source) -> list[str]:
    origins = []
    base = mirror()
    if base is not None and _is_address(base):
        origins.append(f"{base.rstrip('/')}/{source.path}")
    elif base is not None:
        origins.append(str(Path(base).expanduser() / source.path))
    if source.url is not None and not _not_asked(source):
        endpoint = os.environ.get("HF_ENDPOINT") or _HUB
        origins.append(source.url.replace(_HUB, f"{endpoint.rstrip('/')}/", 1))
    return origins


class _OriginError(Exception):
    """One origin did not deliver; ``corrupt`` when it delivered other bytes."""

    def __init__(self, problem: str, *, corrupt: bool = False) -> None:
        super().__init__(problem)
        self.corrupt = corrupt


class _Downloader:
    """A pooch downloader that copies from a folder or resumes over HTTP."""

    def __init__(self, part: Path, size: int, progress: Progress) -> None:
        self.part = part
        self.size = size
        self.progress = progress

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        if not _is_address(url):
            self._copy(Path(url), output_file)
            return
        problem = "no answer"
        for _ in range(_TRIES):
            got = self._size_of_part()
            if got >= self.size:
                self.part.unlink()
                got = 0
            try:
                self._download(url, got)
            except ConnectionError as error:
                raise _OriginError(str(error)) from None
            except _InterruptedError as error:
                problem = str(error)
            else:
                os.replace(self.part, output_file)
                return
        raise _OriginError(f"got {self._size_of_part():,} of {self.size:,} bytes ({problem})")

    def _size_of_part(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _copy(self, file: Path, output_file: str) -> None:
        if not file.is_file():
            raise _OriginError("no such file")
        found = file.stat().st_size
        if found != self.size:
            raise _OriginError(f"has {found:,} bytes, expected {self.size:,}", corrupt=True)
        shutil.copyfile(file, output_file)
        self.progress(found)

    def _download(self, url: str, got: int) -> None:
        """Append to the part file from byte ``got`` on.

        Raises:
            ConnectionError: the address cannot be reached or does not have the file.
            _InterruptedError: the transfer broke off; what arrived is kept.
        """
        import requests

        headers = {"Accept-Encoding": "identity"}  # a range of a compressed answer is of no use
        if got:
            headers["Range"] = f"bytes={got}-"
        answered = False
        try:
            with requests.get(
                url, headers=headers, stream=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS)
            ) as answer:
                if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    self.part.unlink()
                    raise _InterruptedError("the server's file is shorter than what was here")
                if answer.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
                    raise ConnectionError(f"HTTP {answer.status_code} {answer.reason}")
                answered = True
                resumed = answer.status_code == HTTPStatus.PARTIAL_CONTENT
                start = answer.headers.get("Content-Range", "").split("-")[0]
                if resumed and start != f"bytes {got}":
                    self.part.unlink()
                    raise _InterruptedError("the server resumed at another byte")
                with self.part.open("ab" if resumed else "wb") as file:
                    for chunk in answer.iter_content(_CHUNK):
                        file.write(chunk)
                        self.progress(len(chunk))
        except requests.exceptions.RequestException as error:
            if answered:
                raise _InterruptedError(f"transfer broke off: {type(error).__name__}") from None
            raise ConnectionError(f"cannot be reached ({type(error).__name__})") from None
        self._check_whole()

    def _check_whole(self) -> None:
        """Refuse an answer that ended as announced but is not of the pinned size."""
        found = self.part.stat().st_size
        if found != self.size:
            self.part.unlink()
            raise _OriginError(f"has {found:,} bytes, expected {self.size:,}", corrupt=True)


class _InterruptedError(Exception):
    """A transfer broke off after it began."""
