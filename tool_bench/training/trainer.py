"""Trains one model from one snapshot by one recipe; goes on where it was killed.

The run's folder holds ``recipe.json``, ``manifest.json`` (the snapshot's), ``log.jsonl`` (loss and
validation, step by step), ``curves.svg``, ``checkpoints/`` while it runs and ``model/`` when it is
done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench import trained
from tool_bench.errors import UsageError
from tool_bench.progress import report
from tool_bench.store import write_atomically
from tool_bench.trained import TrainedCard
from tool_bench.training import run_folder, snapshot
from tool_bench.training.curves import draw
from tool_bench.training.models import base_model, encoder
from tool_bench.training.order import batches
from tool_bench.training.recipe import Recipe
from tool_bench.training.validation import Scores, mean_hit_at_1, validate

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

VALIDATIONS = 4
"""How often a run validates: this many times, evenly, and before the first step."""
LOGGED = 60
"""How many points of the loss a run logs."""
CHECKPOINTS = 20
"""How many checkpoints a run writes; the last one is kept until it is done."""


def train(
    recipe: Recipe, address: str, folder: Path, validations: int = VALIDATIONS
) -> dict[str, Scores]:
    """Train, or go on training, and return the validation scores of the finished model.

    Args:
        recipe: what to train.
        address: the snapshot to train on.
        folder: the run's folder. One that another recipe or snapshot began is an error; one that
            is finished is not trained again.
        validations: how often the run validates on its way, before it does so at the end; 0 for
            not even then, where the caller judges the model itself.

    Raises:
        DataError: the snapshot is damaged, or ``folder`` is another run's.
        UnavailableError: a package or the base model is not here.
        UsageError: another process trains in ``folder``.
    """
    from filelock import FileLock, Timeout

    folder = folder.resolve()  # one lock, however the folder is named
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:  # a lock goes with its process, also when that is killed
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0):
            return _train(recipe, address, folder, validations)
    except Timeout:
        raise UsageError(f"{folder}: another process trains there") from None


def _train(recipe: Recipe, address: str, folder: Path, validations: int) -> dict[str, Scores]:
    manifest, files = snapshot.read(address)
    run_folder.begin(folder, recipe, manifest, address)
    if (folder / "model").is_dir():
        return _finished(folder)
    model = base_model(recipe)
    base = {name: weights.detach().clone() for name, weights in model.state_dict().items()}
    whole = model.max_seq_length
    model.max_seq_length = min(recipe.text.max_tokens, whole or recipe.text.max_tokens)
    _fit(model, recipe, files, folder, validations)
    _towards(model, base, recipe.optimiser.towards_base)
    scores: dict[str, Scores] = {}
    if validations:
        scores = validate(encoder(model), files["tools.jsonl"], files["validation.jsonl"])
    _log(folder, {"final": {name: asdict(each) for name, each in scores.items()}})
    model.max_seq_length = whole
    _finish(model, recipe, folder, files["tools.jsonl"])
    return scores


def has_bf16() -> bool:
    """Tell whether this machine multiplies bfloat16 in hardware."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    found = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(found())


def _finished(folder: Path) -> dict[str, Scores]:
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    final = next(row["final"] for line in reversed(lines) if "final" in (row := json.loads(line)))
    return {name: Scores(**each) for name, each in final.items()}


def _fit(
    model: SentenceTransformer,
    recipe: Recipe,
    files: Mapping[str, Sequence[Mapping[str, Any]]],
    folder: Path,
    validations: int,
) -> None:
    """Run the trainer from its last checkpoint, or from the start."""
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainingArguments
    from transformers import PrinterCallback

    from tool_bench.training.contrast import Collator, Contrast
    from tool_bench.training.lora import freeze_embeddings, with_lora, without_lora
    from tool_bench.training.sampler import Trainer
    from tool_bench.training.watch import Watch

    rows = files["train.jsonl"]
    tools = {tool["id"]: tool for tool in files["tools.jsonl"]}
    how = recipe.optimiser
    epoch = batches(rows, tools, how.order, how.batch, recipe.seed)
    steps = max(1, round(len(epoch) * how.epochs))
    if how.freeze_embeddings:
        freeze_embeddings(model)
    if how.lora_rank:
        torch.manual_seed(recipe.seed)  # the factors begin at random
        with_lora(model, how.lora_rank)

    def check(step: int) -> None:
        scores = validate(encoder(model), files["tools.jsonl"], files["validation.jsonl"])
        if scores:  # nothing may be held out
            _log(folder, {"step": step, "hit@1": mean_hit_at_1(scores)} | _flat(scores))
        draw(folder / "log.jsonl", folder / "curves.svg")

    trainer = Trainer(
        rows,
        tools,
        recipe,
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(folder / "checkpoints"),
            max_steps=steps,
            per_device_train_batch_size=how.batch,
            learning_rate=how.learning_rate,
            warmup_steps=round(how.warmup * steps),
            weight_decay=how.weight_decay,
            bf16=has_bf16(),
            use_cpu=not torch.cuda.is_available(),  # bf16 on a CPU must be asked for
            seed=recipe.seed,
            save_steps=max(1, steps // CHECKPOINTS),
            save_total_limit=1,
            logging_steps=max(1, steps // LOGGED),
            logging_nan_inf_filter=False,  # or a run that diverged would look healthy
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_dict({"row": list(range(len(rows)))}),
        loss=Contrast(model, how.scale),
        data_collator=Collator(
            model.preprocess,
            rows=rows,
            texts={id_: tool["text"] for id_, tool in tools.items()},
            own_prompts=model.prompts,
            whole_catalogue=how.whole_catalogue,
        ),
        callbacks=[
            Watch(
                every=max(1, steps // validations) if validations else 0,
                check=check,
                log=lambda row: _log(folder, row),
                progress=lambda step: report(f"train {recipe.name}", step, steps),
            )
        ],
    )
    trainer.remove_callback(PrinterCallback)  # standard output is the command's
    last = _checkpoint(folder / "checkpoints")
    _forget(folder / "log.jsonl", after=-1 if last is None else _step(last))
    if last is not None and _step(last) == steps:
        trainer.restore(last)
    else:
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    if how.lora_rank:
        without_lora(model)


def _checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written whole; remove those that were not."""
    found = []
    for path in folder.glob("checkpoint-*"):
        try:
            json.loads((path / "trainer_state.json").read_bytes())  # written last
        except (FileNotFoundError, ValueError):
            shutil.rmtree(path)
        else:
            found.append(path)
    return max(found, key=_step, default=None)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _forget(log: Path, after: int) -> None:
    """Take from the log what steps ``after`` the last checkpoint wrote: they are done again."""
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:  # a killed run's last words
            continue
        if row.get("step", after + 1) <= after:
            kept.append(line + "\n")
    write_atomically({log: "".join(kept).encode("utf-8")})


def _towards(model: SentenceTransformer, base: Mapping[str, Tensor], share: float) -> None:
    """Move the weights ``share`` of the way back to ``base``."""
    if share:
        model.load_state_dict(
            {
                name: weights.lerp(base[name].to(weights), share)
                if weights.is_floating_point()
                else weights
                for name, weights in model.state_dict().items()
            }
        )


def _finish(
    model: SentenceTransformer, recipe: Recipe, folder: Path, tools: Sequence[Mapping[str, Any]]
) -> None:
    """Write the model and what it has seen; the folder appears whole or not at all."""
    made = folder / "model.part"
    shutil.rmtree(made, ignore_errors=True)
    model.save(str(made), create_model_card=False)
    card = TrainedCard(
        style=recipe.text.style,
        max_characters=recipe.text.max_characters,
        trained_on=tuple(recipe.data.sources),
    )
    trained.write(made, card, {tool["key"] for tool in tools if tool["seen"]})
    draw(folder / "log.jsonl", folder / "curves.svg")
    os.replace(made, folder / "model")
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _flat(scores: Mapping[str, Scores]) -> dict[str, float]:
    flat = {}
    for name, each in scores.items():
        flat[f"{name} hit@1"] = each.hit_at_1
        if each.scoped_hit_at_1 is not None:
            flat[f"{name} scoped hit@1"] = each.scoped_hit_at_1
    return flat


def _log(folder: Path, row: Mapping[str, Any]) -> None:
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
