"""Text to words, for lexical methods."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words(text: str) -> list[str]:
    """Split ``text`` into lower-case words, identifiers included.

    ``getUserById``, ``get_user_by_id`` and ``get-user-by-id`` all become
    ``get user by id``; ``HTTPServer`` becomes ``http server``. Nothing is stemmed or dropped,
    and any script's letters and digits count.
    """
    return [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text))]
