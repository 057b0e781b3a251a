"""What a board is made of, as one hash: a board whose inputs are the same is not built again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tool_bench import __version__, memo, registry, store
from tool_bench.data.fetch import status
from tool_bench.leaderboard.documents import docs_folder
from tool_bench.leaderboard.pages import site_folder

_MODULES = ("context", "pricing", "ranking", "releases", "reported", "significance", "stats")


def fingerprint(results: Path) -> str:
    """Return the hash of all inputs of a board of ``results``.

    Files of megabytes, runs and scores, count by size and time: they are not read to see that they
    are what they were.
    """
    declared = [(b.name, b.needs) for b in registry.baselines().values()]
    tasks = [
        (t.name, t.description, t.rules, t.data_revision, [status(s) for s in t.sources])
        for t in registry.tasks().values()
    ]
    digest = hashlib.sha256(f"{__version__} {declared} {tasks}".encode())
    for path in _inputs(results):
        digest.update(f"{path} {memo.of_file(path, _hash_of)}\n".encode())
    for path in sorted(results.glob("*/*.gz")):
        stat = path.stat()
        digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    memo.save()
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    return store.content_hash(path.read_bytes())


def _inputs(results: Path) -> Iterator[Path]:
    package = Path(__file__).resolve().parent.parent
    for pattern in (
        "*.json",
        "*/*.json",
        "reported/*.yaml",
        "scaling/*/*.json",
        "releases/*/*.json",
    ):
        yield from sorted(results.glob(pattern))
    for folder in (site_folder() / "templates", site_folder() / "assets", docs_folder()):
        yield from sorted(path for path in folder.rglob("*") if path.is_file())
    yield from sorted(package.glob("leaderboard/*.py"))
    yield from (package / f"{name}.py" for name in _MODULES)
    for folder in (package / "tasks", package.parent / "tasks"):
        yield from sorted(folder.rglob("*.py"))
