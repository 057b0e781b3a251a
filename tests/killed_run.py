"""Trains and kills itself with SIGKILL: ``killed_run.py RECIPE ADDRESS FOLDER WHEN``.

``WHEN`` is ``step-N``, after that step and before its checkpoint, or ``checkpoint-N``, when half of
that checkpoint's last file is written.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from transformers import TrainerState

from tool_bench.training import trainer
from tool_bench.training.recipe import Recipe


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(recipe: str, address: str, folder: str, when: str) -> None:
    what, _, number = when.partition("-")
    save = TrainerState.save_to_json

    def report(phase: str, done: int, total: int) -> None:
        if what == "step" and phase.startswith("train ") and done == int(number):
            die()

    def half_saved(self: TrainerState, json_path: str) -> None:
        save(self, json_path)
        if what == "checkpoint" and self.global_step == int(number):
            content = Path(json_path).read_bytes()
            Path(json_path).write_bytes(content[: len(content) // 2])
            die()

    trainer.CHECKPOINTS = 3
    trainer.report = report  # type: ignore[attr-defined]  # where the trainer calls it
    TrainerState.save_to_json = half_saved  # type: ignore[method-assign]  # a kill amid the write
    trainer.train(Recipe.model_validate_json(recipe), address, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
