"""v2: the embedded MiniLM trained on requests and the tools that answer them; also in eight bits.

The folder holds what training changed: an adapter, how tools were rendered, and the hashes of the
tools that it has seen. ``docs/v2.md`` says what it learned from and how it was made.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.errors import UnavailableError
from tool_bench.retriever import Retriever
from tool_bench.tool import Style
from tool_bench.trained import read_seen

FOLDER = Path(__file__).parent
STYLE: Style = "name-description"  # as it was trained, like the next
MAX_CHARACTERS = 1_000


def load() -> Retriever:
    """Load the embedded weights and merge the adapter into them.

    Raises:
        DataError: the adapter or the card is damaged.
        UnavailableError: the embedded model is not installed.
    """
    from tool_bench.adapted import ADAPTER, merged
    from tool_bench.data.fetch import sha256_of
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.encoder import CachedEncoder
    from tool_bench.footprint import model_loaded
    from tool_bench.sentence import SentenceEncoder, minilm_folder

    model_loaded(minilm_folder())
    model_loaded(FOLDER / ADAPTER)
    encoder = SentenceEncoder(merged(FOLDER), f"v2@{sha256_of(FOLDER / ADAPTER)}")
    return DenseRetriever(CachedEncoder(encoder), rendered(STYLE, MAX_CHARACTERS))


def load_onnx() -> Retriever:
    """Load the eight-bit export; the first time on a machine it is made, in half a minute.

    Raises:
        UnavailableError: a package is missing, or the export failed.
    """
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.encoder import CachedEncoder
    from tool_bench.footprint import model_loaded
    from tool_bench.onnx_encoder import OnnxEncoder

    folder = exported()
    model_loaded(folder / "model.onnx")
    return DenseRetriever(CachedEncoder(OnnxEncoder(folder)), rendered(STYLE, MAX_CHARACTERS))


def exported() -> Path:
    """Return the folder of the eight-bit export in the user's cache; it is made where it lacks.

    In a process of its own: what runs the export needs no torch, and its memory is measured. Of
    two that find none, one makes it.

    Raises:
        UnavailableError: as :func:`load_onnx`.
    """
    from filelock import FileLock

    from tool_bench.adapted import ADAPTER
    from tool_bench.data.fetch import sha256_of
    from tool_bench.data.paths import cache_folder
    from tool_bench.onnx_encoder import FORMAT
    from tool_bench.progress import report

    made = cache_folder() / "onnx" / f"v2-{sha256_of(FOLDER / ADAPTER)[:16]}-{FORMAT}"
    made.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{made}.lock"):
        if not made.is_dir():
            report("export v2 to ONNX", 0, 0)
            words = [sys.executable, "-m", "tool_bench", "export", "v2", "--onnx", str(made)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                said = (done.stderr.strip() or done.stdout.strip()).splitlines()
                why = said[-1].removeprefix("error: ") if said else "no reason was given"
                raise UnavailableError(f"v2 cannot be exported: {why}")
    return made


_SOURCES = (
    "mock-connectors",
    "metatool",
    "products",
    "mcp-servers",
    "tldr",
    "ultratool",
    "clinc",
    "nl2bash",
    "apibench",
)
_SETTINGS: dict[str, str | int | float | bool] = {
    "max tokens": 256,
    "pooling": "mean",
    "max characters": MAX_CHARACTERS,
}

V2 = Baseline(
    name="v2",
    kind="dense",
    description=(
        "all-MiniLM-L6-v2 trained here on requests and the tools that answer them, with hard "
        "negatives, over 'name: description'. It has seen MetaTool's tools and those of "
        "mock-connectors' train connectors, and no request of a task whose data was at hand: of "
        "all but ToolRet and ToolRetInstruction."
    ),
    reference="https://arxiv.org/abs/1908.10084",
    license="apache-2.0",
    load=load,
    parameters=22_713_216,
    style=STYLE,
    precision="float32",
    settings=_SETTINGS,
    deviations=(
        "the published v2 is a BGE-base of 109 million parameters; this one is a fifth of it",
    ),
    trained_on=_SOURCES,
    seen=partial(read_seen, FOLDER),
    speed=Speed(start=10, per_tool=0.025, per_query=0.02),
)

BASELINES = (
    V2,
    replace(
        V2,
        name="v2-onnx-int8",
        description=(
            "v2 with eight-bit weights, on one thread of onnxruntime: what 'tool-bench export v2' "
            "makes."
        ),
        reference="https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html",
        load=load_onnx,
        precision="int8",
        settings=_SETTINGS | {"threads": 1, "weights": "8 bits, a scale a column"},
        needs=Needs(modules=("filelock", "onnx", "onnxruntime"), extra="train"),
        speed=Speed(start=30, per_tool=0.025, per_query=0.02),
    ),
)
