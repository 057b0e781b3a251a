"""MetaTool's training split: 18,536 requests for 199 ChatGPT plugins."""

from __future__ import annotations

from tool_bench.task import Files
from tool_bench.training.records import TrainingData
from tool_bench.training.source import TrainingSource

from .from_task import build


def build_metatool(_: Files) -> TrainingData:
    """Build it from the task's usage examples."""
    return build(SOURCE.name, "MetaTool")


SOURCE = TrainingSource(
    name="metatool",
    description="Requests for ChatGPT plugins, written by language models: MetaTool without the "
    "2,000 queries that are evaluated.",
    reference="https://arxiv.org/abs/2310.03128",
    license="mit",
    build=build_metatool,
    task="MetaTool",
)
