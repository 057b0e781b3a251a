"""Trains and judges variations of a recipe; goes on where it was killed.

The folder of an ablation holds ``RECIPE/seed-N/``, a run's folder each, with the model's hits on
the validation requests beside its log. Models are removed when they have been judged.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tool_bench.errors import DataError, UnavailableError
from tool_bench.progress import report
from tool_bench.store import write_atomically
from tool_bench.training.negatives import Mined
from tool_bench.training.recipe import Recipe
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import Mine
from tool_bench.training.validation import Hits
from tool_bench.training.variations import Variation

Judgement = Mapping[str, Hits]
"""Source -> one model's hits on its validation requests."""
Evaluate = Callable[[Variation, Path], Judgement]
"""Trains the model of a variation, whose recipe has its seed, in a run's folder, and judges it."""
Prepare = Callable[[Recipe], str]
"""Returns the address of the snapshot that a recipe trains on."""
Train = Callable[[Recipe, str, Path], object]
"""Trains a recipe on the snapshot at an address, in a folder."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a variation."""

    variation: Variation
    models: tuple[Judgement, ...] = ()
    """One a seed; empty where there is a problem."""
    problem: str | None = None
    failed: bool = False
    """Whether the problem is more than something that is not to be had here."""
    trace: str = ""


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    recipe: Recipe
    judged: Recipe
    hits: dict[str, Hits]


def run(
    variations: Sequence[Variation], evaluate: Evaluate, folder: Path, seeds: Sequence[int]
) -> list[Outcome]:
    """Return the outcome of each variation; one that fails does not stop the others.

    What is stored in ``folder`` is read back, and each new model's hits are stored as soon as they
    are there.

    Args:
        variations: what to compare; the first is what the others are compared with.
        evaluate: trains and judges one model.
        folder: the ablation's folder.
        seeds: each variation is trained once with each; what is not trained is judged once.

    Raises:
        Exception: the first variation fails, so that there is nothing to compare with.
    """
    found: list[Outcome] = []
    for number, variation in enumerate(variations):
        report(variation.name, number, len(variations))
        if not found:
            found.append(Outcome(variation, _models(variation, evaluate, folder, seeds)))
        else:
            found.append(_outcome(variation, evaluate, folder, seeds, found[0].models[0]))
        if all(variation.recipe != later.recipe for later in variations[number + 1 :]):
            for seed in seeds:
                shutil.rmtree(_run_folder(variation, folder, seed) / "model", ignore_errors=True)
    return found


def is_stored(variation: Variation, folder: Path, seeds: Sequence[int]) -> bool:
    """Tell whether ``variation`` has been judged with every seed."""
    return all(_file(variation, folder, s).is_file() for s in _seeds(variation, seeds))


def by_training(prepare: Prepare, train: Train) -> Evaluate:
    """Return what trains a variation's model and judges it as it is shipped."""
    addresses: dict[str, str] = {}  # of what is judged on: mostly one and the same

    def evaluate(variation: Variation, folder: Path) -> Judgement:
        from tool_bench.training import snapshot
        from tool_bench.training.models import base_model, encoder, load_model
        from tool_bench.training.validation import hits

        judged = variation.judged.model_dump_json()
        if judged not in addresses:
            addresses[judged] = prepare(variation.judged)
        _, files = snapshot.read(addresses[judged])
        if variation.trained:
            train(variation.recipe, prepare(variation.recipe), folder)
            model = load_model(folder / "model")
        else:
            model = base_model(variation.recipe)
        report(f"judge {variation.name}", 0, 0)
        return hits(encoder(model), files["tools.jsonl"], files["validation.jsonl"])

    return evaluate


def mined_once(mine_with: Callable[[Recipe], Mine]) -> Callable[[Recipe], Mine]:
    """Return ``mine_with``, which mines the same requests with the same model and text once."""
    known: dict[tuple[object, ...], Mined] = {}

    def of(recipe: Recipe) -> Mine:
        text = recipe.text

        def mine(data: TrainingData, pairs: Sequence[Pair]) -> Mined:
            queries = tuple(pair.query for pair in pairs)
            with_ = (recipe.base, recipe.revision, text.style, text.max_characters)
            key = (*with_, data.source, queries)
            if key not in known:
                known[key] = mine_with(recipe)(data, pairs)
            return known[key]

        return mine

    return of


def _outcome(
    variation: Variation, evaluate: Evaluate, folder: Path, seeds: Sequence[int], base: Judgement
) -> Outcome:
    try:
        models = _models(variation, evaluate, folder, seeds)
        for model in models:
            _check_pairs(variation, model, base)
    except UnavailableError as error:
        return Outcome(variation, problem=str(error))
    except Exception as error:  # noqa: BLE001  a variation may fail in any way; the rest goes on
        problem = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        return Outcome(variation, problem=problem, failed=True, trace=traceback.format_exc())
    return Outcome(variation, models)


def _models(
    variation: Variation, evaluate: Evaluate, folder: Path, seeds: Sequence[int]
) -> tuple[Judgement, ...]:
    return tuple(_judgement(variation, evaluate, folder, seed) for seed in _seeds(variation, seeds))


def _seeds(variation: Variation, seeds: Sequence[int]) -> Sequence[int]:
    return seeds if variation.trained else seeds[:1]


def _judgement(variation: Variation, evaluate: Evaluate, folder: Path, seed: int) -> Judgement:
    """Read back how one model was judged, or find it out and store it."""
    recipe = variation.recipe.model_copy(update={"seed": seed})
    path = _file(variation, folder, seed)
    if path.is_file():
        return _read(path, recipe, variation.judged)
    found = evaluate(replace(variation, recipe=recipe), path.parent)
    stored = _Stored(recipe=recipe, judged=variation.judged, hits=dict(found))
    write_atomically({path: stored.model_dump_json(indent=1).encode() + b"\n"})
    return found


def _read(path: Path, recipe: Recipe, judged: Recipe) -> Judgement:
    try:
        stored = _Stored.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(path, f"is damaged, remove it: {error.errors()[0]['msg']}") from None
    if (stored.recipe, stored.judged) != (recipe, judged):
        raise DataError(path, "is of another recipe; choose another folder, or remove this one")
    return stored.hits


def _run_folder(variation: Variation, folder: Path, seed: int) -> Path:
    return folder / variation.recipe.name / f"seed-{seed}"


def _file(variation: Variation, folder: Path, seed: int) -> Path:
    text = variation.judged.text
    name = f"hits-{text.style}-{text.max_characters}.json"
    return _run_folder(variation, folder, seed) / name


def _check_pairs(variation: Variation, model: Judgement, base: Judgement) -> None:
    """Refuse hits on other requests than the base was judged on."""
    if {name: own.requests for name, own in model.items()} != {
        name: own.requests for name, own in base.items()
    }:
        raise DataError(variation.name, "was judged on other requests than the base")
