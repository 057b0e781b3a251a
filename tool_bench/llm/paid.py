"""What retrievers that ask a hosted model share: what each ranking took, and scores from ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from tool_bench import pricing
from tool_bench.llm.answer import Answer
from tool_bench.llm.request import MODEL, Request
from tool_bench.query import Query
from tool_bench.retriever import Ranking, Spent


class Paid:
    """Base of a retriever that is :class:`~tool_bench.retriever.Metered`."""

    def __init__(self) -> None:
        from tool_bench.llm.client import Client

        self._client = Client()
        self._spent: dict[str, Spent] = {}

    def spent(self) -> Mapping[str, Spent]:
        """Return query id -> what its newest ranking took when it was first asked for."""
        return self._spent

    def basis(self) -> str:
        """Return the prices the dollars stand on, with their date."""
        price = pricing.model_price(MODEL)
        return (
            f"{MODEL}, USD for a million tokens: {price.input:g} input, {price.output:g} output, "
            f"{price.cache_write:g} written to and {price.cache_read:g} read from its cache, "
            f"{price.date}"
        )

    def _begin(self, queries: Sequence[Query]) -> None:
        """Forget what earlier rankings of ``queries`` took."""
        self._spent.update((query.id, Spent()) for query in queries)

    def _ask(
        self, queries: Sequence[Query], requests: Sequence[Request | None]
    ) -> list[Answer | None]:
        """Return the answer to each query's request; None where there is nothing to ask."""
        pairs = zip(queries, requests, strict=True)
        asked = [(query, request) for query, request in pairs if request is not None]
        answers = iter(self._client.answers([request for _, request in asked]))
        given = [None if request is None else next(answers) for request in requests]
        for query, answer in zip(queries, given, strict=True):
            if answer is not None:
                self._spent[query.id] += answer.spent
        return given


def ranked(ids: Iterable[str], k: int) -> Ranking:
    """Return the first ``k`` ids with scores that fall with their rank."""
    return tuple((id_, 1 / rank) for rank, id_ in enumerate(islice(ids, k), start=1))
