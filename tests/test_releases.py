"""Releases say what changed, and why."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest
from page import result, text

from tool_bench import cli, registry, releases, store
from tool_bench.errors import UsageError
from tool_bench.leaderboard.build import build
from tool_bench.releases import ReleasedCell, ReleasedScores

CELL = ReleasedCell(
    key={"harness": "5", "task": "t", "baseline": "b"},
    revision="r+1",
    sha256="a" * 64,
    code_revision=None,
    date="2026-01-01",
    scores={"global": ReleasedScores(ndcg10=0.5, hit1=0.4)},
)
BETTER = {"global": ReleasedScores(ndcg10=0.6, hit1=0.4)}


def changed(**changes: object) -> list[tuple[str, str]]:
    new = CELL.model_copy(update={"scores": BETTER, **changes})
    return [(c.scope, c.cause) for c in releases.changes({"T/m": CELL}, {"T/m": new})]


def key(**changes: str) -> dict[str, str]:
    return {**CELL.key, **changes}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "measured again, with nothing else changed"),
        ({"sha256": "b" * 64, "revision": "r+2"}, "data r+1 → r+2"),
        ({"sha256": "b" * 64}, "data: built differently from the same revision"),
        ({"key": key(task="u")}, "code of the task"),
        ({"key": key(baseline="c")}, "code, settings or weights of the method"),
        ({"key": key(harness="6")}, "harness 5 → 6"),
        (
            {"key": key(harness="6", baseline="c")},
            "code, settings or weights of the method; harness 5 → 6",
        ),
    ],
)
def test_the_cause_is_what_differs(changes: dict[str, object], cause: str) -> None:
    assert changed(**changes) == [("global", cause)]


def test_equal_scores_are_no_change() -> None:
    again = CELL.model_copy(update={"key": key(baseline="c"), "date": "2026-02-01"})
    assert releases.changes({"T/m": CELL}, {"T/m": again}) == ()


def test_cells_come_and_go() -> None:
    (new,) = releases.changes({}, {"T/m": CELL})
    (gone,) = releases.changes({"T/m": CELL}, {})
    assert (new.cause, new.before, gone.cause, gone.after) == ("new", None, "removed", None)
    wider = CELL.model_copy(update={"scores": {**CELL.scores, "scoped": BETTER["global"]}})
    (scope,) = releases.changes({"T/m": CELL}, {"T/m": wider})
    assert (scope.scope, scope.before) == ("scoped", None)


def test_a_release_never_changes(tmp_path: Path) -> None:
    store.write(tmp_path, *result())
    stored, _ = store.read_results(tmp_path)
    made = releases.freeze(stored, "2026-01", "first")
    releases.write(tmp_path, made)
    assert releases.read(tmp_path) == ([made], [])
    with pytest.raises(UsageError, match="never changes"):
        releases.write(tmp_path, made)
    with pytest.raises(UsageError, match="letters, digits"):
        releases.write(tmp_path, made.model_copy(update={"name": "../away"}))
    assert store.read_results(tmp_path)[0] == stored  # a release is no result


def test_the_board_tells_what_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    store.write(tmp_path, *result())
    with pytest.raises(SystemExit) as ended:
        cli.main(["release", "2026-01", "--note", "the first", "--results", str(tmp_path)])
    assert ended.value.code == 0
    assert "1 cell\n" in capsys.readouterr().out
    page, broken = build(tmp_path, tmp_path / "public")
    assert broken == []
    told = text(page, "changes.html")
    assert "No score differs." in told
    assert "the first" in told
    store.write(tmp_path, *result(baseline="second"))
    told = text(build(tmp_path, tmp_path / "public")[0], "changes.html")
    assert "2 scores differ" in told  # both scopes of the new cell
    (path,) = (tmp_path / "releases").glob("*/release.json")
    path.write_text("{}")
    _, (problem,) = build(tmp_path, tmp_path / "public")
    assert "release.json, name" in str(problem)
