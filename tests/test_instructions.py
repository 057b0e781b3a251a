"""A query's own instruction: where it goes in each kind of encoder, and how vectors are kept."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mteb
import numpy as np
import pytest
import tiny
from mteb.models.model_implementations import MODEL_REGISTRY
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from tool_bench import mteb_models
from tool_bench.baseline import Baseline
from tool_bench.dense import encode_queries
from tool_bench.encoder import CachedEncoder, Encoder, Role, without_cache
from tool_bench.mteb_models import InstructedEncoder, MtebEncoder, cached_encoder
from tool_bench.prompt import PROMPT
from tool_bench.query import Query
from tool_bench.tool import Tool

pytestmark = pytest.mark.filterwarnings(
    "ignore:Model prompts specified", "ignore:Prompt type 'document' not found"
)

BASELINES = importlib.import_module("tool_bench.baselines.hub_models").BASELINES
BY_NAME: dict[str, Baseline] = {baseline.name: baseline for baseline in BASELINES}
OWN = "Find tools that tell the weather."
TEMPLATES = {
    "intfloat/e5-mistral-7b-instruct": f"Instruct: {OWN}\nQuery: ",
    "Alibaba-NLP/gte-Qwen2-1.5B-instruct": f"Instruct: {OWN}\nQuery: ",
    "Qwen/Qwen3-Embedding-0.6B": f"Instruct: {OWN}\nQuery:",
    "Qwen/Qwen3-Embedding-4B": f"Instruct: {OWN}\nQuery:",
    "Qwen/Qwen3-Embedding-8B": f"Instruct: {OWN}\nQuery:",
    "nvidia/NV-Embed-v1": f"Instruct: {OWN}\nQuery: ",
    "GritLM/GritLM-7B": f"<|user|>\n{OWN}\n<|embed|>\n",
}
"""What models with a template of their own read before a query."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.sentence_model(tmp_path_factory.mktemp("model"), tiny.OWN_PROMPTS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.sentence_model(tmp_path_factory.mktemp("plain"), {})


@pytest.mark.parametrize("name", BY_NAME)
def test_an_instruction_reaches_the_tokenizer_once_and_in_its_place(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = BY_NAME[name]
    assert declared.revision is not None
    cache = tiny.hub_cache(tmp_path / "hub", monkeypatch)
    own = "plain" if name.endswith("MiniLM-L6-v2") else "model"
    tiny.snapshot(cache, name, declared.revision, request.getfixturevalue(own))
    meta = MODEL_REGISTRY[name].model_copy(update={"extra_requirements_groups": None})
    monkeypatch.setitem(MODEL_REGISTRY, name, meta)
    retriever = declared.load()
    retriever.index([Tool(id="t", name="rain", description="Rain or sun")], {})
    read: list[str] = []
    tokenize = PreTrainedTokenizerBase.__call__

    def record(self: PreTrainedTokenizerBase, text: Any = None, *args: Any, **kwargs: Any) -> Any:
        read.extend([text] if isinstance(text, str) else text)
        return tokenize(self, text, *args, **kwargs)

    monkeypatch.setattr(PreTrainedTokenizerBase, "__call__", record)
    asked = [Query(id="q", text="will it rain", instruction=OWN), Query(id="r", text="and snow")]
    retriever.search(asked, 1, [None, None])
    task_prompt = str(declared.settings["query prompt"])
    if name in TEMPLATES:
        expected = {f"{TEMPLATES[name]}will it rain", f"{task_prompt}and snow"}
        prompts = {TEMPLATES[name], task_prompt}
    else:
        told = f"{task_prompt}Instruct: {OWN}\nQuery: will it rain"
        expected, prompts = {told, f"{task_prompt}and snow"}, {task_prompt}
    assert set(read) - prompts == expected


def test_mteb_calls_more_models_instructed_than_have_a_place_for_an_instruction() -> None:
    called = {name for name in BY_NAME if mteb.get_model_meta(name).use_instructions}
    assert set(TEMPLATES) < called


class Template:
    """Stands for an mteb model: a text's vector tells its length and its instruction's."""

    instruction_template = "Do: {instruction} "

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[str]]] = []

    def get_task_instruction(self, task_metadata: Any, prompt_type: Any) -> str:
        return f"Do: {task_metadata.prompt['query']} "

    def encode(self, inputs: Any, *, task_metadata: Any, **_: Any) -> NDArray[np.float32]:
        texts = [text for batch in inputs for text in batch["text"]]
        instruction = task_metadata.prompt["query"]
        self.batches.append((instruction, texts))
        return np.array([[len(text), len(instruction)] for text in texts], dtype=np.float32)


def vector(text: str, instruction: str) -> list[float]:
    length = float(np.hypot(len(text), len(instruction)))
    return [len(text) / length, len(instruction) / length]


def asked(*pairs: tuple[str, str | None]) -> list[Query]:
    return [Query(id=str(i), text=t, instruction=own) for i, (t, own) in enumerate(pairs)]


def test_queries_are_encoded_by_instruction_and_kept_apart() -> None:
    template = Template()
    encoder = cached_encoder(template, "tests/template")  # type: ignore[arg-type]
    assert isinstance(encoder, InstructedEncoder)
    queries = asked(("a", "i1"), ("bb", "instruction two"), ("ccc", "i1"), ("a", None))
    found = encode_queries(encoder, queries)
    expected = [vector(q.text, q.instruction or PROMPT) for q in queries]
    assert found == pytest.approx(np.array(expected), abs=1e-6)
    assert sorted((i, sorted(texts)) for i, texts in template.batches) == sorted(
        [("i1", ["a", "ccc"]), ("instruction two", ["bb"]), (PROMPT, ["a"])]
    )
    template.batches.clear()
    encode_queries(encoder, asked(("a", "i1"), ("a", "other")))
    assert template.batches == [("other", ["a"])]  # the first one is kept under its instruction
    with without_cache():
        encode_queries(encoder, asked(("a", "i1")))
    assert template.batches[-1] == ("i1", ["a"])


def test_without_instructions_nothing_changes() -> None:
    template = Template()
    encoder = cached_encoder(template, "tests/template")  # type: ignore[arg-type]
    found = encode_queries(encoder, asked(("a", None), ("bb", None)))
    same = CachedEncoder(MtebEncoder(template, "tests/template"))  # type: ignore[arg-type]
    template.batches.clear()
    assert np.array_equal(found, same.encode(["a", "bb"], "query"))
    assert template.batches == []  # one cache for both


def test_a_template_that_an_instruction_does_not_reach_gets_it_as_text() -> None:
    class Fixed(Template):
        def get_task_instruction(self, task_metadata: Any, prompt_type: Any) -> str:
            return "query: "

    assert not mteb_models.takes_instructions(Fixed())
    assert mteb_models.takes_instructions(Template())
    fixed = cached_encoder(Fixed(), "tests/fixed")  # type: ignore[arg-type]
    assert isinstance(fixed, CachedEncoder)


def test_other_encoders_read_the_instruction_as_text() -> None:
    seen: list[str] = []

    class Plain:
        identity = "plain"

        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            seen.extend(texts)
            return np.ones((len(texts), 2), dtype=np.float32)

    encoder: Encoder = Plain()
    queries = asked(("play", "Find music."), ("", "Find music."), ("play", None))
    encode_queries(encoder, queries)
    told = "Instruct: Find music.\nQuery: "
    assert seen == [f"{told}play", told, "play"]
    assert [replace(q, instruction="").instructed for q in queries] == ["play", "", "play"]
