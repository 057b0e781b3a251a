"""Validation scores, worked out by hand on vectors that are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tool_bench.encoder import Role
from tool_bench.training import validation
from tool_bench.training.validation import Scores, mean_hit_at_1, validate


def on_a_circle(texts: Sequence[str], _: Role) -> NDArray[np.float32]:
    """Take a text for an angle in degrees: the nearer, the higher the cosine."""
    angles = np.radians([float(text) for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def tool(id_: str, angle: float, provider: str | None = None) -> dict[str, Any]:
    return {"id": id_, "text": str(angle), "provider": provider}


def request(angle: float, *tools: str, right: Sequence[str] = ()) -> dict[str, Any]:
    source = tools[0].partition("/")[0]
    return {"source": source, "query": str(angle), "tools": [*tools], "right": [*tools, *right]}


TOOLS = [
    tool("s/a", 0, "acme"),
    tool("s/b", 10, "acme"),
    tool("s/c", 20, "box"),
    tool("s/d", 30, "box"),
    tool("t/x", 0),
    tool("t/y", 90),
]


def test_hits_and_ranks() -> None:
    asked = [
        request(1, "s/a"),  # first
        request(12, "s/a"),  # third after b and c; second of acme
        request(12, "s/a", "s/c"),  # c is second; a, the first named, is second of acme
        request(29, "s/a", right=["s/d"]),  # d does the same
        request(80, "t/x"),
        request(80, "t/y"),
    ]
    found = validate(on_a_circle, TOOLS, asked)
    assert found["s"] == Scores(
        requests=4,
        tools=4,
        hit_at_1=2 / 4,
        mrr_at_10=(1 + 1 / 3 + 1 / 2 + 1) / 4,
        scoped_hit_at_1=1 / 4,
    )
    assert found["t"] == Scores(2, 2, 1 / 2, (1 / 2 + 1) / 2, None)
    assert mean_hit_at_1(found) == pytest.approx(((1 / 2 + 1 / 4) / 2 + 1 / 2) / 2)


def test_beyond_the_tenth_place_there_is_no_rank() -> None:
    tools = [tool(f"s/{n}", n) for n in range(12)]
    found = validate(on_a_circle, tools, [request(0, "s/9"), request(0, "s/10")])
    assert found["s"].mrr_at_10 == pytest.approx(1 / 10 / 2)


def test_a_large_catalogue_is_cut_and_keeps_every_right_tool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "MOST_TOOLS", 5)
    tools = [tool(f"s/{n}", n) for n in range(50)]
    assert validate(on_a_circle, tools, [request(7, "s/7")])["s"].tools == 5
    asked = [request(n, f"s/{n}") for n in range(8)]
    found = validate(on_a_circle, tools, asked)["s"]
    assert (found.tools, found.hit_at_1) == (8, 1)
    assert validate(on_a_circle, tools[::-1], asked)["s"] == found


def test_a_model_that_cannot_tell_tools_apart_gets_what_chance_gives() -> None:
    tools = [tool(f"s/{n}", 0) for n in range(10)]
    asked = [request(0, f"s/{n}") for n in range(10)]
    assert validate(on_a_circle, tools, asked)["s"].hit_at_1 == 1 / 10


def test_a_tie_is_not_the_right_tools() -> None:
    tools = [tool(f"s/{n}", 0) for n in range(10)]
    alone = [validate(on_a_circle, tools, [request(0, f"s/{n}")])["s"] for n in range(10)]
    assert sum(scores.hit_at_1 for scores in alone) == 1


def test_without_requests_there_are_no_scores() -> None:
    assert validate(on_a_circle, TOOLS, []) == {}
