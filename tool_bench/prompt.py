"""What a model that takes an instruction is told to look for."""

from __future__ import annotations

PROMPT = "Given a user's request, retrieve the tools that can fulfil it."
"""The query instruction for models that take one; the same on every task."""
