"""Where downloaded data and computed vectors are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tool_bench.baseline import Weights


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


def snapshot_folder(weights: Weights) -> Path:
    """Return where the hub's library keeps ``weights``; asked without importing it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    home = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    return hub / f"models--{weights.name.replace('/', '--')}" / "snapshots" / weights.revision
