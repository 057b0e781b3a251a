from __future__ import annotations

from dataclasses import replace

import fakes

from tool_bench import registry, store
from tool_bench.baseline import Needs, Weights
from tool_bench.leaderboard.view import unmeasured


def test_methods_without_a_result_are_listed_with_what_they_need() -> None:
    methods = [
        fakes.OVERLAP,
        replace(fakes.OVERLAP, name="paid", needs=Needs(key="A_KEY", modules=("x",))),
        replace(fakes.OVERLAP, name="big", needs=Needs(weights=Weights("a/b", "1"), memory_gib=9)),
    ]
    assert unmeasured([], methods) == (
        ("a run", ("overlap",)),
        ("a key in A_KEY, and money", ("paid",)),
        ("model weights, and the memory given", ("big (9 GiB)",)),
    )


def test_what_was_measured_is_not_listed() -> None:
    stored, _ = store.read_results(store.default_folder())
    lacking = dict(unmeasured(stored, registry.baselines().values()))
    assert "a run" not in lacking  # all that runs anywhere has results
    assert not {result.baseline for result in stored} & {n for v in lacking.values() for n in v}
