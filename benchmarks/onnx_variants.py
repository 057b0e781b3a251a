"""What a model loses in eight bits, by the ways there are to get there.

    TOOL_BENCH_MIRROR=path/to/mirror python benchmarks/onnx_variants.py [MODEL]

Each way makes a graph of the same model (default: the embedded MiniLM), which encodes 1,000 usage
examples of MockConnectors (train connectors, over their tools) and of MetaTool: requests that a
model may be trained on, never those that are evaluated. Printed are the graph's size, the cosine
to the float vectors (mean and least), the change of Hit@1 and nDCG@10 in points, how often the
best tool is the same, by how much the other texts of its batch may turn a text's vector (one less
the cosine), and the processor seconds that encoding took on one thread.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from tool_bench import registry
from tool_bench.data.fetch import sha256_of
from tool_bench.data.load import load
from tool_bench.environment import prepare
from tool_bench.onnx_encoder import OnnxEncoder
from tool_bench.sentence import minilm_folder
from tool_bench.tool import render
from tool_bench.training import export_onnx, int8

Vectors = NDArray[np.float32]
Pair = tuple[Vectors, Vectors]
EXAMPLES = 1_000
K = 10


def examples(task: str) -> tuple[list[str], list[str], Vectors]:
    """Return texts of tools, requests, and which tool answers which, shape (requests, tools)."""
    data = load(registry.tasks()[task])
    tools = [
        tool
        for tool in data.tools
        if not data.splits or data.splits[tool.provider or ""] == "train"
    ]
    right: dict[str, set[str]] = {}
    for id_, texts in data.training_examples.items():
        for text in texts:
            right.setdefault(text, set()).add(id_)
    chosen = random.Random(1).sample(sorted(right), EXAMPLES)  # noqa: S311  a sample, no secret
    gains = [[float(tool.id in right[text]) for tool in tools] for text in chosen]
    return [render(tool, "name-description") for tool in tools], chosen, np.array(gains, np.float32)


def dynamic(weights: QuantType, *, rows: bool = False, **options: bool) -> Callable[[Path], None]:
    """Return onnxruntime's own way; with ``rows`` the tables are ours, with a scale a row."""

    def change(path: Path) -> None:
        if rows:
            ours(matrices=False)(path)
        ops = ["MatMul"] if rows else None
        quantize_dynamic(path, path, weight_type=weights, op_types_to_quantize=ops, **options)

    return change


def blocks(block: int) -> Callable[[Path], None]:
    """Return onnxruntime's MatMulNBits: a scale for so many weights and inputs; tables are ours."""

    def product(node: onnx.NodeProto, matrix: Vectors) -> list[onnx.TensorProto]:
        inputs, outputs = matrix.shape
        parts = matrix.T.reshape(outputs, inputs // block, block)
        scales = np.abs(parts).max(axis=-1, keepdims=True) / 127
        name = node.input[1]
        made = onnx.helper.make_node(
            "MatMulNBits",
            [node.input[0], f"{name}.int8", f"{name}.scale"],
            list(node.output),
            domain="com.microsoft",
            K=inputs,
            N=outputs,
            bits=8,
            block_size=block,
            accuracy_level=4,
        )
        node.CopyFrom(made)
        integers = (np.rint(parts / scales) + 128).astype(np.uint8)
        return [
            onnx.numpy_helper.from_array(integers, f"{name}.int8"),
            onnx.numpy_helper.from_array(scales[..., 0], f"{name}.scale"),
        ]

    def change(path: Path) -> None:
        ours(matrices=False)(path)
        model = onnx.load(path)
        weights = {each.name: each for each in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "MatMul" and node.input[1] in weights:
                matrix = onnx.numpy_helper.to_array(weights.pop(node.input[1]))
                model.graph.initializer.extend(product(node, matrix))
        used = {name for node in model.graph.node for name in node.input}
        kept = [each for each in model.graph.initializer if each.name in used]
        del model.graph.initializer[:]
        model.graph.initializer.extend(kept)
        model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
        onnx.save(model, path)

    return change


def ours(*, matrices: bool = True) -> Callable[[Path], None]:
    """Return our way: a scale a row, a column and a token; or for the tables alone."""

    def change(path: Path) -> None:
        graph = onnx.load(path)
        int8.quantise(graph, matrices=matrices)
        onnx.save(graph, path)

    return change


SIGNED, UNSIGNED = QuantType.QInt8, QuantType.QUInt8
WAYS: dict[str, Callable[[Path], None]] = {
    "dynamic, int8 a tensor": dynamic(SIGNED),
    "dynamic, int8 a channel": dynamic(SIGNED, per_channel=True),
    "dynamic, uint8 a channel": dynamic(UNSIGNED, per_channel=True),
    "dynamic, 7 bits a channel": dynamic(SIGNED, per_channel=True, reduce_range=True),
    "rows + dynamic int8 a channel": dynamic(SIGNED, rows=True, per_channel=True),
    "rows + dynamic uint8 a channel": dynamic(UNSIGNED, rows=True, per_channel=True),
    "rows + blocks of 128": blocks(128),
    "rows + blocks of 64": blocks(64),
    "rows + blocks of 32": blocks(32),
    "rows + columns and tokens": ours(),
    "rows alone": ours(matrices=False),
}


def scores(
    tools: Vectors, requests: Vectors, gains: Vectors
) -> tuple[float, float, NDArray[np.intp]]:
    """Return Hit@1 and nDCG@10 in points, and the best tool of each request."""
    order = np.argsort(-(requests @ tools.T), axis=1, kind="stable")[:, :K]
    found = np.take_along_axis(gains, order, axis=1)
    discounts = 1 / np.log2(np.arange(2, K + 2))
    ideal = -np.sort(-gains, axis=1)[:, :K] @ discounts
    return 100 * found[:, 0].mean(), 100 * (found @ discounts / ideal).mean(), order[:, 0]


def encoder_of(folder: Path, graph: Path) -> OnnxEncoder:
    """Return the export in ``folder`` with another graph in its place."""
    shutil.copyfile(graph, folder / "model.onnx")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["model_sha256"] = sha256_of(graph)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return OnnxEncoder(folder)


def compared(own: Pair, exact: Pair, gains: Vectors) -> str:
    """Return what one way changed on one task; a pair is the vectors of tools and requests."""
    cosines = np.concatenate([(a * b).sum(axis=1) for a, b in zip(own, exact, strict=True)])
    hit, ndcg, first = scores(*own, gains)
    hit_before, ndcg_before, first_before = scores(*exact, gains)
    return (
        f"{cosines.mean():.5f} {cosines.min():.4f} {hit - hit_before:+.1f} "
        f"{ndcg - ndcg_before:+.2f} {(first == first_before).mean():6.1%}"
    )


def main(model: Path) -> None:
    """Print one line a way."""
    tasks = {task: examples(task) for task in ("MockConnectors", "MetaTool")}
    exact: dict[str, Pair] = {}
    print(f"{'':<30}    MB     s  batch", *(f"| {task:<33}" for task in tasks))
    with tempfile.TemporaryDirectory() as temporary:
        folder = export_onnx.export(model, Path(temporary) / "onnx").folder
        whole, graph = Path(temporary) / "whole.onnx", Path(temporary) / "graph.onnx"
        onnx.save(export_onnx.trace(*export_onnx.load(model)), whole)
        for name, change in {"float32": lambda _: None, **WAYS}.items():
            shutil.copyfile(whole, graph)
            change(graph)
            encoder = encoder_of(folder, graph)
            began = time.process_time()
            own = {
                task: (encoder.encode(tools, "document"), encoder.encode(requests, "query"))
                for task, (tools, requests, _) in tasks.items()
            }
            took = time.process_time() - began
            exact = exact or own
            _, some, _ = tasks["MetaTool"]
            alone = np.concatenate([encoder.encode([text], "query") for text in some[:100]])
            moved = 1 - (alone * own["MetaTool"][1][:100]).sum(axis=1).min()
            said = (compared(own[task], exact[task], tasks[task][2]) for task in tasks)
            size = graph.stat().st_size / 1e6
            print(
                f"{name:<30} {size:5.1f} {took:5.1f} {max(moved, 0):.4f}", *(f"| {x}" for x in said)
            )


if __name__ == "__main__":
    prepare()
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else minilm_folder())
