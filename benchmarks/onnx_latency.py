"""One request encoded and searched over 39,343 tools, on one thread: exported model and torch.

    python benchmarks/onnx_latency.py
    python benchmarks/onnx_latency.py MODEL EXPORTED

Without arguments the embedded MiniLM is exported to a temporary folder. The requests are
MockConnectors'; the tools' vectors are random, since a full scan takes as long over any, and lie
in memory as docs/serving/handler.py has them. The models take turns, 25 requests each, so that
what else the machine does disturbs them alike, and neither finds the caches as the other left
them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.encoder import Encoder
from tool_bench.environment import prepare
from tool_bench.hardware import cores, cpu_model

TOOLS = 39_343
REQUESTS = 300
TURN = 25
K = 10


def best(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the rows of the ``K`` best tools, best first."""
    scores = vectors @ query
    found = np.argpartition(-scores, K)[:K]
    return found[np.argsort(-scores[found])]


def measure(encoders: dict[str, Encoder], requests: list[str]) -> dict[str, NDArray[np.float64]]:
    """Return name -> milliseconds, shape (requests, 2): encoding, searching."""
    rows = np.random.default_rng(1).standard_normal((TOOLS, 384), dtype=np.float32)
    vectors = np.asfortranarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in encoders}
    for start in range(0, len(requests), TURN):
        for name, encoder in encoders.items():
            turn = requests[start : start + TURN]
            for text in turn[:1] + turn:  # the first warms up and does not count
                began = time.perf_counter()
                (query,) = encoder.encode([text], "query")
                encoded = time.perf_counter()
                best(vectors, query)
                taken[name].append((encoded - began, time.perf_counter() - encoded))
            del taken[name][-len(turn) - 1]
    return {name: np.array(times) * 1e3 for name, times in taken.items()}


def main(model: Path, exported: Path) -> None:
    """Print the medians and the 95th percentiles, and how many times faster the export is."""
    import torch
    from sentence_transformers import SentenceTransformer

    from tool_bench.onnx_encoder import OnnxEncoder
    from tool_bench.sentence import SentenceEncoder

    torch.set_num_threads(1)
    encoders: dict[str, Encoder] = {
        "onnx": OnnxEncoder(exported),
        "torch": SentenceEncoder(SentenceTransformer(str(model), device="cpu"), "torch"),
    }
    queries = load(registry.tasks()["MockConnectors"]).queries[:REQUESTS]
    with threadpool_limits(1):  # numpy's own threads too
        found = measure(encoders, [query.text for query in queries])
    print(f"{TOOLS:,} tools, {len(queries)} requests, one thread, {cpu_model()}, {cores()} cores")
    for name, times in found.items():
        encode, search = np.median(times, axis=0)
        p50, p95 = np.percentile(times.sum(axis=1), [50, 95])
        print(
            f"{name:<6} p50 {p50:.2f} ms, p95 {p95:.2f} ms (medians: encode {encode:.2f} ms, "
            f"search {search:.2f} ms)"
        )
    ratio = np.median(found["torch"][:, 0]) / np.median(found["onnx"][:, 0])
    print(f"encoding: the export takes 1/{ratio:.1f} of torch's time")


if __name__ == "__main__":
    prepare()
    if len(sys.argv) == 3:  # noqa: PLR2004  both folders
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    elif len(sys.argv) == 1:
        from tool_bench.sentence import minilm_folder
        from tool_bench.training.export_onnx import export

        with tempfile.TemporaryDirectory() as folder:
            main(minilm_folder(), export(minilm_folder(), Path(folder) / "onnx").folder)
    else:
        sys.exit(__doc__)
