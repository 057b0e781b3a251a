from __future__ import annotations

import base64
import gzip
import hashlib
import importlib
import json
from dataclasses import replace
from importlib.resources import files

import fakes
import pytest
from bpe_openai import get_encoding

from tool_bench import context, registry
from tool_bench.data.load import load
from tool_bench.evaluate import evaluate, search_scope
from tool_bench.llm.catalogue import ApiTools, definitions
from tool_bench.runs import Run
from tool_bench.tool import Parameter, Tool

DATA = fakes.dataset()


def run() -> Run:
    retriever = fakes.load_overlap()
    retriever.index(DATA.tools, {})
    return search_scope(retriever, DATA, "global")


def test_a_tool_is_what_the_api_is_sent_for_it() -> None:
    tool = Tool(
        id="x/send",
        name="send mail",
        description="Sends <|endoftext|> é \ud83d.".encode(errors="replace").decode(),
        parameters=(Parameter("to", "string", "whom", required=True),),
        provider="x",
    )
    (sent,) = ApiTools([tool]).params
    text = json.dumps(sent, ensure_ascii=False, separators=(",", ":"))
    assert context.sizes((tool,)) == {
        "x/send": len(get_encoding("o200k_base").encode_ordinary(text))
    }
    assert set(sent) == {"name", "description", "input_schema"}


def test_the_counter_agrees_with_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program, with the same vocabulary: the file that tiktoken itself pins by hash."""
    tiktoken = pytest.importorskip("tiktoken")
    public = importlib.import_module("tiktoken_ext.openai_public")

    def bundled(_: str, expected_hash: str) -> dict[bytes, int]:
        packed = files("bpe_openai").joinpath("data", f"{context.VOCABULARY}.tiktoken.gz")
        text = gzip.decompress(packed.read_bytes())
        assert hashlib.sha256(text).hexdigest() == expected_hash
        rows = (line.split() for line in text.splitlines())
        return {base64.b64decode(token): int(rank) for token, rank in rows}

    monkeypatch.setattr(public, "load_tiktoken_bpe", bundled)
    judge = tiktoken.Encoding(**public.o200k_base())
    ours = get_encoding(context.VOCABULARY)
    tools = load(registry.tasks()["MockConnectors"]).tools[::20]
    for definition in definitions(tools).values():
        text = json.dumps(definition, ensure_ascii=False)
        assert ours.encode_ordinary(text) == judge.encode_ordinary(text)


def test_the_first_k_of_each_query_are_added_up() -> None:
    found = context.tokens(run(), DATA, "global")
    own = context.sizes(DATA.tools)
    for k in context.CUTOFFS:
        each = [sum(own[id_] for id_, _ in ranking[: int(k)]) for ranking in run().values()]
        assert found.top[k] == pytest.approx(sum(each) / 12, abs=0.05)
    assert found.top["1"] < found.top["5"] < found.top["10"] < found.candidates
    assert found.candidates == sum(own.values())
    assert "bpe-openai 0.1.4" in found.counter


def test_in_a_scope_only_the_providers_tools_are_candidates() -> None:
    found = context.tokens(run(), DATA, "scoped")
    assert found.candidates == pytest.approx(sum(context.sizes(DATA.tools).values()) / 3, abs=0.05)


def test_a_query_without_a_ranking_carries_nothing() -> None:
    half = {id_: ranking for id_, ranking in run().items() if int(id_[1:]) < 6}
    whole = context.tokens({**run(), **{f"q{n}": () for n in range(6, 12)}}, DATA, "global")
    assert context.tokens(half, DATA, "global") == whole


def test_a_method_that_chooses_in_context_carries_the_catalogue() -> None:
    result, _ = evaluate(fakes.TASK, fakes.OVERLAP, DATA, ["tool_bench"])
    stored = result.scopes["global"].context
    assert context.carried(result, "global", "5") == stored.top["5"]
    method = replace(fakes.OVERLAP, whole_catalogue=True)
    result, _ = evaluate(fakes.TASK, method, DATA, ["tool_bench"])
    assert context.carried(result, "global", "5") == stored.candidates
