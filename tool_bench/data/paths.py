"""Where downloaded data and computed vectors are kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tool_bench.baseline import Weights


def cache_folder() -> Path:
    """Return ``TOOL_BENCH_CACHE``, or the platform's cache folder for this program."""
    return _folder(os.environ.get("TOOL_BENCH_CACHE"))


@lru_cache(maxsize=4)  # it is asked for hundreds of times
def _folder(chosen: str | None) -> Path:
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("tool-bench", appauthor=False)


@contextmanager
def own_cache() -> Iterator[Path]:
    """Give a folder for new results, and a cache that knows only downloaded and imported files.

    What was computed or answered before would reproduce itself.
    """
    kept = [cache_folder() / name for name in ("data", "imported")]
    before = os.environ.get("TOOL_BENCH_CACHE")
    with tempfile.TemporaryDirectory(prefix="tool-bench-") as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        for files in kept:
            files.mkdir(parents=True, exist_ok=True)
            (cache / files.name).symlink_to(files.resolve(), target_is_directory=True)
        os.environ["TOOL_BENCH_CACHE"] = str(cache)
        try:
            yield Path(folder) / "results"
        finally:
            if before is None:
                del os.environ["TOOL_BENCH_CACHE"]
            else:
                os.environ["TOOL_BENCH_CACHE"] = before


def mirror() -> str | None:
    """Return ``TOOL_BENCH_MIRROR``: a folder or base address that offers the upstream files."""
    return os.environ.get("TOOL_BENCH_MIRROR") or None


def snapshot_folder(weights: Weights) -> Path:
    """Return where the hub's library keeps ``weights``; asked without importing it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    home = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    return hub / f"models--{weights.name.replace('/', '--')}" / "snapshots" / weights.revision
