"""Every source of training data, by name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from tool_bench.errors import UnknownNameError
from tool_bench.training.source import TrainingSource


@cache
def declared() -> dict[str, TrainingSource]:
    """Return name -> source, for every module of this folder that declares ``SOURCE``."""
    found: dict[str, TrainingSource] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        source = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SOURCE", None)
        if isinstance(source, TrainingSource):
            found[source.name] = source
    return found


def named(name: str) -> TrainingSource:
    """Return the source ``name``; UnknownNameError with the nearest names if there is none."""
    if name not in declared():
        raise UnknownNameError("training source", name, declared())
    return declared()[name]
