from __future__ import annotations

from dataclasses import replace

import fakes
import pytest

from tool_bench.fingerprint import baseline_hash, cell_key, code_only, task_hash
from tool_bench.task import Source

CODE = '''"""Prose."""

X = 1  # why


def f(x):
    """More prose."""
    # and more
    return "# no comment" + str(x)


TASKS = (
    "a description",
)
'''


def test_prose_does_not_count() -> None:
    other = CODE.replace("Prose", "Other prose").replace("# why", "# because")
    other = other.replace("a description", "a better one").replace("    # and more\n", "")
    assert code_only(other) == code_only(CODE)
    assert code_only(CODE) == 'X = 1\ndef f(x):\n    return "# no comment" + str(x)\n'


@pytest.mark.parametrize(
    ("old", "new"), [("X = 1", "X = 2"), ("# no comment", "# none"), ("str(x)", "repr(x)")]
)
def test_code_counts(old: str, new: str) -> None:
    assert code_only(CODE.replace(old, new)) != code_only(CODE)


def test_what_decides_a_ranking_decides_the_key() -> None:
    key = cell_key(fakes.TASK, fakes.OVERLAP)
    assert key == cell_key(fakes.TASK, replace(fakes.OVERLAP, description="Another text."))
    for change in ({"settings": {"k1": 2}}, {"revision": "2"}, {"uses_examples": True}):
        assert baseline_hash(replace(fakes.OVERLAP, **change)) != key["baseline"]  # type: ignore[arg-type]
    source = Source("p", "https://example.org/p", "r", "0" * 64, 1, "mit")
    with_source = replace(fakes.TASK, sources=(source,))
    assert task_hash(with_source) != key["task"]
    assert task_hash(replace(with_source, sources=(replace(source, sha256="1" * 64),))) != (
        task_hash(with_source)
    )
    assert task_hash(replace(fakes.TASK, version=2)) != key["task"]
    assert task_hash(replace(fakes.TASK, description="Another text.")) == key["task"]
