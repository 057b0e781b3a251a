"""What the page shows of growing catalogues: charts, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tool_bench.leaderboard.printed import Score
from tool_bench.scaling import ScalingPoint, ScalingRecord

SHOWN = "nDCG@10"


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one task."""

    quality: str
    """SVG."""
    latency: str
    """SVG."""
    sizes: tuple[int, ...]
    """Sizes of the catalogue, smallest first."""
    rows: tuple[tuple[str, tuple[tuple[Score, float] | None, ...]], ...]
    """(method, its score and p50 in ms at each size; None where it was not measured)."""
    bound: str
    """How the scores are to be read."""


def curves(records: Iterable[ScalingRecord]) -> Mapping[str, Curves]:
    """Return task -> its curves; records without points are left out."""
    by_task: dict[str, list[ScalingRecord]] = {}
    for record in records:
        if record.points:
            by_task.setdefault(record.task, []).append(record)
    return {task: _curves(own) for task, own in by_task.items()}


def _curves(records: list[ScalingRecord]) -> Curves:
    from tool_bench.leaderboard.charts import scaling_latency_svg, scaling_svg

    sizes = sorted({point.tools for record in records for point in record.points})
    rows = []
    for record in records:
        own = {point.tools: _shown(point) for point in record.points}
        rows.append((record.baseline, tuple(own.get(size) for size in sizes)))
    return Curves(
        quality=scaling_svg(records),
        latency=scaling_latency_svg(records),
        sizes=tuple(sizes),
        rows=tuple(rows),
        bound=records[0].bound,
    )


def _shown(point: ScalingPoint) -> tuple[Score, float]:
    estimate = point.measures[SHOWN]
    return Score(estimate.value, estimate.low, estimate.high), point.timing.latency["p50"].ms
