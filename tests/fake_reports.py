"""A small source of reported figures for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HOSTILE = "<script>alert(1)</script> & [bold]"


def source(**changes: Any) -> dict[str, Any]:
    table = {
        "task": "Tiny",
        "setting": "global",
        "tools": 12,
        "queries": 1200,
        "our_task": "Tiny",
        "comparable": "Not comparable: it is made up.",
        "checked": "read",
        "note": "A typo.",
        "measures": ["Hit@1, %", "MRR"],
        "rows": [
            {"method": "worse", "values": ["41.70", None]},
            {"method": "better", "values": ["~97", "0.5"]},
        ],
    }
    for key in table.keys() & changes.keys():
        table[key] = changes.pop(key)
    return {
        "title": "A paper",
        "by": "Somebody",
        "url": "https://example.org/paper",
        "published": "2026-05",
        "tables": [{**table, **changes.pop("more", {})}],
        **changes,
    }


def put(results: Path, record: object, name: str = "paper") -> Path:
    path = results / "reported" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(record), encoding="utf-8")
    return path
