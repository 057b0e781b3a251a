"""One recipe on this machine: its snapshot, its model, how good that is and what it costs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tool_bench.query import Query
from tool_bench.training import mining, snapshot
from tool_bench.training.experiment import Outcome
from tool_bench.training.recipe import Recipe
from tool_bench.training.run_folder import begun
from tool_bench.training.snapshot import Mine
from tool_bench.training.validation import Scores

Prepare = Callable[[Recipe, str | None, Mine | None], str]
"""See :func:`tool_bench.training.prepare.prepare`."""
Train = Callable[[Recipe, str, Path], dict[str, Scores]]
"""See :func:`tool_bench.training.trainer.train`."""
Cost = Callable[[Path, Sequence[str]], tuple[float, float]]
"""Given a model's folder and requests: the median milliseconds of one request, encoded and searched
in :data:`TOOLS` tools, and the size of what is served in millions of bytes."""

TOOLS = 39_343
"""As many as ToolBench's library of APIs has."""


@dataclass(frozen=True)
class Attempt:
    """Tries recipes; can be sent to another process."""

    prepare: Prepare
    train: Train
    cost: Cost
    snapshots: str | None = None
    """Address under which snapshots lie; the user's cache by default."""

    def __call__(self, recipe: Recipe, folder: Path) -> Outcome:
        """Prepare, train and measure; what was begun in ``folder`` goes on.

        Raises:
            UnavailableError: a source, a package or the base model is not here.
            DataError: the data is not what it must be.
        """
        began = time.monotonic()
        mined = folder / "mined.json"
        mine = mining.read(mined) if mined.is_file() else None
        address = begun(folder, recipe, self.snapshots or snapshot.default_base())
        address = address or self.prepare(recipe, self.snapshots, mine)
        scores = self.train(recipe, address, folder)
        _, files = snapshot.read(address)
        requests = [request["query"] for request in files["validation.jsonl"]]
        p50_ms, megabytes = self.cost(folder / "model", requests)
        return Outcome(scores, p50_ms, megabytes, time.monotonic() - began)


def mine(recipe: Recipe, folder: Path, file: Path) -> None:
    """Write to ``file`` what the model of the run in ``folder`` confuses."""
    from tool_bench.training.prepare import mined_by

    mining.write(file, mined_by(folder / "model", recipe))


def cost(model: Path, requests: Sequence[str]) -> tuple[float, float]:
    """Return what ``model`` costs as it is served: exported in eight bits, on one thread.

    Searched are vectors drawn at random, since what they hold does not change how long it takes,
    laid out as docs/serving/handler.py has them.
    Each request counts with the pass that was disturbed least: what else the machine does, other
    experiments above all, must not decide which recipe is within the limit.

    Raises:
        UnavailableError: onnx or onnxruntime is not installed.
        DataError: the model cannot be exported.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

    from tool_bench.onnx_encoder import OnnxEncoder
    from tool_bench.timing import measured
    from tool_bench.training.export_onnx import export

    with tempfile.TemporaryDirectory() as folder:
        exported = export(model, Path(folder) / "onnx")
        encoder = OnnxEncoder(exported.folder)
    drawn = np.random.default_rng(0).standard_normal((encoder.dimensions, TOOLS), np.float32).T

    def search(query: Query) -> object:
        return (drawn @ encoder.encode([query.text], "query")[0]).argmax()

    queries = [Query(str(number), text) for number, text in enumerate(requests)]
    with threadpool_limits(1):
        timed = measured([(search, queries)])[0]
    return float(np.median(timed.seconds.min(axis=1))) * 1_000, exported.size / 1e6
