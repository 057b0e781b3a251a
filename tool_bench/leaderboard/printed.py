"""Figures and facts as the page and the terminal print them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tool_bench.reported import ReportedTable
from tool_bench.results import Provenance, Quantile

_WHOLE_MS = 10
_LEAST_P = 0.001


@dataclass(frozen=True, slots=True)
class Score:
    """A mean as a share of one, and its interval where it has one."""

    value: float
    low: float | None
    high: float | None
    few: bool = False
    """Whether it comes from so few clusters that the interval may be too narrow."""


def describe(provenance: Provenance) -> str:
    """Return the machine in one line."""
    machine = provenance.hardware
    parts = [machine.cpu, f"{machine.cores} core{'' if machine.cores == 1 else 's'}"]
    parts += [f"{machine.memory_gib:g} GiB", *filter(None, [machine.accelerator])]
    return ", ".join(parts)


def caption(table: ReportedTable) -> str:
    """Return what a reported table is about: task, setting and sizes, as far as they are known."""
    parts = [table.task, *filter(None, [table.setting])]
    parts += [f"{table.tools:,} tools"] if table.tools else []
    parts += [f"{table.queries:,} queries"] if table.queries else []
    return ", ".join(parts)


def second_hand(table: ReportedTable) -> str | None:
    """Return who says that the source gives these figures; None where it was read itself."""
    return f"According to {table.via}." if table.via else None


def share(value: float | None) -> str:
    """Return a score as a share of one with three digits: ``.547``, ``1.000``."""
    return "n/a" if value is None else f"{value:.3f}".removeprefix("0")


def interval(score: Score) -> str:
    """Return the interval of a score: ``.486–.613``, with a ``*`` for few clusters, or nothing."""
    if score.low is None:
        return ""
    return f"{share(score.low)}–{share(score.high)}{'*' if score.few else ''}"


def margin(score: Score) -> str:
    """Return half the width of a score's interval: ``±.064``; empty where it has none."""
    if score.low is None or score.high is None:
        return ""
    return f"±{share((score.high - score.low) / 2)}{'*' if score.few else ''}"


def milliseconds(value: float) -> str:
    """Return a latency with two significant digits, or whole milliseconds from 10 on."""
    return f"{value:.0f}" if float(f"{value:.2g}") >= _WHOLE_MS else f"{value:.2g}"


def parameters(value: int | None) -> str:
    """Return a number of parameters as people say it: ``22.7 M``; ``n/a`` where unknown."""
    if value is None:
        return "n/a"
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if round(value / size, 2) >= 1:
            return f"{value / size:.3g} {unit}"
    return str(value)


def dollars(value: float) -> str:
    """Return an amount of US dollars with two significant digits and no exponent."""
    if value == 0:
        return "0"
    decimals = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):.{max(decimals, 0)}f}"


def size(value: int | None) -> str:
    """Return a number of bytes with three significant digits: ``91.1 MB``; ``n/a`` for None."""
    if value is None:
        return "n/a"
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= one:
            return f"{value / one:.3g} {unit}"
    return f"{value} B"


def seconds(value: float | None) -> str:
    """Return seconds with two significant digits, whole ones from 10 on; ``n/a`` for None."""
    return "n/a" if value is None else milliseconds(value)


def count(value: float | None) -> str:
    """Return a number in whole units, thousands apart; ``n/a`` for None."""
    return "n/a" if value is None else f"{value:,.0f}"


def roughly(value: int) -> str:
    """Return an estimate with two significant digits: ``120,000``."""
    return f"{float(f'{value:.2g}'):,.0f}"


def span(value: Quantile) -> str:
    """Return the interval of a latency in ms: ``1.8–2.1``; ``≥1.8`` where it has no upper end."""
    if value.high is None:
        return f"≥{milliseconds(value.low)}"
    return f"{milliseconds(value.low)}–{milliseconds(value.high)}"


def probability(value: float) -> str:
    """Return a p with two significant digits: ``.034``; ``< .001`` below that."""
    return "< .001" if value < _LEAST_P else f"{value:.2g}".removeprefix("0")
