"""The reference that every cell times too, in turn with its method: a unit that machines share."""

from __future__ import annotations

from tool_bench import registry
from tool_bench.data.fetch import status
from tool_bench.data.load import load
from tool_bench.errors import ToolBenchError
from tool_bench.progress import report
from tool_bench.task import Task
from tool_bench.timing import Subject

TASK, BASELINE = "MetaTool", "bm25s"
"""Pure computation, small, and the same on every machine."""


def subject() -> Subject | None:
    """Return the reference, indexed and ready to be timed.

    None where it is not declared, or its data is neither in the cache nor in a mirror, or broken:
    nothing is downloaded for it.
    """
    task, baseline = registry.tasks().get(TASK), registry.baselines().get(BASELINE)
    if task is None or baseline is None or not _at_hand(task):
        return None
    report("load the reference", 0, 1)
    try:
        dataset = load(task)
        retriever = baseline.load()
        retriever.index(dataset.tools, {})
    except ToolBenchError:  # the cells of that task say what is wrong with it
        return None
    return lambda query: retriever.search([query], 10, [None]), dataset.queries


def _at_hand(task: Task) -> bool:
    return all(status(source) in {"cached", "mirror"} for source in task.sources)
