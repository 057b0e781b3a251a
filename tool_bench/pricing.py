"""Cost: measured seconds or tokens times a stated, dated price."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tool_bench.errors import UsageError
from tool_bench.retriever import Spent

if TYPE_CHECKING:
    from tool_bench.results import Cost, Hardware


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """The price of the machine a local method is taken to run on."""

    name: str
    usd_per_hour: float
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The price of a hosted model, in USD for a million tokens, and its limits."""

    input: float
    output: float
    cache_write: float
    """Of tokens written to the service's prompt cache for five minutes."""
    cache_read: float
    context: int
    """Tokens that a request may hold, answer included."""
    date: str
    source: str


def instance_price() -> InstancePrice:
    """Return the price of the instance in ``pricing.toml``."""
    return InstancePrice(**_table()["instance"])


def model_price(model: str) -> ModelPrice:
    """Return the price of ``model`` in ``pricing.toml``.

    Raises:
        UsageError: it has none, so that its cost could not be stated or limited.
    """
    known = _table()["models"]
    if model not in known:
        raise UsageError(f"no price of '{model}' in pricing.toml; it has {', '.join(known)}")
    return ModelPrice(**known[model])


def usd_per_1000_queries(seconds_per_query: float, price: InstancePrice) -> float:
    """Return the compute cost of 1,000 queries that each hold the machine for so many seconds."""
    return seconds_per_query * 1_000 * price.usd_per_hour / 3_600


def computed(seconds_per_query: float, hardware: Hardware) -> Cost | None:
    """Return the cost of a method that runs here; None where the machine is not the priced kind."""
    from tool_bench.results import Cost

    if hardware.accelerator is not None:  # the stated instance has none
        return None
    price = instance_price()
    return Cost(
        usd_per_1000=float(f"{usd_per_1000_queries(seconds_per_query, price):.4g}"),
        basis=f"{price.usd_per_hour} USD/h, {price.name}, {price.date}",
    )


def paid(spent: Mapping[str, Spent], basis: str) -> Cost:
    """Return the cost of a paid service, from what each query took."""
    from tool_bench.results import Cost

    total = sum(spent.values(), Spent())
    return Cost(
        usd_per_1000=float(f"{1_000 * total.usd / len(spent):.4g}"),
        basis=basis,
        input_tokens=round(total.input_tokens / len(spent), 1),
        output_tokens=round(total.output_tokens / len(spent), 1),
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("tool_bench").joinpath("pricing.toml").read_text("utf-8"))
