"""Any sentence-transformers or mteb model as a baseline, by hub name or local folder."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from tool_bench import registry
from tool_bench.baseline import Baseline, Speed
from tool_bench.errors import UsageError
from tool_bench.hub_load import (
    STYLE,
    load_local,
    load_mteb,
    load_sentence_transformers,
    mteb_meta,
)
from tool_bench.loading import find_hub
from tool_bench.tool import MAX_CHARACTERS

_SPEED = Speed(start=30, per_tool=0.1, per_query=0.05)
_COMMIT_TIMEOUT_S = 10
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def model_baseline(name: str, revision: str | None = None) -> Baseline:
    """Declare the model ``name``.

    Args:
        name: a local folder that sentence-transformers can load, or a hub name
            (``owner/model``). A model declared in ``baselines/`` is that baseline, and its weights
            are fetched where they are lacking; others that mteb knows get mteb's revision and
            prompts; the rest are loaded by sentence-transformers with the prompts of their own
            configuration.
        revision: hub commit; mteb's pinned one, or the newest, where it is not given.

    Raises:
        UsageError: ``name`` is neither a folder nor of the form ``owner/model``, mteb pins another
            revision, or it is a paid service that is not declared.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UsageError(f"--revision is a hub commit, and --model '{name}' is a local folder")
        return _local(folder, name)
    if not _HUB_NAME.fullmatch(name):
        raise UsageError(f"--model '{name}' is neither a local folder nor a hub name (owner/model)")
    declared = registry.baselines().get(name)
    if declared is not None:
        if revision not in {None, declared.revision}:
            mteb_meta(name, revision)  # which refuses it
        return replace(declared, needs=replace(declared.needs, weights=None))
    find_hub()
    meta = mteb_meta(name, revision)
    if meta is None or meta.revision is None:
        return _from_hub(name, revision or _commit(name))
    if "API" in meta.framework:
        raise UsageError(
            f"--model '{name}' is a paid service that no method here declares, so its cost could "
            "be neither limited nor stated; 'tool-bench list' shows those that are"
        )
    return Baseline(
        name=name,
        kind="lexical" if "sparse" in meta.model_type else "dense",
        description=f"{name} as mteb loads and prompts it, over 'name: description'.",
        reference=str(meta.reference or f"https://huggingface.co/{name}"),
        license=str(meta.license or "not stated"),
        load=partial(load_mteb, name, meta.revision),
        parameters=meta.n_parameters,
        revision=meta.revision,
        style=STYLE,
        settings={"prompts": "mteb"},
        may_rank_fewer=True,  # some search by themselves, and return what matches
        arguments=("--model", name, "--revision", meta.revision),
        trained_on=tuple(sorted(meta.training_datasets or ())),
        speed=_SPEED,
    )


def _local(folder: Path, given: str) -> Baseline:
    from tool_bench.sentence import folder_identity
    from tool_bench.trained import read_card, read_seen

    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise UsageError(
            f"--model '{folder}' holds no model: neither modules.json nor config.json is there"
        )
    identity = folder_identity(folder)
    card = read_card(folder)
    style = STYLE if card is None else card.style
    length = MAX_CHARACTERS if card is None else card.max_characters
    plain = re.sub(r"[^\w.-]+", "-", folder.resolve().name)
    return Baseline(
        name=f"local/{plain}-{identity[:8]}",
        arguments=("--model", given),
        kind="dense",
        description="A local sentence-transformers model over "
        + ("'name: description'." if card is None else "the text that it was trained on."),
        reference="https://arxiv.org/abs/1908.10084",
        license="not stated",
        load=partial(load_local, str(folder.resolve()), identity, style, length),
        revision=identity,
        style=style,
        settings={"prompts": "the model's own", "max characters": length},
        trained_on=() if card is None else card.trained_on,
        seen=None if card is None else partial(read_seen, folder.resolve()),
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
        style=STYLE,
        settings={"prompts": "the model's own"},
        arguments=("--model", name, *(("--revision", revision) if revision else ())),
        speed=_SPEED,
    )


def _commit(name: str) -> str | None:
    """Return the newest commit of a hub model, or the one in the local cache when offline."""
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        return HfApi().model_info(name, timeout=_COMMIT_TIMEOUT_S).sha
    except Exception:  # noqa: BLE001  any failure of the hub means: look in the cache
        cached = try_to_load_from_cache(name, "config.json")
        return Path(cached).parent.name if isinstance(cached, str) else None
