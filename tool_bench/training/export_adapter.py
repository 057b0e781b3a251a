"""What training changed in the embedded MiniLM, as a file of a few megabytes."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tool_bench.adapted import ADAPTER, merged
from tool_bench.errors import DataError, UsageError
from tool_bench.progress import report
from tool_bench.trained import CARD, SEEN
from tool_bench.training import adapter
from tool_bench.training.export_onnx import Exported, least_cosine
from tool_bench.training.models import base_model, encoder, load_model
from tool_bench.training.recipe import Data, Recipe

_STEPS = 3


def export(folder: Path, made: Path) -> Exported:
    """Write what sets the model of ``folder`` apart from its base into ``made``.

    Args:
        folder: a model that ``tool-bench train`` made from the embedded MiniLM.
        made: gets the adapter and the model's card; files of these names give way, others stay.

    Raises:
        DataError: ``folder`` holds no such model.
        ToolBenchError: the adapter's vectors are not the model's.
        UsageError: ``made`` is a file.
    """
    if made.exists() and not made.is_dir():
        raise UsageError(f"{made} is not a folder")
    for name in (CARD, SEEN):
        if not (folder / name).is_file():
            raise DataError(folder / name, "the file is missing: 'tool-bench train' writes it")
    report("load the model", 0, _STEPS)
    tuned = load_model(folder)
    base = base_model(Recipe(name="base", data=Data(sources={}))).state_dict()
    weights = tuned.state_dict()
    if {n: w.shape for n, w in weights.items()} != {n: w.shape for n, w in base.items()}:
        raise DataError(folder, "was not trained from the embedded model: its weights differ")
    report("take its change apart", 1, _STEPS)
    made.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made, prefix=".new-") as temporary:
        new = Path(temporary)
        adapter.save(adapter.extract(base, weights), new / ADAPTER, base)
        (new / ADAPTER).chmod(0o644)  # the library makes it its owner's alone
        for name in (CARD, SEEN):
            shutil.copyfile(folder / name, new / name)
        report("compare vectors", 2, _STEPS)
        cosine = least_cosine(encoder(merged(new)), encoder(tuned))
        for name in (CARD, SEEN, ADAPTER):
            os.replace(new / name, made / name)
    size = sum((made / name).stat().st_size for name in (CARD, SEEN, ADAPTER))
    return Exported(made, size, cosine)
