"""Cost: measured seconds times a stated, dated price."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """The price of the machine a local method is taken to run on."""

    name: str
    usd_per_hour: float
    date: str
    source: str


@lru_cache(maxsize=1)
def instance_price() -> InstancePrice:
    """Return the price in ``pricing.toml``."""
    table = tomllib.loads(files("tool_bench").joinpath("pricing.toml").read_text("utf-8"))
    return InstancePrice(**table["instance"])


def usd_per_1000_queries(seconds_per_query: float, price: InstancePrice) -> float:
    """Return the compute cost of 1,000 queries that each hold the machine for so many seconds."""
    return seconds_per_query * 1_000 * price.usd_per_hour / 3_600
