"""Context tokens: what an agent's context carries when it is given the tools a method ranked.

A tool is what the Messages API is sent for it: name, description and input schema, as compact
JSON. Services count with vocabularies of their own; o200k_base stands for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Literal

from tool_bench.dataset import Scope, ToolDataset
from tool_bench.llm.catalogue import definitions
from tool_bench.results import ContextTokens, Result
from tool_bench.runs import Run
from tool_bench.tool import Tool

VOCABULARY = "o200k_base"
Cutoff = Literal["1", "5", "10"]
CUTOFFS: tuple[Cutoff, ...] = ("1", "5", "10")

_DIGITS = 1


@lru_cache(maxsize=2)
def sizes(tools: tuple[Tool, ...]) -> Mapping[str, int]:
    """Return tool id -> tokens of its definition."""
    from bpe_openai import get_encoding

    encoding = get_encoding(VOCABULARY)

    def count(definition: Mapping[str, object]) -> int:
        text = json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
        return len(encoding.encode_ordinary(text))

    return {id_: count(definition) for id_, definition in definitions(tools).items()}


def tokens(run: Run, dataset: ToolDataset, scope: Scope) -> ContextTokens:
    """Return what ``run`` would put into an agent's context, and what all candidates would."""
    own = sizes(dataset.tools)
    everything = sum(own.values())
    queries = dataset.queries
    top = dict.fromkeys(CUTOFFS, 0)
    candidates = 0
    for query in queries:
        allowed = dataset.candidates(scope, query)
        candidates += everything if allowed is None else sum(own[id_] for id_ in allowed)
        for k in CUTOFFS:
            top[k] += sum(own[id_] for id_, _ in run.get(query.id, ())[: int(k)])
    return ContextTokens(
        counter=f"{VOCABULARY}, bpe-openai {version('bpe-openai')}",
        top={k: round(total / len(queries), _DIGITS) for k, total in top.items()},
        candidates=round(candidates / len(queries), _DIGITS),
    )


def carried(result: Result, scope: str, k: Cutoff) -> float:
    """Return the tokens a request carries with this method, when an agent is given ``k`` tools.

    A method that chooses inside a model's context has carried all candidates by then.
    """
    context = result.scopes[scope].context
    return context.candidates if result.method.whole_catalogue else context.top[k]
