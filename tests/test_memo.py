from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tool_bench import memo
from tool_bench.data.paths import cache_folder

READS: list[Path] = []


def read(path: Path) -> str:
    READS.append(path)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    READS.clear()
    memo._memory.cache_clear()
    found = tmp_path / "a file"
    found.write_text("one")
    age(found, 60)
    return found


def age(path: Path, seconds: float) -> None:
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then))


def anew() -> None:
    """Do as the next process does."""
    memo.save()
    memo._memory.cache_clear()


def test_an_unchanged_file_is_read_once_ever(file: Path) -> None:
    for _ in range(3):
        assert memo.of_file(file, read) == "one"
        anew()
    assert [file] == READS


def test_a_changed_file_is_read_again(file: Path) -> None:
    memo.of_file(file, read)
    file.write_text("two")  # as long as before
    age(file, 30)
    anew()
    assert memo.of_file(file, read) == "two"


def test_a_file_that_may_still_change_is_not_remembered(file: Path) -> None:
    age(file, 0.5)
    memo.of_file(file, read)
    memo.of_file(file, read)
    assert len(READS) == 2


def test_what_is_gone_is_forgotten(file: Path) -> None:
    memo.of_file(file, read)
    memo.save()
    assert str(file) in (cache_folder() / "memo" / "files.json").read_text()
    file.unlink()
    with pytest.raises(FileNotFoundError):
        memo.of_file(file, read)
    other = file.with_name("other")
    other.write_text("x")
    age(other, 60)
    memo.of_file(other, read)
    anew()
    assert str(file) not in (cache_folder() / "memo" / "files.json").read_text()


@pytest.mark.parametrize(
    "rubbish", ["", "[1]", '{"read": 1', '{"test_memo.read X": [1]}', '{"test_memo.read X": 3}']
)
def test_a_broken_memory_is_none(rubbish: str, file: Path) -> None:
    memory = cache_folder() / "memo" / "files.json"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(rubbish.replace("X", str(file)))
    assert memo.of_file(file, read) == "one"
    memo.save()


def test_a_cache_that_cannot_be_written_is_no_error(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = file.with_name("blocked")
    blocked.write_text("a file, no folder")
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(blocked))
    assert memo.of_file(file, read) == "one"
    memo.save()
