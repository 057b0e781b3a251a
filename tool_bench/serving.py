"""A catalogue of tools beside an exported model, encoded before it is served.

``catalogue.npz`` holds ``vectors``, one a tool in half precision, shape (tools, dimensions), and
``catalogue``, the bytes of a JSON text: the tools in the same order and the hash of the model.
docs/serving/handler.py answers from them. One file, so that the two cannot drift apart.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tool_bench.data.read import need, read_json
from tool_bench.errors import DataError
from tool_bench.onnx_encoder import OnnxEncoder, read_config
from tool_bench.progress import report
from tool_bench.store import write_atomically
from tool_bench.tool import Parameter, Tool, render

CATALOGUE = "catalogue.npz"

_CHUNK = 256


def read_tools(path: Path) -> list[Tool]:
    """Read tools from JSON: a list of objects, or an answer of an MCP server's ``tools/list``.

    Each has a ``name`` and may have an ``id`` (the name where there is none), a ``description``, a
    ``provider``, a ``category`` and MCP's ``inputSchema``; other fields are left alone.

    Raises:
        DataError: the file is missing or holds no tools, a field is not what it must be, or an id
            is repeated.
    """
    if not path.is_file():
        raise DataError(path, "the file does not exist")
    content = read_json(path)
    rows = need(content, "tools", list, path, "top level") if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows:
        raise DataError(path, "expected a list of tools, or an object with one as 'tools'")
    tools = [_tool(row, path, f"tool {number}") for number, row in enumerate(rows)]
    for id_, n in Counter(tool.id for tool in tools).items():
        if n > 1:
            raise DataError(path, f"tool id '{id_}' occurs {n} times")
    return tools


def write_catalogue(folder: Path, tools: Sequence[Tool]) -> None:
    """Encode ``tools`` with the exported model in ``folder`` and write them there.

    Raises:
        UnavailableError: onnxruntime or tokenizers is not installed.
        DataError: ``folder`` holds no exported model, or a damaged one.
        ToolBenchError: it cannot be written.
    """
    import numpy as np

    encoder = OnnxEncoder(folder)
    texts = [render(tool, encoder.style, encoder.max_characters) for tool in tools]
    parts = []
    for start in range(0, len(texts), _CHUNK):
        report("encode tools", start, len(texts))
        parts.append(encoder.encode(texts[start : start + _CHUNK], "document"))
    catalogue = {
        "model_sha256": read_config(folder)["model_sha256"],
        "tools": [
            {
                "id": tool.id,
                "name": tool.name,
                "description": tool.description,
                "provider": tool.provider,
            }
            for tool in tools
        ],
    }
    sink = io.BytesIO()
    np.savez(
        sink,
        vectors=np.concatenate(parts).astype(np.float16),
        catalogue=np.frombuffer(json.dumps(catalogue).encode("ascii"), dtype=np.uint8),
    )
    write_atomically({folder / CATALOGUE: sink.getvalue()})


def _tool(row: Any, path: Path, where: str) -> Tool:
    name = need(row, "name", str, path, where)
    id_ = _text(row, "id", path, where) or name
    if not name.strip():
        raise DataError(path, "field 'name' is empty", where)
    return Tool(
        id=id_,
        name=name,
        description=_text(row, "description", path, where) or "",
        parameters=tuple(_parameters(row.get("inputSchema"), path, where)),
        provider=_text(row, "provider", path, where),
        category=_text(row, "category", path, where),
    )


def _parameters(schema: Any, path: Path, where: str) -> Iterator[Parameter]:
    """Yield the properties of a JSON schema; what a schema leaves out stays empty."""
    if schema is None:
        return
    where = f"{where}, inputSchema"
    if not isinstance(schema, dict):
        raise DataError(path, f"expected an object, found {type(schema).__name__}", where)
    required = schema.get("required") or []
    for name, facts in need({"properties": {}} | schema, "properties", dict, path, where).items():
        known = facts if isinstance(facts, dict) else {}  # 'true' is a schema too
        yield Parameter(
            name=name,
            type=known["type"] if isinstance(known.get("type"), str) else "",
            description=_text(known, "description", path, f"{where}, property '{name}'") or "",
            required=name in required,
        )


def _text(row: Mapping[str, Any], field: str, path: Path, where: str) -> str | None:
    value = row.get(field)
    if value is None or isinstance(value, str):
        return value
    raise DataError(path, f"field '{field}' is {type(value).__name__}, expected text", where)
