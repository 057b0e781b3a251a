"""The weights of an ONNX graph in eight bits.

Embeddings: one scale a row, so that a word's vector depends on no other word's. Matrices: one
scale for every 32 weights of a column (``MatMulNBits``, an operator of onnxruntime), and at run
time one for every 32 inputs, row by row. onnxruntime's own ``quantize_dynamic`` takes one scale for
all inputs of a batch: it loses 20 times as much (docs/serving/README.md), and a text's vector then
depends on the texts beside it. Where a machine lacks the kernel, onnxruntime computes the same
operator in floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto, TensorProto

BLOCK = 32
"""Weights of a column that share a scale: the least for which MiniLM stays under 25 MB."""
LEAST_ROWS = 16
"""A smaller table stays as it is: BERT's two token types shift every text alike."""

_INT8_COMPUTE = 4  # the operator's accuracy_level: inputs in eight bits too
_ZERO = 128  # unsigned eight bits stand for -128 to 127


def quantise(model: ModelProto, block: int | None = BLOCK) -> None:
    """Replace float tables and matrices of ``model`` by eight-bit ones, in place.

    Args:
        model: a table is what a ``Gather`` looks up rows in; a matrix is the constant right side
            of a ``MatMul``.
        block: weights that share a scale. Matrices whose number of rows it does not divide stay
            as they are; all do where it is None.
    """
    from onnx import helper

    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    nodes: list[NodeProto] = []
    for node in graph.node:
        made = _replaced(node, weights, block)
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
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def row_scales(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return ``table``, shape (rows, width), as integers and one scale a row, shape (rows, 1)."""
    import numpy as np

    scales = _scales(table)
    return np.rint(table / scales).astype(np.int8), scales


def block_scales(
    matrix: NDArray[np.float32], block: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a matrix as integers about 128 and one scale for each block of a column.

    Args:
        matrix: shape (inputs, outputs).
        block: divides ``inputs``.

    Returns:
        Shapes (outputs, inputs / block, block) and (outputs, inputs / block).
    """
    import numpy as np

    inputs, outputs = matrix.shape
    blocks = matrix.T.reshape(outputs, inputs // block, block)
    scales = _scales(blocks)
    return (np.rint(blocks / scales) + _ZERO).astype(np.uint8), scales[..., 0]


def _scales(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scale at which the largest of the last axis becomes 127; 1 where all are 0."""
    import numpy as np

    largest = np.abs(weights).max(axis=-1, keepdims=True)
    return np.where(largest > 0, largest / 127, 1).astype(np.float32)


def _replaced(
    node: NodeProto, weights: Mapping[str, TensorProto], block: int | None
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
    if block is None or len(values) % block:
        return None
    return _product(node, values, block)


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


def _product(
    node: NodeProto, matrix: NDArray[Any], block: int
) -> tuple[list[NodeProto], list[TensorProto]]:
    from onnx import helper, numpy_helper

    left, name = node.input
    inputs, outputs = matrix.shape
    integers, scales = block_scales(matrix, block)
    product = helper.make_node(
        "MatMulNBits",
        [left, f"{name}.int8", f"{name}.scale"],
        list(node.output),
        name=node.name,
        domain="com.microsoft",
        K=inputs,
        N=outputs,
        bits=8,
        block_size=block,
        accuracy_level=_INT8_COMPUTE,
    )
    return [product], [
        numpy_helper.from_array(integers, f"{name}.int8"),
        numpy_helper.from_array(scales, f"{name}.scale"),
    ]
