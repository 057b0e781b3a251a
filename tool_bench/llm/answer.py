"""Answers of the Messages API, and what one costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_bench.prices import ModelPrice
from tool_bench.retriever import Spent


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, new or from the disk."""

    message: Mapping[str, Any]
    """The API's own JSON."""
    spent: Spent
    """What it took when it was first asked for, at today's prices."""

    @property
    def text(self) -> str:
        """All text that the model wrote."""
        return "".join(block.get("text", "") for block in self.blocks if block["type"] == "text")

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The content blocks, in order."""
        return list(self.message["content"])

    @property
    def stop_reason(self) -> str:
        """Why the model stopped: ``end_turn``, ``tool_use``, ``max_tokens``, ``pause_turn``, …."""
        return str(self.message.get("stop_reason"))


def spent_on(usage: Mapping[str, Any], seconds: float, price: ModelPrice) -> Spent:
    """Return what an answer took, from the ``usage`` that the API states with it."""
    tokens = {
        "fresh": usage["input_tokens"],
        "cache_write": usage.get("cache_creation_input_tokens") or 0,
        "cache_read": usage.get("cache_read_input_tokens") or 0,
        "output": usage["output_tokens"],
    }
    return Spent(seconds, price.usd(**tokens), **tokens)
