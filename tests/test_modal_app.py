from __future__ import annotations

import importlib
import json
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import modal_stand_in
import pytest
from signed_runs import ALLOWED, SCORES, FakeTrainer, save_snapshot, signed_request

from tool_bench.errors import DataError
from tool_bench.training import entry
from tool_bench.training.keys import encode, listed_line
from tool_bench.training.signing import RefusedError

APP = "tool_bench.training.modal_app"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The app's module, imported with the stand-in; its volume is a folder."""
    monkeypatch.setitem(sys.modules, "modal", modal_stand_in)
    monkeypatch.delitem(sys.modules, APP, raising=False)
    module = importlib.import_module(APP)
    monkeypatch.setattr(module, "RUNS", tmp_path / "volume")
    monkeypatch.setenv(module.ALLOWED, listed_line("alice", encode(ALLOWED["alice"])))
    call(None)
    yield module
    del sys.modules[APP]


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> FakeTrainer:
    train = FakeTrainer()
    monkeypatch.setattr(entry, "run", partial(entry.run, train=train))
    return train


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    snapshot = save_snapshot(str(tmp_path / "snapshots"))
    path = tmp_path / "request.json"
    path.write_bytes(signed_request(snapshot, str(tmp_path / "model")))
    return path


def call(number: int | None) -> None:
    modal_stand_in.CALL[0] = None if number is None else f"fc-{number}"


def test_a_signed_request_trains_in_the_calls_own_folder(
    app: ModuleType, trainer: FakeTrainer, request_file: Path, tmp_path: Path
) -> None:
    call(1)
    made = app.start.local(request_file.read_bytes())
    assert (made["signer"], made["model"]) == ("alice", str(tmp_path / "model"))
    assert made["scores"]["tldr"]["hit_at_1"] == SCORES["tldr"].hit_at_1
    json.dumps(made)  # plain, so that a caller needs no package of ours to read it
    assert [folder for _, _, folder in trainer.asked] == [tmp_path / "volume" / "fc-1"]
    assert (tmp_path / "model" / "weights").is_file()


def test_a_second_call_with_the_same_request_is_refused(
    app: ModuleType, trainer: FakeTrainer, request_file: Path
) -> None:
    for number in (1, 2, None):
        call(number)
        if number == 1:
            app.start.local(request_file.read_bytes())
        else:
            with pytest.raises(RefusedError, match="refused, replayed"):
                app.start.local(request_file.read_bytes())
    assert len(trainer.asked) == 1


def test_a_call_that_modal_stopped_goes_on_even_when_the_request_has_expired(
    app: ModuleType, trainer: FakeTrainer, request_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Later:
            return cls.fromtimestamp(time.time() + 5 * 3_600, tz)

    call(1)
    trainer.broken = True
    with pytest.raises(KeyboardInterrupt):
        app.start.local(request_file.read_bytes())
    trainer.broken = False
    monkeypatch.setattr(app, "datetime", Later)
    call(2)
    with pytest.raises(RefusedError, match="refused, expired"):
        app.start.local(request_file.read_bytes())
    call(1)
    assert app.start.local(request_file.read_bytes())["signer"] == "alice"
    (_, _, before), (_, _, after) = trainer.asked
    assert before == after


def test_an_upload_that_modal_stopped_is_completed(
    app: ModuleType, trainer: FakeTrainer, request_file: Path, tmp_path: Path
) -> None:
    call(1)
    app.start.local(request_file.read_bytes())
    for lost in ("weights", "made.json"):
        (tmp_path / "model" / lost).unlink()
    app.start.local(request_file.read_bytes())
    assert (tmp_path / "model" / "weights").read_bytes() == b"weights"
    assert (tmp_path / "model" / "made.json").is_file()


def test_the_list_of_keys_is_the_deployers(
    app: ModuleType,
    trainer: FakeTrainer,
    request_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(app.ALLOWED, listed_line("bob", encode(bytes(range(32)))))
    with pytest.raises(RefusedError, match="refused, key not allowed"):
        app.start.local(request_file.read_bytes())
    monkeypatch.setenv(app.ALLOWED, "")
    with pytest.raises(DataError, match="TOOL_BENCH_ALLOWED_KEYS: names no key"):
        app.start.local(request_file.read_bytes())
    assert not trainer.asked


def test_the_command_sends_the_file(
    app: ModuleType, trainer: FakeTrainer, request_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app.main(str(request_file))
    assert "'signer': 'alice'" in capsys.readouterr().out
    assert len(trainer.asked) == 1


def test_the_function_has_a_gpu_its_volume_and_the_list_of_keys(app: ModuleType) -> None:
    options = app.start.options
    assert options["gpu"]
    assert options["timeout"] == 24 * 3_600
    assert [volume.name for volume in options["volumes"].values()] == ["tool-bench-runs"]
    assert [secret.required_keys for secret in options["secrets"]] == [[app.ALLOWED]]
    assert not app.app.include_source  # else Modal puts the bare sources before the package


def test_the_image_is_built_of_the_package_and_nothing_else_of_the_checkout(
    app: ModuleType,
) -> None:
    steps = dict(app.image.steps)
    sent, left_out = steps["add_local_dir"]
    assert sent == ROOT
    assert "tool-bench[train] @ file:///source" in steps["uv_pip_install"]
    secret = (".env", "alice.pem", "tool_bench/alice.pem", ".git/config", ".venv/x.py", "runs/m")
    for name in (*secret, "results/x.json", "site/public/index.html", "tool_bench/__pycache__/x"):
        assert left_out(Path(name)), name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [
        "pyproject.toml",
        "requirements.lock",
        project["project"]["readme"],
        *project["project"]["license-files"],
        "tool_bench/training/modal_app.py",
        "tool_bench/pricing.toml",
        *(f"{folder}/x.py" for folder in project["tool"]["setuptools"]["package-dir"].values()),
    ]
    for name in needed:
        assert not left_out(Path(name)), name
