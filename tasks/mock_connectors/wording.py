"""Whether the requests are worded as independently and as variedly as real ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from bm25s.stopwords import STOPWORDS_EN_PLUS

from tool_bench.words import words

from .content import Content, Request

OPENING_WORDS = 3
MAX_OPENING_SHARE = 0.02
MAX_NAME_SHARE = 0.6
MAX_JACCARD = 0.6
MIN_MEAN_WORDS = 14.0
MIN_DISTINCT_WORDS = 4_800
MIN_BIGRAM_SHARE = 0.55

_ADDRESS = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[A-Za-z]{2,})\b")
_STOP = frozenset(STOPWORDS_EN_PLUS)
_WORD = re.compile(r"[a-z0-9']+")


def tokens(text: str) -> list[str]:
    """Return the words of ``text``, lower case, apostrophes kept."""
    return _WORD.findall(text.casefold())


def variety(texts: Iterable[str]) -> Mapping[str, float]:
    """Return mean words, distinct words and the distinct share of bigrams within a text."""
    split = [tokens(text) for text in texts]
    bigrams = [pair for own in split for pair in pairwise(own)]
    total = sum(map(len, split))
    return {
        "mean words": total / len(split),
        "distinct words": len({word for own in split for word in own}),
        "distinct-bigram share": len(set(bigrams)) / len(bigrams),
    }


def defects_of(content: Content) -> Iterator[str]:
    """Yield what is wrong with the wording of the requests, one sentence each."""
    requests = [request for own in content.requests.values() for request in own]
    if not requests:
        return
    yield from _copied(requests)
    yield from _alike(requests, content)
    yield from _openings(requests)
    yield from _monotony(requests)
    yield from _naming(content)
    yield from _addresses(content)


def _copied(requests: list[Request]) -> Iterator[str]:
    for request in requests:
        said = set(words(request.text)) - _STOP
        for tool in request.tools:
            if len(said & set(words(tool))) >= MAX_NAME_SHARE * len(said):
                yield f"request '{request.id}' says little more than the name of {tool}"


def _alike(requests: list[Request], content: Content) -> Iterator[str]:
    """Yield pairs of a request and another request or an example in nearly the same words."""
    texts = [(f"request '{r.id}'", True, frozenset(tokens(r.text))) for r in requests]
    texts += [
        (f"an example of {tool}", False, frozenset(tokens(text)))
        for tool, examples in content.examples.items()
        for text in examples
    ]
    texts.sort(key=lambda entry: len(entry[2]))
    start = 0
    for number, (label, asked, own) in enumerate(texts):
        while len(texts[start][2]) < MAX_JACCARD * len(own):  # too short to reach the limit
            start += 1
        for other_label, other_asked, other in texts[start:number]:
            if (asked or other_asked) and len(own & other) >= MAX_JACCARD * len(own | other):
                yield f"{label} and {other_label} are nearly the same"


def _openings(requests: list[Request]) -> Iterator[str]:
    openings = Counter(tuple(tokens(request.text)[:OPENING_WORDS]) for request in requests)
    for opening, n in openings.items():
        if n > MAX_OPENING_SHARE * len(requests):
            share = f"{MAX_OPENING_SHARE:.0%} of them"
            yield f"{n} requests begin with '{' '.join(opening)}', at most {share} may"


def _monotony(requests: list[Request]) -> Iterator[str]:
    measured = variety(request.text for request in requests)
    for what, least in (
        ("mean words", MIN_MEAN_WORDS),
        ("distinct words", MIN_DISTINCT_WORDS),
        ("distinct-bigram share", MIN_BIGRAM_SHARE),
    ):
        if measured[what] < least:
            yield f"{what} of the requests: {measured[what]:.4g}, at least {least} wanted"


def _naming(content: Content) -> Iterator[str]:
    """Yield requests that name a product though they claim not to, or the reverse.

    Its own product counts in any case of letters. Another's counts in a request that claims to name
    none, and only as it is written: some products have everyday words for names.
    """
    names = {id_: (c.name, *c.also_called) for id_, c in content.connectors.items()}
    every = _any_of([name for own in names.values() for name in own], re.NOFLAG)
    for connector, requests in content.requests.items():
        own = _any_of(names[connector], re.IGNORECASE)
        for request in requests:
            if (request.names_product == "explicit") != bool(own.search(request.text)):
                yield (
                    f"request '{request.id}' is marked '{request.names_product}', which its "
                    f"wording ({names[connector][0]}) does not bear out"
                )
            elif request.names_product == "none" and (found := every.search(request.text)):
                yield f"request '{request.id}' is marked 'none' but names {found[0]}"


def _any_of(names: Iterable[str], flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", flags)


def _addresses(content: Content) -> Iterator[str]:
    """Yield e-mail addresses that could be somebody's: only ``.example`` is nobody's (RFC 2606)."""
    texts = [(f"request '{r.id}'", r.text) for own in content.requests.values() for r in own]
    texts += [(f"an example of {tool}", t) for tool, own in content.examples.items() for t in own]
    for label, text in texts:
        for domain in _ADDRESS.findall(text):
            if not domain.endswith(".example"):
                yield f"{label} has an address at {domain}, which may be real"
