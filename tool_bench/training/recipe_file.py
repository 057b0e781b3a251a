"""A recipe as the TOML that :func:`~tool_bench.training.recipe.read_recipe` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tool_bench.training.recipe import Recipe

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(recipe: Recipe) -> str:
    """Return ``recipe`` with every field written out; what is None is left out."""
    return "\n".join(_lines(recipe.model_dump(mode="json"), ())) + "\n"


def _lines(content: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield one table: its own values first, as TOML wants it, and then the tables in it."""
    if path:
        yield f"\n[{'.'.join(map(_key, path))}]"
    tables = {}
    for key, value in content.items():
        if isinstance(value, dict):
            tables[key] = value
        elif value is not None:
            yield f"{_key(key)} = {_value(value)}"
    for key, table in tables.items():
        yield from _lines(table, (*path, key))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    """Return a text, number, boolean or list of them; JSON writes these as TOML does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
