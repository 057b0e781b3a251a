"""StackOne's first Action Search: MiniLM over texts enriched before encoding.

Public is one sentence: the baseline enriched with verb synonyms and domain or category context.
StackOne's lists are not, so those in ``verbs.yaml`` and ``domains.yaml`` are ours, written from
general knowledge before the method was measured; no request of any task was used. Tools alone are
enriched, a query stays as it is: it has no name from which to tell verbs from nouns.

A tool's text is followed by synonyms of the verbs in its name, synonyms of the nouns in its name
and its category with what the category is about. A catalogue without categories has them told from
the nouns in name and description.

Measured, it wins and loses first places against plain MiniLM in about equal number, and loses a few
more where tools have no category (MetaTool). All tools of a verb get the same synonyms and all of a
category the same context, so the terms draw near-alike tools nearer to each other; and a tool whose
name happens to hold a known word is pulled towards that word's synonyms, whatever it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.encoder import Encoder
from tool_bench.retriever import Retriever
from tool_bench.tool import Tool, render
from tool_bench.words import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_WORDS = 150
"""Enrichment ends at this many words of a text: about 256 tokens, where the model stops reading."""
SIGNALS = 2
"""Nouns of a domain that a tool without category must hold to belong to it."""

Synonyms = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Domain:
    """What a category of tools is about."""

    categories: tuple[str, ...]
    """What catalogues call it."""
    context: tuple[str, ...]
    """Terms that every tool of it is given."""
    nouns: Synonyms
    """What its tools handle -> what else people call that."""


@cache
def verbs() -> Synonyms:
    """Read the verbs and their synonyms."""
    return {verb: tuple(synonyms) for verb, synonyms in _read("verbs.yaml").items()}


@cache
def domains() -> Mapping[str, Domain]:
    """Read the domains; ``general`` holds nouns that belong to any."""
    return {
        name: Domain(
            categories=tuple(domain["categories"]),
            context=tuple(domain["context"]),
            nouns={noun: tuple(synonyms) for noun, synonyms in domain["nouns"].items()},
        )
        for name, domain in _read("domains.yaml").items()
    }


def enriched(tool: Tool) -> str:
    """Return the text that is encoded: the tool's own, then what enriches it.

    Terms that the text holds already are left out, and what does not fit in :data:`MAX_WORDS`.
    """
    text = render(tool, "name-description")
    name, domain = words(tool.name), domain_of(tool)
    nouns = {**domains()["general"].nouns, **(domains()[domain].nouns if domain else {})}
    synonyms = [*_synonyms(name, verbs()), *_synonyms(name, nouns)]
    category = [" ".join(words(tool.category))] if tool.category else []
    context = [*category, domain, *domains()[domain].context] if domain else category
    known, room = words(text), MAX_WORDS - len(words(text))
    added: list[list[str]] = [[], []]
    for place, terms in enumerate((synonyms, context)):
        for term in terms:
            own = words(term)
            if len(own) <= room and not _holds(known, own):
                added[place].append(term)
                known, room = [*known, "", *own], room - len(own)
    labels = ("Also", "Category")
    sentences = [f"{a}: {', '.join(b)}." for a, b in zip(labels, added, strict=True) if b]
    return "\n".join([text, *sentences])


def domain_of(tool: Tool) -> str | None:
    """Return the domain of a tool's category, or the one that its words signal, if any."""
    if tool.category:
        category = " ".join(words(tool.category))
        named = (name for name, domain in domains().items() if category in domain.categories)
        return next(named, None)
    text = words(f"{tool.name} {tool.description}")
    signals = {
        name: sum(_holds(text, words(noun)) for noun in domain.nouns)
        for name, domain in domains().items()
        if name != "general"
    }
    most = max(signals.values())
    best = [name for name, n in signals.items() if n == most]
    return best[0] if most >= SIGNALS and len(best) == 1 else None


def _synonyms(name: Sequence[str], known: Synonyms) -> list[str]:
    """Return the synonyms of what a name holds, in the order of the lists."""
    return [s for term, synonyms in known.items() if _holds(name, words(term)) for s in synonyms]


def _holds(text: Sequence[str], term: Sequence[str]) -> bool:
    """Tell whether the words of ``term`` stand in ``text`` side by side, in singular or plural."""
    wanted = [_singular(word) for word in term]
    starts = range(len(text) - len(term) + 1)
    return any([_singular(w) for w in text[i : i + len(term)]] == wanted for i in starts)


@cache
def _singular(word: str) -> str:
    """Return an English noun without the ending of its plural."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _read(name: str) -> Any:
    import yaml

    return yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def tool_vectors(encoder: Encoder, tools: Sequence[Tool], _: Examples) -> NDArray[np.float32]:
    """Return the vectors of the enriched texts, shape (tools, dimensions)."""
    return encoder.encode([enriched(tool) for tool in tools], "document")


def load() -> Retriever:
    """Load the embedded MiniLM."""
    from tool_bench.dense import DenseRetriever
    from tool_bench.sentence import minilm

    return DenseRetriever(minilm(), tool_vectors)


BASELINES = (
    Baseline(
        name="stackone-v1",
        kind="dense",
        description=(
            "MiniLM over texts enriched with synonyms of a tool's verbs and nouns and with its "
            "category, as StackOne describes the first version of its search."
        ),
        reference="https://www.stackone.com/blog/building-semantic-search-10000-actions-ai",
        license="apache-2.0",
        load=load,
        parameters=22_713_216,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="name-description",
        precision="float32",
        settings={
            "max tokens": 256,
            "pooling": "mean",
            "max words with enrichment": MAX_WORDS,
            "signals of a domain": SIGNALS,
        },
        deviations=(
            "The synonyms and domains are this project's: StackOne's are not public.",
            "Tools alone are enriched, not queries.",
        ),
        speed=Speed(start=10, per_tool=0.03, per_query=0.02),
    ),
)
