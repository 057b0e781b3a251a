"""What was written beside usage examples: each text belongs to its tool, or is refused."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest

from tool_bench.errors import DataError
from tool_bench.training.records import TrainingData
from tool_bench.training.sources import from_task, mock_connectors

EXAMPLES = TrainingData(
    source="mock-connectors",
    tools=from_task.training_data("tiny", fakes.dataset()).tools[:2],
    pairs=from_task.training_data("tiny", fakes.dataset()).pairs[:2],
)
ROW = "- of: {0}\n  says: [{0} once, {0} twice, {0} thrice]\n"
FIRST, SECOND = (pair.query for pair in EXAMPLES.pairs)


def yaml_of(first: str, second: str) -> str:
    return "".join(
        f"{pair.tools[0]}:\n" + "".join(f"  {line}\n" for line in text.splitlines())
        for pair, text in zip(EXAMPLES.pairs, (first, second), strict=True)
    )


def test_paraphrases_belong_to_the_tool_of_their_example(tmp_path: Path) -> None:
    (tmp_path / "employee.yaml").write_text(yaml_of(ROW.format(FIRST), ROW.format(SECOND)))
    found = list(mock_connectors.paraphrases(EXAMPLES, tmp_path))
    assert [(pair.query, pair.tools, pair.kind) for pair in found[:4]] == [
        (f"{FIRST} once", ("employee_create",), "paraphrase"),
        (f"{FIRST} twice", ("employee_create",), "paraphrase"),
        (f"{FIRST} thrice", ("employee_create",), "paraphrase"),
        (f"{SECOND} once", ("employee_delete",), "paraphrase"),
    ]
    assert found[0].where == "employee.yaml, tool 'employee_create', row 0"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the file is missing"),
        (
            yaml_of(ROW.format(FIRST), ROW.format("other")),
            "tool 'employee_delete': field 'of' must",
        ),
        (yaml_of(ROW.format(FIRST), "[]"), "tool 'employee_delete': field 'of' must be its 1"),
        (yaml_of(ROW.format(FIRST), "- none"), "tool 'employee_delete': field 'of' must be its 1"),
        (
            yaml_of(f"- of: {FIRST}\n  says: [a, b]", ROW.format(SECOND)),
            "tool 'employee_create', row 0: field 'says' must be a list of 3 texts",
        ),
        (
            yaml_of(f"- of: {FIRST}\n  says: [a, b, 3]", ROW.format(SECOND)),
            "tool 'employee_create', row 0: field 'says' must be texts; 3 is none",
        ),
        (
            yaml_of(ROW.format(FIRST), ROW.format(SECOND)) + "employee_fly: []\n",
            "tool 'employee_fly': is no tool with examples",
        ),
    ],
)
def test_a_bad_paraphrase_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "employee.yaml").write_text(content)
    with pytest.raises(DataError, match=r"employee\.yaml") as error:
        list(mock_connectors.paraphrases(EXAMPLES, tmp_path))
    assert message in str(error.value)


def test_situations_belong_to_their_tool(tmp_path: Path) -> None:
    texts = "[it rains, it snows, it thaws, it dries]"
    (tmp_path / "employee.yaml").write_text(f"employee_create: {texts}\nemployee_delete: {texts}\n")
    found = list(mock_connectors.situations(EXAMPLES, tmp_path))
    assert [(pair.query, pair.tools, pair.kind) for pair in found[3:5]] == [
        ("it dries", ("employee_create",), "request"),
        ("it rains", ("employee_delete",), "request"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the file is missing"),
        ("employee_create: [a, b, c, d]", "tool 'employee_delete': must be a list of 4 texts"),
        ("employee_create: [a, b]", "tool 'employee_create': must be a list of 4 texts"),
        ("employee_create: [a, b, c, 4]", "tool 'employee_create': must be texts; 4 is none"),
        ("employee_fly: [a, b, c, d]", "tool 'employee_fly': is no tool with examples"),
    ],
)
def test_a_bad_situation_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "employee.yaml").write_text(content)
    with pytest.raises(DataError, match=r"employee\.yaml") as error:
        list(mock_connectors.situations(EXAMPLES, tmp_path))
    assert message in str(error.value)
