"""A task's own training split as a source: its usage examples, never its queries."""

from __future__ import annotations

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.training.records import TrainingData, pooled


def build(source: str, task: str) -> TrainingData:
    """Return the training data of ``task`` as that of ``source``.

    Tools of test providers are left out whole: they are not even wrong answers. An example that
    stands under several tools is one pair with several right answers.
    """
    return training_data(source, load(registry.tasks()[task]))


def training_data(source: str, dataset: ToolDataset) -> TrainingData:
    """Return what ``dataset`` offers for training and validation; see :func:`build`."""
    splits = dataset.splits
    tools = tuple(t for t in dataset.tools if splits.get(t.provider or "") != "test")
    kept = {tool.id for tool in tools}
    labels: list[tuple[str, str, str]] = []
    for id_, texts in dataset.examples.items():
        if id_ in kept:
            for number, text in enumerate(texts):
                labels.append((text, id_, f"{dataset.name}, example {number} of '{id_}'"))
    return TrainingData(
        source=source,
        tools=tools,
        pairs=pooled(labels),
        families={
            name: tuple(t for t in members if t in kept)
            for name, members in dataset.families.items()
        },
        splits={t.id: splits[t.provider or ""] for t in tools} if splits else {},
    )
