"""mock-connectors: what it holds, and how its files are read."""

from __future__ import annotations

import hashlib
import importlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tool_bench import registry
from tool_bench.cli import main
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError
from tool_bench.task import Task

registry.tasks()
TASK_MODULE = importlib.import_module("tool_bench.tasks.mock_connectors")
CHECKS = importlib.import_module("tool_bench.tasks.mock_connectors.checks")
CONTENT = importlib.import_module("tool_bench.tasks.mock_connectors.content")
FOLDER = Path(TASK_MODULE.__file__ or "").parent


@pytest.fixture(scope="module")
def content() -> Any:
    return CONTENT.read()


@pytest.fixture(scope="module")
def data() -> ToolDataset:
    return load(registry.tasks()["MockConnectors"])


def test_it_meets_its_standard(content: Any) -> None:
    assert CHECKS.defects_of(content) == []


def test_it_is_the_first_task_and_needs_no_file() -> None:
    first: Task = next(iter(registry.tasks().values()))
    assert first.name == "MockConnectors"
    assert first.sources == ()


def test_its_sizes(data: ToolDataset) -> None:
    assert data.counts["tools"] == 998
    assert data.counts["queries"] == 1_843
    assert data.counts["usage examples"] == 2_994
    assert data.counts["repeated queries"] == 0
    assert data.scopes == ("global", "scoped")
    assert {len(texts) for texts in data.examples.values()} == {3}


def test_every_request_and_its_slices(content: Any, data: ToolDataset) -> None:
    sizes = {name: len(ids) for name, ids in data.slices.items()}
    assert sum(sizes[kind] for kind in CHECKS.KIND_SHARES) == sizes["all"] == 1_843
    assert sum(sizes[name] for name in TASK_MODULE.NAMING.values()) == 1_843
    outside = {c for c, split in content.splits.items() if split != "train"}
    by_id = {query.id: query for query in data.queries}
    assert {by_id[q].provider for q in data.slices["unseen connectors"]} == outside
    assert {content.splits[by_id[q].provider] for q in data.slices["test connectors"]} == {"test"}


def test_only_train_connectors_may_train(content: Any, data: ToolDataset) -> None:
    owner = content.owner
    allowed = {tool for tool, connector in owner.items() if content.splits[connector] == "train"}
    assert set(data.training_examples) == allowed
    assert 0.6 < len(allowed) / len(owner) < 0.8


def test_the_split_is_the_stated_draw(content: Any) -> None:
    def lot(name: str) -> str:
        return hashlib.sha256(f"tool-bench/MockConnectors/1:{name}".encode()).hexdigest()

    categories: dict[str, list[str]] = {}
    for id_, connector in content.connectors.items():
        categories.setdefault(connector.category, []).append(id_)
    held = [min(categories[category], key=lot) for category in sorted(categories, key=lot)]
    expected = dict.fromkeys(content.connectors, "train")
    expected |= dict.fromkeys(held[::2], "test") | dict.fromkeys(held[1::2], "validation")
    assert content.splits == expected


def test_golds_are_the_family_where_no_product_is_named(content: Any, data: ToolDataset) -> None:
    family_of = content.family_of
    pooled = 0
    for connector, requests in content.requests.items():
        for request in requests:
            golds = set(data.relevance[request.id])
            if request.names_product != "none":
                assert golds == set(request.tools)
            else:
                expected = set(request.tools)
                for tool in request.tools:
                    if tool in family_of:
                        expected |= set(content.families[family_of[tool]].tools)
                assert golds == expected
                pooled += len(golds) > len(request.tools)
            assert set(data.relevant("scoped")[request.id]) == {
                tool for tool in golds if content.owner[tool] == connector
            }
    assert pooled > 400


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("families.yaml", "a: {does: x, tools: [a]}", r"families.yaml, a > tools: .*at least 2"),
        ("families.yaml", "a: ]", r"families.yaml, line 1: not valid YAML"),
        ("requests/slack.yaml", "- {id: x-1}", r"slack.yaml, 'x-1' > text: Field required"),
        ("splits.yaml", "[]", r"splits.yaml, top level: .*dictionary"),
        ("requests/slack.yaml", None, r"requests/slack.yaml: is missing"),
        ("connectors/slack.yaml", None, r"connectors/slack.yaml: is missing"),
        ("requests/stray.yaml", "[]", r"connectors/stray.yaml: is missing"),
        ("families.yaml", "a: {does: x, does: y}", r"line 1: not valid YAML: 'does' occurs twice"),
        ("families.yaml", "a: \x01", r"families.yaml.*not valid YAML: .*"),
        ("examples/slack.yaml", "okta_create_user: [a, b, c]", "'okta_create_user': is in another"),
        ("splits.yaml", "{train: [okta], test: [okta]}", "connector 'okta': is listed twice"),
    ],
)
def test_an_unreadable_file_is_named_with_its_place(
    tmp_path: Path, file: str, text: str | None, message: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(FOLDER, folder)
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        CONTENT.read(folder)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(FOLDER, folder)
    (folder / "families.yaml").write_bytes(b"a: \xff")
    with pytest.raises(DataError, match=r"families.yaml: not valid UTF-8 at byte 3"):
        CONTENT.read(folder)
    shutil.rmtree(folder / "examples")
    with pytest.raises(DataError, match=r"examples: is missing"):
        CONTENT.read(folder)


def test_what_an_editor_leaves_behind_is_no_connector(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(FOLDER, folder)
    (folder / "connectors" / "slack.yaml~").write_text("[", encoding="utf-8")
    assert CONTENT.read(folder).connectors == CONTENT.read().connectors


def test_data_verify_runs_the_checks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = registry.tasks()["MockConnectors"]
    spoilt = replace(task, defects=lambda: ["first defect", "second defect"])
    monkeypatch.setattr(registry, "tasks", lambda: {"MockConnectors": spoilt})
    with pytest.raises(SystemExit) as stop:
        main(["data", "verify", "MockConnectors"])
    assert stop.value.code == 1
    out = capsys.readouterr().out
    assert "2 defects" in out
    assert "second defect" in out
