"""What a run trains on, frozen: built once, named by its content, never overwritten.

A snapshot is a folder at any address that fsspec reads and writes (a local path, ``s3://``):
``tools.jsonl`` (every tool's text), ``train.jsonl``, ``validation.jsonl``, ``dropped.jsonl`` and
``manifest.json`` with the sha256 of each and of every file that it was made from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tool_bench.data.paths import cache_folder
from tool_bench.errors import DataError, UsageError
from tool_bench.progress import report
from tool_bench.tool import render
from tool_bench.trained import tool_hash
from tool_bench.training.guard import Dropped, Evaluated, clean
from tool_bench.training.negatives import Mined, names_provider, rows
from tool_bench.training.recipe import Recipe
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.source import TrainingSource
from tool_bench.training.splits import SEED, parts, split_of

Mine = Callable[[TrainingData, Sequence[Pair]], Mined]
"""Given a source and the pairs that are trained on: what a model ranks high for each query."""

FORMAT = 1
"""Raised when the files of a snapshot change their form."""
_WAY_OUT = "remove the snapshot's folder, and build it again"
FILES = ("tools.jsonl", "train.jsonl", "validation.jsonl", "dropped.jsonl")
VALIDATION_ROWS = 500
"""Of a source at most: those of least hash."""


@dataclass(frozen=True)
class Snapshot:
    """The content of a snapshot, ready to be written."""

    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The sha256 of its manifest, shortened."""
        return name_of(self.manifest)


def build(
    recipe: Recipe,
    sources: Mapping[str, tuple[TrainingSource, TrainingData]],
    known: Evaluated,
    mine: Mine | None = None,
) -> Snapshot:
    """Build what ``recipe`` trains on.

    Args:
        recipe: which rows, split, text and negatives.
        sources: name -> declaration and loaded data, of every source that the recipe names.
        known: what is evaluated and must not be learned.
        mine: finds what a model confuses, where the recipe asks for it.

    Raises:
        DataError: nothing is left to train on.
    """
    written: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
    counts: dict[str, dict[str, int]] = {}
    for number, (name, (declared, loaded)) in enumerate(sources.items()):
        report(f"build {name}", number, len(sources))
        data, dropped = clean(loaded, declared.task, known)
        counts[name] = _add(written, recipe, data, mine)
        written["dropped.jsonl"] += [asdict(each) for each in dropped]
        counts[name] |= _dropped(dropped)
    if not written["train.jsonl"]:
        raise DataError(recipe.name, "no row is left to train on")
    files = {name: b"".join(_json(row) + b"\n" for row in written[name]) for name in FILES}
    manifest = {
        "format": FORMAT,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "recipe": recipe.model_dump(include={"text", "data", "negatives", "seed"}, mode="json"),
        "split": SEED,
        "sources": {
            name: {
                "license": declared.license,
                "files": {file.path: file.sha256 for file in declared.sources},
                "data": _digest(data),
                **counts[name],
            }
            for name, (declared, data) in sources.items()
        },
        "not checked against": sorted(known.unchecked),
    }
    return Snapshot(files, manifest)


def _add(
    written: dict[str, list[dict[str, Any]]], recipe: Recipe, data: TrainingData, mine: Mine | None
) -> dict[str, int]:
    """Add one source's tools, rows and validation pairs; return how many there are."""
    name = data.source
    share = 0.0 if recipe.data.refit else recipe.data.held_out
    split = split_of(data, share)
    sorted_ = parts(data, split)
    data = replace(data, splits=split)  # what is held out is not even a wrong answer
    per_tool = None if name in recipe.data.as_asked else recipe.data.per_tool
    pairs = _capped(_wanted(sorted_.train, recipe), per_tool, recipe.data.sources[name])
    wanted = mine is not None and "mined" in recipe.negatives.kinds and recipe.negatives.count
    mined = mine(data, pairs) if mine is not None and wanted else {}
    train = list(rows(data, pairs, recipe.negatives, mined, recipe.seed))
    written["train.jsonl"] += [
        {
            "query": row.query,
            "tool": f"{name}/{row.tool}",
            "negatives": [f"{name}/{id_}" for id_ in row.negatives],
            "right": sorted(f"{name}/{id_}" for id_ in row.right),
            "kind": row.pair.kind,
            "where": row.pair.where,
        }
        for row in train
    ]
    validation = sorted(sorted_.validation, key=_lot)[:VALIDATION_ROWS]
    written["validation.jsonl"] += [
        {
            "source": name,
            "query": pair.query,
            "tools": [f"{name}/{id_}" for id_ in pair.tools],
            "right": sorted(f"{name}/{id_}" for id_ in _answers(data, pair)),
            "kind": pair.kind,
        }
        for pair in validation
    ]
    trained = {row.tool for row in train}
    seen = trained.union(*(row.negatives for row in train))
    written["tools.jsonl"] += [
        {
            "id": f"{name}/{tool.id}",
            "provider": tool.provider,
            "text": render(tool, recipe.text.style, recipe.text.max_characters),
            "key": tool_hash(tool),
            "seen": tool.id in seen,
        }
        for tool in data.tools
    ]
    return {
        "tools": len(data.tools),
        "tools trained": len(trained),
        "rows": len(train),
        "validation": len(validation),
        "crossing": sorted_.crossing,
    }


def _answers(data: TrainingData, pair: Pair) -> frozenset[str]:
    """Return what answers ``pair`` as tasks score it: a named provider leaves the others out."""
    if any(names_provider(pair.query, data.by_id[id_]) for id_ in pair.tools):
        return frozenset(pair.tools)
    return data.right(pair)


def _wanted(pairs: Iterable[Pair], recipe: Recipe) -> list[Pair]:
    return [pair for pair in pairs if recipe.data.paraphrases or pair.kind != "paraphrase"]


def _capped(pairs: Sequence[Pair], per_tool: int | None, most: int) -> list[Pair]:
    """Return the pairs of least hash: at most ``per_tool`` a tool and ``most`` rows in all."""
    taken: list[Pair] = []
    held: dict[str, int] = {}
    n = 0
    for pair in sorted(pairs, key=_lot):
        full = per_tool is not None and any(held.get(id_, 0) >= per_tool for id_ in pair.tools)
        if full or n + len(pair.tools) > most:
            continue
        for id_ in pair.tools:
            held[id_] = held.get(id_, 0) + 1
        n += len(pair.tools)
        taken.append(pair)
    return taken


def name_of(manifest: Mapping[str, Any]) -> str:
    """Return the name of the snapshot that has this manifest."""
    return hashlib.sha256(_json(manifest)).hexdigest()[:16]


def default_base() -> str:
    """Return where snapshots are kept unless an address is given: the user's cache."""
    return str(cache_folder() / "snapshots")


def is_there(address: str) -> bool:
    """Tell whether ``address`` holds a snapshot that was written whole."""
    system, folder = _system(address)
    return bool(system.exists(f"{folder.rstrip('/')}/manifest.json"))


def save(snapshot: Snapshot, base: str) -> str:
    """Write ``snapshot`` under ``base`` unless it is there; return its address.

    The manifest is written last: a folder without one is an interrupted write, and is completed.

    Raises:
        DataError: a folder of that name holds something else.
        UsageError: the address cannot be written.
    """
    system, root = _system(base)
    folder = f"{root.rstrip('/')}/{snapshot.name}"
    manifest = _json(snapshot.manifest)
    if system.exists(f"{folder}/manifest.json"):
        if system.cat_file(f"{folder}/manifest.json") != manifest:
            raise DataError(folder, "holds another manifest than its name says; remove it")
        return str(system.unstrip_protocol(folder))
    try:
        system.makedirs(folder, exist_ok=True)
        for name, content in snapshot.files.items():
            if not _holds(system, f"{folder}/{name}", content):  # another process may be reading
                system.pipe_file(f"{folder}/{name}", content)
        system.pipe_file(f"{folder}/manifest.part", manifest)
        system.mv(f"{folder}/manifest.part", f"{folder}/manifest.json")  # whole or not at all
    except OSError as error:
        if _holds(system, f"{folder}/manifest.json", manifest):  # another process was faster
            return str(system.unstrip_protocol(folder))
        raise UsageError(f"snapshots cannot be written to {base}: {error}") from None
    return str(system.unstrip_protocol(folder))


def _holds(system: Any, path: str, content: bytes) -> bool:
    try:
        return bool(system.cat_file(path) == content)
    except OSError:
        return False


def read(address: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return a snapshot's manifest and the rows of its files, verified.

    Raises:
        DataError: a file is missing, is not the one that the manifest names, or the manifest is
            not the one that the folder is named by.
    """
    system, root = _system(address)
    folder = root.rstrip("/")
    try:
        content = system.cat_file(f"{folder}/manifest.json")
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(address, "is no snapshot: it has no manifest.json") from None
    if hashlib.sha256(content).hexdigest()[:16] != folder.rpartition("/")[2]:
        raise DataError(f"{address}/manifest.json", "is not what the folder is named by")
    manifest = json.loads(content)
    if manifest["format"] != FORMAT:
        problem = f"has format {manifest['format']}, expected {FORMAT}; build the snapshot anew"
        raise DataError(address, problem)
    found = {}
    for name, sha256 in manifest["files"].items():
        try:
            content = system.cat_file(f"{folder}/{name}")
        except FileNotFoundError:
            raise DataError(f"{address}/{name}", f"the file is missing; {_WAY_OUT}") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            problem = f"is not the file that manifest.json names; {_WAY_OUT}"
            raise DataError(f"{address}/{name}", problem)
        found[name] = [json.loads(line) for line in content.splitlines()]
    return manifest, found


def _system(address: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{address}: {error}") from None
    return system, path


def _dropped(dropped: Iterable[Dropped]) -> dict[str, int]:
    counted = {"queries dropped": 0, "tools dropped": 0}
    for each in dropped:
        counted["queries dropped" if each.what == "query" else "tools dropped"] += 1
    return counted


def _digest(data: TrainingData) -> str:
    """Return the sha256 of everything a source taught, whatever files it came from."""
    content = [[asdict(tool) for tool in data.tools], [asdict(pair) for pair in data.pairs]]
    return hashlib.sha256(_json(content)).hexdigest()


def _lot(pair: Pair) -> str:
    return hashlib.sha256(f"{SEED}:{pair.query}".encode()).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
