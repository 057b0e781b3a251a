"""The reference that every cell times too: machines differ, their ratios to it hardly do."""

from __future__ import annotations

from tool_bench import registry, timing
from tool_bench.data.fetch import status
from tool_bench.data.load import load
from tool_bench.errors import ToolBenchError
from tool_bench.progress import report
from tool_bench.results import Reference
from tool_bench.task import Task
from tool_bench.timing import Timed

TASK, BASELINE = "MetaTool", "bm25s"
"""Pure computation, small, and the same on every machine."""


def beside(timed: Timed) -> Reference | None:
    """Time the reference in this process, as a method is timed, and compare ``timed`` with it.

    None where it is not declared, or its data is neither in the cache nor in a mirror, or broken:
    nothing is downloaded for it.
    """
    reference = _timed()
    return None if reference is None else timing.compared(timed, reference, TASK, BASELINE)


def _timed() -> Timed | None:
    task, baseline = registry.tasks().get(TASK), registry.baselines().get(BASELINE)
    if task is None or baseline is None or not _at_hand(task):
        return None
    report("time the reference", 0, 1)
    try:
        dataset = load(task)
        retriever = baseline.load()
        retriever.index(dataset.tools, {})
    except ToolBenchError:  # the cells of that task say what is wrong with it
        return None
    return timing.measured(lambda query: retriever.search([query], 10, [None]), dataset.queries)


def _at_hand(task: Task) -> bool:
    return all(status(source) in {"cached", "mirror"} for source in task.sources)
