"""Where downloaded data and computed vectors are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``TOOL_BENCH_CACHE``, or the platform's cache folder for this program."""
    chosen = os.environ.get("TOOL_BENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("tool-bench", appauthor=False)


def mirror() -> str | None:
    """Return ``TOOL_BENCH_MIRROR``: a folder or base address that offers the upstream files."""
    return os.environ.get("TOOL_BENCH_MIRROR") or None
