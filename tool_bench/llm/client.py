"""Asks the Messages API, several requests at once, and never pays for one twice."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

from tool_bench import pricing
from tool_bench.errors import ToolBenchError, UnavailableError
from tool_bench.llm import budget
from tool_bench.llm.answer import Answer, spent_on
from tool_bench.llm.budget import Budget, LimitReachedError
from tool_bench.llm.cache import AnswerStore, check
from tool_bench.llm.estimate import most_usd
from tool_bench.llm.failure import explained, was_sent
from tool_bench.llm.request import MODEL, Request, cached_prefix, key
from tool_bench.progress import report

if TYPE_CHECKING:
    from anthropic import Anthropic

KEY = "ANTHROPIC_API_KEY"
AT_ONCE = 8
MAX_RETRIES = 5
"""Of the SDK: after 408, 409, 429, 5xx and broken connections, with growing pauses."""
TIMEOUT_S = 120.0
"""For one attempt."""
WARM_S = 240.0
"""The service keeps a prompt for five minutes after its last use; a minute is left as a margin."""


class Client:
    """Answers requests from the disk, and buys what is not there within the run's budget."""

    def __init__(self) -> None:
        self._store = AnswerStore()
        self._budget = budget.current()
        self._price = pricing.model_price(MODEL)
        self._kept: set[str] = set()
        self._warm: dict[str, float] = {}
        self._lock = threading.Lock()

    def answers(self, requests: Sequence[Request]) -> list[Answer]:
        """Return an answer to each request; equal ones are asked and paid once.

        Raises:
            UnavailableError: no key, the key is refused, the API cannot be reached, the request is
                larger than the model's context, or the budget is spent.
            ToolBenchError: the API refuses a request or goes on failing. Answers that were paid
                are kept.
        """
        keys = [key(each) for each in requests]
        found: dict[str, Answer] = {}
        missing: dict[str, Request] = {}
        for own, each in dict(zip(keys, requests, strict=True)).items():
            stored = self._store.get(own)
            if stored is None:
                missing[own] = each
            else:
                found[own] = self._answer(*stored)
        self._kept |= found.keys()
        try:
            if missing:
                with _connect() as sdk:
                    for wave in self._waves(missing):
                        self._buy_all(sdk, wave, found, len(found) + len(missing))
        except LimitReachedError as error:
            raise UnavailableError(
                f"{error}: {len(self._kept):,} answers are there and kept; a higher --max-usd goes "
                "on from here"
            ) from None
        return [found[own] for own in keys]

    def _waves(self, missing: Mapping[str, Request]) -> Iterator[dict[str, Request]]:
        """Split requests into those that fill the service's cache and those that then read it."""
        filling: dict[str, Request] = {}
        prefixes: set[str | None] = {None}
        for own, each in missing.items():
            prefix = cached_prefix(each)
            if prefix in prefixes:
                continue
            prefixes.add(prefix)
            if time.monotonic() - self._warm.get(prefix or "", -WARM_S) >= WARM_S:
                filling[own] = each
        rest = {own: each for own, each in missing.items() if own not in filling}
        yield from filter(None, (filling, rest))

    def _buy_all(
        self, sdk: Anthropic, wave: Mapping[str, Request], found: dict[str, Answer], total: int
    ) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {pool.submit(self._buy, sdk, own, each): own for own, each in wave.items()}
            try:
                for future in as_completed(futures):
                    report(f"ask {MODEL}", len(found), total)
                    found[futures[future]] = future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # the block's end waits for the rest
                raise

    def _buy(self, sdk: Anthropic, own: str, asked: Request) -> Answer:
        """Pay for one answer and keep it; runs in a thread."""
        attempt = _Attempt(self._budget, most_usd(asked, self._price))
        began = time.perf_counter()
        try:
            raw = sdk.with_options(middleware=[attempt]).messages.with_raw_response.create(**asked)
        except ToolBenchError:
            raise
        except Exception as error:
            raise explained(error) from error
        seconds = time.perf_counter() - began
        cost = attempt.reserved
        try:
            message = raw.http_response.json()
            check(message)
            answer = self._answer(message, seconds)
            cost = answer.spent.usd
            self._store.put(own, message, seconds, cost)
        except (ValueError, KeyError, TypeError):
            problem = "answered with something that is no message; is ANTHROPIC_BASE_URL right?"
            raise ToolBenchError(f"the API {problem}") from None
        finally:
            self._budget.settle(attempt.reserved, cost)
        with self._lock:
            self._kept.add(own)
            prefix = cached_prefix(asked)
            if prefix is not None:
                self._warm[prefix] = time.monotonic()
        return answer

    def _answer(self, message: Mapping[str, Any], seconds: float) -> Answer:
        return Answer(message, spent_on(message["usage"], seconds, self._price))


def _connect() -> Anthropic:
    if importlib.util.find_spec("anthropic") is None:
        raise UnavailableError("needs anthropic: pip install 'tool-bench[llm]'")
    if not os.environ.get(KEY):
        raise UnavailableError(f"needs an API key in {KEY}")
    from anthropic import Anthropic

    return Anthropic(api_key=os.environ[KEY], max_retries=MAX_RETRIES, timeout=TIMEOUT_S)


class _Attempt:
    """Puts money aside before each attempt of the SDK at one request.

    The SDK's retries are attempts too, and one that broke off after it was sent may be billed.
    """

    def __init__(self, own: Budget, most: float) -> None:
        self._budget = own
        self.reserved = most

    def __call__(self, request: Any, call_next: Any) -> Any:
        self._budget.reserve(self.reserved)
        try:
            response = call_next(request)
        except BaseException as error:
            self._budget.settle(self.reserved, self.reserved if was_sent(error) else 0.0)
            raise
        if not response.http_response.is_success:  # errors are free
            self._budget.settle(self.reserved, 0.0)
        return response
