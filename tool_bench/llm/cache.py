"""Answers kept on disk under the hash of their request, one file each.

A paid answer is worth more than a vector: one file each, written beside its place and moved into
it, means that neither a kill nor a damaged file touches any other answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tool_bench.data.paths import cache_folder
from tool_bench.store import write_atomically

Stored = tuple[dict[str, Any], float]
"""The API's JSON, and the seconds it took."""


class AnswerStore:
    """All answers of this machine's user, in ``answers`` in the cache folder."""

    def __init__(self) -> None:
        self.folder = cache_folder() / "answers"

    def path(self, key: str) -> Path:
        """Return where the answer to the request with this key lies."""
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> Stored | None:
        """Return the answer; None where there is none, or where its file is damaged."""
        try:
            record = json.loads(self.path(key).read_text(encoding="utf-8"))
            message = record["message"]
            check(message)
            if record["key"] != key:
                return None
            return message, float(record["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, message: dict[str, Any], seconds: float, usd: float) -> None:
        """Keep an answer; ``usd`` is what was paid, for whoever checks the bill.

        Raises:
            ToolBenchError: the folder cannot be written.
        """
        record = {"key": key, "seconds": seconds, "usd": usd, "message": message}
        write_atomically({self.path(key): json.dumps(record).encode("ascii")})


def check(message: Any) -> None:
    """Raise ValueError, KeyError or TypeError where ``message`` is no whole answer."""
    if not all(isinstance(block["type"], str) for block in message["content"]):
        raise TypeError("a block without a type")
    for count in ("input_tokens", "output_tokens"):
        if message["usage"][count] < 0:
            raise ValueError(f"{count} below 0")
