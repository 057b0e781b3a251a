from __future__ import annotations

import json
import stat
from functools import partial
from pathlib import Path

import pytest
from signed_runs import FakeTrainer, save_snapshot

from tool_bench.cli import sign
from tool_bench.errors import DataError, UsageError
from tool_bench.training import entry
from tool_bench.training.keys import read_allowed
from tool_bench.training.recipe import read_recipe
from tool_bench.training.signing import RefusedError

RECIPE = """
name = "small"
seed = 7
[data.sources]
tldr = 100
[optimiser]
learning_rate = 3e-5
"""


def call(*words: str | Path) -> None:
    sign.app([str(word) for word in words], prog_name="tool-bench sign", standalone_mode=False)


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """A folder with a recipe, Alice's key and a list that allows it."""
    monkeypatch.chdir(tmp_path)
    Path("recipe.toml").write_text(RECIPE, encoding="utf-8")
    call("keygen", "alice.pem")
    Path("keys.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    return tmp_path


def sign_request(*words: str, out: str = "request.json") -> None:
    where = ("--snapshot", "s3://b/snapshots/ab", "--model-to", "models/small")
    call("request", "recipe.toml", "--key", "alice.pem", *where, "-o", out, *words)


def test_keygen_prints_the_line_for_the_list(folder: Path) -> None:
    assert list(read_allowed(folder / "keys.toml")) == ["alice"]
    assert stat.S_IMODE((folder / "alice.pem").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="not overwritten"):
        call("keygen", folder / "alice.pem")


def test_a_request_is_signed_and_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign_request("--valid-hours", "3")
    capsys.readouterr()
    call("check", "request.json", "--allowed", "keys.toml", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["signer"] == "alice"
    asked = found["request"]
    assert asked["recipe"]["seed"] == 7
    assert asked["snapshot"] == "s3://b/snapshots/ab"
    assert asked["model_to"] == str(folder / "models" / "small")
    call("check", "request.json", "--allowed", "keys.toml")
    shown = capsys.readouterr().out
    assert "OK signed by alice" in shown
    assert "s3://b/snapshots/ab" in shown


def test_a_signed_file_trains_the_recipe_that_was_signed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = save_snapshot(str(folder / "snapshots"))
    where = ("--snapshot", snapshot, "--model-to", "models/small")
    call("request", "recipe.toml", "--key", "alice.pem", *where, "-o", "request.json")
    (folder / "used").mkdir()
    train = FakeTrainer()
    monkeypatch.setattr(entry, "run", partial(entry.run, train=train))
    run = ("run", "request.json", "--allowed", "keys.toml", "--used", "used", "--out", "run")
    call(*run)
    assert [recipe for recipe, _, _ in train.asked] == [read_recipe(Path("recipe.toml"))]
    assert str(folder / "models" / "small") in capsys.readouterr().out.replace("\n", "")
    with pytest.raises(RefusedError, match="used"):
        call(*run)


@pytest.mark.usefixtures("folder")
def test_check_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    sign_request()
    call("keygen", "bob.pem")
    Path("bob.toml").write_text(capsys.readouterr().out.splitlines()[-1], encoding="utf-8")
    with pytest.raises(RefusedError, match=r"refused, key not allowed: request\.json"):
        call("check", "request.json", "--allowed", "bob.toml")
    text = Path("request.json").read_text(encoding="utf-8")
    Path("request.json").write_text(text.replace("b/snapshots", "c/snapshots"), encoding="utf-8")
    with pytest.raises(RefusedError, match=r"refused, altered: request\.json is not what alice"):
        call("check", "request.json", "--allowed", "keys.toml")
    with pytest.raises(DataError, match=r"absent\.json: cannot be read"):
        call("check", "absent.json", "--allowed", "keys.toml")
    with pytest.raises(DataError, match=r"absent\.toml: cannot be read"):
        call("check", "request.json", "--allowed", "absent.toml")


@pytest.mark.usefixtures("folder")
def test_nothing_is_overwritten_by_a_request() -> None:
    key = Path("alice.pem").read_bytes()
    with pytest.raises(UsageError, match=r"alice\.pem exists and is not overwritten"):
        sign_request(out="alice.pem")
    assert Path("alice.pem").read_bytes() == key


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_signed() -> None:
    with pytest.raises(UsageError, match="hours"):
        sign_request("--valid-hours", "0")
    Path("recipe.toml").write_text("name = 'small'", encoding="utf-8")
    with pytest.raises(DataError, match=r"recipe\.toml: field 'data'"):
        sign_request()
    assert not Path("request.json").exists()
