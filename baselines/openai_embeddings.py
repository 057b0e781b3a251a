"""OpenAI's embedding models through mteb's client; paid by the token."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.dense import DenseRetriever, rendered
from tool_bench.encoder import Encoder, Role, seconds_saved
from tool_bench.errors import UnavailableError
from tool_bench.llm import budget
from tool_bench.prices import ModelPrice
from tool_bench.pricing import model_price
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever, Spent
from tool_bench.tool import Style, Tool, render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tiktoken import Encoding

_STYLE: Style = "name-description"
_REVISION = "3"  # mteb's, of its client: the service names no versions
_TOKENIZER = "cl100k_base"
_MAX_TOKENS = 8191
_CHARACTERS_PER_TOKEN = 4
_ATTEMPTS = 9  # at most for one request: mteb tries three times, and OpenAI's SDK three each


class BudgetedEncoder:
    """An encoder that books what it will cost before it asks."""

    def __init__(
        self, encoder: Encoder, identity: str, tokens: Encoding, price: ModelPrice
    ) -> None:
        self.identity = identity
        self._encoder = encoder
        self._tokens = tokens
        self._price = price
        self._budget = budget.current()

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions); UnavailableError at the limit."""
        usd = _spent_on(texts, self._tokens, self._price).usd
        most = _ATTEMPTS * usd
        self._budget.reserve(most)
        paid = most  # what fails may be billed too
        try:
            vectors = self._encoder.encode(texts, role)
            paid = usd
        finally:
            self._budget.settle(most, paid)
        return vectors


class PaidDense(DenseRetriever):
    """Dense retrieval that asks for each query's vector alone and keeps what it took."""

    def __init__(self, name: str, encoder: Encoder, tokens: Encoding) -> None:
        super().__init__(encoder, rendered(_STYLE))
        self._name = name
        self._price = model_price(name)
        self._tokens = tokens
        self._spent: dict[str, Spent] = {}
        self._indexing = Spent()

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Ask for one vector per tool."""
        with _answering():
            super().index(tools, examples)
        distinct = {render(tool, _STYLE) for tool in tools}
        self._indexing = _spent_on(distinct, self._tokens, self._price)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank; one request to the service per query whose vector is not stored."""
        rankings: list[Ranking] = []
        for query, candidates in zip(queries, scopes, strict=True):
            began, saved = time.perf_counter(), seconds_saved()
            with _answering():
                rankings += super().search([query], k, [candidates])
            seconds = time.perf_counter() - began + seconds_saved() - saved
            spent = _spent_on([query.instructed], self._tokens, self._price)
            self._spent[query.id] = replace(spent, seconds=seconds)
        return rankings

    def spent(self) -> Mapping[str, Spent]:
        """Return query id -> what its vector took when it was first asked for."""
        return self._spent

    def indexing(self) -> Spent:
        """Return what the tools' vectors took when they were first asked for."""
        return self._indexing

    def model(self) -> str:
        """Return the model that is paid."""
        return self._name


def _spent_on(texts: Iterable[str], tokens: Encoding, price: ModelPrice) -> Spent:
    """Return what texts take; the service reads no more of one than it can."""
    read = sum(min(len(tokens.encode_ordinary(text)), _MAX_TOKENS) for text in texts)
    return Spent(usd=price.usd(read, 0, 0, 0), fresh=read)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn a service that does not answer, or refuses to, into UnavailableError."""
    from openai import OpenAIError

    try:
        yield
    except OpenAIError as error:
        raise UnavailableError(f"OpenAI: {type(error).__name__}: {error}") from error


def load(name: str) -> Retriever:
    """Open the service.

    Raises:
        UnavailableError: a package, the key or the tokenizer's file, which is fetched, is missing.
    """
    from tool_bench.encoder import CachedEncoder
    from tool_bench.hub_load import mteb_meta
    from tool_bench.mteb_models import MtebEncoder

    try:
        import tiktoken

        with _answering():
            model = mteb_meta(name, _REVISION).load_model()
        tokens = tiktoken.get_encoding(_TOKENIZER)
    except (ImportError, OSError) as error:
        raise UnavailableError(f"{name}: {' '.join(str(error).split())}") from error
    identity = f"{name}@{_REVISION}"  # the same on every machine: it is computed elsewhere
    asked = MtebEncoder(model, identity)
    encoder = CachedEncoder(BudgetedEncoder(asked, identity, tokens, model_price(name)))
    return PaidDense(name, encoder, tokens)


def expected(name: str, dataset: ToolDataset) -> Spent:
    """Return what embedding every tool and query takes, at four characters a token."""
    texts = [render(tool, _STYLE) for tool in dataset.tools]
    texts += [query.instructed for query in dataset.queries]
    tokens = sum(map(len, texts)) // _CHARACTERS_PER_TOKEN
    return Spent(usd=model_price(name).usd(tokens, 0, 0, 0), fresh=tokens)


def _model(name: str, dimensions: int, reference: str) -> Baseline:
    return Baseline(
        name=f"openai/{name}",
        kind="dense",
        description=f"OpenAI's {name} over 'name: description': a paid service, no prompt.",
        reference=f"https://openai.com/index/{reference}/",
        license="proprietary",
        load=partial(load, f"openai/{name}"),
        revision=_REVISION,
        style=_STYLE,
        settings={
            "prompts": "mteb",
            "query prompt": "",
            "document prompt": "",
            "dimensions": dimensions,
            "max tokens": _MAX_TOKENS,
        },
        needs=Needs(modules=("openai", "tiktoken"), extra="openai", key="OPENAI_API_KEY"),
        speed=Speed(start=15, per_tool=0.02, per_query=0.4),
        arguments=("--model", f"openai/{name}", "--revision", _REVISION),
        expected=partial(expected, f"openai/{name}"),
    )


BASELINES = (
    _model("text-embedding-ada-002", 1536, "new-and-improved-embedding-model"),
    _model("text-embedding-3-small", 1536, "new-embedding-models-and-api-updates"),
    _model("text-embedding-3-large", 3072, "new-embedding-models-and-api-updates"),
)
