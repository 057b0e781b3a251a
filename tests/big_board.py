"""Builds a board of 12 tasks, 40 methods and 8,000 queries; run as a script by a test.

python big_board.py make RESULTS
python big_board.py build RESULTS BOARD    prints seconds and the most memory, MiB
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import fakes
import pytest
import synthetic

from tool_bench import at_hand, registry
from tool_bench.leaderboard.build import build

TASKS, METHODS, QUERIES = 12, 40, 8_000


def main(what: str, results: Path, board: Path | None = None) -> None:
    """Do one of the two."""
    data = [synthetic.dataset(f"Big{n}", QUERIES, QUERIES) for n in range(TASKS)]
    if what == "make":
        for seed, own in enumerate(data):
            synthetic.put(results, own, [f"method-{n:02}" for n in range(METHODS)], seed)
        return
    assert board is not None
    tasks = {own.name: synthetic.declared(fakes.TASK, own) for own in data}
    patch = pytest.MonkeyPatch()  # for good: this process does nothing else
    patch.setattr(registry, "tasks", lambda: tasks)
    patch.setattr(at_hand, "dataset_hash", synthetic.name_hash)
    start = time.monotonic()
    _, broken = build(results, board)
    assert broken == []
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(f"{time.monotonic() - start:.2f} {peak:.0f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
