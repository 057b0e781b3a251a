"""The loss: sentence-transformers' own where nothing may be right, and masks where it may."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from tool_bench.training.contrast import (
    ANSWER,
    MASKED,
    Collator,
    Contrast,
    info_nce,
    unit_vectors,
)

TEXTS = {
    "a": "copy: Copies files.",
    "b": "move: Moves files.",
    "c": "list: Lists files.",
    "d": "drop: Drops files.",
    "e": "copy: Copies files.",  # the text of "a"
    "f": "send: Sends files.",
}


def row(query: str, tool: str, negatives: str = "", right: str = "") -> dict[str, Any]:
    return {"query": query, "tool": tool, "negatives": [*negatives], "right": [*(right or tool)]}


class Recorder:
    """Stands in for a tokenizer, and keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[list[str], str | None]] = []

    def __call__(self, texts: list[str], prompt: str | None = None) -> dict[str, Any]:
        self.seen.append((texts, prompt))
        return {"input_ids": torch.arange(len(texts))}


def batch_of(*rows: Mapping[str, Any]) -> tuple[list[str], list[list[int]]]:
    """Return the texts of the batch's tools, and its labels."""
    recorder = Recorder()
    made = Collator(recorder, rows=rows, texts=TEXTS)([{"row": n} for n in range(len(rows))])
    assert recorder.seen[0][0] == [each["query"] for each in rows]
    assert made.keys() == {"label", "query_input_ids", "document_input_ids"}
    return recorder.seen[1][0], made["label"].tolist()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformer:
    folder = tiny.sentence_model(tmp_path_factory.mktemp("model"), {})
    return SentenceTransformer(str(folder), device="cpu").eval()


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize("negatives", [("", "", ""), ("d", "f", "e")])
def test_without_false_negatives_it_is_the_librarys_loss(
    model: SentenceTransformer, scale: float, negatives: tuple[str, ...]
) -> None:
    """Explicit negatives of one row count for all rows, in both."""
    texts = {**TEXTS, "e": "grow: Grows files."}
    rows = [
        row(query, tool, bad)
        for query, tool, bad in zip(
            ("make a copy", "put it there", "what is there"), "abc", negatives, strict=True
        )
    ]
    collator = Collator(model.preprocess, rows=rows, texts=texts)
    ours = loss(model, scale, collator([{"row": n} for n in range(3)]))
    columns = [[each["query"] for each in rows], [texts[each["tool"]] for each in rows]]
    if negatives[0]:
        columns.append([texts[bad] for bad in negatives])
    library = MultipleNegativesRankingLoss(model, scale=scale)
    theirs = library([model.preprocess(column) for column in columns], None)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5)
    assert ours.item() > 0

    gradients = [
        torch.autograd.grad(value, [*model.parameters()], allow_unused=True)
        for value in (ours, theirs)
    ]
    compared = [(a, b) for a, b in zip(*gradients, strict=True) if b is not None]
    assert compared
    for mine, librarys in compared:
        torch.testing.assert_close(mine, librarys, atol=1e-5, rtol=1e-3)


def loss(model: SentenceTransformer, scale: float, batch: Mapping[str, Any]) -> torch.Tensor:
    """Return the loss of a batch as the trainer gives it to the loss."""
    features = [
        {
            key.removeprefix(f"{name}_"): value
            for key, value in batch.items()
            if key.startswith(f"{name}_")
        }
        for name in ("query", "document")
    ]
    value: torch.Tensor = Contrast(model, scale)(features, batch["label"])
    return value


def test_texts_of_like_length_go_together_and_nothing_else_changes(
    model: SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [" ".join(["copies files"] * n) for n in (5, 1, 9, 2, 1, 7)]
    tokens = model.preprocess(texts)
    whole = torch.nn.functional.normalize(model(dict(tokens))["sentence_embedding"], dim=1)
    widths: list[int] = []

    def watched(features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        widths.append(features["input_ids"].shape[1])
        made: dict[str, torch.Tensor] = model(features)
        return made

    monkeypatch.setattr("tool_bench.training.contrast.TOGETHER", 2)
    parted = unit_vectors(watched, tokens)
    torch.testing.assert_close(parted, whole, atol=1e-5, rtol=1e-4)
    longest = tokens["attention_mask"].sum(dim=1).sort().values
    assert widths == [int(longest[n]) for n in (1, 3, 5)]


def test_each_tool_is_encoded_once_however_many_rows_name_it() -> None:
    documents, labels = batch_of(row("q1", "a", "bc"), row("q2", "b", "ac"), row("q3", "e", "b"))
    assert documents == [TEXTS["a"], TEXTS["b"], TEXTS["c"]]
    assert labels == [[ANSWER, 0, 0], [0, ANSWER, 0], [ANSWER, 0, 0]]


def test_what_may_be_right_is_masked_in_every_row_that_it_may_be_right_for() -> None:
    documents, labels = batch_of(
        row("q1", "a", "c", right="abf"), row("q2", "b", "d", right="b"), row("q3", "d", right="da")
    )
    assert documents == [TEXTS[id_] for id_ in "acbd"]
    assert labels == [
        [ANSWER, 0, MASKED, 0],
        [0, 0, ANSWER, 0],
        [MASKED, 0, 0, ANSWER],
    ]


def test_a_tool_with_the_text_of_a_right_one_is_masked_too() -> None:
    """Of another source, say: the model cannot tell them apart."""
    _, labels = batch_of(row("q1", "b", right="ba"), row("q2", "e"))
    assert labels == [[ANSWER, MASKED], [0, ANSWER]]
    _, labels = batch_of(row("q1", "b", "e", right="ba"))  # not even as a negative
    assert labels == [[ANSWER, MASKED]]


def test_a_negative_that_is_right_elsewhere_counts_as_wrong() -> None:
    """The same action of another provider, where the request names its own."""
    _, labels = batch_of(row("copy in acme", "a", "b", right="ab"), row("q2", "b", right="ab"))
    assert labels == [[ANSWER, 0], [MASKED, ANSWER]]


def test_the_answer_is_the_answer_whatever_else_its_text_is() -> None:
    _, labels = batch_of(row("q1", "a", "e", right="ae"))
    assert labels == [[ANSWER]]


def test_a_small_catalogue_is_whole_in_each_of_its_own_batches() -> None:
    texts = {f"{source}/{id_}": f"{source} {id_}" for source in ("one", "two") for id_ in "abc"}
    rows = [
        {"query": id_, "tool": f"{source}/{id_}", "negatives": [], "right": [f"{source}/{id_}"]}
        for source, ids in (("one", "abc"), ("two", "ab"))
        for id_ in ids
    ]

    def tools(most: int, *numbers: int) -> list[str]:
        recorder = Recorder()
        collator = Collator(recorder, rows=rows, texts=texts, whole_catalogue=most)
        collator([{"row": number} for number in numbers])
        return recorder.seen[1][0]

    assert tools(0, 3) == tools(1, 3) == ["two a"]
    assert tools(2, 3) == ["two a", "two b"]  # "c" is never trained on
    assert tools(2, 1) == ["one b"]
    assert tools(3, 1) == ["one b", "one a", "one c"]
    assert tools(3, 0, 4) == ["one a", "two b"]  # neither catalogue is the batch's


class Vectors(torch.nn.Module):
    """A model whose vectors are its input."""

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"sentence_embedding": features["vectors"]}


def as_tokens(vectors: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"vectors": vectors, "attention_mask": torch.ones_like(vectors)}


def test_half_precision_does_not_reach_the_cosines() -> None:
    """Two tools whose cosines differ by a thousandth are as far apart as in full precision."""
    query = torch.tensor([[1.0, 0.0]])
    tools = torch.tensor([[0.9, (1 - 0.9**2) ** 0.5], [0.901, (1 - 0.901**2) ** 0.5]])
    contrast, labels = Contrast(Vectors(), 20), torch.tensor([[ANSWER, 0]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = contrast([as_tokens(query), as_tokens(tools)], labels)
    assert half.item() == pytest.approx(math.log(1 + math.exp(0.02)), abs=1e-5)


def test_masked_tools_do_not_move_and_the_others_part() -> None:
    scores = torch.tensor([[2.0, 1.0, 5.0], [0.5, 3.0, 1.0]], requires_grad=True)
    labels = torch.tensor([[ANSWER, 0, MASKED], [0, ANSWER, 0]])
    value = info_nce(scores, labels)
    first = -math.log(math.exp(2) / (math.exp(2) + math.exp(1)))
    second = -math.log(math.exp(3) / (math.exp(0.5) + math.exp(3) + math.exp(1)))
    assert value.item() == pytest.approx((first + second) / 2, abs=1e-6)
    torch.autograd.backward(value)
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0, 2] == 0
    for number in range(2):
        for column, label in enumerate(labels[number]):
            if label != MASKED:
                assert (scores.grad[number, column] < 0) == bool(label == ANSWER)


def test_a_row_whose_other_tools_are_all_masked_teaches_nothing() -> None:
    scores = torch.tensor([[1.0, 9.0]], requires_grad=True)
    value = info_nce(scores, torch.tensor([[ANSWER, MASKED]]))
    torch.autograd.backward(value)
    assert value.item() == 0
    assert scores.grad is not None
    assert not scores.grad.any()


def test_every_weight_that_makes_a_vector_learns(model: SentenceTransformer) -> None:
    rows = [row("make a copy", "a", "d"), row("put it there", "b", "c")]
    collator = Collator(model.preprocess, rows=rows, texts=TEXTS)
    model.zero_grad()
    torch.autograd.backward(loss(model, 20, collator([{"row": 0}, {"row": 1}])))
    silent = {name for name, x in model.named_parameters() if x.grad is None or not x.grad.any()}
    assert {name.split(".")[2] for name in silent} <= {"pooler"}  # which CLS pooling does not ask
    model.zero_grad()


@pytest.mark.parametrize("prompts", [{}, tiny.OWN_PROMPTS], ids=["plain", "prompts"])
def test_the_model_is_trained_on_the_tokens_that_it_is_asked_with(
    tmp_path: Path, prompts: dict[str, str]
) -> None:
    """What training feeds it gives the vectors that evaluation gets, its own prompts included."""
    folder = tiny.sentence_model(tmp_path, prompts)
    own = SentenceTransformer(str(folder), device="cpu").eval()
    rows: Sequence[dict[str, Any]] = [row("make a copy", "a", "d"), row("put it", "b", "c")]
    collator = Collator(own.preprocess, rows=rows, texts=TEXTS, own_prompts=own.prompts)
    batch = collator([{"row": 0}, {"row": 1}])
    for name, texts, encode in (
        ("query", [each["query"] for each in rows], own.encode_query),
        ("document", [TEXTS[id_] for id_ in "adbc"], own.encode_document),
    ):
        features = {k.partition("_")[2]: v for k, v in batch.items() if k.startswith(f"{name}_")}
        with torch.no_grad():
            trained = own(features)["sentence_embedding"]
        evaluated = torch.as_tensor(encode(texts))
        torch.testing.assert_close(trained, evaluated, atol=1e-5, rtol=1e-4)
