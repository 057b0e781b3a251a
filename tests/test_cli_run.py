"""What ``tool-bench run`` says of methods that cannot run, or may not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from test_cli import call

from tool_bench import registry


def test_what_cannot_run_is_told_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paid = replace(fakes.OVERLAP, name="paid", expected=fakes.expect_a_dollar)
    methods = {"overlap": fakes.OVERLAP, "paid": paid}
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK, "Other": fakes.OTHER})
    monkeypatch.setattr(registry, "baselines", lambda: methods)
    folder = ["--results", str(tmp_path)]
    assert call("run", "--all", *folder) == 0
    out, err = capsys.readouterr()
    assert "4 cells: 2 run, 2 unavailable (--dry-run says why)." in out
    assert "paid" not in err
    assert call("run", "--baselines", "paid", *folder) == 0
    out, _ = capsys.readouterr()
    said = " ".join(out.split())
    assert "unavailable paid on Tiny, Other: is paid for: 'run --dry-run' says" in said
    assert call("run", "--baselines", "paid", "--max-usd", "1", *folder) == 0
    assert "2 cells: 2 run." in capsys.readouterr().out


def test_a_model_that_is_asked_for_by_name_is_not_planned_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    words = ["run", "--all", "--model", "BAAI/bge-small-en-v1.5", "--dry-run", "--json"]
    assert call(*words, "--results", str(tmp_path)) == 0
    cells = json.loads(capsys.readouterr().out)
    states = [c["state"] for c in cells if c["baseline"] == "BAAI/bge-small-en-v1.5"]
    assert states == ["to run"]


def test_search_pays_for_nothing_and_fetches_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for name, reason in (
        ("llm-rerank", "is paid for"),
        ("BAAI/bge-small-en-v1.5", "weights of BAAI/bge-small-en-v1.5 are not on this machine"),
    ):
        assert call("search", "new employee", "-t", "MockConnectors", "-b", name) == 1
        assert reason in " ".join(capsys.readouterr().err.split())
