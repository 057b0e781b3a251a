"""A catalogue as the Messages API takes it: names and schemas it accepts, and the way back."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tool_bench.llm.estimate import tokens
from tool_bench.retriever import Candidates
from tool_bench.tool import MAX_CHARACTERS, Parameter, Tool

RESERVED = frozenset({"tool_search_tool_bm25", "tool_search_tool_regex"})
"""Names of the service's own tools."""

_LONGEST = 64
_HASH = 8
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
_NOT_IN_KEY = re.compile(r"[^a-zA-Z0-9_.-]+")
_TYPES = {
    "integer": ("int", "long"),
    "number": ("float", "double", "decimal"),
    "boolean": ("bool",),
    "array": ("list",),
    "object": ("dict", "map"),
}
_TYPE_OF = {alias: name for name, aliases in _TYPES.items() for alias in (name, *aliases)}


class ApiTools:
    """Tools of one request, in the order of their ids, so that equal catalogues are equal texts."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        by_id = definitions(sorted(tools, key=lambda tool: tool.id))
        self.params = list(by_id.values())
        self.sizes = [tokens(param) for param in self.params]
        """Tokens to expect of each."""
        self._ids = {param["name"]: id_ for id_, param in by_id.items()}

    def ids(self, names: Iterable[str]) -> list[str]:
        """Return the ids of tools by the names the model used; unknown and repeated ones go."""
        return list(dict.fromkeys(self._ids[name] for name in names if name in self._ids))


class ApiCatalogues:
    """The catalogue of a task and its parts, one for each set of candidates; each is made once."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.id: tool for tool in tools}
        self._made: dict[tuple[str, ...] | None, ApiTools] = {}

    def of(self, candidates: Candidates) -> ApiTools:
        """Return the candidates' tools; unknown ids are ignored, None means all."""
        own = None if candidates is None else tuple(candidates)
        if own not in self._made:
            chosen = self._tools if own is None else dict.fromkeys(own)
            self._made[own] = ApiTools(self._tools[id_] for id_ in chosen if id_ in self._tools)
        return self._made[own]


def definitions(tools: Sequence[Tool]) -> dict[str, dict[str, Any]]:
    """Return tool id -> what the API is sent for it: name, description, input schema."""
    names = api_names(tools)
    return {tool.id: _param(tool, names[tool.id]) for tool in tools}


def api_names(tools: Sequence[Tool]) -> dict[str, str]:
    """Return tool id -> a name of letters, digits, ``_`` and ``-``, at most 64, no two the same.

    A tool keeps its own name where it can. Those whose names would be the same get a hash of their
    id instead of an order, so that no name depends on what else is in the catalogue but its twins.
    """
    plain = {tool.id: _NOT_IN_NAME.sub("_", tool.name)[:_LONGEST] or "tool" for tool in tools}
    counts = Counter(plain.values())
    taken = {name for name, n in counts.items() if n == 1} | RESERVED
    names = {}
    for id_, name in plain.items():
        if counts[name] == 1 and name not in RESERVED:
            names[id_] = name
            continue
        names[id_] = next(n for n in _hashed(name, id_) if n not in taken)
        taken.add(names[id_])
    return names


def _hashed(name: str, id_: str) -> Iterable[str]:
    stem = name[: _LONGEST - _HASH - 1]
    text = id_
    while True:
        text = hashlib.sha256(text.encode()).hexdigest()
        yield f"{stem}_{text[:_HASH]}"


def _param(tool: Tool, name: str) -> dict[str, Any]:
    param: dict[str, Any] = {"name": name}
    description = tool.description.strip()[:MAX_CHARACTERS]
    if description:
        param["description"] = description
    return {**param, "input_schema": input_schema(tool.parameters)}


def input_schema(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the JSON schema of a tool's inputs; types it does not know become strings."""
    properties: dict[str, dict[str, str]] = {}
    required = []
    for parameter in parameters:
        plain = _NOT_IN_KEY.sub("_", parameter.name)[:_LONGEST] or "parameter"
        key, number = plain, 2
        while key in properties:
            end = f"_{number}"
            key, number = plain[: _LONGEST - len(end)] + end, number + 1
        properties[key] = {"type": _type(parameter.type)}
        description = parameter.description.strip()[:MAX_CHARACTERS]
        if description:
            properties[key]["description"] = description
        if parameter.required:
            required.append(key)
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _type(upstream: str) -> str:
    word = re.match(r"[a-z]*", upstream.strip().casefold())
    return _TYPE_OF.get(word.group() if word else "", "string")
