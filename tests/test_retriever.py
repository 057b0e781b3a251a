from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_bench.errors import RetrieverError
from tool_bench.query import Query
from tool_bench.retriever import Catalogue
from tool_bench.runs import settle
from tool_bench.tool import Tool

TOOLS = [Tool(id=f"t{i}", name=f"t{i}") for i in range(25)]
SCORES = st.lists(
    st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(-2, 2), min_size=25, max_size=25
)


@given(
    scores=SCORES,
    k=st.integers(1, 40),
    wanted=st.none() | st.lists(st.sampled_from([t.id for t in TOOLS] + ["gone"])),
)
def test_top_is_what_a_full_sort_gives(
    scores: list[float], k: int, wanted: list[str] | None
) -> None:
    catalogue = Catalogue(TOOLS)
    array = np.array(scores)
    everything = [
        (id_, float(score))
        for id_, score in zip(catalogue.ids, array, strict=True)
        if wanted is None or id_ in wanted
    ]
    query = [Query(id="q", text="")]
    top = catalogue.top(array, k, wanted)
    expected = settle(query, [tuple(everything)], [wanted], k, catalogue.ids)["q"]
    assert [id_ for id_, _ in top] == [id_ for id_, _ in expected]
    assert settle(query, [top], [wanted], k, catalogue.ids)["q"] == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("k", [5, 40])
def test_a_score_that_is_no_number_is_refused(bad: float, k: int) -> None:
    catalogue = Catalogue(TOOLS)
    scores = np.linspace(0, 1, len(TOOLS))
    scores[7] = bad
    with pytest.raises(RetrieverError, match=f"score of '{catalogue.ids[7]}' is {bad}"):
        catalogue.top(scores, k, None)
