"""ToolBench: StableToolBench's solvable requests over the real APIs they were written for."""

from __future__ import annotations

from tool_bench.data.stabletoolbench import read_requests, tool_id
from tool_bench.dataset import ToolDataset, pool_golds
from tool_bench.query import fold
from tool_bench.task import Files
from tool_bench.tool import Tool


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
