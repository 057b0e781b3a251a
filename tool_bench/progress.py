"""How long work tells whoever watches how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Report = Callable[[str, int, int], None]
"""Called with (phase, done, total)."""

_report: ContextVar[Report | None] = ContextVar("report", default=None)


def report(phase: str, done: int, total: int) -> None:
    """Say that ``done`` of ``total`` steps of ``phase`` are finished."""
    current = _report.get()
    if current is not None:
        current(phase, done, total)


@contextmanager
def reporting_to(receiver: Report) -> Iterator[None]:
    """Send every report made inside the block to ``receiver``."""
    token = _report.set(receiver)
    try:
        yield
    finally:
        _report.reset(token)
