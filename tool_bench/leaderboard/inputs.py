"""What a board is made of, as one hash: a board whose inputs are the same is not built again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tool_bench import __version__, memo, registry, store
from tool_bench.data.fetch import status
from tool_bench.leaderboard.folders import docs_folder, site_folder

_RESULTS = ("*.json", "*/*.json", "reported/*.yaml", "scaling/*/*.json", "releases/*/*.json")


def fingerprint(results: Path) -> str:
    """Return the hash of all inputs of a board of ``results``: results, code, templates and docs.

    Files of megabytes, runs and scores, count by size and time: they are not read to see that they
    are what they were. Of a task's data it counts where it can be had.
    """
    declared = [(b.name, b.needs) for b in registry.baselines().values()]
    tasks = [
        (t.name, t.description, t.rules, t.data_revision, [status(s) for s in t.sources])
        for t in registry.tasks().values()
    ]
    digest = hashlib.sha256(f"{__version__} {declared} {tasks}".encode())
    for folder, path in _inputs(results):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name} {memo.of_file(path, _hash_of)}\n".encode())
    for path in sorted(results.glob("*/*.gz")):
        if path.is_file():
            stat, name = path.stat(), path.relative_to(results).as_posix()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    memo.save()
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    return store.content_hash(path.read_bytes())


def _inputs(results: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (folder, a file below it)."""
    package = Path(__file__).resolve().parent.parent
    code = {package, package.parent / "tasks", package.parent / "baselines"}
    for folder, patterns in (
        (results, _RESULTS),
        (site_folder(), ("templates/*", "assets/*")),
        (docs_folder(), ("**/*.md",)),
        *((folder, ("**/*.py",)) for folder in sorted(code)),
    ):
        for pattern in patterns:
            yield from ((folder, path) for path in sorted(folder.glob(pattern)) if path.is_file())
