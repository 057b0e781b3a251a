from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.encoder import Role
from tool_bench.sentence import minilm_folder
from tool_bench.tool import Tool, render
from tool_bench.words import words

stackone_v1 = importlib.import_module("tool_bench.baselines.stackone_v1")
domain_of, domains, enriched = stackone_v1.domain_of, stackone_v1.domains, stackone_v1.enriched


def lists() -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """(where, the term they belong to, terms) of every list in the YAML files."""
    for verb, synonyms in stackone_v1.verbs().items():
        yield f"verbs/{verb}", verb, tuple(synonyms)
    for name, domain in domains().items():
        yield f"domains/{name}/categories", None, domain.categories
        yield f"domains/{name}/context", None, domain.context
        yield f"domains/{name}/nouns", None, tuple(domain.nouns)
        for noun, synonyms in domain.nouns.items():
            yield f"domains/{name}/nouns/{noun}", noun, tuple(synonyms)


def test_lists_are_lower_case_sorted_and_hold_no_term_twice() -> None:
    for where, term, terms in lists():
        assert terms == tuple(sorted(set(terms))), where
        assert all(each == " ".join(each.lower().split()) for each in terms), where
        assert term not in terms, where
        assert terms or term is None, f"{where}: a term without synonyms says nothing"


def test_domains_are_sorted_and_share_no_category() -> None:
    names = [name for name in domains() if name != "general"]
    assert names == sorted(names)
    categories = [c for domain in domains().values() for c in domain.categories]
    assert len(set(categories)) == len(categories)
    assert all(category == " ".join(words(category)) for category in categories)


def test_a_text_is_followed_by_synonyms_and_category() -> None:
    tool = Tool(
        id="t",
        name="acme_delete_employees",
        description="Erase them.",
        category="hris",
    )
    assert enriched(tool) == (
        "acme_delete_employees: Erase them.\n"
        "Also: discard, get rid of, remove, staff member, team member, worker.\n"
        "Category: hris, human resources, hr, personnel."
    )


def test_a_word_takes_the_synonyms_of_the_tools_own_domain() -> None:
    support, shop = (
        enriched(Tool(id="t", name="get_customer", category=category))
        for category in ("support", "eCommerce")
    )
    assert "requester" in support
    assert "shopper" not in support
    assert "shopper" in shop


def test_a_tool_without_category_belongs_to_the_domain_it_speaks_of() -> None:
    plain = Tool(id="t", name="get_forecast", description="Rain and temperature of tomorrow.")
    assert domain_of(plain) == "weather"
    assert enriched(plain).endswith("Category: weather, climate.")
    assert domain_of(Tool(id="t", name="rain")) is None  # one word is no sign
    both = Tool(id="t", name="compare", description="Rain, wind, hotel and flight.")
    assert domain_of(both) is None
    assert domain_of(Tool(id="t", name="forecast_rain", category="Reptiles")) is None


def test_an_unknown_category_is_added_as_it_is() -> None:
    assert enriched(Tool(id="t", name="ping", category="Pet_Care")) == "ping\nCategory: pet care."


def test_a_tool_about_nothing_known_keeps_its_text() -> None:
    assert enriched(Tool(id="t", name="zzz", description="Qqq.")) == "zzz: Qqq."


def test_a_long_text_is_not_enriched() -> None:
    tool = Tool(id="t", name="delete_employee", description="word " * 200, category="hris")
    assert enriched(tool) == render(tool, "name-description")


def test_enriched_texts_fit_in_the_model() -> None:
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tools = load(registry.tasks()["MockConnectors"]).tools
    texts = [enriched(tool) for tool in tools]
    assert max(len(encoded.ids) for encoded in tokenizer.encode_batch(texts)) <= 256
    assert all(
        text != render(tool, "name-description") for text, tool in zip(texts, tools, strict=True)
    )


class Recorder:
    """Keeps the texts that it is to encode."""

    identity = "recorder"

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        self.texts, self.role = list(texts), role
        return np.ones((len(texts), 1), dtype=np.float32)


def test_the_enriched_texts_are_what_is_encoded() -> None:
    encoder = Recorder()
    tools = [Tool(id=str(i), name=name) for i, name in enumerate(["delete_user", "zzz"])]
    assert stackone_v1.tool_vectors(encoder, tools, {}).shape == (2, 1)
    assert encoder.texts == [enriched(tool) for tool in tools]
    assert encoder.role == "document"
