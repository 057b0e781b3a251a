"""What a model wrote, read for what can be used of it."""

from __future__ import annotations

import json
from typing import Any


def strings(text: str, key: str) -> list[str]:
    """Return the texts of the list under ``key`` in the first JSON object of ``text``.

    Models wrap JSON in prose and fences, and sometimes write none: whatever is no list of texts
    under that key gives an empty list.
    """
    found = _first_object(text).get(key)
    given = found if isinstance(found, list) else []
    folded = (" ".join(each.split()) for each in given if isinstance(each, str))
    return [each for each in dict.fromkeys(folded) if each]


def _first_object(text: str) -> dict[str, Any]:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, _ = decoder.raw_decode(text, start)
        except ValueError:
            start = text.find("{", start + 1)
        else:
            return value if isinstance(value, dict) else {}
    return {}
