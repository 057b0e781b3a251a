"""A tool from its documentation, a JSON object whose fields depend on where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tool_bench.tool import Parameter, Tool

_DESCRIPTIONS = ("description", "functionality", "func_description", "description_for_human")
_PARAMETERS = (
    ("parameters", False),
    ("required_parameters", True),
    ("optional_parameters", False),
    ("doc_arguments", False),
    ("inputs", False),
    ("api_arguments", False),
    ("additional_required_arguments", True),
    ("optional_arguments", False),
)
"""Fields that hold parameters, and whether those are required."""
_NAME_AND_TYPE = re.compile(r"(\S+)\s*\(([^()]*)\)")


def tool_of(id_: str, documentation: Any, string: str | None) -> Tool:
    """Return the tool that ``documentation`` describes.

    A name that is missing is the id, a description that is missing is empty, and parameters in a
    shape that is not known are none: nothing in the documentation is an error.

    Args:
        id_: upstream's id.
        documentation: decoded.
        string: the documentation as the hub has it; where only the decoded one is given, it is
            written again as Python's ``json.dumps`` writes it, letters beyond ASCII as they are.
    """
    fields = documentation if isinstance(documentation, dict) else {}
    raw = json.dumps(documentation, ensure_ascii=False) if string is None else string
    return Tool(
        id=id_,
        name=_text(fields.get("name")) or id_,
        description=next(filter(None, (_text(fields.get(f)) for f in _DESCRIPTIONS)), ""),
        parameters=tuple(_parameters(fields)),
        raw=raw,
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _parameters(fields: dict[str, Any]) -> Iterator[Parameter]:
    """Yield the parameters of every field that holds some, each name once."""
    seen = set()
    for field, required in _PARAMETERS:
        for parameter in _declared(fields.get(field), required=required):
            if parameter.name not in seen:
                seen.add(parameter.name)
                yield parameter


def _declared(value: Any, *, required: bool) -> Iterator[Parameter]:
    """Read a JSON schema, an object of name -> facts, or a list of objects with names."""
    if isinstance(value, dict):
        properties = value.get("properties")
        if isinstance(properties, dict) and isinstance(value.get("type"), str):
            named = value.get("required")
            needed = named if isinstance(named, list) else []
            for name, facts in properties.items():
                yield _parameter(name, facts, required=name in needed)
            return
        for name, facts in value.items():
            yield _parameter(name, facts, required=required)
    elif isinstance(value, list):
        for facts in value:
            if isinstance(facts, dict) and _text(facts.get("name")):
                yield _parameter(_text(facts["name"]), facts, required=required)


def _parameter(name: str, facts: Any, *, required: bool) -> Parameter:
    """Read one parameter; its facts are an object or, in some sub-datasets, a description alone."""
    written = _NAME_AND_TYPE.fullmatch(name)
    name, type_ = written.groups() if written else (name, "")
    if not isinstance(facts, dict):
        return Parameter(name=name, type=type_, description=_text(facts), required=required)
    schema = facts.get("schema")
    stated = facts.get("type") or (schema.get("type") if isinstance(schema, dict) else None)
    return Parameter(
        name=name,
        type=_text(stated) or type_,
        description=_text(facts.get("description")),
        required=facts.get("required") is True or required,
    )
