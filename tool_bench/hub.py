"""Any sentence-transformers or mteb model as a baseline, by hub name or local folder."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from tool_bench.baseline import Baseline, Speed
from tool_bench.errors import UnavailableError, UsageError
from tool_bench.retriever import Retriever
from tool_bench.tool import Style

_STYLE: Style = "name-description"
_SPEED = Speed(start=30, per_tool=0.1, per_query=0.05)
_COMMIT_TIMEOUT_S = 10
_FIND_TIMEOUT_S = 5
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_WAY_OUT = (
    "Download it once with 'hf download {name}' on a machine with a network and copy the cache, "
    "or give --model the path of a local folder."
)


def model_baseline(name: str, revision: str | None = None) -> Baseline:
    """Declare the model ``name``.

    Args:
        name: a local folder that sentence-transformers can load, or a hub name
            (``owner/model``). Models that mteb knows get mteb's revision and prompts; the others
            are loaded by sentence-transformers with the prompts of their own configuration.
        revision: hub commit; mteb's pinned one, or the newest, where it is not given.

    Raises:
        UsageError: ``name`` is neither a folder nor of the form ``owner/model``, or mteb pins
            another revision.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UsageError(f"--revision is a hub commit, and --model '{name}' is a local folder")
        return _local(folder)
    if not _HUB_NAME.fullmatch(name):
        raise UsageError(f"--model '{name}' is neither a local folder nor a hub name (owner/model)")
    _find_hub()
    meta = _mteb_meta(name, revision)
    if meta is None or meta.revision is None:
        return _from_hub(name, revision or _commit(name))
    return Baseline(
        name=name,
        kind="lexical" if "sparse" in meta.model_type else "dense",
        description=f"{name} as mteb loads and prompts it, over 'name: description'.",
        reference=str(meta.reference or f"https://huggingface.co/{name}"),
        license=str(meta.license or "not stated"),
        load=partial(load_mteb, name, meta.revision),
        parameters=meta.n_parameters,
        revision=meta.revision,
        style=_STYLE,
        settings={"prompts": "mteb"},
        arguments=("--model", name, "--revision", meta.revision),
        trained_on=tuple(sorted(meta.training_datasets or ())),
        speed=_SPEED,
    )


def load_mteb(name: str, revision: str) -> Retriever:
    """Load a model of mteb's registry; UnavailableError where its weights cannot be had."""
    _find_hub()
    from tool_bench.mteb_bridge import load_from_mteb
    from tool_bench.sentence import quiet_libraries

    quiet_libraries()
    meta = _mteb_meta(name, revision)
    if meta is None:
        raise UnavailableError(f"mteb no longer knows {name}")
    try:
        return load_from_mteb(meta)
    except OSError as error:
        raise _no_weights(name, error) from error


def load_sentence_transformers(name: str, revision: str | None) -> Retriever:
    """Load a hub model by sentence-transformers; errors as :func:`load_mteb`."""
    _find_hub()
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.encoder import CachedEncoder
    from tool_bench.sentence import SentenceEncoder, quiet_libraries

    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    if revision is None:  # without it, no two states of the model could be told apart
        raise _no_weights(name, OSError("the hub cannot be asked for its newest commit."))
    try:
        model = SentenceTransformer(name, revision=revision)
    except OSError as error:
        raise _no_weights(name, error) from error
    encoder = CachedEncoder(SentenceEncoder(model, f"{name}@{revision}"))
    return DenseRetriever(encoder, rendered(_STYLE))


def load_local(folder: str, identity: str) -> Retriever:
    """Load a model from a folder."""
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.sentence import load_folder

    return DenseRetriever(load_folder(Path(folder), identity), rendered(_STYLE))


def _local(folder: Path) -> Baseline:
    from tool_bench.sentence import folder_identity

    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise UsageError(
            f"--model '{folder}' holds no model: neither modules.json nor config.json is there"
        )
    identity = folder_identity(folder)
    plain = re.sub(r"[^\w.-]+", "-", folder.resolve().name)
    return Baseline(
        name=f"local/{plain}-{identity[:8]}",
        arguments=("--model", str(folder)),
        kind="dense",
        description="A local sentence-transformers model over 'name: description'.",
        reference="https://arxiv.org/abs/1908.10084",
        license="not stated",
        load=partial(load_local, str(folder.resolve()), identity),
        revision=identity,
        style=_STYLE,
        settings={"prompts": "the model's own"},
        speed=_SPEED,
    )


def _from_hub(name: str, revision: str | None) -> Baseline:
    return Baseline(
        name=name,
        kind="dense",
        description=f"{name} as sentence-transformers loads it, over 'name: description'.",
        reference=f"https://huggingface.co/{name}",
        license="not stated",
        load=partial(load_sentence_transformers, name, revision),
        revision=revision,
        style=_STYLE,
        settings={"prompts": "the model's own"},
        arguments=("--model", name, *(("--revision", revision) if revision else ())),
        speed=_SPEED,
    )


def _mteb_meta(name: str, revision: str | None) -> Any:
    import mteb

    try:
        return mteb.get_model_meta(name, revision)
    except KeyError:
        return None
    except ValueError as error:
        raise UsageError(f"{error} Leave out --revision to use it.") from error


def _find_hub() -> None:
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


def _commit(name: str) -> str | None:
    """Return the newest commit of a hub model, or the one in the local cache when offline."""
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        return HfApi().model_info(name, timeout=_COMMIT_TIMEOUT_S).sha
    except Exception:  # noqa: BLE001  any failure of the hub means: look in the cache
        cached = try_to_load_from_cache(name, "config.json")
        return Path(cached).parent.name if isinstance(cached, str) else None


def _no_weights(name: str, error: Exception) -> UnavailableError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
    return UnavailableError(
        f"weights of {name} cannot be had: {reason} {_WAY_OUT.format(name=name)}"
    )
