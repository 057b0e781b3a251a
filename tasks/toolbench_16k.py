"""ToolBench16k: the same requests over every API of ToolBench's own tool list."""

from __future__ import annotations

from collections import defaultdict

from tool_bench.data.distractors import OFFICIAL, endpoint, endpoint_of, read_apis
from tool_bench.data.stabletoolbench import (
    BIBTEX,
    GROUPS,
    REPOSITORY,
    REVISION,
    SOURCES,
    read_requests,
)
from tool_bench.dataset import ToolDataset, pool_golds
from tool_bench.errors import DataError
from tool_bench.query import fold
from tool_bench.task import Files, Task


def build(files: Files) -> ToolDataset:
    """Build every API of the catalogue and every request; each copy of a gold is a gold."""
    tools = read_apis(files[OFFICIAL.path])
    copies: dict[str, list[str]] = defaultdict(list)
    for tool in tools:
        copies[endpoint_of(tool)].append(tool.id)
    requests = list(read_requests(files))
    labelled = []
    for request in requests:
        golds: list[str] = []
        for names in request.golds:
            found = copies.get(endpoint(*names))
            if not found:
                problem = f"no row is the gold {list(names)} of query '{request.query.id}'"
                raise DataError(files[OFFICIAL.path], problem)
            golds += found
        labelled.append((request.query.text, golds))
    pooled = pool_golds(labelled)
    return ToolDataset(
        name="ToolBench16k",
        tools=tools,
        queries=tuple(request.query for request in requests),
        relevance={r.query.id: pooled[fold(r.query.text)] for r in requests},
    )


TASKS = (
    Task(
        name="ToolBench16k",
        description=(
            "The 765 requests of ToolBench over 16,427 RapidAPI endpoints: every one of the 3,451 "
            "tools on ToolBench's own list. Only a mirror offers the catalogue."
        ),
        reference="https://arxiv.org/abs/2307.16789",
        dataset={"path": REPOSITORY, "revision": REVISION},
        date=("2023-07-01", "2024-03-12"),
        domains=("Web", "Programming", "Written"),
        license="apache-2.0",
        annotations_creators="LM-generated",
        sample_creation="LM-generated and verified",
        bibtex_citation=BIBTEX,
        build=build,
        sources=(*SOURCES, OFFICIAL),
        tools=16_427,
        queries=765,
        providers=3_404,
        eval_langs=dict.fromkeys(("global", *GROUPS), ("eng-Latn",)),
        rules=(
            (
                "Every gold is in the catalogue: 1,193 of 1,221 under the same tool and API name, "
                "28 under a spelling that differs in case and punctuation."
            ),
            (
                "The catalogue lists some endpoints under several categories (79 of 16,427 rows "
                "are such copies). No row is dropped, and each copy of a gold is a gold: this "
                "concerns 12 requests."
            ),
            "One text stands under two query ids; both are evaluated with the golds of both.",
            (
                "The catalogue is derived from two public copies of ToolBench's tool library and "
                "is not ToolBench's own G1 index: scores are not comparable with published ones."
            ),
            "The catalogue has no response templates, so `verbatim` documents have empty schemas.",
        ),
    ),
)
