"""From a recipe to the snapshot that it trains on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from tool_bench import registry
from tool_bench.data.fetch import is_cached
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.errors import UnavailableError
from tool_bench.progress import report
from tool_bench.sentence import minilm
from tool_bench.task import Task
from tool_bench.training import snapshot, source
from tool_bench.training.guard import Evaluated, evaluated
from tool_bench.training.negatives import Mined
from tool_bench.training.recipe import MINILM, Recipe
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import Mine, Snapshot
from tool_bench.training.source import TrainingSource
from tool_bench.training.sources import named


def prepare(recipe: Recipe, base: str | None = None, mine: Mine | None = None) -> str:
    """Build and save what ``recipe`` trains on; return the snapshot's address.

    Args:
        recipe: which sources, how much of each, which negatives.
        base: address under which snapshots lie; the user's cache by default.
        mine: finds the mined negatives; by default the recipe's base model does, untrained.

    Raises:
        UnknownNameError: the recipe names a source that there is not.
        UnavailableError: a source's files cannot be had here.
        DataError: a row is not what it must be.
    """
    return snapshot.save(build(recipe, mine), base or snapshot.default_base())


def build(recipe: Recipe, mine: Mine | None = None) -> Snapshot:
    """Build what ``recipe`` trains on; see :func:`prepare`."""
    sources = loaded(recipe)
    known = _everything_evaluated()
    needed = "mined" in recipe.negatives.kinds and recipe.negatives.count
    return snapshot.build(recipe, sources, known, mine or (by_base(recipe) if needed else None))


def loaded(recipe: Recipe) -> dict[str, tuple[TrainingSource, TrainingData]]:
    """Return the recipe's sources, checked."""
    for name in recipe.data.as_asked:
        named(name)  # one that there is not would go unnoticed
    declared = [named(name) for name in recipe.data.sources]
    found = {}
    for number, each in enumerate(declared):
        report(f"read {each.name}", number, len(declared))
        found[each.name] = (each, source.load(each))
    return found


@cache
def _everything_evaluated() -> Evaluated:
    """Collect it once a process: an ablation builds dozens of snapshots."""
    return everything_evaluated(registry.tasks().values())


def everything_evaluated(tasks: Iterable[Task]) -> Evaluated:
    """Collect the queries and tools of every task whose data can be had.

    A task that is run only on demand is not fetched for this.
    """
    datasets: list[ToolDataset] = []
    unchecked: list[str] = []
    for task in tasks:
        report(f"guard against {task.name}", 0, 0)
        if task.on_demand and not all(is_cached(each) for each in task.sources):
            unchecked.append(task.name)
            continue
        try:
            datasets.append(load(task))
        except UnavailableError:
            unchecked.append(task.name)
    return evaluated(datasets, unchecked)


def by_base(recipe: Recipe) -> Mine:
    """Mine with the model that the recipe starts from.

    The embedded model's vectors are kept in the cache: an ablation mines dozens of times.
    """
    from tool_bench.training.mining import miner
    from tool_bench.training.models import base_model, encoder

    if recipe.base == MINILM:
        return miner(minilm().encode, recipe.text)
    return miner(encoder(base_model(recipe)), recipe.text)


def mined_by(folder: Path, recipe: Recipe) -> dict[str, Mined]:
    """Return what a trained model confuses, by source, of the pairs that ``recipe`` trains on.

    Raises:
        DataError: ``folder`` holds no model.
    """
    from tool_bench.training.mining import miner
    from tool_bench.training.models import encoder, load_model

    mine = miner(encoder(load_model(folder)), recipe.text)
    found: dict[str, Mined] = {}

    def keep(data: TrainingData, pairs: Sequence[Pair]) -> Mined:
        found[data.source] = mine(data, pairs)
        return found[data.source]

    build(recipe, keep)
    return found
