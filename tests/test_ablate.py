from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import typer
from ablations import World, recipe
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from tool_bench.cli import ablate as command
from tool_bench.encoder import Role
from tool_bench.errors import DataError, UnavailableError, UsageError
from tool_bench.sentence import minilm_folder
from tool_bench.tool import Tool
from tool_bench.training import guard, snapshot, source
from tool_bench.training.ablation import Judgement, by_training, mined_once, run
from tool_bench.training.ablation_table import MARKS, ablation_of, write_into
from tool_bench.training.negatives import Mined
from tool_bench.training.recipe import Recipe
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import Mine
from tool_bench.training.source import TrainingSource
from tool_bench.training.sources import declared
from tool_bench.training.validation import hits, mean_hit_at_1, validate
from tool_bench.training.variations import BASE, UNTRAINED, Variation, reduced, variations

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "v2.md"
WORLD = World({"negatives-0": -0.2, UNTRAINED: -0.3, "without-clinc": -0.1})
TOML = """
name = "made-up"
[data.sources]
metatool = 4000
clinc = 2000
tldr = 1000
nl2bash = 5
"""


def evaluate(variation: Variation, folder: Path) -> Judgement:
    if variation.name == "bge-base-en-v1.5":
        raise UnavailableError("no weights here")
    if variation.name == "negatives-3":
        raise RuntimeError("out of memory")
    return WORLD.evaluate(variation, folder)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "recipe.toml").write_text(TOML)
    marks = "\n".join(f"<!-- begin {m} -->\nold\n<!-- end {m} -->\nkept {m}" for m in MARKS)
    (tmp_path / "page.md").write_text(f"# Page\n\n{marks}\n")
    monkeypatch.setattr(command, "_evaluate", lambda _: evaluate)
    return tmp_path


def ablate(files: Path, *words: str) -> Result:
    app = typer.Typer()
    app.command()(command.ablate)
    line = [str(files / "recipe.toml"), "--out", str(files / "runs"), *words]
    return CliRunner().invoke(app, line, env={"COLUMNS": "80"}, standalone_mode=False)


def test_the_command_writes_tables_into_a_document(files: Path) -> None:
    page = files / "page.md"
    words = ("--only", "untrained,negatives-*,without-clinc,bge-*", "--docs", str(page))
    found = ablate(files, *words)
    assert found.return_value == 1  # negatives-3 failed
    assert "failed negatives-3: RuntimeError: out of memory" in found.stderr
    assert "n/a bge-base-en-v1.5: no weights here" in found.stderr
    text = page.read_text()
    assert text.startswith("# Page\n")
    assert text.count("kept ") == 2
    assert "old" not in text
    assert "Recipe `made-up` with 0.1 of its rows, seeds 1 and 2; 960 validation" in text
    assert "| negatives a request | none | " in text
    assert "|  | 7 | " in text  # the recipe itself, in its place
    assert "| base model | BAAI/bge-base-en-v1.5 |  |  | not judged: no weights here |" in text
    assert "| clinc | 240 | " in text
    assert all(len(line) <= 80 for line in found.stdout.splitlines() if "Written" not in line)
    again = ablate(files, *words)
    assert again.return_value == 1
    assert page.read_text() == text  # the same figures, from what is stored


def test_json_has_every_figure_and_what_was_judged_before(files: Path) -> None:
    assert ablate(files, "--only", "negatives-0").return_value == 0
    found = ablate(files, "--only", "untrained", "--json")
    record = json.loads(found.stdout)
    assert [each["name"] for each in record["variations"]] == [
        BASE,
        UNTRAINED,
        "negatives-0",
        "negatives-7",
        "order-random",
        "batch-alone",
        "with-paraphrases",
    ]
    less = record["variations"][2]
    assert less["difference"]["low"] < -0.2 < less["difference"]["high"]
    assert set(less["by_source"]) == {"metatool", "clinc", "tldr", "nl2bash"}
    assert json.loads((files / "runs" / "ablation.json").read_text()) == record
    listed = json.loads(ablate(files, "--list", "--json").stdout)
    assert {each["name"] for each in listed if each["judged"]} == {
        each["name"] for each in record["variations"]
    }


def test_what_cannot_be_right_is_refused_before_anything_is_trained(files: Path) -> None:
    before = list(WORLD.calls)
    for words, problem in (
        (("--scale", "0"), "--scale 0 is not over 0"),
        (("--seeds", "1,one"), "expected whole numbers"),
        (("--seeds", "1,1"), "one number twice"),
        (("--only", "negatives-5"), "did you mean"),
        (("--docs", str(files / "recipe.toml")), "lacks the lines '<!-- begin ablations -->'"),
        (("--docs", str(files / "none.md")), "does not exist"),
    ):
        found = ablate(files, *words)
        assert isinstance(found.exception, UsageError | DataError)
        assert problem in str(found.exception)
    assert WORLD.calls == before


def test_with_one_seed_the_table_says_what_intervals_leave_out(files: Path) -> None:
    chosen = variations(reduced(recipe(), 1))[:3]
    outcomes = run(chosen, WORLD.evaluate, files / "one", [5])
    found = ablation_of(recipe(), 1, [5], outcomes)
    write_into(files / "page.md", found)
    text = (files / "page.md").read_text()
    assert "with all its rows, seed 5;" in text
    assert "With one seed, the intervals say nothing about another." in text
    assert "old" not in text, "figures of another ablation do not stay beside these"
    assert "Not measured." in text.partition("begin sources left out")[2]


def test_hits_are_those_of_validate() -> None:
    tools = [
        {"id": f"{name}/{n}", "text": f"{n}", "provider": provider}
        for name, provider in (("a", "P"), ("b", None))
        for n in range(3)
    ]
    requests = [
        {"source": name, "query": text, "tools": [f"{name}/{n}"], "right": [f"{name}/{n}"]}
        for name, text, n in (("a", "0", 0), ("a", "1", 0), ("a", "2", 2), ("b", "1", 1))
    ]

    def encode(texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        angles = np.array([(0, 0.5, 1.2)[int(text)] for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    found = hits(encode, tools, requests)
    assert found["a"].hit_at_1 == found["a"].scoped_hit_at_1 == (True, False, True)
    assert found["a"].clusters == (0, 0, 1)
    assert found["a"].requests == ("0", "1", "2")
    assert found["b"].scoped_hit_at_1 == (None,)
    scores = validate(encode, tools, requests)
    assert scores["a"].mrr_at_10 == pytest.approx((1 + 1 / 2 + 1) / 3)
    means = [np.mean(own.values) for own in found.values()]
    assert mean_hit_at_1(scores) == pytest.approx(np.mean(means))


@pytest.fixture
def small() -> TrainingData:
    """Twenty tools of ten animals, two requests each."""
    animals = ("cat", "dog", "horse", "cow", "goat", "hen", "duck", "trout", "ant", "bee")
    tools = tuple(
        Tool(f"{verb}_{a}", f"{verb}_{a}", f"{verb} the {a} in the barn")
        for a in animals
        for verb in ("feed", "wash")
    )
    pairs = tuple(
        Pair(text.format(*tool.name.split("_")), (tool.id,), f"row {n}")
        for tool in tools
        for n, text in enumerate(("please {} my {}", "the {1} needs somebody to {0} it"))
    )
    return TrainingData("clinc", tools, pairs)


def test_a_trained_model_is_judged_as_it_is_shipped(tmp_path: Path, small: TrainingData) -> None:
    """A 'training' that gives the base model back scores what the untrained model scores."""
    declaration = TrainingSource("clinc", "", "", "mit", lambda _: small)
    asked: list[Recipe] = []

    def prepare(recipe: Recipe) -> str:
        asked.append(recipe)
        built = snapshot.build(recipe, {"clinc": (declaration, small)}, guard.Evaluated())
        return snapshot.save(built, str(tmp_path / "snapshots"))

    def train(recipe: Recipe, address: str, folder: Path) -> None:
        snapshot.read(address)
        folder.mkdir(parents=True)
        (folder / "model").symlink_to(minilm_folder())

    base = Recipe.model_validate({"name": "x", "data": {"sources": {"clinc": 20}}})
    one, untrained = variations(base)[:2]
    judge = by_training(prepare, train)
    trained = judge(one, tmp_path / "run")
    assert trained == judge(untrained, tmp_path / "none")
    assert 0.5 < np.mean(trained["clinc"].values) <= 1
    assert [each.negatives.count for each in asked] == [0, 7]  # what is judged on is built once


def test_nothing_is_mined_twice(small: TrainingData) -> None:
    mined: list[int] = []

    def mine_with(recipe: Recipe) -> Mine:
        def mine(data: TrainingData, pairs: Sequence[Pair]) -> Mined:
            mined.append(len(pairs))
            return {pair.query: (recipe.base,) for pair in pairs}

        return mine

    once = mined_once(mine_with)
    base = recipe()
    other = recipe(base="other")
    first = once(base)(small, small.pairs)
    assert once(base.model_copy(update={"seed": 2}))(small, small.pairs) == first
    assert once(other)(small, small.pairs) != first
    assert len(once(base)(small, small.pairs[:3])) == 3
    assert mined == [40, 40, 3]


def test_the_document_has_places_for_the_tables_and_names_every_source() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for mark in MARKS:
        assert text.count(f"<!-- begin {mark} -->") == text.count(f"<!-- end {mark} -->") == 1
    rows = _rows(text)
    assert {name: cells[2] for name, cells in rows.items()} == {
        name: each.license for name, each in declared().items()
    }


@pytest.mark.usefixtures("mirror")
def test_the_document_says_how_large_the_sources_are() -> None:
    for name, cells in _rows(DOCUMENT.read_text(encoding="utf-8")).items():
        data = source.load(declared()[name])
        assert (name, *cells[:2]) == (name, f"{len(data.pairs):,}", f"{len(data.tools):,}")


def _rows(text: str) -> dict[str, list[str]]:
    """Return source -> the other cells of the table of sources."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {name.strip("`"): rest for name, *rest in cells}
