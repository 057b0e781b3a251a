"""Cost: measured seconds or tokens times a stated, dated price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tool_bench.prices import InstancePrice, ModelPrice, Prices, ours
from tool_bench.retriever import Spent

if TYPE_CHECKING:
    from tool_bench.results import Cost, Hardware, Result, TokenUse

_TOKEN_DIGITS = 3


def model_price(model: str) -> ModelPrice:
    """Return the price of ``model`` in ``pricing.toml``.

    Raises:
        UsageError: it has none, so that its cost could not be stated or limited.
    """
    return ours().model(model)


def computed(
    seconds_per_query: float, index_s: float, hardware: Hardware, prices: Prices | None = None
) -> Cost | None:
    """Return the cost of a method that runs here.

    None where the machine is not of the priced kind: the instance in ``pricing.toml`` has no
    accelerator, and only the user knows what an hour of another machine costs.
    """
    from tool_bench.results import Cost

    prices = prices or ours()
    if hardware.accelerator is not None and not prices.own_instance:
        return None
    price = prices.instance
    return Cost(
        usd_per_1000=_usd(1_000 * _hours_usd(seconds_per_query, price)),
        index_usd=_usd(_hours_usd(index_s, price)),
        basis=f"{price.usd_per_hour} USD/h, {price.name}, {price.date}",
        source=price.source,
        model=None,
        tokens=None,
        index_tokens=None,
    )


def paid(spent: Mapping[str, Spent], indexing: Spent, model: str) -> Cost:
    """Return the cost of a paid service.

    Args:
        spent: query id -> what its ranking took.
        indexing: what indexing took.
        model: the hosted model, as ``pricing.toml`` names it.
    """
    total = sum(spent.values(), Spent())
    tokens, index_tokens = _tokens(total, len(spent)), _tokens(indexing, 1)
    return _of_tokens(model, model_price(model), tokens, index_tokens)


def repriced(result: Result, prices: Prices) -> Cost | None:
    """Return what ``result`` costs at other prices, from the seconds and tokens it has stored.

    None where that is not known: it was never timed, the machine is not of the priced kind, or
    the hosted model has no price.
    """
    cost, timing = result.cost, result.timing
    if cost is not None and cost.model is not None:
        price = prices.models.get(cost.model)
        if price is None or cost.tokens is None or cost.index_tokens is None:
            return None
        return _of_tokens(cost.model, price, cost.tokens, cost.index_tokens)
    if timing is None:
        return None
    seconds = timing.latency_mean_ms / 1_000
    return computed(seconds, timing.index_s, result.provenance.hardware, prices)


def _hours_usd(seconds: float, price: InstancePrice) -> float:
    return seconds * price.usd_per_hour / 3_600


def _of_tokens(model: str, price: ModelPrice, tokens: TokenUse, index_tokens: TokenUse) -> Cost:
    from tool_bench.results import Cost

    return Cost(
        usd_per_1000=_usd(1_000 * price.usd(**tokens.model_dump())),
        index_usd=_usd(price.usd(**index_tokens.model_dump())),
        basis=f"{model}, {price.stated()}, {price.date}",
        source=price.source,
        model=model,
        tokens=tokens,
        index_tokens=index_tokens,
    )


def _tokens(spent: Spent, shares: int) -> TokenUse:
    from tool_bench.results import TokenUse

    return TokenUse(
        fresh=round(spent.fresh / shares, _TOKEN_DIGITS),
        cache_write=round(spent.cache_write / shares, _TOKEN_DIGITS),
        cache_read=round(spent.cache_read / shares, _TOKEN_DIGITS),
        output=round(spent.output / shares, _TOKEN_DIGITS),
    )


def _usd(value: float) -> float:
    return float(f"{value:.4g}")
