"""The label audit's arithmetic, on the committed answers and on spoilt ones."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tool_bench import registry
from tool_bench.errors import DataError

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
ANSWERS = BENCHMARKS / "audit_mock_connectors_1.yaml"
registry.tasks()


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", BENCHMARKS / "audit_mock_connectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


AUDIT = script()


@pytest.fixture(scope="module")
def content() -> Any:
    return importlib.import_module("tool_bench.tasks.mock_connectors.content").read()


def test_the_committed_answers_meet_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    AUDIT.main(["score", "--seed", "1", "--size", "200", str(ANSWERS)])
    last = capsys.readouterr().out.splitlines()[-1]
    agreed, of, total = last.split(" agree")[0].partition(" of ")
    assert of
    assert int(total) == 200
    assert int(agreed) >= 0.95 * 200


def test_a_wrong_answer_is_counted_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    AUDIT.main(["score", str(ANSWERS)])
    before = capsys.readouterr().out.splitlines()
    code = next(code for code, tools in answers.items() if tools != ["linear_archive_issue"])
    path = tmp_path / "answers.yaml"
    path.write_text(yaml.safe_dump({**answers, code: ["linear_archive_issue"]}), encoding="utf-8")
    AUDIT.main(["score", str(path)])
    after = capsys.readouterr().out.splitlines()
    assert len(after) == len(before) + 1
    assert "answered linear_archive_issue; written for" in "\n".join(after)


@pytest.mark.parametrize(
    ("answer", "own", "golds", "right"),
    [
        (["slack_post_message"], ["slack_post_message"], {"slack_post_message"}, True),
        (["discord_send_message"], ["slack_post_message"], {"slack_post_message"}, False),
        (
            ["discord_send_message"],
            ["slack_post_message"],
            {"slack_post_message", "discord_send_message"},
            True,
        ),
        (["slack_post_message"], ["slack_post_message", "slack_add_reaction"], None, False),
        (
            ["discord_send_message", "discord_add_reaction"],
            ["slack_post_message", "slack_add_reaction"],
            None,
            True,
        ),
        (
            ["discord_send_message", "slack_add_reaction"],
            ["slack_post_message", "slack_add_reaction"],
            None,
            False,
        ),
        (
            ["slack_post_message", "slack_post_message"],
            ["slack_post_message", "slack_add_reaction"],
            None,
            False,
        ),
    ],
)
def test_an_answer_agrees_when_it_covers_every_action_in_one_product(
    content: Any, answer: list[str], own: list[str], golds: set[str] | None, right: bool
) -> None:
    if golds is None:
        family_of = content.family_of
        golds = {t for tool in own for t in content.families[family_of[tool]].tools}
    assert AUDIT.agrees(content, answer, own, golds) is right


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "code 'a': has no answer"),
        ("", "valid dictionary; expected code"),
        ("a: x", "a: .*expected code: \\[tool\\]"),
        ("{a: [x], b: [x]}", "code 'b': is not on the sheet"),
        ("a: [", "answers.yaml: "),
        (None, "No such file"),
    ],
)
def test_unreadable_answers_are_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "answers.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        AUDIT.read_answers(path, {"a"})


def test_a_changed_request_has_another_code(content: Any) -> None:
    task = importlib.import_module("tool_bench.tasks.mock_connectors")
    dataset = task.dataset(content)
    before = AUDIT.draw(dataset, "1", 5)
    first = next(iter(before.values()))
    requests = {
        connector: tuple(
            r.model_copy(update={"text": f"{r.text} Now."}) if r.id == first.id else r for r in own
        )
        for connector, own in content.requests.items()
    }
    changed = task.dataset(type(content)(**{**vars(content), "requests": requests}))
    after = AUDIT.draw(changed, "1", 5)
    assert [q.id for q in before.values()] == [q.id for q in after.values()]
    assert len(set(before) & set(after)) == 4
