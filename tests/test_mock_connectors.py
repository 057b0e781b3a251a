"""mock-connectors: the standard it was written to, and that the checks of it can fail."""

from __future__ import annotations

import hashlib
import importlib
import shutil
from collections.abc import Callable
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
WORDING = importlib.import_module("tool_bench.tasks.mock_connectors.wording")
FOLDER = Path(TASK_MODULE.__file__ or "").parent


@pytest.fixture(scope="module")
def content() -> Any:
    return CONTENT.read()


@pytest.fixture(scope="module")
def data() -> ToolDataset:
    return load(registry.tasks()["MockConnectors"])


def test_it_meets_its_standard(content: Any) -> None:
    assert CHECKS.defects_of(content) == []
    assert not list(WORDING.defects_of(content))


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


def first_request(content: Any, **changes: object) -> Any:
    connector, requests = next(iter(content.requests.items()))
    changed = (requests[0].model_copy(update=changes), *requests[1:])
    return replace(content, requests={**content.requests, connector: changed})


def first_tool(content: Any, **changes: object) -> Any:
    id_, connector = next(iter(content.connectors.items()))
    tools = (connector.tools[0].model_copy(update=changes), *connector.tools[1:])
    changed = connector.model_copy(update={"tools": tools})
    return replace(content, connectors={**content.connectors, id_: changed})


def first_family(content: Any, add: str) -> Any:
    id_, family = next(iter(content.families.items()))
    changed = family.model_copy(update={"tools": (*family.tools, add)})
    return replace(content, families={**content.families, id_: changed})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: replace(c, examples=dict(list(c.examples.items())[1:])), "2991 usage examples"),
        (lambda c: replace(c, families={}), "only 0 tools share their action"),
        (lambda c: first_tool(c, description="Too short."), "has 2 words"),
        (lambda c: first_tool(c, name="other_tool"), "'other_tool' does not begin with"),
        (lambda c: first_tool(c, confused_with=("slack_post_message",)), "no sibling of it"),
        (lambda c: first_family(c, "nope"), "names unknown tool 'nope'"),
        (lambda c: first_family(c, next(iter(c.families.values())).tools[0]), "twice in one"),
        (lambda c: first_request(c, tools=("slack_post_message",)), "is no tool of"),
        (lambda c: first_request(c, id="slack-01"), "'slack-01' occurs more than once"),
        (lambda c: first_request(c, kind="several"), "of kind several has 1 tools"),
        (lambda c: replace(c, splits={**c.splits, "slack": "train"}), ""),
        (lambda c: replace(c, splits={**c.splits, "nope": "train"}), "connector 'nope' is in"),
        (lambda c: replace(c, splits=dict.fromkeys(c.splits, "train")), "100.0%, 70% wanted"),
    ],
)
def test_each_check_can_fail(content: Any, spoil: Callable[[Any], Any], message: str) -> None:
    assert any(message in defect for defect in CHECKS.defects_of(spoil(content)))


def test_the_tools_of_a_family_act_alike(content: Any) -> None:
    assert not list(CHECKS.mixed_actions(content))
    family = CONTENT.Family(does="x", tools=("slack_post_message", "discord_delete_message"))
    mixed = replace(content, families={"x.y": family})
    assert len(list(CHECKS.mixed_actions(mixed))) == 1


@pytest.mark.parametrize(
    ("text", "naming", "message"),
    [
        ("Say it in Slack", "none", "does not bear out"),
        ("Say it somewhere", "explicit", "does not bear out"),
        ("slack post message", "explicit", "little more than the name"),
    ],
)
def test_wording_checks_can_fail(content: Any, text: str, naming: str, message: str) -> None:
    slack = content.requests["slack"]
    first = slack[0].model_copy(
        update={"text": text, "names_product": naming, "tools": ("slack_post_message",)}
    )
    spoilt = replace(content, requests={"slack": (first, *slack[1:])}, examples={})
    assert any(message in defect for defect in WORDING.defects_of(spoilt))


def test_a_repeated_or_monotonous_wording_is_found(content: Any) -> None:
    slack = content.requests["slack"]
    example = next(iter(content.examples.values()))[0]
    again = tuple(r.model_copy(update={"text": example}) for r in slack[:2])
    found = "\n".join(WORDING.defects_of(replace(content, requests={"slack": again})))
    assert f"request '{slack[0].id}' are nearly the same" in found
    assert f"'{slack[1].id}' and request '{slack[0].id}' are nearly the same" in found
    assert "2 requests begin with" in found
    assert "mean words" in found
    assert "distinct words" in found


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("families.yaml", "a: {does: x, tools: [a]}", r"families.yaml, a > tools: .*at least 2"),
        ("families.yaml", "a: ]", r"families.yaml, line 1: not valid YAML"),
        ("requests/slack.yaml", "- {id: x-1}", r"slack.yaml, 'x-1' > text: Field required"),
        ("splits.yaml", "[]", r"splits.yaml, top level: .*dictionary"),
        ("requests/slack.yaml", None, r"slack.yaml: is missing"),
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
