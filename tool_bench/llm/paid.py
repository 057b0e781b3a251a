"""What retrievers that ask a hosted model share: what each ranking took, and scores from ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from tool_bench.llm.answer import Answer
from tool_bench.llm.request import MODEL, Request, request
from tool_bench.query import Query
from tool_bench.retriever import Ranking, Spent


class Paid:
    """Base of a retriever that is :class:`~tool_bench.retriever.Metered`."""

    def __init__(self) -> None:
        from tool_bench.llm.client import Client

        self._client = Client()
        self._spent: dict[str, Spent] = {}
        self._indexing = Spent()

    def spent(self) -> Mapping[str, Spent]:
        """Return query id -> what its newest ranking took when it was first asked for."""
        return self._spent

    def indexing(self) -> Spent:
        """Return what indexing took when it was first asked for."""
        return self._indexing

    def model(self) -> str:
        """Return the hosted model that is paid."""
        return MODEL

    def _ask_for_index(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Return the model's text for each prompt; equal ones are asked and counted once."""
        distinct = list(dict.fromkeys(prompts))
        answers = self._client.answers([request(prompt, max_tokens) for prompt in distinct])
        self._indexing = sum((answer.spent for answer in answers), Spent())
        texts = {prompt: answer.text for prompt, answer in zip(distinct, answers, strict=True)}
        return [texts[prompt] for prompt in prompts]

    def _begin(self, queries: Sequence[Query]) -> None:
        """Forget what earlier rankings of ``queries`` took."""
        self._spent.update((query.id, Spent()) for query in queries)

    def _ask(
        self, queries: Sequence[Query], requests: Sequence[Request | None]
    ) -> list[Answer | None]:
        """Return the answer to each query's request; None where there is nothing to ask."""
        pairs = zip(queries, requests, strict=True)
        asked = [(query, each) for query, each in pairs if each is not None]
        answers = iter(self._client.answers([each for _, each in asked]))
        given = [None if each is None else next(answers) for each in requests]
        for query, answer in zip(queries, given, strict=True):
            if answer is not None:
                self._spent[query.id] += answer.spent
        return given


def ranked(ids: Iterable[str], k: int) -> Ranking:
    """Return the first ``k`` ids with scores that fall with their rank."""
    return tuple((id_, 1 / rank) for rank, id_ in enumerate(islice(ids, k), start=1))
