"""Charts as SVG that stands alone or inside a page, in light and dark, in colour and in print.

Text and axes take the colour of the text around them. Methods differ in colour, dash and mark. The
SVG holds shapes and text alone: no script, style, font, link or id, so that several can stand in
one page.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

    from tool_bench.scaling import ScalingRecord

WIDTH, HEIGHT = 520, 300

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#2b7fb8", "#8c6bb1", "#808080")
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 3], [1, 3], [6, 2, 2, 2])
_MARKS = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
)
_MARK = re.compile(r'(<path aria-label="([^"]*)"[^>]*)/>')
_NOTE = "bands: 95 % intervals; right of a curve's first point, scores are a lower bound"
_BAND = 0.18
_GRID = 0.15


def scaling_svg(records: Sequence[ScalingRecord], measure: str = "nDCG@10") -> str:
    """Draw a measure over the size of the catalogue, with 95 % intervals as bands.

    Args:
        records: curves of one task; those without points are left out.
        measure: one of :data:`tool_bench.scaling.MEASURES`.

    Raises:
        ValueError: there is no point at all.
    """
    rows = []
    for record in records:
        for point in record.points:
            score = point.measures[measure]
            rows.append(
                {
                    "method": record.baseline,
                    "tools": point.tools,
                    "value": score.value,
                    "low": score.value if score.low is None else score.low,
                    "high": score.value if score.high is None else score.high,
                }
            )
    title = f"{_task(records)}: {measure} by size of the catalogue"
    return _curves(rows, title, _NOTE, measure)


def scaling_latency_svg(records: Sequence[ScalingRecord]) -> str:
    """Draw the median latency over the size of the catalogue, with 95 % intervals as bands.

    Both axes are logarithmic: search in time proportional to the catalogue is a straight line.

    Args:
        records: as for :func:`scaling_svg`.

    Raises:
        ValueError: there is no point at all.
    """
    rows, machines = [], set()
    for record in records:
        for point in record.points:
            median, machine = point.timing.latency["p50"], point.provenance.hardware
            machines.add(f"{machine.cpu}, {machine.cores} cores")
            rows.append(
                {
                    "method": record.baseline,
                    "tools": point.tools,
                    "value": median.ms,
                    "low": median.low,
                    "high": median.ms if median.high is None else median.high,
                }
            )
    title = f"{_task(records)}: median latency by size of the catalogue"
    several = "measured on several machines: compare within a curve only"
    note = several if len(machines) > 1 else f"one query at a time on {''.join(machines)}"
    return _curves(rows, title, note, "p50, ms", log=True)


def _task(records: Sequence[ScalingRecord]) -> str:
    return ", ".join(dict.fromkeys(record.task for record in records))


def _curves(
    rows: list[dict[str, Any]], title: str, note: str, label: str, *, log: bool = False
) -> str:
    """Return one curve with a band per method, over a logarithmic axis of catalogue sizes."""
    if not rows:
        raise ValueError("no points to draw")
    import altair as alt

    rows = sorted(rows, key=lambda row: (row["method"], row["tools"]))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    x = alt.X(
        "tools:Q",
        title="tools in the catalogue",
        scale=alt.Scale(type="log", nice=False, padding=12),
        axis=alt.Axis(
            values=sorted({row["tools"] for row in rows}), format=".3~s", labelOverlap="greedy"
        ),
    )
    scale = alt.Scale(type="log" if log else "linear", zero=not log)
    lowest, highest = min(row["low"] for row in rows), max(row["high"] for row in rows)
    axis = alt.Axis(values=decades(lowest, highest)) if log else alt.Axis(tickCount=5)
    y = alt.Y("value:Q", title=label, scale=scale, axis=axis)
    colour = alt.Color("method:N", title=None, scale=_styled(methods, _COLOURS))
    colours = dict(zip(methods, _cycled(_COLOURS, methods), strict=True))
    base = alt.Chart(
        alt.InlineData(values=[{**row, "colour": colours[row["method"]]} for row in rows])
    )
    chart = alt.layer(
        base.mark_area(opacity=_BAND, aria=False).encode(
            x=x,
            y=alt.Y("low:Q", title=label, scale=scale, axis=axis),
            y2="high:Q",
            fill=alt.Fill("colour:N", scale=None),  # a scale would draw the bands in the legend
        ),
        base.mark_line(strokeWidth=2).encode(
            x=x,
            y=y,
            color=colour,
            strokeDash=alt.StrokeDash("method:N", title=None, scale=_styled(methods, _DASHES)),
        ),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            x=x,
            y=y,
            color=colour,
            shape=alt.Shape("method:N", title=None, scale=_styled(methods, _MARKS)),
        ),
    )
    return as_svg(chart.properties(width=WIDTH, height=HEIGHT), title, note)


def decades(low: float, high: float) -> list[float]:
    """Return the powers of ten from the one below ``low`` to the one above ``high``."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, last + 1)]


def _styled(methods: Sequence[str], styles: Sequence[Any]) -> alt.Scale:
    """Return a scale that gives each method a style."""
    import altair as alt

    return alt.Scale(domain=list(methods), range=_cycled(styles, methods))


def _cycled(styles: Sequence[Any], methods: Sequence[str]) -> list[Any]:
    """Return a style for each method; they begin anew when there are no more."""
    return [styles[number % len(styles)] for number in range(len(methods))]


def as_svg(chart: alt.LayerChart | alt.FacetChart, title: str, note: str) -> str:
    """Return ``chart`` as SVG with a title, in the colour of the text around it."""
    import altair as alt
    import vl_convert

    text = {"labelColor": "currentColor", "titleColor": "currentColor"}
    styled = (
        chart.properties(title=alt.Title(title, subtitle=note))
        .configure(background="transparent", font="sans-serif", padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            **text,
            domainColor="currentColor",
            tickColor="currentColor",
            gridColor="currentColor",
            gridOpacity=_GRID,
            titleFontWeight="normal",
        )
        .configure_title(anchor="start", color="currentColor", subtitleColor="currentColor")
        .configure_legend(
            **text, orient="bottom", columns=3, symbolSize=110, symbolStrokeWidth=2, labelLimit=0
        )
    )
    drawn = str(vl_convert.vegalite_to_svg(styled.to_dict()))
    told = html.escape(f"{title}. {note}.", quote=True)
    drawn = _MARK.sub(r"\1><title>\2</title></path>", drawn)  # what the mouse shows
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{told}" ', 1)
