"""What a run trains on is frozen: named by its content, whole or refused, at any address."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from training_data import built, recipe, tiny

from tool_bench.dataset import Split
from tool_bench.errors import DataError, UsageError
from tool_bench.query import letters
from tool_bench.training import snapshot
from tool_bench.training.recipe import Recipe
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import FILES, Snapshot


def rows(found: Snapshot, name: str = "train.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.files[name].splitlines()]


@pytest.fixture
def memory() -> Iterator[str]:
    address = f"memory://{uuid.uuid4().hex}"
    yield address
    fsspec.filesystem("memory").rm(address, recursive=True)


@pytest.fixture(params=["folder", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "snapshots")
    address: str = request.getfixturevalue("memory")
    return address


def test_what_is_saved_is_read_back(base: str) -> None:
    made = built(recipe())
    address = snapshot.save(made, base)
    manifest, files = snapshot.read(address)
    assert manifest == made.manifest
    assert files == {name: rows(made, name) for name in FILES}
    assert address.endswith(f"/{made.name}")
    assert snapshot.read(address + "/") == (manifest, files)


def test_the_name_and_the_manifest_are_hashes_of_the_content() -> None:
    made = built(recipe())
    for name, content in made.files.items():
        assert made.manifest["files"][name] == hashlib.sha256(content).hexdigest()
    written = json.dumps(made.manifest, ensure_ascii=False, sort_keys=True).encode()
    assert made.name == hashlib.sha256(written).hexdigest()[:16]
    assert built(recipe()).name == made.name


def with_pair(query: str) -> TrainingData:
    data = tiny()
    return replace(data, pairs=(*data.pairs, Pair(query, ("ticket_list",), "x")))


def described(text: str) -> TrainingData:
    first, *others = tiny().tools
    return replace(tiny(), tools=(replace(first, description=text), *others))


OTHERS: dict[str, Callable[[], Snapshot]] = {
    "seed": lambda: built(recipe(seed=2)),
    "length": lambda: built(recipe(text={"max_characters": 50})),
    "style": lambda: built(recipe(text={"style": "full"})),
    "share": lambda: built(recipe(data={"held_out": 0.5})),
    "refit": lambda: built(recipe(data={"refit": True})),
    "negatives": lambda: built(recipe(negatives={"count": 3})),
    "pair": lambda: built(recipe(), with_pair("one more")),
    "tool": lambda: built(recipe(), described("Another.")),
    "source": lambda: built(recipe("other"), tiny("other")),
}


@pytest.mark.parametrize("changed", OTHERS)
def test_whatever_is_trained_on_is_in_the_name(changed: str) -> None:
    assert OTHERS[changed]().name != built(recipe()).name


def test_how_it_is_trained_on_is_not_in_the_name() -> None:
    """So that runs that differ in their optimiser share one snapshot."""
    other = recipe(base="other", optimiser={"learning_rate": 1e-3, "lora_rank": 8})
    assert built(other.model_copy(update={"name": "other"})).name == built(recipe()).name


def test_a_snapshot_is_never_written_over(base: str) -> None:
    made = built(recipe())
    address = snapshot.save(made, base)
    system, folder = fsspec.url_to_fs(address)
    system.pipe_file(f"{folder}/train.jsonl", b"{}\n")
    assert snapshot.save(made, base) == address
    assert system.cat_file(f"{folder}/train.jsonl") == b"{}\n"
    with pytest.raises(DataError, match=r"train\.jsonl: is not the file that manifest\.json names"):
        snapshot.read(address)
    system.pipe_file(f"{folder}/manifest.json", b"{}")
    with pytest.raises(DataError, match="holds another manifest than its name says; remove it"):
        snapshot.save(made, base)
    assert system.cat_file(f"{folder}/manifest.json") == b"{}"


@pytest.mark.parametrize("after", range(len(FILES) + 2))
def test_an_interrupted_write_is_no_snapshot_and_is_completed(
    base: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it wrote its file number ``after``, of which half is there."""
    made = built(recipe())
    system, root = fsspec.url_to_fs(base)
    write, move = type(system).pipe_file, type(system).mv
    written = 0

    def killed(self: Any, path: str, value: bytes, *args: Any, **kwargs: Any) -> None:
        nonlocal written
        if written == after:
            write(self, path, value[: len(value) // 2])
            raise KeyboardInterrupt
        written += 1
        write(self, path, value, *args, **kwargs)

    def killed_at_last(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(system), "pipe_file", killed)
        patch.setattr(type(system), "mv", killed_at_last)
        with pytest.raises(KeyboardInterrupt):
            snapshot.save(made, base)
    assert type(system).mv is move
    with pytest.raises(DataError, match=r"is no snapshot: it has no manifest\.json"):
        snapshot.read(f"{base}/{made.name}")
    address = snapshot.save(made, base)
    assert snapshot.read(address)[0] == made.manifest
    names = {path.rpartition("/")[2] for path in system.ls(f"{root}/{made.name}", detail=False)}
    assert names == {*FILES, "manifest.json"}


DAMAGE: dict[str, Callable[[Path], object]] = {
    "one byte": lambda path: path.write_bytes(b"[" + path.read_bytes()[1:]),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a row more": lambda path: path.write_bytes(path.read_bytes() + b"{}\n"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: str) -> None:
    known = tiny().tools[0]
    made = built(recipe(), with_pair("a pair more"))
    made = replace(made, files={**made.files, "dropped.jsonl": b"{}\n"})
    hashes = {**made.manifest["files"], "dropped.jsonl": hashlib.sha256(b"{}\n").hexdigest()}
    made = replace(made, manifest={**made.manifest, "files": hashes})
    address = snapshot.save(made, str(tmp_path))
    assert known.id.encode() in (tmp_path / made.name / "tools.jsonl").read_bytes()
    DAMAGE[damage](tmp_path / made.name / name)
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        snapshot.read(address)


def test_a_manifest_that_was_changed_with_its_files_is_refused(tmp_path: Path) -> None:
    """A signed request names a snapshot by its address: what lies there must be what it was."""
    made = built(recipe())
    address = snapshot.save(made, str(tmp_path))
    folder = tmp_path / made.name
    (folder / "train.jsonl").write_bytes(b"{}\n")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["train.jsonl"] = hashlib.sha256(b"{}\n").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"manifest\.json: is not what the folder is named by"):
        snapshot.read(address)


def test_another_format_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = snapshot.save(built(recipe()), str(tmp_path))
    monkeypatch.setattr(snapshot, "FORMAT", 2)
    with pytest.raises(DataError, match="has format 1, expected 2; build the snapshot anew"):
        snapshot.read(address)


def test_an_address_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"snapshots cannot be written to .*file"):
        snapshot.save(built(recipe()), str(tmp_path / "file"))
    with pytest.raises(UsageError, match="nosuch://bucket: "):
        snapshot.save(built(recipe()), "nosuch://bucket")


def test_nothing_left_to_train_on_is_an_error() -> None:
    with pytest.raises(DataError, match="test: no row is left to train on"):
        built(recipe(data={"sources": {"tiny": 1}}), replace(tiny(), pairs=()))


def count(of: Recipe, data: TrainingData | None = None) -> Counter[str]:
    return Counter(row["tool"] for row in rows(built(of, data or tiny())))


def test_caps_hold_and_do_not_depend_on_the_order_of_the_rows() -> None:
    assert sum(count(recipe()).values()) == 48
    assert sum(count(recipe(data={"sources": {"tiny": 10}})).values()) == 10
    assert set(count(recipe(data={"per_tool": 2})).values()) == {2}
    assert count(recipe(data={"per_tool": 2, "as_asked": ["tiny"]})) == count(recipe())
    turned = replace(tiny(), pairs=tiny().pairs[::-1])
    capped = recipe(data={"sources": {"tiny": 10}, "per_tool": 2})
    assert rows(built(capped, turned)) == rows(built(capped))


def test_a_request_with_several_answers_is_as_many_rows_none_of_which_denies_another() -> None:
    data = replace(tiny(), pairs=(Pair("do both", ("ticket_list", "ticket_create"), "x"),))
    found = rows(built(recipe(data={"held_out": 0}, negatives={"count": 15}), data))
    assert [row["tool"] for row in found] == ["tiny/ticket_list", "tiny/ticket_create"]
    for row in found:
        assert row["right"] == ["tiny/ticket_create", "tiny/ticket_list"]
        assert len(row["negatives"]) == 14
        assert not set(row["right"]) & set(row["negatives"])


def test_paraphrases_can_be_left_out_of_training() -> None:
    pairs = tiny().pairs
    reworded = tuple(replace(pair, kind="paraphrase") for pair in pairs[::2])
    data = replace(tiny(), pairs=reworded + pairs[1::2])
    assert {row["kind"] for row in rows(built(recipe(), data))} == {"paraphrase", "request"}
    plain = rows(built(recipe(data={"paraphrases": False}), data))
    assert {row["kind"] for row in plain} == {"request"}


def test_the_last_run_trains_on_all_but_what_a_source_holds_out() -> None:
    refit = built(recipe(data={"refit": True}))
    assert len(rows(refit)) == 64
    assert not rows(refit, "validation.jsonl")
    own: dict[str, Split] = dict.fromkeys(tiny().by_id, "validation")
    own |= {tool.id: "train" for tool in tiny().tools if tool.provider == "acme"}
    kept = built(recipe(data={"refit": True}), replace(tiny(), splits=own))
    assert len(rows(kept)) == 16
    assert len(rows(kept, "validation.jsonl")) == 48


def test_validation_asks_nothing_that_is_trained_on() -> None:
    found = built(recipe())
    validation = rows(found, "validation.jsonl")
    assert len(validation) == 16
    assert not {letters(row["query"]) for row in validation} & {
        letters(row["query"]) for row in rows(found)
    }
    seen = {row["id"] for row in rows(found, "tools.jsonl") if row["seen"]}
    assert seen == {id_ for row in rows(found) for id_ in (row["tool"], *row["negatives"])}
    assert seen.isdisjoint(id_ for row in validation for id_ in row["tools"])


def test_what_is_held_out_is_not_even_a_wrong_answer() -> None:
    found = built(recipe(negatives={"count": 12, "kinds": ["random"]}))
    held = {id_ for row in rows(found, "validation.jsonl") for id_ in row["tools"]}
    assert held
    assert held.isdisjoint(id_ for row in rows(found) for id_ in row["negatives"])


def test_a_named_provider_leaves_the_others_out_of_the_answers() -> None:
    families = {"make": ("ticket_create", "invoice_create")}
    splits: dict[str, Split] = dict.fromkeys(tiny().by_id, "validation")
    pairs: tuple[Pair, ...] = (
        Pair("make one", ("ticket_create",), "1"),
        Pair("one in initech", ("ticket_create",), "2"),
    )
    trained = {id_: "train" if id_.startswith("meeting") else s for id_, s in splits.items()}
    pairs += tuple(pair for pair in tiny().pairs if pair.tools[0].startswith("meeting"))
    data = replace(tiny(), pairs=pairs, families=families, splits=trained)
    asked = {row["query"]: row["right"] for row in rows(built(recipe(), data), "validation.jsonl")}
    assert asked == {
        "make one": ["tiny/invoice_create", "tiny/ticket_create"],
        "one in initech": ["tiny/ticket_create"],
    }
