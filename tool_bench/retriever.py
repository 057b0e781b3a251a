"""What a method must do, and the ranking step that full-scan methods share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tool_bench.dataset import Examples
from tool_bench.errors import RetrieverError
from tool_bench.query import Query
from tool_bench.tool import Tool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Ranking = tuple[tuple[str, float], ...]
"""(tool id, score) pairs, best first, no tool twice."""
Candidates = Sequence[str] | None
"""Ids of the tools a query may be answered with; None means the whole catalogue."""


class Retriever(Protocol):
    """A method of tool retrieval. The harness calls ``index`` once, then ``search``."""

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Prepare to search ``tools``.

        Args:
            tools: the whole catalogue, in no meaningful order.
            examples: tool id -> usage queries; empty for a method that does not declare
                ``uses_examples`` and for tasks that have none.
        """
        ...

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank the tools for each query.

        Args:
            queries: the requests, any number.
            k: how many tools to return for each, fewer only where there are fewer candidates
                (or where the method declares ``may_rank_fewer``). What is below the ``k`` best is
                cut off.
            scopes: for each query its candidates; nothing else may be returned for it.

        Returns:
            One ranking per query, in the order of ``queries``. Scores: higher is better; equal
            scores are a tie, which the harness breaks.
        """
        ...


@dataclass(frozen=True, slots=True)
class Spent:
    """What answers of a paid service took."""

    seconds: float = 0.0
    """From sending to the last byte, retries included; summed where requests ran side by side."""
    usd: float = 0.0
    fresh: int = 0
    """Tokens of input that were neither written to the service's cache nor read from it."""
    cache_write: int = 0
    cache_read: int = 0
    output: int = 0

    @property
    def input_tokens(self) -> int:
        """All that was read, at whatever price."""
        return self.fresh + self.cache_write + self.cache_read

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.seconds + other.seconds,
            self.usd + other.usd,
            self.fresh + other.fresh,
            self.cache_write + other.cache_write,
            self.cache_read + other.cache_read,
            self.output + other.output,
        )


@runtime_checkable
class Metered(Protocol):
    """A retriever that pays for its answers and keeps what each one took.

    Its answers are stored, so asking again would measure the disk: latency and cost come from
    what is kept here.
    """

    def spent(self) -> Mapping[str, Spent]:
        """Return query id -> what its newest ranking took when it was first asked for."""
        ...

    def indexing(self) -> Spent:
        """Return what indexing took when it was first asked for; nothing where it asks nothing."""
        ...

    def model(self) -> str:
        """Return the hosted model that is paid, as ``pricing.toml`` names it."""
        ...


def tie_key(tool_id: str) -> bytes:
    """Return the sort key that breaks ties between tools with equal scores.

    It is a fixed random shuffle of every catalogue: it depends on the id alone, so a tie favours
    neither catalogue order nor alphabet, and a scorer that returns a constant gets chance level.
    """
    return hashlib.sha256(b"tool-bench/ties:" + tool_id.encode()).digest()


def best(scores: Mapping[str, float], k: int) -> Ranking:
    """Return the ``k`` best of tool id -> score; ties at the cut are broken as everywhere."""
    order = sorted(scores.items(), key=lambda pair: (-pair[1], tie_key(pair[0])))
    return tuple(order[:k])


class Catalogue:
    """Tool ids in tie order, and the top-k step over a score for each of them.

    A full-scan method scores the tools in the order of :attr:`tools` and lets :meth:`top` rank
    them, so that ties at the cut are broken as the harness breaks them.
    """

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.tools = sorted(tools, key=lambda tool: tie_key(tool.id))
        self.ids = [tool.id for tool in self.tools]
        self._position = {id_: i for i, id_ in enumerate(self.ids)}

    def top(self, scores: NDArray[np.floating], k: int, candidates: Candidates) -> Ranking:
        """Return the ``k`` best of ``candidates``.

        Args:
            scores: one finite score per tool, in the order of :attr:`tools`; shape (tools,).
            k: how many.
            candidates: ids that may be returned; unknown ids are ignored.

        Raises:
            RetrieverError: a score is not a finite number.
        """
        import numpy as np

        if not np.isfinite(scores).all():
            worst = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise RetrieverError(f"score of '{self.ids[worst]}' is {scores[worst]}")
        if candidates is None:
            positions = None
        else:
            known = {self._position[id_] for id_ in candidates if id_ in self._position}
            positions = np.array(sorted(known), dtype=np.intp)
            scores = scores[positions]
        if k < len(scores):
            cut = np.partition(scores, len(scores) - k)[len(scores) - k]
            kept = np.flatnonzero(scores >= cut)
        else:
            kept = np.arange(len(scores))
        best = kept[np.argsort(-scores[kept], kind="stable")][:k]
        rows = best if positions is None else positions[best]
        return tuple(
            (self.ids[row], float(score)) for row, score in zip(rows, scores[best], strict=True)
        )
