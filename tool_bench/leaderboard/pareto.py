"""Quality against what it takes: which methods nothing beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tool_bench.leaderboard.charts import HEIGHT, as_svg, decades

WIDTH = 560
_KINDS = {
    "lexical": ("#0072b2", "circle"),
    "dense": ("#d55e00", "square"),
    "hybrid": ("#009e73", "triangle-up"),
    "rerank": ("#cc79a7", "diamond"),
    "llm": ("#b8860b", "cross"),
}
"""Colour and mark."""
_WIDE, _HIGH = 110, 14
"""What a label takes up, in pixels."""


@dataclass(frozen=True, slots=True)
class Point:
    """One method."""

    name: str
    kind: str
    effort: float
    """What it takes; above 0."""
    quality: float


def front(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points that no other is as good as in both and better in one, cheapest first."""
    best, kept = -1.0, []
    for point in sorted(points, key=lambda p: (p.effort, -p.quality, p.name)):
        if point.quality > best:
            kept.append(point)
            best = point.quality
    return tuple(kept)


def pareto_svg(points: Sequence[Point], effort: str, quality: str, note: str) -> str:
    """Draw ``points`` with a line through those that nothing beats, and the names of these.

    Args:
        points: at least one.
        effort: what the horizontal axis shows, smaller is better; logarithmic.
        quality: what the vertical axis shows.
        note: what they were measured on.
    """
    import altair as alt

    best = front(points)
    names = {point.name for point in best}
    rows: list[dict[str, Any]] = [
        {
            "told": f"{p.name}, {p.kind}: {p.quality:.3f} at {p.effort:.2g}",
            "kind": p.kind,
            "x": p.effort,
            "y": p.quality,
            "best": p.name in names,
        }
        for p in points
    ]
    low, high = min(p.effort for p in points), max(p.effort for p in points)
    x = alt.X(
        "x:Q",
        title=effort,
        scale=alt.Scale(type="log", nice=False, padding=24),
        axis=alt.Axis(values=decades(low, high), format="~g"),
    )
    y = alt.Y(
        "y:Q", title=quality, scale=alt.Scale(zero=False, padding=20), axis=alt.Axis(tickCount=5)
    )
    kinds = [kind for kind in _KINDS if any(p.kind == kind for p in points)]
    colours = alt.Scale(domain=kinds, range=[_KINDS[kind][0] for kind in kinds])
    marks = alt.Scale(domain=kinds, range=[_KINDS[kind][1] for kind in kinds])
    everything = alt.Chart(alt.InlineData(values=rows))
    line = alt.Chart(alt.InlineData(values=[r for r in rows if r["best"]]))
    chart = alt.layer(
        line.mark_line(
            aria=False, interpolate="step-after", strokeWidth=1.5, strokeDash=[4, 3]
        ).encode(x=x, y=y, color=alt.value("currentColor")),
        everything.mark_point(filled=True, opacity=1).encode(
            x=x,
            y=y,
            color=alt.Color("kind:N", title=None, scale=colours),
            shape=alt.Shape("kind:N", title=None, scale=marks),
            size=alt.condition("datum.best", alt.value(110), alt.value(45)),
            description="told:N",
        ),
        *_labels(best, x, y),
    )
    title = f"{quality} against {effort}"
    return as_svg(chart.properties(width=WIDTH, height=HEIGHT), title, note)


def _labels(best: Sequence[Point], x: Any, y: Any) -> list[Any]:
    """Return a layer of text per point of the front: below it, or above where one stands there.

    A front rises to the right in steps, so the place below a point's right is free of its line.
    """
    import altair as alt

    layers, last = [], (-math.inf, math.inf)
    for point in best:
        at = _place(point, best)
        above = at[0] - last[0] < _WIDE and abs(at[1] - last[1]) < _HIGH
        last = (-math.inf, math.inf) if above else at
        left = at[0] > WIDTH - _WIDE
        layers.append(
            alt.Chart(
                alt.InlineData(values=[{"x": point.effort, "y": point.quality, "name": point.name}])
            )
            .mark_text(
                align="right" if left else "left",
                dx=-4 if left else 6,
                dy=-_HIGH + 3 if above else _HIGH,
                fontWeight="bold",
                color="currentColor",
                aria=False,
            )
            .encode(x=x, y=y, text="name:N")
        )
    return layers


def _place(point: Point, best: Sequence[Point]) -> tuple[float, float]:
    """Return about where ``point`` is drawn, in pixels."""
    efforts, qualities = [math.log(p.effort) for p in best], [p.quality for p in best]
    across = (math.log(point.effort) - efforts[0]) / (efforts[-1] - efforts[0] or 1)
    down = (qualities[-1] - point.quality) / (qualities[-1] - qualities[0] or 1)
    return across * WIDTH, down * HEIGHT
