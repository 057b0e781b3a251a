"""How many of a task's tools a model has seen in training: counted, and said with its scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from page import check

from tool_bench import registry, store
from tool_bench.cli import results as command
from tool_bench.evaluate import evaluate
from tool_bench.leaderboard.build import build
from tool_bench.results import SeenTools
from tool_bench.trained import tool_hash


@pytest.mark.parametrize(
    ("seen", "word", "words"),
    [
        (0, "none", "none of the tools here"),
        (3, "some", "3 of the 1,200 tools here"),
        (1_200, "all", "all 1,200 tools here"),
    ],
)
def test_what_was_seen_in_words(seen: int, word: str, words: str) -> None:
    found = SeenTools(seen=seen, of=1_200)
    assert (found.word, found.words) == (word, words)


def test_it_is_counted_and_shown_beside_the_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    data = fakes.dataset()
    hashes = frozenset(tool_hash(tool) for tool in data.tools[:5])
    for baseline in (fakes.CONSTANT, replace(fakes.OVERLAP, seen=lambda: hashes)):
        store.write(tmp_path / "results", *evaluate(fakes.TASK, baseline, data, ("run",)))
    page, broken = build(tmp_path / "results", tmp_path / "public")
    assert not broken
    text = " ".join(check(page.parent / "tasks" / "Tiny.html").text.split())
    assert text.count("trained on 5 of the 12 tools here") == 2  # global and scoped
    assert command.results(results=tmp_path / "results") == 0
    printed = capsys.readouterr().out
    assert printed.count("overlap: trained on 5 of the 12 tools here") == 2
    assert "constant: trained" not in printed
