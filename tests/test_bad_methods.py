from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakes
import pytest
from bad_methods import BAD, cut, spoiled
from test_harness import run

from tool_bench.errors import RetrieverError
from tool_bench.evaluate import evaluate
from tool_bench.runs import settle

COMMAND = ["tool_bench"]


@pytest.mark.parametrize("name", BAD)
def test_what_a_method_breaks_is_named_with_method_and_query(name: str) -> None:
    method, message = BAD[name]
    with pytest.raises(RetrieverError) as raised:
        evaluate(fakes.TASK, method, fakes.dataset(), COMMAND)
    assert re.match(f"{name}: ", str(raised.value))
    assert re.search(message, str(raised.value))


def test_the_query_whose_score_is_no_number_is_found_inside_a_method() -> None:
    method, _ = BAD["top"]
    with pytest.raises(RetrieverError, match=r"^top: query 'q3': score of"):
        evaluate(fakes.TASK, method, fakes.dataset(), COMMAND)


def test_bad_cells_fail_and_the_rest_goes_on(tmp_path: Path) -> None:
    names = ("nan", "twice", "forgetful", "cut")
    methods = [BAD[name][0] for name in names]
    outcomes = run(tmp_path / "results", [fakes.TASK], [*methods, fakes.OVERLAP])
    ends = {outcome.cell.baseline.name: outcome for outcome in outcomes}
    assert ends.pop("overlap").end == "done"
    assert {name: (o.end, o.message.partition(":")[0]) for name, o in ends.items()} == {
        name: ("failed", name) for name in names
    }
    assert {p.name for p in (tmp_path / "results").iterdir()} == {"overlap"}


def test_a_method_that_declares_it_may_rank_fewer() -> None:
    method = replace(spoiled("few", cut), may_rank_fewer=True)
    result, _ = evaluate(fakes.TASK, method, fakes.dataset(), COMMAND)
    assert {scope: scores.short for scope, scores in result.scopes.items()} == {
        "global": 1,
        "scoped": 1,  # four candidates there, and three ranked
    }


def test_few_candidates_are_no_fault() -> None:
    result, _ = evaluate(fakes.TASK, fakes.OVERLAP, fakes.dataset(), COMMAND)
    assert {scores.short for scores in result.scopes.values()} == {0}


def test_what_is_below_the_cut_is_cut_off_after_ties_are_broken() -> None:
    ids = [tool.id for tool in fakes.dataset().tools]
    query = fakes.dataset().queries[0]
    whole = settle([query], [tuple((id_, 1.0) for id_ in ids)], [None], 12, ids)
    head = settle([query], [tuple((id_, 1.0) for id_ in ids)], [None], 5, ids)
    assert head[query.id] == whole[query.id][:5]


def test_a_search_that_returns_no_list_is_refused() -> None:
    returned: Any = None
    with pytest.raises(RetrieverError, match="search returned NoneType None, not a list"):
        settle(fakes.dataset().queries, returned, [None], 10, {"a"})
