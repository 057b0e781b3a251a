"""Which recipe and snapshot a run's folder is of: ``recipe.json`` and ``manifest.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_bench.errors import DataError
from tool_bench.store import write_atomically
from tool_bench.training import snapshot
from tool_bench.training.recipe import Recipe

_OF_SNAPSHOT = ("text", "data", "negatives")
"""Parts of a recipe that its snapshot was built by."""


def begun(folder: Path, recipe: Recipe, base: str) -> str | None:
    """Return the address of the snapshot that the run in ``folder`` is on, or was.

    One that is built anew may differ: what it was checked against depends on what can be had.

    Args:
        folder: the run's folder.
        recipe: None is returned where the run is another recipe's.
        base: address under which snapshots lie; None is returned where it is not there.
    """
    try:
        found = json.loads((folder / "recipe.json").read_bytes())
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if found != recipe.model_dump(mode="json"):
        return None
    address = f"{base.rstrip('/')}/{snapshot.name_of(manifest)}"
    return address if snapshot.is_there(address) else None


def check(folder: Path, recipe: Recipe, manifest: Mapping[str, Any], address: str) -> None:
    """Check that ``folder`` is empty or this very run's; write nothing.

    Raises:
        DataError: the folder is another run's, or the snapshot another recipe's.
    """
    _check_recipe(recipe, manifest, address)
    for path, text in _identity(folder, recipe, manifest).items():
        if path.exists() and path.read_bytes() != text:
            raise DataError(path, "is another run's; choose a new folder, or remove this one")


def begin(folder: Path, recipe: Recipe, manifest: Mapping[str, Any], address: str) -> None:
    """Write what a run is, or check that it is the one that the folder holds; see :func:`check`."""
    check(folder, recipe, manifest, address)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in _identity(folder, recipe, manifest).items():
        if not path.exists():
            write_atomically({path: text})


def _identity(folder: Path, recipe: Recipe, manifest: Mapping[str, Any]) -> dict[Path, bytes]:
    contents = {"recipe.json": recipe.model_dump(mode="json"), "manifest.json": dict(manifest)}
    return {
        folder / name: (json.dumps(content, indent=1, sort_keys=True) + "\n").encode("utf-8")
        for name, content in contents.items()
    }


def _check_recipe(recipe: Recipe, manifest: Mapping[str, Any], address: str) -> None:
    """Refuse a snapshot of other texts or rows: the model would be told to be what it is not."""
    fields = recipe.model_dump(include=set(_OF_SNAPSHOT), mode="json")
    other = [
        f"{part}.{field}"
        for part in _OF_SNAPSHOT
        for field, value in fields[part].items()
        if field != "max_tokens" and manifest["recipe"][part].get(field) != value
    ]
    if other:
        problem = f"was built for another recipe than '{recipe.name}': {', '.join(other)} differ"
        raise DataError(address, problem)
