"""A task's data where it lies on this machine: no network is touched."""

from __future__ import annotations

from dataclasses import dataclass

from tool_bench import registry
from tool_bench.data.fetch import is_local
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset, dataset_hash
from tool_bench.errors import ToolBenchError


@dataclass(frozen=True, slots=True)
class AtHand:
    """The data, or why it is not to be had."""

    dataset: ToolDataset | None
    reason: str | None
    """None where there is a dataset."""
    damaged: bool = False
    """Whether it is here and cannot be read, which somebody should mend."""


def at_hand(task: str, sha256: str) -> AtHand:
    """Return the data that results of ``task`` were made on, if it is here.

    Args:
        task: its name.
        sha256: of the data the results were made on.
    """
    declared = registry.tasks().get(task)
    if declared is None:
        return AtHand(None, f"task {task} is not declared here")
    if not all(is_local(source) for source in declared.sources):
        return AtHand(None, f"the data of {task} is not here: tool-bench data pull")
    try:
        dataset = load(declared)
    except (ToolBenchError, OSError) as error:
        return AtHand(None, str(error), damaged=True)
    if dataset_hash(dataset) != sha256:
        return AtHand(None, f"the data of {task} has changed since: tool-bench run -t {task}")
    return AtHand(dataset, None)
