"""What a model wrote, read for what can be used of it."""

from __future__ import annotations

import json
import re

_DECODER = json.JSONDecoder()
_NEXT = re.compile(r"\s*,?\s*")


def strings(text: str, key: str) -> list[str]:
    """Return the texts of the first list that stands under ``key`` in ``text``.

    Models wrap JSON in prose and fences, are cut off in the middle, and sometimes write none: the
    list is read as far as it is whole, what is no text in it is left out, and whatever is no list
    gives none.
    """
    match = re.search(rf'"{re.escape(key)}"\s*:\s*\[\s*', text)
    if match is None:
        return []
    found: list[str] = []
    place = match.end()
    while True:
        try:
            value, place = _DECODER.raw_decode(text, place)
        except ValueError:  # the end of the list, or of what was written
            break
        if isinstance(value, str):
            found.append(_clean(value))
        comma = _NEXT.match(text, place)
        place = comma.end() if comma else place
    return [each for each in dict.fromkeys(found) if each]


def _clean(value: str) -> str:
    """Return ``value`` on one line; halves of characters, which JSON can hold, become ``?``."""
    return " ".join(value.split()).encode("utf-8", errors="replace").decode("utf-8")
