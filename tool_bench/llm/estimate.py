"""How many tokens and dollars a request will take, before it is sent.

The service counts for nothing only over the network, so tokens are estimated from bytes. English
text has about 4 to a token with older tokenizers; this model's makes some 30 % more tokens, and
JSON is denser: 3 bytes a token is what to expect, 2 what not to exceed.
"""

from __future__ import annotations

import json
from typing import Any

from tool_bench.llm.request import Request
from tool_bench.prices import ModelPrice

_EXPECTED_BYTES = 3.0
_LEAST_BYTES = 2.0
OVERHEAD = 500
"""Tokens that the service adds to a request with tools."""
PASSES = 4
"""Times the model reads a request whose tools the service searches, at most as is expected."""
FOUND = 5
"""Tools that one such search loads at most."""

_MILLION = 1_000_000


def size(value: Any) -> int:
    """Return the UTF-8 bytes of a text, or of a value's JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return len(text.encode("utf-8", errors="replace"))


def tokens(value: Any) -> int:
    """Return the tokens to expect of a text or of a value's JSON."""
    return round(size(value) / _EXPECTED_BYTES)


def most_usd(request: Request, price: ModelPrice) -> float:
    """Return what one attempt at ``request`` will cost at most.

    All input at the price of writing it to the service's cache, and the longest answer. Deferred
    tools cost nothing until a search loads them: the largest are taken to be loaded, and to be
    read again in each later pass.
    """
    tools = request.get("tools", ())
    deferred = sorted(size(tool) for tool in tools if tool.get("defer_loading"))
    given = size({**request, "tools": [tool for tool in tools if not tool.get("defer_loading")]})
    passes = PASSES if deferred else 1
    loaded = sum(deferred[-FOUND * PASSES :])
    read = (OVERHEAD + (given + loaded) / _LEAST_BYTES) * passes
    longest: int = request["max_tokens"]
    return (read * price.cache_write + longest * price.output) / _MILLION
