from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny
import training_data

from tool_bench.training import attempt, mining, prepare, snapshot
from tool_bench.training.attempt import Attempt
from tool_bench.training.guard import Evaluated
from tool_bench.training.recipe import Recipe
from tool_bench.training.snapshot import Mine, Snapshot
from tool_bench.training.trainer import train
from tool_bench.training.validation import mean_hit_at_1

DATA = training_data.tiny()
SOURCES = {DATA.source: (training_data.declared(DATA), DATA)}
NOTHING = Evaluated()


def prepared(recipe: Recipe, base: str | None, mine: Mine | None) -> str:
    assert base is not None
    return snapshot.save(snapshot.build(recipe, SOURCES, NOTHING, mine), base)


def test_a_runs_own_mined_negatives_are_those_that_it_is_prepared_with(tmp_path: Path) -> None:
    asked = DATA.pairs[:2]
    given: list[object] = []

    def prepare_with(recipe: Recipe, base: str | None, mine: Mine | None) -> str:
        given.append(None if mine is None else mine(DATA, asked))
        return prepared(recipe, str(tmp_path / "snapshots"), None)

    tried = Attempt(prepare_with, lambda *_: {}, lambda *_: (5.0, 20.0))
    folder = tmp_path / "run"
    folder.mkdir()
    tried(training_data.recipe(), folder)
    mining.write(folder / "mined.json", {DATA.source: {asked[0].query: ["ticket_list"]}})
    tried(training_data.recipe(), folder)
    assert given == [None, {asked[0].query: ["ticket_list"], asked[1].query: []}]


@pytest.mark.slow
def test_a_recipe_is_trained_measured_and_mined_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny.sentence_model(tmp_path / "base", {})
    recipe = training_data.recipe(
        base=str(base), optimiser={"epochs": 2, "batch": 8, "learning_rate": 1e-3}
    )
    tried = Attempt(prepared, train, attempt.cost, str(tmp_path / "snapshots"))
    folder = tmp_path / "runs" / "0000"
    first = tried(recipe, folder)
    assert 0 <= mean_hit_at_1(first.scores) <= 1
    assert 0.1 < first.p50_ms < 1_000
    assert 0 < first.megabytes < 2, "a model of a few thousand numbers"
    written = (folder / "log.jsonl").read_text()
    again = tried(recipe, folder)
    assert again.scores == first.scores
    assert (folder / "log.jsonl").read_text() == written, "it was not trained again"

    def build(wanted: Recipe, mine: Mine) -> Snapshot:
        return snapshot.build(wanted, SOURCES, NOTHING, mine)

    monkeypatch.setattr(prepare, "build", build)
    mined = tmp_path / "mined.json"
    attempt.mine(recipe, folder, mined)
    content = json.loads(mined.read_text(encoding="utf-8"))["tiny"]
    rights = {pair.query: DATA.right(pair) for pair in DATA.pairs}
    assert content
    assert all(rights[query].isdisjoint(wrong) for query, wrong in content.items())
