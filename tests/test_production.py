"""The pointer file: whole or as before, one promoter at a time, never a model that has changed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import fakes
import pytest

from tool_bench import registry
from tool_bench.errors import DataError, ToolBenchError, UsageError
from tool_bench.sentence import folder_identity
from tool_bench.training import production
from tool_bench.training.gate import Row, Verdict
from tool_bench.training.production import Model, Pointer

ROW = Row("Tiny", "global", 12, 12, 0.9, 0.5, 0.4, 0.3, 0.5, 0.001, 0.001, "better")
PASSED = Verdict(passed=True, rule="better", why="better on Tiny", margin=0.02, rows=(ROW,))
REFUSED = replace(PASSED, passed=False, rule="not better", why="not better on Tiny")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "here" / "production.json"


@pytest.fixture
def make(path: Path) -> Callable[[str], Model]:
    """Makes a model below the pointer's folder."""

    def model(name: str) -> Model:
        folder = path.parent / "runs" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_text(f"weights of {name}")
        return production.identify(name, folder, path)

    return model


def promote(path: Path, model: Model) -> Pointer:
    return production.promote(path, model, production.read(path), "minilm", PASSED)


def names(pointer: Pointer) -> list[str | None]:
    return [None if change.model is None else change.model.name for change in pointer.history]


def test_a_promotion_is_written_with_everything_that_led_to_it(
    path: Path, make: Callable[[str], Model]
) -> None:
    assert production.read(path) == Pointer()
    pointer = promote(path, make("v1"))
    assert production.read(path) == pointer
    folder = path.parent / "runs" / "v1"
    written = json.loads(path.read_text())
    assert written["current"] == {
        "name": "v1",
        "folder": "runs/v1",
        "identity": folder_identity(folder),
    }
    (change,) = written["history"]
    assert (change["action"], change["against"], change["why"]) == (
        "promote",
        "minilm",
        "better on Tiny",
    )
    assert change["verdict"]["rows"][0]["difference"] == 0.4
    assert pointer.history[0].verdict == PASSED
    pointer = promote(path, make("v2"))
    assert names(pointer) == ["v1", "v2"]


def test_a_refused_model_is_not_promoted(path: Path, make: Callable[[str], Model]) -> None:
    with pytest.raises(ToolBenchError, match="'v1' is not promoted: not better on Tiny"):
        production.promote(path, make("v1"), Pointer(), "minilm", REFUSED)
    assert not path.exists()


@pytest.mark.parametrize("harm", ["other weights", "a file more", "gone"])
def test_a_model_whose_files_changed_since_is_not_promoted(
    path: Path, make: Callable[[str], Model], harm: str
) -> None:
    model = make("v1")
    folder = path.parent / "runs" / "v1"
    if harm == "gone":
        shutil.rmtree(folder)
    else:
        name = "model.safetensors" if harm == "other weights" else "adapter.safetensors"
        (folder / name).write_text("other")
    with pytest.raises(DataError, match=r"changed since it was measured|is not there"):
        promote(path, model)
    assert production.read(path).current is None


def test_a_declared_method_is_known_by_what_decides_its_rankings(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = fakes.baseline("v2", fakes.load_overlap)
    monkeypatch.setattr(registry, "baselines", lambda: {"v2": method})
    model = production.identify("v2", None, path)
    promote(path, model)
    production.verify(model, path)
    changed = replace(method, settings={"k": 2})
    monkeypatch.setattr(registry, "baselines", lambda: {"v2": changed})
    with pytest.raises(DataError, match="'v2' has changed since"):
        production.verify(model, path)
    monkeypatch.setattr(registry, "baselines", dict)
    with pytest.raises(DataError, match="no method is declared as 'v2'"):
        production.verify(model, path)


def test_a_checkout_can_be_moved(path: Path, make: Callable[[str], Model], tmp_path: Path) -> None:
    model = make("v1")
    promote(path, model)
    moved = path.parent.rename(tmp_path / "there") / path.name
    current = production.read(moved).current
    assert current == model
    production.verify(model, moved)
    assert production.folder_of(model, moved) == moved.parent / "runs" / "v1"


def test_a_folder_elsewhere_is_named_whole(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    model = production.identify("v1", folder, path)
    assert model.folder == str(folder.resolve())


def test_a_crash_between_write_and_rename_leaves_production_as_it_was(
    path: Path, make: Callable[[str], Model]
) -> None:
    first, second = make("v1"), make("v2")
    before = promote(path, first)
    code = f"""
        import os, signal
        from pathlib import Path
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_production import PASSED
        from tool_bench.training import production
        path = Path({str(path)!r})
        model = production.identify("v2", path.parent / "runs" / "v2", path)
        production.promote(path, model, production.read(path), "v1", PASSED)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list(path.parent.glob(".tool-bench-tmp-*"))) == 1  # it was written, not moved
    assert production.read(path) == before
    assert promote(path, second).current == second  # and the lock was let go


def test_of_two_promoters_the_second_is_told(path: Path, make: Callable[[str], Model]) -> None:
    seen = production.read(path)
    first, second = make("v1"), make("v2")
    production.promote(path, first, seen, "minilm", PASSED)
    with pytest.raises(ToolBenchError, match=r"changed since 'v2' was compared.*is 'v1' now"):
        production.promote(path, second, seen, "minilm", PASSED)
    assert production.read(path).current == first


def test_of_many_promoters_at_once_one_wins(
    path: Path, make: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the files is slow, so that without a lock all would have seen the same."""
    verify = production.verify

    def slow(model: Model, pointer: Path) -> None:
        verify(model, pointer)
        time.sleep(0.05)

    monkeypatch.setattr(production, "verify", slow)
    models = [make(f"v{i}") for i in range(8)]

    def attempt(model: Model) -> str:
        try:
            production.promote(path, model, Pointer(), "minilm", PASSED)
        except ToolBenchError:
            return "lost"
        return "won"

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(attempt, models))
    assert sorted(ends) == ["lost"] * 7 + ["won"]
    found = production.read(path)
    assert len(found.history) == 1
    assert found.current == models[ends.index("won")]


def test_a_lock_that_is_not_let_go_is_an_error(
    path: Path, make: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production, "LOCK_S", 0.1)
    model = make("v1")
    with (
        production._locked(path),
        pytest.raises(ToolBenchError, match="another process is changing"),
    ):
        promote(path, model)


def test_rollback_goes_back_one_model_at_a_time(path: Path, make: Callable[[str], Model]) -> None:
    a, b, c, d = map(make, "abcd")
    for model in (a, b, c):
        promote(path, model)
    assert production.rollback(path).current == b
    promote(path, d)
    assert production.rollback(path).current == b  # not c, which was taken back
    assert production.rollback(path).current == a
    pointer = production.rollback(path)
    assert pointer.current is None
    assert names(pointer) == ["a", "b", "c", "b", "d", "b", "a", None]
    with pytest.raises(UsageError, match="nothing is in production"):
        production.rollback(path)
    assert promote(path, a).current == a


def test_rollback_passes_over_a_model_whose_files_changed(
    path: Path, make: Callable[[str], Model]
) -> None:
    a, b, c = map(make, "abc")
    for model in (a, b, c):
        promote(path, model)
    (path.parent / "runs" / "b" / "model.safetensors").write_text("other")
    (path.parent / "runs" / "c" / "model.safetensors").write_text("broken")  # the reason to go
    pointer = production.rollback(path)
    assert pointer.current == a
    assert "'c' was taken back; passed over: " in pointer.history[-1].why
    assert production.rollback(path).current is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "file"),
        ('{"schema_version": 1, "current": {"name": "v1"}, "history": []}', "current.folder"),
        (
            '{"schema_version": 1, "current": {"name": "v1", "folder": null, "identity": "0"}}',
            "'current' is not the model of the last change",
        ),
    ],
)
def test_a_file_that_is_no_pointer_is_named_with_its_field(
    path: Path, text: str, named: str
) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DataError, match=named) as error:
        production.read(path)
    assert str(path) in str(error.value)
