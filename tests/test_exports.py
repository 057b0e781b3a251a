"""The board's files for programs say what its results say."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import fakes
import pytest
from page import result

from tool_bench import registry, store
from tool_bench.leaderboard.build import build
from tool_bench.leaderboard.exports import _safe
from tool_bench.leaderboard.schema import Leaderboard


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    made, files = result()
    store.write(tmp_path / "results", made, files)
    store.write(tmp_path / "results", made.model_copy(update={"baseline": "=twin()"}), files)
    build(tmp_path / "results", tmp_path / "public")
    return tmp_path / "public"


def test_the_whole_board_is_one_file_of_its_schema(folder: Path) -> None:
    board = Leaderboard.model_validate_json((folder / "data" / "leaderboard.json").read_bytes())
    made, _ = result()
    (shared, scoped) = board.tables
    assert (shared.task, shared.scope, scoped.scope) == ("Tiny", "global", "scoped")
    (row,) = [row for row in shared.rows if row.method == "overlap"]
    assert row.measures == made.scopes["global"].slices["all"].measures
    assert row.timing
    assert row.cost
    assert row.command == made.provenance.command
    assert [place.method for place in board.overall.places] == ["=twin()", "overlap"]
    assert {place.rank for place in board.overall.places} == {1}
    for link in (row.run, row.scores):
        stored = (folder / "data" / link).resolve()
        assert store.content_hash(stored.read_bytes()) in str(made.scopes)
    schema = json.loads((folder / "data" / "leaderboard.schema.json").read_text())
    assert schema["properties"]["schema_version"]["const"] == 1


def test_every_field_of_the_file_is_described() -> None:
    told = (Path(__file__).parent.parent / "docs" / "leaderboard-json.md").read_text("utf-8")
    schema = Leaderboard.model_json_schema()
    board = {
        f"BoardTable.{name}": f"`{name}`" for name in schema["$defs"]["BoardTable"]["properties"]
    }
    board |= {name: f"`{name}`" for name in schema["$defs"]["BoardRow"]["properties"]}
    board |= {name: f"`{name}" for name in schema["properties"]}
    lacking = [
        name for name, word in board.items() if word not in told and name != "BoardTable.task"
    ]
    assert lacking == []


def test_tables_are_csv_and_json_of_the_same(folder: Path) -> None:
    for name in ("Tiny-global", "Tiny-scoped", "overall", "Tiny-global-slices"):
        told = json.loads((folder / "data" / f"{name}.json").read_text("utf-8"))
        text = (folder / "data" / f"{name}.csv").read_text("utf-8")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == len(told) > 0
        for row, record in zip(rows, told, strict=True):
            for key, value in record.items():
                expected = "" if value is None else str(value)
                assert row[key] in {expected, f"'{expected}"}
    assert "'=twin()" in (folder / "data" / "overall.csv").read_text("utf-8")


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert str(_safe(value)).startswith("'")
    assert _safe("plain") == "plain"
    assert _safe(-1.5) == -1.5
