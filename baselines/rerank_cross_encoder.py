"""Retrieve with rrf, rerank with a cross-encoder that reads request and tool together.

Nogueira and Cho 2019. Cross-encoders of the hub; no run fetches their weights unasked.
"""

from __future__ import annotations

from functools import partial

from tool_bench.baseline import Baseline, Needs, Speed, Weights
from tool_bench.loading import memory_gib
from tool_bench.retriever import Retriever

FIRST, DEPTH = "rrf", 50

_BGE_DATA = (
    "CMedQAv1-reranking",
    "CMedQAv2-reranking",
    "CodeSearchNet",
    "DuRetrieval",
    "HotpotQA",
    "HotpotQA-NL",
    "HotpotQA-PL",
    "HotpotQAHardNegatives",
    "LeCaRDv2",
    "MIRACLReranking",
    "MIRACLRetrieval",
    "MIRACLRetrievalHardNegatives",
    "MMarcoReranking",
    "MSMARCO",
    "MSMARCO-PL",
    "MSMARCOHardNegatives",
    "MrTidyRetrieval",
    "NQ",
    "NQ-NL",
    "NQ-PL",
    "NQHardNegatives",
    "NanoMSMARCORetrieval",
    "NanoNQRetrieval",
    "T2Reranking",
    "T2Retrieval",
    "mMARCO-NL",
)
"""What mteb's registry says."""


def load(name: str, revision: str) -> Retriever:
    """Load both stages; UnavailableError where the weights cannot be had."""
    from tool_bench.cross_encoder import cross_encoder
    from tool_bench.fusion import load_parts
    from tool_bench.rerank import Reranked

    scorer = cross_encoder(name, revision)
    (first,) = load_parts([FIRST])
    return Reranked(first, scorer, DEPTH, "name-description")


def _declared(
    name: str, revision: str, parameters: int, weights_mib: float, trained_on: tuple[str, ...]
) -> Baseline:
    return Baseline(
        name=name,
        kind="rerank",
        description=f"{FIRST} retrieves {DEPTH} tools, {name} reads each pair and orders them.",
        reference=f"https://huggingface.co/{name}",
        license="apache-2.0",
        load=partial(load, name, revision),
        parts=(FIRST,),
        parameters=parameters,
        revision=revision,
        style="name-description",
        precision="float32",
        settings={"first": FIRST, "depth": DEPTH},
        needs=Needs(weights=Weights(name, revision), memory_gib=memory_gib(weights_mib)),
        trained_on=trained_on,
        arguments=("--model", name, "--revision", revision),
        speed=Speed(start=15, per_tool=0.025, per_query=parameters * 5e-8),
    )


BASELINES = (
    _declared(
        "cross-encoder/ms-marco-MiniLM-L6-v2",
        "c5ee24cb16019beea0893ab7796b1df96625c6b8",
        22_713_601,
        87,
        ("MSMARCO",),
    ),
    _declared(
        "BAAI/bge-reranker-v2-m3",
        "953dc6f6f85a1b2dbfca4c34a2796e7dde08d41e",
        567_755_777,
        2_166,
        _BGE_DATA,
    ),
)
