from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakes
import pytest

from tool_bench import prices, pricing
from tool_bench.errors import DataError, UsageError
from tool_bench.evaluate import evaluate
from tool_bench.prices import load_prices, ours
from tool_bench.results import Hardware, Result
from tool_bench.retriever import Spent

MODEL = "claude-sonnet-5-5"
CPU = Hardware(cpu="Abacus", cores=2, memory_gib=8, accelerator=None)
OWN = """
[models.claude-sonnet-5-5]
input = 4
output = 20.0
cache_write = 5
cache_read = 0.2
context = 1_000_000
date = 2026-11-01
source = "our contract"
"""
INSTANCE = """
[instance]
name = "the box under the desk"
usd_per_hour = 3.6
date = "2026-11"
source = "electricity bill"
"""


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def local() -> Result:
    result, _ = evaluate(fakes.TASK, fakes.OVERLAP, fakes.dataset(), ["tool_bench"])
    return result


@pytest.fixture
def paid(local: Result) -> Result:
    spent = {
        "q0": Spent(1.0, 0.0, fresh=1_000, cache_write=4_000, output=100),
        "q1": Spent(1.0, 0.0, fresh=1_000, cache_read=4_000, output=300),
    }
    indexing = Spent(9.0, 0.0, fresh=10_000, output=5_000)
    cost = pricing.paid(spent, indexing, MODEL)
    return local.model_copy(update={"cost": cost})


def test_every_price_has_a_date_and_a_source() -> None:
    assert ours().instance.usd_per_hour > 0
    assert not ours().own_instance
    stated = [(price.date, price.source) for price in ours().models.values()]
    for date, source in [*stated, (ours().instance.date, ours().instance.source)]:
        assert date
        assert source.startswith("https://")


def test_an_hour_of_queries_costs_an_hour() -> None:
    cost = pricing.computed(3.6, 7_200, CPU)
    assert cost
    assert cost.usd_per_1000 == pytest.approx(ours().instance.usd_per_hour)
    assert cost.index_usd == pytest.approx(2 * ours().instance.usd_per_hour, rel=1e-3)
    assert ours().instance.date in cost.basis
    assert (cost.tokens, cost.model) == (None, None)


def test_a_machine_of_another_kind_has_no_price_unless_the_user_gives_one() -> None:
    gpu = CPU.model_copy(update={"accelerator": "H200"})
    assert pricing.computed(1, 1, gpu) is None
    cost = pricing.computed(3.6, 0, gpu, load_prices(usd_per_hour=2.5))
    assert cost
    assert (cost.usd_per_1000, cost.index_usd) == (2.5, 0)


def test_each_class_of_tokens_has_its_price(paid: Result) -> None:
    cost = paid.cost
    assert cost
    assert cost.tokens
    assert cost.tokens.model_dump() == {
        "fresh": 1_000,
        "cache_write": 2_000,
        "cache_read": 2_000,
        "output": 200,
    }
    one = (1_000 * 2 + 2_000 * 2.5 + 2_000 * 0.1 + 200 * 10) / 1e6
    assert cost.usd_per_1000 == pytest.approx(1_000 * one, rel=1e-3)
    assert cost.index_usd == pytest.approx((10_000 * 2 + 5_000 * 10) / 1e6)


def test_at_our_prices_nothing_changes(local: Result, paid: Result) -> None:
    assert pricing.repriced(local, ours()) == local.cost
    assert pricing.repriced(paid, ours()) == paid.cost


def test_the_users_entries_replace_ours(
    table: Callable[[str], Path], local: Result, paid: Result
) -> None:
    own = load_prices(table(OWN))
    assert own.models.keys() == ours().models.keys()
    assert pricing.repriced(local, own) == local.cost
    cost = pricing.repriced(paid, own)
    assert cost
    assert paid.cost
    assert cost.usd_per_1000 == pytest.approx(2 * paid.cost.usd_per_1000)
    assert cost.index_usd == pytest.approx(2 * paid.cost.index_usd)
    assert "4 input, 20 output" in cost.basis
    assert "2026-11-01" in cost.basis
    assert cost.source == "our contract"


def test_an_instance_of_the_users_own(
    table: Callable[[str], Path], local: Result, paid: Result
) -> None:
    assert local.timing
    cost = pricing.repriced(local, load_prices(table(INSTANCE)))
    assert cost
    assert cost.usd_per_1000 == pytest.approx(local.timing.latency_mean_ms / 1_000, rel=1e-3)
    assert cost.basis == "3.6 USD/h, the box under the desk, 2026-11"
    by_flag = pricing.repriced(local, load_prices(table(INSTANCE), usd_per_hour=7.2))
    assert by_flag
    assert by_flag.usd_per_1000 == pytest.approx(2 * cost.usd_per_1000, rel=1e-3)
    assert pricing.repriced(paid, load_prices(usd_per_hour=7.2)) == paid.cost


def test_what_is_not_known_is_null(local: Result, paid: Result) -> None:
    unknown = replace(ours(), models={})
    assert pricing.repriced(paid, unknown) is None
    scored = local.model_copy(update={"timing": None, "cost": None})
    assert pricing.repriced(scored, ours()) is None
    with pytest.raises(UsageError, match=r"no price of 'gpt-9' in pricing\.toml; it has claude"):
        pricing.model_price("gpt-9")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\n[models\n", r"own\.toml: is not TOML: .*line 2"),
        ("[model.x]\n", r"own.toml, \[model\]: unknown; known are instance and models"),
        ("models = 3", r"own.toml, \[models\]: must be a table"),
        ("instance = 3", r"own.toml, \[instance\]: must be a table"),
        ("[models]\ngpt = 3", r'own.toml, \[models."gpt"\]: must be a table'),
        (OWN.replace("input", "inputs"), "unknown key 'inputs'; known are input, output"),
        (
            OWN.replace("date = 2026-11-01", ""),
            r'\[models."claude-sonnet-5-5"\]: key \'date\' is m',
        ),
        (OWN.replace("2026-11-01", '"today"'), "date is 'today', expected 2026-01-31 or 2026-01"),
        (OWN.replace("20.0", '"20"'), "output is '20', expected an amount of 0 or more"),
        (OWN.replace("20.0", "-1"), "output is -1, expected an amount"),
        (OWN.replace("20.0", "nan"), "output is nan, expected an amount"),
        (OWN.replace("20.0", "true"), "output is True, expected an amount"),
        (OWN.replace("1_000_000", "0.5"), "context is 0.5, expected a whole number"),
        (OWN.replace('"our contract"', '""'), "source is '', expected a text"),
        (INSTANCE.replace("usd_per_hour = 3.6\n", ""), r"\[instance\]: key 'usd_per_hour' is miss"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_entry_and_key(
    text: str, message: str, table: Callable[[str], Path]
) -> None:
    with pytest.raises(DataError, match=message):
        load_prices(table(text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.toml: cannot be read: No such file"):
        load_prices(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'source = "\xe9"')
    with pytest.raises(DataError, match=r"latin\.toml: is not UTF-8"):
        load_prices(tmp_path / "latin.toml")


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf")])
def test_an_hour_at_an_impossible_price_is_refused(amount: float) -> None:
    with pytest.raises(UsageError, match="give an amount of 0 or more"):
        load_prices(usd_per_hour=amount)


def test_the_table_that_ships_may_be_given_as_ones_own() -> None:
    shipped = Path(prices.__file__).with_name("pricing.toml")
    assert load_prices(shipped) == replace(ours(), own_instance=True)
