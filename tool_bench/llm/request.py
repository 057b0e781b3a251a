"""Requests to the Messages API, and what identifies one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

MODEL = "claude-sonnet-5-5"
"""The model of every method that asks one; ``pricing.toml`` has its price."""

THINKING = {"type": "between_tools"}
"""No thinking before the answer: the least this model can be set to."""

Request = Mapping[str, Any]
"""Everything the model is sent, as the API's reference names it."""


def request(
    content: str,
    max_tokens: int,
    *,
    system: str | None = None,
    tools: Sequence[Mapping[str, Any]] = (),
) -> Request:
    """Return a request with one message of the user.

    Args:
        content: of the message; the API refuses a blank one.
        max_tokens: the most the answer may hold, thinking included.
        system: what the model is told beforehand.
        tools: as the API takes them. It may call any number of them: this model cannot be made to
            call one, and several calls in one answer are what a ranking is read from.
    """
    made: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": max_tokens,
        "thinking": THINKING,
        "messages": [{"role": "user", "content": content}],
    }
    if system is not None:
        made["system"] = system
    if tools:
        made |= {"tools": list(tools), "tool_choice": {"type": "auto"}}
    return made


def key(request: Request) -> str:
    """Return the hex sha256 of the whole request, under which its answer is kept."""
    return _hash(request)


def cached_prefix(request: Request) -> str | None:
    """Return what identifies the part that the service is asked to cache; None where there is none.

    Only tools are ever cached here: the mark stands on the last one.
    """
    tools = request.get("tools", ())
    if not tools or "cache_control" not in tools[-1]:
        return None
    return _hash([request["model"], tools])


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
