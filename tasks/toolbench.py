"""ToolBench: StableToolBench's solvable requests over the real APIs they were written for."""

from __future__ import annotations

from tool_bench.data.stabletoolbench import (
    BIBTEX,
    GROUPS,
    REPOSITORY,
    REVISION,
    SOURCES,
    path_of,
    read_requests,
    tool_id,
)
from tool_bench.dataset import ToolDataset, pool_golds
from tool_bench.query import fold
from tool_bench.task import Files, Task
from tool_bench.tool import Tool

__all__ = ["GROUPS", "TASKS", "build", "path_of"]


def build(files: Files) -> ToolDataset:
    """Build the union of the six groups: every API any request offers, every request."""
    tools: dict[str, Tool] = {}
    requests = list(read_requests(files))
    for request in requests:
        for tool in request.offered:
            tools.setdefault(tool.id, tool)
    pooled = pool_golds((r.query.text, (tool_id(*gold) for gold in r.golds)) for r in requests)
    return ToolDataset(
        name="ToolBench",
        tools=tuple(tools.values()),
        queries=tuple(request.query for request in requests),
        relevance={r.query.id: pooled[fold(r.query.text)] for r in requests},
    )


TASKS = (
    Task(
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
        build=build,
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
    ),
)
