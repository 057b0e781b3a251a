"""Exported models, made once a session, and Python processes with few packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from sentence_transformers import SentenceTransformer

from tool_bench.sentence import minilm_folder
from tool_bench.training.export_onnx import export

RUNTIME = ("numpy", "numpy.libs", "onnxruntime", "tokenizers")
"""All that an exported model may need; numpy keeps its BLAS beside itself."""
STATE = """
import sys
from pathlib import Path

def ticks():
    found = {}
    for thread in Path("/proc/self/task").iterdir():
        fields = (thread / "stat").read_text().rpartition(")")[2].split()
        found[thread.name] = int(fields[11]) + int(fields[12])
    return found

def state(before):
    spent = [each - before.get(thread, 0) for thread, each in ticks().items()]
    return {
        "busy": sum(each > max(spent) / 20 for each in spent),
        "mib": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**10,
        "others": sorted({"torch", "transformers", "sentence_transformers"} & set(sys.modules)),
    }
"""
"""Code for Linux. ``ticks()`` is what each thread has computed; ``state`` of it tells how many have
computed since then (numpy's idle ones spin for a moment when it is imported), the peak memory
(getrusage would count that of the process that forked this one), and what is imported that should
not be."""


def minilm_exported(factory: pytest.TempPathFactory) -> Path:
    """Return the embedded model's export; the session's tests must leave it as it is."""
    folder = factory.getbasetemp() / "minilm-onnx"
    return folder if folder.exists() else export(minilm_folder(), folder).folder


def tiny_exported(factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a tiny model with prompts and CLS pooling, and its export; likewise."""
    folder = factory.getbasetemp() / "tiny-onnx"
    if not folder.exists():
        model = SentenceTransformer(str(tiny.sentence_model(folder, tiny.OWN_PROMPTS)))
        with torch.no_grad():
            for weights in model.parameters():
                weights.mul_(5)  # as it is initialised, attention hardly changes a vector
        model.save(str(folder / "model"))
        export(folder / "model", folder / "onnx")
    return folder / "model", folder / "onnx"


def run_bare(
    code: str, folder: Path, packages: Sequence[str], arguments: Sequence[object] = ()
) -> Any:
    """Run ``code`` in a Python that can import the standard library and ``packages`` alone.

    Args:
        code: prints JSON.
        folder: an empty one, where the packages are linked to.
        packages: folders beside or in the packages of this Python, or absolute paths.
        arguments: ``sys.argv[1:]`` of the code.
    """
    for package in packages:
        (folder / Path(package).name).symlink_to(_place(package))
    whole = "import sys; sys.path.append(sys.argv.pop(1))\n" + code
    done = subprocess.run(
        [sys.executable, "-B", "-I", "-S", "-c", whole, str(folder), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _place(package: str) -> Path:
    if Path(package).is_absolute():
        return Path(package)
    spec = find_spec(package.partition(".")[0])
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.with_name(package)
