from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import boards
import pytest
from playwright.sync_api import Browser, sync_playwright

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.environment import prepare

MIRROR = os.environ.get("TOOL_BENCH_MIRROR")

# read when the hub's library is imported, so set before any test
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"

prepare()


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole session, so that the real data is read and encoded once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the user's cache or mirror."""
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TOOL_BENCH_MIRROR", raising=False)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> Path:
    """The real data; tests that need it skip where TOOL_BENCH_MIRROR does not offer it."""
    if not MIRROR or not (Path(MIRROR) / "metatool").is_dir():
        pytest.skip("needs the upstream data: set TOOL_BENCH_MIRROR to a folder that has it")
    monkeypatch.setenv("TOOL_BENCH_MIRROR", MIRROR)
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(shared_cache))
    return Path(MIRROR)


@pytest.fixture
def shared_models(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> None:
    """The session's cache, so that what takes a while to make is made once."""
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(shared_cache))


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home page of a board with everything on it."""
    return boards.make(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; tests that need it skip where it is not installed."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        with playwright.chromium.launch(executable_path=found, args=flags) as running:
            yield running


@pytest.fixture
def dataset(task: str, request: pytest.FixtureRequest) -> ToolDataset:
    """The data of the test's ``task``: what ships is there, the rest needs the mirror."""
    declared = registry.tasks()[task]
    if declared.sources:
        request.getfixturevalue("mirror")
    return load(declared)
