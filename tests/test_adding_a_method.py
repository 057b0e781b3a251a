"""docs/adding-a-method.md, done as it says, in a copy that lacks the method."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
FILE = Path("baselines/tfidf.py")
FOLDER = Path("results/tfidf")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def files(folder: Path) -> set[Path]:
    found = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}
    return {p for p in found if "__pycache__" not in p.parts and "public" not in p.parts}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout without the method, and with the results of one other."""
    copy = tmp_path / "checkout"
    for name in ("tool_bench", "tasks", "baselines", "site"):
        shutil.copytree(
            ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "public")
        )
    shutil.copytree(ROOT / "results" / "bm25s", copy / "results" / "bm25s")
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / FILE).unlink()
    return copy


def test_the_page_shows_the_file_as_it_is() -> None:
    (shown,) = blocks("python")
    assert shown == (ROOT / FILE).read_text(encoding="utf-8")
    assert len(shown.splitlines()) <= 60


def test_a_method_is_one_file_and_one_results_folder(checkout: Path, tmp_path: Path) -> None:
    before = files(checkout)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "tool-bench").write_text(f'#!/bin/sh\nexec {sys.executable} -m tool_bench "$@"\n')
    (programs / "tool-bench").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "100"}

    (shown,) = blocks("python")
    (checkout / FILE).write_text(shown, encoding="utf-8")
    said = ""
    for script in blocks("sh"):
        done = subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout

    assert "Cosine similarity of TF-IDF" in said  # list
    assert re.search(r"employee", said)  # search
    assert "1 cell: 1 run" in said
    assert re.search(r"^ *tfidf +\d+ +\.\d{3}", said, re.MULTILINE)  # results
    assert "MockConnectors/tfidf" in said  # rescore
    new = files(checkout) - before
    assert FILE in new
    assert new - {FILE} == {p for p in new if p.parent == FOLDER}
    assert (checkout / FOLDER / "MockConnectors.json").is_file()
    for name in ("MockConnectors.global.run.gz", "MockConnectors.scoped.run.gz"):
        made, committed = (folder / FOLDER / name for folder in (checkout, ROOT))
        assert made.read_bytes() == committed.read_bytes()
