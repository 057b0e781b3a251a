"""One line of progress for commands that do long things one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from tool_bench.cli.common import duration
from tool_bench.progress import reporting_to


@contextmanager
def steps(*, quiet: bool = False) -> Iterator[None]:
    """Show what the block reports on standard error: phase, how far, and how long it still takes.

    The time left is judged by the phase's own pace, once it has gone on for a few seconds.
    """
    errors = Console(stderr=True, highlight=False, quiet=quiet)
    began: dict[str, tuple[float, int]] = {}
    with errors.status("starting") as status:

        def show(phase: str, done: int, total: int) -> None:
            now = time.monotonic()
            start, first = began.setdefault(phase, (now, done))
            text = f"{phase} {done:,} of {total:,}" if total else phase
            if now - start > 5 and first < done < total:  # noqa: PLR2004  seconds of pace
                left = (now - start) / (done - first) * (total - done)
                text += f", {duration(left)} left"
            status.update(text)

        with reporting_to(show):
            yield
