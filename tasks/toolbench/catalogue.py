"""ToolBench16k: the same requests over every API of ToolBench's own tool list."""

from __future__ import annotations

from collections import defaultdict

from tool_bench.data.distractors import OFFICIAL, endpoint, endpoint_of, read_apis
from tool_bench.data.stabletoolbench import read_requests
from tool_bench.dataset import ToolDataset, pool_golds
from tool_bench.errors import DataError
from tool_bench.query import fold
from tool_bench.task import Files


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
