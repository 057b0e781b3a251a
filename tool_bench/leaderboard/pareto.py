"""Quality against what it takes: which methods nothing beats in both."""

from __future__ import annotations

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
_STEP = 14
"""Labels that would touch are this many pixels apart."""


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
    """Return a layer of text per point of the front, above and below it in turn."""
    import altair as alt

    return [
        alt.Chart(alt.InlineData(values=[{"x": p.effort, "y": p.quality, "name": p.name}]))
        .mark_text(
            align="right" if number == len(best) - 1 and number else "left",
            dx=-8 if number == len(best) - 1 and number else 8,
            dy=_STEP if number % 2 else -_STEP // 2,
            fontWeight="bold",
            color="currentColor",
        )
        .encode(x=x, y=y, text="name:N")
        for number, p in enumerate(best)
    ]
