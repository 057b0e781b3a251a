"""An API as ToolBench writes it down, as a tool and as the text of ToolBench's own retriever."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_bench.data.read import need
from tool_bench.errors import DataError
from tool_bench.tool import Parameter, Tool


def api_tool(id_: str, api: Any, raw: str, path: Path, where: str) -> Tool:
    """Return the tool that ``api``, an object of ToolBench's files, describes.

    Args:
        id_: the tool's id.
        api: ``category_name``, ``tool_name``, ``api_name``, ``api_description``,
            ``required_parameters``, ``optional_parameters``; a text may be missing or null.
        raw: the tool's document string.
        path: the file, for messages.
        where: the place in the file, for messages.

    Raises:
        DataError: a field is of another type.
    """
    provider, name = (_text(api, field, path, where) for field in ("tool_name", "api_name"))
    return Tool(
        id=id_,
        name=f"{provider} {name}" if provider else name or id_,
        description=_text(api, "api_description", path, where),
        parameters=tuple(
            Parameter(
                name=_text(parameter, "name", path, where),
                type=_text(parameter, "type", path, where),
                description=_text(parameter, "description", path, where),
                required=required,
            )
            for field, required in (("required_parameters", True), ("optional_parameters", False))
            for parameter in need(api, field, list, path, where)
        ),
        provider=provider or None,
        category=_text(api, "category_name", path, where) or None,
        raw=raw,
    )


def document(api: Mapping[str, Any], *, no_schema: object = "", ascii_only: bool = True) -> str:
    """Return the text of ``api`` that ToolBench's own retriever embeds.

    The defaults are upstream's (``process_retrieval_ducoment`` in ``toolbench/utils.py``).

    Args:
        api: an object of ToolBench's files.
        no_schema: what stands for a ``template_response`` that is not there.
        ascii_only: whether the JSON in it writes other letters as escapes.
    """
    names = ("category_name", "tool_name", "api_name", "api_description")
    return ", ".join(
        (
            *(str(api.get(name) or "") for name in names),
            *(
                f"{label}: {json.dumps(api.get(field, missing), ensure_ascii=ascii_only)}"
                for label, field, missing in (
                    ("required_params", "required_parameters", ""),
                    ("optional_params", "optional_parameters", ""),
                    ("return_schema", "template_response", no_schema),
                )
            ),
        )
    )


def _text(row: Any, field: str, path: Path, where: str) -> str:
    if not isinstance(row, dict):
        raise DataError(path, f"expected an object, found {type(row).__name__}", where)
    value = row.get(field)
    if not isinstance(value, str | None):
        problem = f"field '{field}' is {type(value).__name__}, expected str or null"
        raise DataError(path, problem, where)
    return value or ""
