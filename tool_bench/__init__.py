"""tool-bench: measure which method finds the right tool for an AI agent."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

__version__ = "0.1.0"

_HERE = Path(__file__).resolve().parent


def _adopt(kind: str) -> None:
    """In a checkout, let the sibling folder ``kind`` answer to ``tool_bench.<kind>``.

    An installed package already has the folder inside it, so nothing happens there.
    """
    folder = _HERE.parent / kind
    if (_HERE / kind).exists() or not (folder / "__init__.py").exists():
        return
    name = f"{__name__}.{kind}"
    if name in sys.modules:
        return
    spec = spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        return
    module = sys.modules[name] = module_from_spec(spec)
    setattr(sys.modules[__name__], kind, module)
    spec.loader.exec_module(module)


_adopt("tasks")
_adopt("baselines")
