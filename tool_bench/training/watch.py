"""What a run shows while it trains: progress, the loss, validation now and then."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

from tool_bench.errors import ToolBenchError


class Watch(TrainerCallback):
    """Calls back from the trainer's loop; a resumed run does not validate its first step again."""

    def __init__(
        self,
        every: int,
        check: Callable[[int], None],
        log: Callable[[dict[str, Any]], None],
        progress: Callable[[int], None],
    ) -> None:
        """Validate with ``check`` every ``every`` steps, never where that is 0.

        Each loss goes to ``log``, each step to ``progress``.
        """
        self._every = every
        self._check = check
        self._log = log
        self._progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Validate the untrained model."""
        if self._every and state.global_step == 0:
            self._check(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report the step, and validate where it is time."""
        self._progress(state.global_step)
        if self._every and state.global_step % self._every == 0:
            self._check(state.global_step)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        **kwargs: Any,
    ) -> None:
        """Keep the loss, and end a run that has none."""
        logs = kwargs.get("logs")
        if logs and "loss" in logs:
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise ToolBenchError(
                    f"the loss is {loss} at step {state.global_step}: the run diverged; "
                    "try a lower learning rate, in a new folder"
                )
            self._log({"step": state.global_step, "loss": loss})
