"""A task's data where it lies here already: nothing is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_bench import registry
from tool_bench.data.fetch import status
from tool_bench.data.load import load
from tool_bench.errors import ToolBenchError

if TYPE_CHECKING:
    from tool_bench.dataset import ToolDataset


def at_hand(task: str, sha256: str) -> tuple[ToolDataset | None, str | None]:
    """Return the data that results of ``task`` were made on if it is here, else why not.

    Args:
        task: its name.
        sha256: of the data the results were made on.
    """
    from tool_bench.evaluate import dataset_hash

    declared = registry.tasks().get(task)
    if declared is None:
        return None, f"task {task} is not declared here"
    if not all(status(source) in {"cached", "mirror"} for source in declared.sources):
        return None, f"the data of {task} is not here: tool-bench data pull"
    try:
        dataset = load(declared)
    except ToolBenchError as error:
        return None, str(error)
    if dataset_hash(dataset) != sha256:
        return None, f"the data of {task} has changed since: tool-bench run -t {task}"
    return dataset, None
