"""From a task's declaration to its checked dataset."""

from __future__ import annotations

from tool_bench.data.fetch import Progress, fetch_all
from tool_bench.dataset import ToolDataset
from tool_bench.task import Task, check


def load(task: Task, progress: Progress = lambda _: None) -> ToolDataset:
    """Fetch what ``task`` needs, build its dataset and check it against the declaration.

    Raises:
        UnavailableError: a source cannot be had here.
        DataError: a source, a row or the built data is not what was declared.
    """
    dataset = task.build(fetch_all(task, progress))
    check(task, dataset)
    return dataset
