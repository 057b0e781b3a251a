"""The limit on what a run pays, over all its cells.

A ledger file carries the sum from one cell's process to the next. The most an attempt can cost is
written to it before it is sent, and corrected when the bill is known: a process that dies meanwhile
leaves the sum too high, never too low.
"""

from __future__ import annotations

import math
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from tool_bench.errors import UnavailableError


class LimitReachedError(UnavailableError):
    """The next request would pass the limit."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A file with one amount a line, and the most they may add up to, both in USD."""

    path: Path
    limit: float

    def total(self) -> float:
        """Return the sum of the amounts."""
        return math.fsum(map(float, self.path.read_text(encoding="ascii").split()))

    def add(self, usd: float) -> None:
        """Append an amount, in one write."""
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, f"{usd!r}\n".encode("ascii"))
        finally:
            os.close(handle)


class Budget:
    """What may still be paid; its methods are called by many threads at once."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self._total = 0.0 if ledger is None else ledger.total()
        self._pending = 0
        self._changed = threading.Condition()

    def reserve(self, usd: float) -> None:
        """Put ``usd`` aside for an attempt; :meth:`settle` must follow.

        Waits while attempts are out that may turn out cheaper than what is put aside for them.

        Raises:
            LimitReachedError: it would pass the limit.
        """
        if self._ledger is None:
            return
        with self._changed:
            while self._total + usd > self._ledger.limit:
                if not self._pending:
                    raise LimitReachedError(f"stopped before passing {self._ledger.limit:.2f} USD")
                self._changed.wait()
            self._pending += 1
            self._add(usd)

    def settle(self, reserved: float, usd: float) -> None:
        """Replace what was put aside for an attempt by what it cost."""
        if self._ledger is None:
            return
        with self._changed:
            self._pending -= 1
            self._changed.notify_all()
            self._add(usd - reserved)

    def _add(self, usd: float) -> None:
        assert self._ledger is not None
        self._total += usd
        self._ledger.add(usd)


_budget: ContextVar[Budget] = ContextVar("budget")


def current() -> Budget:
    """Return the budget that :func:`limited_by` set; one without a limit otherwise."""
    return _budget.get(Budget())


@contextmanager
def limited_by(ledger: Ledger | None) -> Iterator[None]:
    """Let every client made inside the block pay from ``ledger``."""
    token = _budget.set(Budget(ledger))
    try:
        yield
    finally:
        _budget.reset(token)


@contextmanager
def new_ledger(limit: float | None) -> Iterator[Ledger | None]:
    """Give an empty ledger for as long as the block runs; None where there is no limit."""
    if limit is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="tool-bench-") as folder:
        path = Path(folder) / "ledger"
        path.touch()
        yield Ledger(path, limit)
