from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tool_bench
from tool_bench import registry
from tool_bench.errors import ToolBenchError, UnknownNameError
from tool_bench.mteb_bridge import metadata_of
from tool_bench.task import Task

ROOT = Path(__file__).resolve().parent.parent


def test_every_file_is_found() -> None:
    assert {"MockConnectors", "MetaTool", "MetaToolMulti", "ToolBench"} < set(registry.tasks())
    assert {"ToolRet", "ToolRetInstruction", "ToolRet4"} < set(registry.tasks())
    assert {"bm25", "bm25s", "minilm", "semantic-router"} <= set(registry.baselines())
    plugins = {p.stem for p in (ROOT / "baselines").iterdir() if not p.name.startswith("_")}
    loaded = {m.removeprefix("tool_bench.baselines.") for m in sys.modules}
    assert plugins <= loaded


@pytest.mark.parametrize(
    ("name", "hint"),
    [("metatool", "did you mean MetaTool"), ("TolBench", "ToolBench"), ("zzz", "known: MetaTool")],
)
def test_an_unknown_task_brings_the_nearest_names(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=hint) as error:
        registry.pick_tasks([name])
    assert error.value.exit_code == 2


def test_names_are_picked_once_in_the_order_given() -> None:
    picked = registry.pick_baselines(["minilm", "bm25", "minilm"])
    assert [baseline.name for baseline in picked] == ["minilm", "bm25"]


@pytest.mark.parametrize("name", list(registry.declared_tasks()))
def test_mteb_accepts_every_declaration(name: str) -> None:
    task = registry.tasks()[name]
    metadata = metadata_of(task)
    assert metadata.name == name
    assert metadata.dataset["revision"] == task.dataset["revision"]
    assert metadata.is_filled()
    for source in task.sources:
        assert len(source.sha256) == 64
        assert source.url is None or source.revision in source.url
        assert source.size > 0


def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> ModuleType:
    package = ModuleType("tool_bench.fakefolder")
    package.__path__ = [str(tmp_path)]
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, f"tool_bench.fakefolder.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "tool_bench.fakefolder", package)
    return package


def test_two_files_with_one_name_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "from dataclasses import replace\nimport fakes\nTASKS = (replace(fakes.TASK, name={!r}),)"
    )
    plugin(tmp_path, monkeypatch, one=text.format("Tiny"), two=text.format("TINY"))
    with pytest.raises(ToolBenchError, match=r"'TINY' is declared by fakefolder/one and"):
        registry._collect("fakefolder", "TASKS", Task)


def test_a_file_that_declares_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, monkeypatch, empty="TASKS = []")
    with pytest.raises(
        ToolBenchError, match="fakefolder/empty must declare TASKS, a tuple of Task"
    ):
        registry._collect("fakefolder", "TASKS", Task)


def test_plugins_import_only_the_core() -> None:
    for folder in ("tasks", "baselines"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for forbidden in ("tool_bench.tasks", "tool_bench.baselines"):
                assert f"from {forbidden}" not in text, file
                assert f"import {forbidden}" not in text, file


def test_the_folders_are_modules_of_the_package() -> None:
    assert tool_bench.__name__ == "tool_bench"
    module = importlib.import_module("tool_bench.baselines.bm25")
    assert Path(module.__file__ or "") == ROOT / "baselines" / "bm25.py"
