"""The weights of an ONNX graph in eight bits.

Embeddings: one scale a row, so that a word's vector depends on no other word's. Matrices: one
scale a column; at run time each token's inputs get a least value and a scale of their own.
onnxruntime's own ``quantize_dynamic`` takes one scale for all inputs of a batch: it loses six times
as much (docs/serving/README.md), and a text's vector then depends on the texts beside it.

All operators are ONNX's own. The product of unsigned inputs and signed weights is the fast one on
x86. Older processors add two neighbouring products in sixteen bits, so a column's scale leaves room
for the sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto, TensorProto

LEAST_ROWS = 16
"""A smaller table stays as it is: BERT's two token types shift every text alike."""

_STEPS = 255  # of eight bits, from a token's least input to its largest
# Two weights of one sign, each rounded by at most a half, times the largest input.
_PAIR = (2**15 - 1) / _STEPS - 1
_LEAST = 1e-9  # a scale of 0 would divide by 0


def quantise(model: ModelProto, *, matrices: bool = True) -> None:
    """Replace float tables and matrices of ``model`` by eight-bit ones, in place.

    Args:
        model: a table is what a ``Gather`` looks up rows in; a matrix is the constant right side
            of a ``MatMul``.
        matrices: false leaves the matrices as they are.
    """
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    nodes: list[NodeProto] = []
    done: set[str] = set()
    for node in graph.node:
        made = _replaced(node, weights, done, matrices=matrices)
        if made is None:
            nodes.append(node)
            continue
        own, tensors = made
        nodes += own
        graph.initializer.extend(tensor for tensor in tensors if tensor.name not in weights)
        weights |= {tensor.name: tensor for tensor in tensors}
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def row_scales(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return ``table``, shape (rows, width), as integers and one scale a row, shape (rows, 1)."""
    import numpy as np

    largest = np.abs(table).max(axis=1, keepdims=True)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(table / scales).astype(np.int8), scales


def column_scales(
    matrix: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return ``matrix``, shape (inputs, outputs), as integers and one scale a column.

    Inputs 2n and 2n + 1 are a pair: their integers of one sign add up to at most 128.
    """
    import numpy as np

    even = np.pad(matrix, ((0, len(matrix) % 2), (0, 0))).reshape(-1, 2, matrix.shape[1])
    pair = np.maximum(even.clip(min=0).sum(axis=1), -even.clip(max=0).sum(axis=1)).max(axis=0)
    largest = np.maximum(np.abs(matrix).max(axis=0) / 127, pair / _PAIR)
    scales = np.where(largest > 0, largest, 1).astype(np.float32)
    return np.rint(matrix / scales).astype(np.int8), scales


def _replaced(
    node: NodeProto, weights: Mapping[str, TensorProto], done: set[str], *, matrices: bool
) -> tuple[list[NodeProto], list[TensorProto]] | None:
    """Return the nodes that stand in for ``node`` and their tensors; None where it stays."""
    from onnx import numpy_helper

    place = {"Gather": 0, "MatMul": 1}.get(node.op_type)
    if place is None or node.input[place] not in weights:
        return None
    values = numpy_helper.to_array(weights[node.input[place]])
    if values.dtype.name != "float32" or values.ndim != 2:  # noqa: PLR2004
        return None
    if node.op_type == "Gather":
        return _lookup(node, values) if len(values) >= LEAST_ROWS else None
    if not matrices:
        return None
    nodes, tensors = _product(node, values)
    if node.input[0] not in done:  # several matrices may take the same inputs
        done.add(node.input[0])
        rounding, constants = _rounded(node.input[0])
        return rounding + nodes, constants + tensors
    return nodes, tensors


def _lookup(node: NodeProto, table: NDArray[Any]) -> tuple[list[NodeProto], list[TensorProto]]:
    from onnx import TensorProto, helper, numpy_helper

    (name, rows), (out,) = node.input, node.output
    integers, scales = row_scales(table)
    return [
        helper.make_node("Gather", [f"{name}.int8", rows], [f"{out}.int8"]),
        helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}.scale", rows], [f"{out}.scale"]),
        helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
    ], [
        numpy_helper.from_array(integers, f"{name}.int8"),
        numpy_helper.from_array(scales, f"{name}.scale"),
    ]


def _rounded(inputs: str) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return what makes of each token's inputs: least value + scale * unsigned integers."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    own = {part: f"{inputs}.{part}" for part in ("most", "least", "range", "open", "scale")}
    return [
        helper.make_node("ReduceMax", [inputs], [own["most"]], axes=[-1]),
        helper.make_node("ReduceMin", [inputs], [own["least"]], axes=[-1]),
        helper.make_node("Sub", [own["most"], own["least"]], [own["range"]]),
        helper.make_node("Max", [own["range"], "int8.least"], [own["open"]]),
        helper.make_node("Div", [own["open"], "int8.steps"], [own["scale"]]),
        helper.make_node("Sub", [inputs, own["least"]], [f"{inputs}.above"]),
        helper.make_node("Div", [f"{inputs}.above", own["scale"]], [f"{inputs}.exact"]),
        helper.make_node("Round", [f"{inputs}.exact"], [f"{inputs}.round"]),
        helper.make_node("Cast", [f"{inputs}.round"], [f"{inputs}.uint8"], to=TensorProto.UINT8),
    ], [
        numpy_helper.from_array(np.array(_STEPS, np.float32), "int8.steps"),
        numpy_helper.from_array(np.array(_LEAST, np.float32), "int8.least"),
    ]


def _product(node: NodeProto, matrix: NDArray[Any]) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return what computes ``scale * (integers @ matrix) + least * (sums of its columns)``."""
    from onnx import TensorProto, helper, numpy_helper

    (left, name), (out,) = node.input, node.output
    columns, scales = column_scales(matrix)
    sums = (columns * scales).sum(axis=0)
    return [
        helper.make_node("MatMulInteger", [f"{left}.uint8", f"{name}.int8"], [f"{out}.int32"]),
        helper.make_node("Cast", [f"{out}.int32"], [f"{out}.whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{out}.whole", f"{left}.scale"], [f"{out}.rows"]),
        helper.make_node("Mul", [f"{out}.rows", f"{name}.scale"], [f"{out}.above"]),
        helper.make_node("Mul", [f"{left}.least", f"{name}.sums"], [f"{out}.below"]),
        helper.make_node("Add", [f"{out}.above", f"{out}.below"], [out], name=node.name),
    ], [
        numpy_helper.from_array(columns, f"{name}.int8"),
        numpy_helper.from_array(scales, f"{name}.scale"),
        numpy_helper.from_array(sums, f"{name}.sums"),
    ]
