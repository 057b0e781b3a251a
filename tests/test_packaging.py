from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("tool_bench", "tasks", "baselines", "site")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    skip = shutil.ignore_patterns(".venv", ".git", "results", "public", "*.egg-info", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=skip)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(folder),
            str(copy),
        ],
        check=True,
        capture_output=True,
    )
    (found,) = folder.glob("*.whl")
    return found


def test_a_wheel_holds_everything_that_runs(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in SHIPPED:
        for file in (ROOT / folder).rglob("*"):
            relative = file.relative_to(ROOT)
            if not file.is_file() or {"__pycache__", "public"} & set(relative.parts):
                continue
            name = relative.as_posix() if folder == "tool_bench" else f"tool_bench/{relative}"
            assert name in inside
    for file in (ROOT / "docs").rglob("*.md"):
        assert f"tool_bench/{file.relative_to(ROOT).as_posix()}" in inside
    tops = {name.split("/")[0] for name in inside}
    assert len(tops) == 2, tops  # the package and its metadata: no top-level 'tasks' or 'site'


def test_an_installed_package_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import tool_bench; assert tool_bench.__file__.startswith(sys.argv[1])\n"
        "from tool_bench.cli import main; main(sys.argv[2:])\n"
    )
    for words in (["list"], ["site", "build"], ["run", "--all", "--dry-run"]):
        done = subprocess.run(
            [sys.executable, "-S", "-c", f"import site; site.main()\n{code}", str(target), *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "public" / "index.html").read_text(encoding="utf-8")
    assert "No results yet" in page
