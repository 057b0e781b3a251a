"""ToolBench: StableToolBench's solvable requests over two catalogues of the APIs behind them."""

from __future__ import annotations

from dataclasses import replace

from tool_bench.data.distractors import OFFICIAL
from tool_bench.data.stabletoolbench import BIBTEX, GROUPS, REPOSITORY, REVISION, SOURCES
from tool_bench.task import Task

from . import catalogue, union

TOOLBENCH = Task(
    name="ToolBench",
    description=(
        "StableToolBench's 765 solvable requests over the 2,479 RapidAPI endpoints that "
        "their candidate lists hold together; 2.35 right endpoints a request on average."
    ),
    reference="https://arxiv.org/abs/2403.07714",
    dataset={"path": REPOSITORY, "revision": REVISION},
    date=("2023-07-01", "2024-03-12"),
    domains=("Web", "Programming", "Written"),
    license="apache-2.0",
    annotations_creators="LM-generated",
    sample_creation="LM-generated and verified",
    bibtex_citation=BIBTEX,
    build=union.build,
    sources=SOURCES,
    tools=2_479,
    queries=765,
    providers=811,
    eval_langs=dict.fromkeys(("global", *GROUPS), ("eng-Latn",)),
    rules=(
        (
            "Upstream's labels name an endpoint by tool and API name, so endpoints that differ "
            "in category alone are one tool (11 of 2,490), described as where it occurs first."
        ),
        "One text stands under two query ids; both are evaluated with the golds of both.",
        (
            "The candidates are this union, not the 10,439 endpoints of ToolBench's own G1 "
            "index: scores are not comparable with those."
        ),
    ),
)

TASKS = (
    TOOLBENCH,
    replace(
        TOOLBENCH,
        name="ToolBench16k",
        description=(
            "The 765 requests of ToolBench over 16,427 RapidAPI endpoints: every one of the 3,451 "
            "tools on ToolBench's own list. Only a mirror offers the catalogue."
        ),
        reference="https://arxiv.org/abs/2307.16789",
        build=catalogue.build,
        sources=(*SOURCES, OFFICIAL),
        tools=16_427,
        providers=3_404,
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
