"""The embedded MiniLM with what training changed merged into it.

The folder of such a model holds ``adapter.safetensors``, a few megabytes, beside the two files of
:mod:`tool_bench.trained`; ``tool-bench export --adapter`` makes it.
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.sentence import minilm_folder, quiet_libraries
from tool_bench.trained import CARD, SEEN

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ADAPTER = "adapter.safetensors"


def shipped(name: str) -> Path | None:
    """Return the folder of the adapter that the method ``name`` carries; None where it has none."""
    for place in importlib.import_module("tool_bench.baselines").__path__:
        folders = {file.parent.name: file.parent for file in Path(place).glob(f"*/{ADAPTER}")}
        if name in folders:
            return folders[name]
    return None


def merged(folder: Path) -> SentenceTransformer:
    """Load the model whose adapter ``folder`` holds.

    Raises:
        DataError: the adapter is missing, damaged, or not one of the embedded model.
        UnavailableError: the embedded model is not installed.
    """
    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    from tool_bench.training import adapter

    model = SentenceTransformer(str(minilm_folder()))
    model.load_state_dict(adapter.load(folder / ADAPTER, model.state_dict()))
    return model


def write_whole(folder: Path, made: Path) -> None:
    """Write the model of ``folder`` as one of sentence-transformers' own; errors as merged."""
    merged(folder).save(str(made), create_model_card=False)
    for name in (CARD, SEEN):
        shutil.copyfile(folder / name, made / name)
