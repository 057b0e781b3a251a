from __future__ import annotations

import ast
import importlib
import io
import tokenize
from dataclasses import replace
from functools import partial
from pathlib import Path

import fakes
import pytest

from tool_bench import fingerprint
from tool_bench.fingerprint import baseline_hash, cell_key, code_only, task_hash
from tool_bench.task import Source

ROOT = Path(__file__).resolve().parent.parent
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


def test_blank_lines_in_a_text_count() -> None:
    assert code_only('P = """a\n\nb"""') != code_only('P = """a\nb"""')
    assert code_only("a = 1\n\n\nb = 2") == code_only("a = 1\nb = 2")


def test_a_folder_counts_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "fold"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .model import load")
    (folder / "model.py").write_text("def load():\n    return 1\n")
    (folder / "weights.bin").write_bytes(b"1")
    package = importlib.import_module("tool_bench.baselines")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    model = importlib.import_module("tool_bench.baselines.fold.model")
    method = replace(fakes.OVERLAP, load=model.load)

    def fresh() -> str:
        fingerprint._content.cache_clear()
        return baseline_hash(method)

    first = fresh()
    assert fresh() == first
    (folder / ".DS_Store").write_bytes(b"?")
    assert fresh() == first
    (folder / "weights.bin").write_bytes(b"2")
    assert fresh() != first
    (folder / "weights.bin").write_bytes(b"1")
    (folder / "__init__.py").write_text("from .model import load\nX = 1")
    assert fresh() != first


def test_what_decides_a_ranking_decides_the_key() -> None:
    key = cell_key(fakes.TASK, fakes.OVERLAP)
    assert key == cell_key(fakes.TASK, replace(fakes.OVERLAP, description="Another text."))
    other_load = replace(fakes.OVERLAP, load=fakes.load_constant)
    assert baseline_hash(other_load) != key["baseline"]
    one, two = (replace(fakes.OVERLAP, load=partial(fakes.load_from, n)) for n in (1, 2))
    assert baseline_hash(one) != baseline_hash(two)
    for change in ({"settings": {"k1": 2}}, {"revision": "2"}, {"uses_examples": True}):
        assert baseline_hash(replace(fakes.OVERLAP, **change)) != key["baseline"]
    source = Source("p", "https://example.org/p", "r", "0" * 64, 1, "mit")
    with_source = replace(fakes.TASK, sources=(source,))
    assert task_hash(with_source) != key["task"]
    assert task_hash(replace(with_source, sources=(replace(source, sha256="1" * 64),))) != (
        task_hash(with_source)
    )
    assert task_hash(replace(fakes.TASK, version=2)) != key["task"]
    assert task_hash(replace(fakes.TASK, description="Another text.")) == key["task"]


def test_the_quick_search_finds_the_comments_that_the_tokenizer_finds() -> None:
    ours = [path for folder in ("tool_bench", "tasks") for path in (ROOT / folder).rglob("*.py")]
    sources = [path.read_text(encoding="utf-8") for path in ours]
    sources += [
        "x = '#'  # a '#'\n",
        "é = '#'  # b\n",
        "x = f'{1}#'  # c\n",
        "x = '''#\n'''  # d\n",
    ]
    for source in sources:
        texts = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Constant | ast.JoinedStr)
        ]
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        expected = [token.start for token in tokens if token.type == tokenize.COMMENT]
        assert fingerprint._comments(source, texts) == expected
