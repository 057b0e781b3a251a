"""What can go wrong with a model's weights and memory, said so that a user can act on it."""

from __future__ import annotations

import errno
import math
import os
import pickle  # for its exception; nothing is unpickled here
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tool_bench.baseline import Weights
from tool_bench.data.paths import snapshot_folder
from tool_bench.dataset import Examples
from tool_bench.errors import UnavailableError
from tool_bench.footprint import model_loaded
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever
from tool_bench.tool import Tool

WORKING_GIB = 2
"""Memory for the program and for one batch on its way through the layers."""

_FIND_TIMEOUT_S = 5
_OUT_OF_MEMORY = ("out of memory", "not enough memory", "allocate memory")
_VOCABULARIES = {"tokenizer.json", "vocab.txt", "vocab.json", "spiece.model"}


def memory_gib(weights_mib: float) -> int:
    """Return the memory a model needs: that of its weights in whole GiB, and the working memory."""
    return math.ceil(weights_mib / 1024) + WORKING_GIB


@dataclass(frozen=True, slots=True)
class Model:
    """What messages about a model name."""

    name: str
    """Hub name or local folder."""
    revision: str | None = None
    """Hub commit; None for a local folder."""
    gib: int | None = None
    """Memory it needs, where that is known."""

    @property
    def snapshot(self) -> Path | None:
        """Where the hub's library keeps the weights, if they are there."""
        if self.revision is None:
            return None
        folder = snapshot_folder(Weights(self.name, self.revision))
        return folder if folder.is_dir() else None


@contextmanager
def loading(model: Model) -> Iterator[None]:
    """Turn what loading raises, where files or memory are to blame, into UnavailableError."""
    from safetensors import SafetensorError

    try:
        with enough_memory(model):
            yield
        place = model.snapshot or Path(model.name)
        if place.is_dir():
            model_loaded(place)
    except ImportError as error:
        raise UnavailableError(f"{model.name}: {_reason(error)}") from error
    except OSError as error:
        raise no_weights(model, error) from error
    except (ValueError, TypeError, RuntimeError, EOFError) as error:
        raise _broken(model, error) from error
    except (SafetensorError, pickle.UnpicklingError) as error:
        raise _broken(model, error) from error


@contextmanager
def enough_memory(model: Model) -> Iterator[None]:
    """Turn running out of memory into UnavailableError."""
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOMEM
        said = any(words in str(error).lower() for words in _OUT_OF_MEMORY)
        if not (isinstance(error, MemoryError) or full or said):
            raise
        need = f"; it needs about {model.gib} GiB" if model.gib else ""
        raise UnavailableError(
            f"{model.name} ran out of memory{need}, on the GPU where there is one"
        ) from error


class Bounded:
    """A retriever that is unavailable, not failed, when its model runs out of memory."""

    def __init__(self, retriever: Retriever, model: Model) -> None:
        self._retriever = retriever
        self._model = model

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Index the catalogue."""
        with enough_memory(self._model):
            self._retriever.index(tools, examples)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank the tools for each query."""
        with enough_memory(self._model):
            return self._retriever.search(queries, k, scopes)


def require_whole(model: Model, *files: str) -> None:
    """Refuse a snapshot without the files whose lack sentence-transformers does not notice.

    Without a vocabulary every word is unknown to it, and without ``modules.json`` it pools by a
    guess: both give rankings, and neither gives the model's.

    Args:
        model: a model of the hub's local cache; anything else passes.
        files: what must be there beside a vocabulary, unless it is known not to exist upstream.

    Raises:
        UnavailableError: such a file is missing.
    """
    from huggingface_hub import try_to_load_from_cache

    folder = model.snapshot
    if folder is None:
        return
    missing = [
        file
        for file in files
        if try_to_load_from_cache(model.name, file, revision=model.revision) is None
    ]
    present = [path for path in folder.rglob("*") if path.is_file()]  # no link to nowhere
    if not any(path.name in _VOCABULARIES or path.suffix == ".model" for path in present):
        missing.append("a vocabulary")
    if missing:
        raise _broken(model, FileNotFoundError(f"{' and '.join(missing)} is missing"))


def find_hub() -> None:
    """Tell the hub's library at once where the hub is out of reach.

    Its own retries take over a minute to find out. It reads the variable when it is imported, so
    this comes first.
    """
    import requests

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        requests.head(endpoint, timeout=_FIND_TIMEOUT_S)
    except requests.RequestException:
        os.environ["HF_HUB_OFFLINE"] = "1"


def no_weights(model: Model, error: Exception) -> UnavailableError:
    """Return the error for weights that are not here, or not whole, and cannot be fetched."""
    if model.snapshot is not None or model.revision is None:
        return _broken(model, error)
    return UnavailableError(
        f"weights of {model.name} cannot be had: {_reason(error)} Download them once with "
        f"'hf download {model.name} --revision {model.revision}' on a machine with a network and "
        "copy the cache, or give --model the path of a local folder."
    )


def _broken(model: Model, error: Exception) -> UnavailableError:
    place = f" from {model.snapshot}" if model.snapshot else ""
    what = f"{model.name} cannot be loaded{place}: {_reason(error)}"
    if model.revision is None:
        return UnavailableError(what)
    command = f"hf download {model.name} --revision {model.revision} --force-download"
    return UnavailableError(
        f"{what}; if its files are incomplete or broken, '{command}' mends them"
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return textwrap.shorten(text, 200, placeholder=" …")
