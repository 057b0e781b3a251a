"""The trainer, with batches of our own making."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformerTrainer
from sentence_transformers.base.sampler import DefaultBatchSampler

from tool_bench.training.order import batches
from tool_bench.training.recipe import Recipe


class BatchSampler(DefaultBatchSampler):
    """The batches of :func:`~tool_bench.training.order.batches`, shuffled anew each epoch.

    The trainer sets the epoch, also when it resumes.
    """

    def __init__(
        self,
        dataset: Any,
        rows: Sequence[Mapping[str, Any]],
        tools: Mapping[str, Mapping[str, Any]],
        recipe: Recipe,
    ) -> None:
        super().__init__(dataset, batch_size=recipe.optimiser.batch, drop_last=False)
        self._rows = rows
        self._tools = tools
        self._order = recipe.optimiser.order
        self._first = recipe.seed

    def __iter__(self) -> Iterator[list[int]]:
        yield from self._of(self._first + self.epoch)

    def __len__(self) -> int:
        return len(self._of(self._first))

    def _of(self, seed: int) -> list[list[int]]:
        return batches(self._rows, self._tools, self._order, self.batch_size, seed)


class Trainer(SentenceTransformerTrainer):
    """sentence-transformers' trainer on the rows of a snapshot.

    A subclass, since a sampler among the trainer's arguments would have to be pickled with them.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        tools: Mapping[str, Mapping[str, Any]],
        recipe: Recipe,
        **kwargs: Any,
    ) -> None:
        """Take what :class:`BatchSampler` needs, and the trainer's own arguments."""
        self._rows, self._tools, self._recipe = rows, tools, recipe
        super().__init__(**kwargs)

    def get_batch_sampler(self, dataset: Any, *_: Any, **__: Any) -> BatchSampler:
        """Return the sampler of the training rows; there is no other data set."""
        return BatchSampler(dataset, self._rows, self._tools, self._recipe)

    def restore(self, checkpoint: Path) -> None:
        """Take the weights of the last step; asked to go on, the library would add a step."""
        self._load_from_checkpoint(str(checkpoint))
