"""Price tables: the dated one that ships, and a user's own in the same form."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from tool_bench.errors import DataError, UsageError

_MILLION = 1_000_000
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")
_SECTIONS = {"instance", "models"}


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

    def usd(self, fresh: float, cache_write: float, cache_read: float, output: float) -> float:
        """Return the dollars for so many tokens of each class."""
        return (
            fresh * self.input
            + cache_write * self.cache_write
            + cache_read * self.cache_read
            + output * self.output
        ) / _MILLION

    def stated(self) -> str:
        """Return the price in words."""
        if self.output == 0 and self.cache_write == self.cache_read == self.input:
            return f"{self.input:g} USD for a million tokens"
        return (
            f"USD for a million tokens: {self.input:g} input, {self.output:g} output, "
            f"{self.cache_write:g} written to and {self.cache_read:g} read from its cache"
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """What machines and hosted models cost."""

    instance: InstancePrice
    models: Mapping[str, ModelPrice] = field(default_factory=dict)
    own_instance: bool = False
    """Whether the user says what the machine costs, so that it may be any machine."""

    def model(self, name: str) -> ModelPrice:
        """Return the price of a hosted model; UsageError where there is none."""
        if name not in self.models:
            known = ", ".join(self.models)
            raise UsageError(f"no price of '{name}' in pricing.toml; it has {known}")
        return self.models[name]


Price = TypeVar("Price", InstancePrice, ModelPrice)


@lru_cache(maxsize=1)
def ours() -> Prices:
    """Return the table that ships, ``pricing.toml``."""
    text = files("tool_bench").joinpath("pricing.toml").read_text("utf-8")
    instance, models = _read("pricing.toml", text)
    assert instance is not None
    return Prices(instance, models)


def load_prices(path: Path | None = None, usd_per_hour: float | None = None) -> Prices:
    """Return our prices, or a user's own where they are given.

    Args:
        path: a file in the form of ``pricing.toml``. It may hold a part of what that holds; each
            of its entries replaces ours of the same name as a whole.
        usd_per_hour: of the machine that local methods run on; it comes before ``path``.

    Raises:
        DataError: the file cannot be read, or an entry lacks a key, has one too many, or holds a
            value of another kind.
        UsageError: ``usd_per_hour`` is no amount.
    """
    prices = ours()
    if path is not None:
        instance, models = _read(path, _text(path))
        prices = replace(prices, models={**prices.models, **models})
        if instance is not None:
            prices = replace(prices, instance=instance, own_instance=True)
    if usd_per_hour is not None:
        if not _is_amount(usd_per_hour):
            raise UsageError(f"--usd-per-hour is {usd_per_hour}; give an amount of 0 or more")
        given = InstancePrice("as given", usd_per_hour, _today(), "command line")
        prices = replace(prices, instance=given, own_instance=True)
    return prices


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(path, f"is not UTF-8: {error}") from None


def _read(file: object, text: str) -> tuple[InstancePrice | None, dict[str, ModelPrice]]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(file, f"is not TOML: {error}") from None
    for name in table.keys() - _SECTIONS:
        raise DataError(file, f"unknown; known are {' and '.join(sorted(_SECTIONS))}", f"[{name}]")
    models = table.get("models", {})
    if not isinstance(models, dict):
        raise DataError(file, "must be a table of models", "[models]")
    instance = table.get("instance")
    return (
        None if instance is None else _entry(file, "[instance]", InstancePrice, instance),
        {
            name: _entry(file, f'[models."{name}"]', ModelPrice, entry)
            for name, entry in models.items()
        },
    )


def _entry(file: object, where: str, kind: type[Price], entry: Any) -> Price:
    if not isinstance(entry, dict):
        raise DataError(file, "must be a table", where)
    expected = {known.name: known.type for known in fields(kind)}
    for name in entry.keys() - expected.keys():
        raise DataError(file, f"unknown key '{name}'; known are {', '.join(expected)}", where)
    for name in expected:
        if name not in entry:
            raise DataError(file, f"key '{name}' is missing", where)
    values = {name: _value(file, where, name, entry[name], expected[name]) for name in expected}
    return kind(**values)


def _value(file: object, where: str, name: str, value: Any, kind: object) -> Any:
    """Check one value of an entry and return it; ``kind`` is the field's type as it is written."""
    if name == "date":
        text = value.isoformat() if type(value) is date else value
        if not isinstance(text, str) or not _DATE.fullmatch(text):
            raise DataError(file, f"date is {value!r}, expected 2026-01-31 or 2026-01", where)
        return text
    if kind == "str":
        if not isinstance(value, str) or not value.strip():
            raise DataError(file, f"{name} is {value!r}, expected a text", where)
    elif kind == "int":
        if type(value) is not int or value < 1:
            raise DataError(file, f"{name} is {value!r}, expected a whole number from 1 on", where)
    elif not _is_amount(value):
        raise DataError(file, f"{name} is {value!r}, expected an amount of 0 or more", where)
    return value


def _is_amount(value: Any) -> bool:
    return type(value) in {int, float} and 0 <= value < math.inf
