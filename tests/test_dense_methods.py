"""What makes each dense method the one it is, on vectors that can be worked out by hand."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tool_bench.encoder import Role
from tool_bench.query import Query
from tool_bench.retriever import Catalogue
from tool_bench.tokens import max_sim, minilm_tokens
from tool_bench.tool import Parameter, Tool

GOLDEN = Path(__file__).parent / "data" / "semantic_router.json"

semantic_router = importlib.import_module("tool_bench.baselines.semantic_router")
tool2vec = importlib.import_module("tool_bench.baselines.tool2vec")
re_invoke = importlib.import_module("tool_bench.baselines.re_invoke")
toolshed = importlib.import_module("tool_bench.baselines.toolshed")
mcp_zero = importlib.import_module("tool_bench.baselines.mcp_zero")
static_minilm = importlib.import_module("tool_bench.baselines.static_minilm")


class Angles:
    """Encodes a text as the last number in it, an angle in degrees."""

    identity = "angles"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        self.seen += texts
        numbers = [
            float(next((w for w in reversed(t.replace(",", " ").split()) if _number(w)), "0"))
            for t in texts
        ]
        angles = np.radians(numbers)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def _number(word: str) -> bool:
    return word.replace(".", "", 1).lstrip("-").isdigit()


def ask(*texts: str) -> list[Query]:
    return [Query(id=str(n), text=text) for n, text in enumerate(texts)]


def test_the_librarys_ranking_is_the_librarys() -> None:
    """Rankings of the package itself, with default top_k and aggregation, no threshold or limit."""
    golden = json.loads(GOLDEN.read_text())
    tools = [Tool(id=name, name=name) for name in golden["routes"]]
    retriever = semantic_router.NearestUtterances(Angles())
    retriever.index(tools, {name: tuple(texts) for name, texts in golden["routes"].items()})
    found = retriever.search(ask(*golden["rankings"]), 10, [None] * len(golden["rankings"]))
    for ranking, expected in zip(found, golden["rankings"].values(), strict=True):
        assert [route for route, _ in ranking] == [route for route, _ in expected]
        scores = [score for _, score in ranking]
        assert scores == pytest.approx([score for _, score in expected], abs=1e-5)


def test_routes_out_of_scope_take_no_place_among_the_nearest() -> None:
    tools = [Tool(id=str(angle), name=str(angle)) for angle in (0, 1, 2, 3, 4, 5, 80)]
    retriever = semantic_router.NearestUtterances(Angles())
    retriever.index(tools, {})
    ((found,),) = retriever.search(ask("0"), 10, [["80"]])
    assert found[0] == "80"


def test_tool2vec_uses_every_example_and_the_description_where_there_is_none() -> None:
    tools = [Tool(id="a", name="90", description="0"), Tool(id="b", name="0", description="70")]
    examples = {"a": ("10", "20", "30", "40", "50", "60")}
    found = tool2vec.usage_centroids(Angles(), tools, examples)
    assert found == pytest.approx(Angles().encode(["35", "70"], "query"), abs=1e-6)


def test_re_invoke_averages_documents_joined_to_requests() -> None:
    encoder = Angles()
    retriever = re_invoke.ReInvoke(encoder)
    tool = Tool(id="a", name="n", description="d")
    retriever.index([tool, Tool(id="b", name="b", description="80")], {"a": ("10", "30")})
    assert "Documentation: n: d Query: 10" in encoder.seen
    assert "Documentation: b: 80" in encoder.seen
    (found,) = retriever.search(ask("20"), 10, [None])
    assert dict(found)["a"] == pytest.approx(1, abs=1e-6)


def test_re_invoke_takes_the_best_place_over_the_intents() -> None:
    """A tool that is first for one intent comes before one that is second for both."""

    def halves(queries: Sequence[Query]) -> list[list[str]]:
        return [query.text.split(" and ") for query in queries]

    retriever = re_invoke.ReInvoke(Angles(), extract=halves)
    retriever.index([Tool(id=str(a), name=str(a)) for a in (0, 40, 90)], {})
    (found,) = retriever.search(ask("0 and 85"), 10, [None])
    assert sorted(found, key=lambda pair: -pair[1])[2][0] == "40"
    assert re_invoke.best_over_intents([(("a", 0.9), ("b", 0.8)), (("b", 0.5), ("a", 0.4))]) == (
        ("a", 1.0),  # both are first once; the higher cosine wins
        ("b", 0.5),
    )


def test_toolshed_documents_hold_what_the_paper_puts_there() -> None:
    tool = Tool(
        id="t",
        name="create_hrEmployee",
        description="Adds one.",
        parameters=(Parameter("email", description="work address"), Parameter("team")),
    )
    notes = toolshed.Notes(questions=("hire Ann",), topics=("HR",))
    assert toolshed.document(tool, notes) == (
        "Create Hr Employee - Adds one. - email: work address - team - hire Ann - HR"
    )


def test_toolshed_reads_a_request_in_several_ways() -> None:
    (texts,) = toolshed.readings(ask("I moved house. Please change my address and tell payroll."))
    assert texts[0] == "I moved house. Please change my address and tell payroll."
    assert "I moved house." in texts
    assert "Please change my address and tell payroll." in texts
    assert "change address tell payroll" in [t.replace("please ", "") for t in texts]
    assert toolshed.readings(ask("")) == [[""]]


def test_toolshed_lets_others_write_its_notes_and_readings() -> None:
    def annotate(tools: Sequence[Tool], _: object) -> list[object]:
        return [toolshed.Notes(questions=("80",), topics=()) for _ in tools]

    def read(queries: Sequence[Query]) -> list[list[str]]:
        return [["80"] for _ in queries]

    encoder = Angles()
    retriever = toolshed.Toolshed(encoder, annotate, read)
    retriever.index([Tool(id="a", name="0")], {})
    assert encoder.seen == ["0 - 80"]
    ((found,),) = retriever.search(ask("whatever"), 5, [None])
    assert found[0] == "a"


def servers() -> list[Tool]:
    return [
        Tool(id=f"{p}{n}", name=f"{p} {angle + n}", provider=f"{p} {angle}")
        for p, angle in (("x", 10), ("y", 30), ("z", 80))
        for n in range(5)
    ]


def test_mcp_zero_scores_as_the_paper_does() -> None:
    retriever = mcp_zero.MCPZero(Angles())
    retriever.index(servers(), {})
    (found,) = retriever.search(ask("30"), 15, [None])
    scores = dict(found)
    own = [tool for tool in Catalogue(servers()).tools if tool.provider == "y 30"]
    text = mcp_zero.server_text("y 30", own)
    assert text.startswith("y 30. Tools: y 3")
    asked, server, tool = Angles().encode(["30", text, "31"], "query")
    s, t = float(asked @ server), float(asked @ tool)
    assert scores["y1"] == pytest.approx(1 + s * t * max(s, t), abs=1e-5)


def test_mcp_zero_takes_three_tools_of_each_server_before_any_other() -> None:
    retriever = mcp_zero.MCPZero(Angles())
    retriever.index(servers(), {})
    (found,) = retriever.search(ask("30"), 15, [None])
    assert sorted(id_[0] for id_, _ in found[:9]) == list("xxxyyyzzz")
    assert [id_ for id_, _ in found[:3]] == ["y0", "y1", "y2"]
    (scoped,) = retriever.search(ask("30"), 15, [["z0", "z4"]])
    assert {id_ for id_, _ in scoped} == {"z0", "z4"}


def test_mcp_zero_takes_five_servers_before_any_other() -> None:
    tools = [
        Tool(id=f"{angle}-{n}", name=f"t {angle}", provider=f"p{angle}")
        for angle in (10, 20, 30, 40, 50, 60, 70)
        for n in range(2)
    ]
    retriever = mcp_zero.MCPZero(Angles())
    retriever.index(tools, {})
    (found,) = retriever.search(ask("10"), 14, [None])
    assert {id_[:2] for id_, score in found if score > 1} == {"10", "20", "30", "40", "50"}


def test_max_sim_is_colberts_sum_over_best_matches() -> None:
    rng = np.random.default_rng(3)
    tools = [rng.normal(size=(n, 8)).astype(np.float32) for n in (1, 4, 2)]
    query = rng.normal(size=(3, 8)).astype(np.float32)
    starts = np.array([0, 1, 5])
    expected = [np.mean([max(q @ t for t in tool) for q in query]) for tool in tools]
    assert max_sim(query, np.concatenate(tools), starts) == pytest.approx(expected, abs=1e-5)


def test_token_vectors_are_units_in_the_order_of_the_texts() -> None:
    encoder = minilm_tokens()
    short, long, empty = encoder.encode(["weather", "weather in Oslo tomorrow", ""])
    assert (len(short), len(long)) == (1, 4)
    assert len(empty) > 0
    assert np.linalg.norm(long, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert encoder.encode(["weather"])[0] == pytest.approx(short, abs=1e-5)


@pytest.mark.usefixtures("shared_models")
def test_a_static_vector_does_not_depend_on_the_other_words() -> None:
    encoder = static_minilm.load_encoder()
    weather, oslo, both, nothing = encoder.encode(["weather", "oslo", "weather oslo", ""], "query")
    table = encoder._model.embedding
    rows = [encoder._model.tokenizer.token_to_id(word) for word in ("weather", "oslo")]
    mean = table[rows].mean(axis=0)
    assert both == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert weather @ oslo < 0.9
    assert not nothing.any()


@pytest.mark.usefixtures("shared_models")
def test_a_broken_static_model_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = static_minilm.load_encoder()._model.embedding
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(tmp_path))
    broken = tmp_path / "models" / f"{static_minilm.VERSION}.npy"
    broken.parent.mkdir()
    broken.write_bytes(b"\x93NUMPY cut off")
    monkeypatch.setattr(static_minilm, "distil", lambda _: expected)
    assert static_minilm.load_encoder()._model.embedding == pytest.approx(expected)
    assert np.load(broken) == pytest.approx(expected)
