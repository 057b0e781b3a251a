from __future__ import annotations

import copy

import pytest

from tool_bench.errors import DataError, ToolBenchError, UnavailableError, UnknownNameError


@pytest.mark.parametrize(
    "error",
    [
        DataError("rows.csv", "2 cells, expected 3", "row 7"),
        UnknownNameError("task", "MetaTol", ["MetaTool"]),
        UnavailableError("no key"),
    ],
)
def test_an_error_crosses_processes_with_its_kind_and_text(error: ToolBenchError) -> None:
    there = copy.copy(error)  # by what pickle uses
    assert type(there) is type(error)
    assert str(there) == str(error)
    assert there.exit_code == error.exit_code
