"""StackOne's SDK's local search: a fifth BM25, four fifths TF-IDF.

Two engines score every tool, each passes on its best 50 clamped to [0, 1], and the blend adds
them up. TF-IDF is a plain cosine over a text that repeats the name three times. BM25 is that of
Orama 3.1 with stemming, and what it computes is reproduced here, peculiarities included: a word of
the query matches every word that begins with it; a repeated word counts once; the constant ``D``
lies inside the fraction; and of a tool's tags only the last has a frequency, because inserting a
list resets it per element.

BM25 sums over words and fields, so its best 50 nearly always score above 1: what the blend adds is
0.2 for being among them. The order is that of TF-IDF, which neither stems nor splits ``_``.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking
from tool_bench.tool import MAX_CHARACTERS, Tool
from tool_bench.words import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BM25_SHARE, PASSED_ON = 0.2, 50
K, B, D = 1.2, 0.75, 0.5

_ACTIONS = frozenset({"create", "update", "delete", "get", "list", "search"})
_STOPWORDS = frozenset(
    words(
        "a an the and or but if then else for of in on to from by with as at is are was were be "
        "been it this that these those not no can could should would may might do does did have "
        "has had you your"
    )
)
_NO_TERM = re.compile(r"[^a-z0-9_\s]")
_NO_TOKEN = re.compile(r"[^a-zàèéìòóù0-9_'-]+")
_PLAIN = str.maketrans("àèéìòóù", "aeeioou")
_STEMMED_LENGTH = 3
"""Orama's stemmer leaves shorter words as they are."""


class StackOneSDK:
    """The blend of both engines."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer=terms)  # its smoothed IDF is the SDK's
        self._bm25 = OramaBM25()

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Index every tool in both engines."""
        self._catalogue = Catalogue(tools)
        self._position = {id_: i for i, id_ in enumerate(self._catalogue.ids)}
        texts = [tfidf_text(tool) for tool in self._catalogue.tools]
        self._weights = None  # (terms, tools); there are none in a catalogue of another script
        if any(map(terms, texts)):
            self._weights = self._vectorizer.fit_transform(texts).T.tocsr()
        self._bm25.index(self._catalogue.tools)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Blend the engines' best for each query."""
        return [
            self._catalogue.top(self._blended(query.joined, k, candidates), k, candidates)
            for query, candidates in zip(queries, scopes, strict=True)
        ]

    def _blended(self, text: str, k: int, candidates: Candidates) -> NDArray[np.float64]:
        import numpy as np

        cosines = blended = np.zeros(len(self._position))
        if self._weights is not None:
            cosines = (self._vectorizer.transform([text]) @ self._weights).toarray()[0]
        for share, scores in ((BM25_SHARE, self._bm25.scores(text)), (1 - BM25_SHARE, cosines)):
            for id_, score in self._catalogue.top(scores, max(PASSED_ON, k), candidates):
                blended[self._position[id_]] += share * min(max(score, 0.0), 1.0)
        return blended


class OramaBM25:
    """Orama's full-text search over name, description, integration and tags."""

    def index(self, tools: Sequence[Tool]) -> None:
        """Compute the score of every word in every tool, field by field."""
        self._tools = len(tools)
        texts = (
            [tool.name for tool in tools],
            [tool.description[:MAX_CHARACTERS] for tool in tools],
            [integration(tool) for tool in tools],
        )
        self._fields = [_Field(*_plain(field)) for field in texts]
        self._fields.append(_Field(*_tags(tools)))

    def scores(self, text: str) -> NDArray[np.float64]:
        """Return the score of every tool, shape (tools,)."""
        import numpy as np

        scores = np.zeros(self._tools)
        for token in tokens(text):
            for field in self._fields:
                holding, added = field.beginning_with(token)
                np.add.at(scores, holding, added)
        return scores


class _Field:
    """What each word of one field adds to the tools that hold it, in the order of the words."""

    def __init__(
        self,
        frequencies: Sequence[Mapping[str, float]],
        lengths: Sequence[int],
        occurrences: Mapping[str, int],
    ) -> None:
        """Compute the scores.

        Args:
            frequencies: for each tool, word -> its share of the field.
            lengths: of each tool's field, in words.
            occurrences: word -> how often Orama counts it for the IDF.
        """
        import numpy as np

        tools = len(frequencies)
        entries = sorted((word, i) for i, held in enumerate(frequencies) for word in held)
        self._words = [word for word, _ in entries]
        self._holding = np.array([i for _, i in entries], dtype=np.intp)
        tf = np.array([frequencies[i][word] for word, i in entries])
        n = np.array([occurrences[word] for word in self._words])
        length = np.asarray(lengths, dtype=float)[self._holding]
        idf = np.log(1 + (tools - n + 0.5) / (n + 0.5))
        norm = K * (1 - B + B * length / (np.mean(lengths) or 1.0))
        self._scores = idf * (D + tf * (K + 1)) / (tf + norm)

    def beginning_with(self, token: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the tools that hold a word with this beginning, once per word, and its score."""
        start = bisect_left(self._words, token)
        end = bisect_left(self._words, token + chr(sys.maxunicode))
        return self._holding[start:end], self._scores[start:end]


def _plain(texts: Sequence[str]) -> tuple[list[dict[str, float]], list[int], Counter[str]]:
    """Return what :class:`_Field` takes for a field of one text; a repeated word counts once."""
    held = [tokens(text) for text in texts]
    frequencies = [dict.fromkeys(words_, 1 / max(len(words_), 1)) for words_ in held]
    return frequencies, [len(words_) for words_ in held], Counter(chain.from_iterable(held))


def _tags(tools: Sequence[Tool]) -> tuple[list[dict[str, float]], list[int], Counter[str]]:
    """Return what :class:`_Field` takes for the tags: the parts of the name, then its actions.

    Each tag is a field of length 1 that forgets the one before, so that the last alone has a
    frequency; an action is a tag twice and is counted twice.
    """
    tags = []
    for tool in tools:
        parts = words(tool.name)
        tags.append([stem(tag) for tag in [*parts, *actions(parts)]])
    frequencies = [{**dict.fromkeys(own, 0.0), own[-1]: 1.0} if own else {} for own in tags]
    return frequencies, [1] * len(tags), Counter(chain.from_iterable(tags))


def tfidf_text(tool: Tool) -> str:
    """Return the text of the cosine: the name three times, integration, actions, description."""
    parts = words(tool.name)
    kind = " ".join([integration(tool), *actions(parts)])
    description = tool.description[:MAX_CHARACTERS]
    return " ".join([*[tool.name] * 3, kind, description, *parts])


def integration(tool: Tool) -> str:
    """Return what a tool belongs to: its provider, else the first word of its name."""
    return tool.provider or next(iter(words(tool.name)), "")


def actions(parts: Sequence[str]) -> list[str]:
    """Return the parts of a name that are one of the SDK's six actions."""
    return [part for part in parts if part in _ACTIONS]


def terms(text: str) -> list[str]:
    """Split text as the SDK's TF-IDF does: ASCII letters, digits and ``_``, no stop words."""
    return [term for term in _NO_TERM.sub(" ", text.lower()).split() if term not in _STOPWORDS]


def tokens(text: str) -> list[str]:
    """Split text as Orama does: stemmed, no word twice, ``_``, ``-`` and ``'`` inside words."""
    stemmed = (stem(word) for word in _NO_TOKEN.split(text.lower()) if word)
    return list(dict.fromkeys(word for word in stemmed if word))


@cache
def stem(word: str) -> str:
    """Return the word's stem by Porter's algorithm, accents removed."""
    short = len(word) < _STEMMED_LENGTH
    stemmed: str = word if short else _stemmer().stemWord(word)
    return stemmed.translate(_PLAIN)


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("porter")


BASELINES = (
    Baseline(
        name="stackone-sdk",
        kind="lexical",
        description=(
            "The local search of StackOne's SDK: TF-IDF cosine, name three times, plus 0.2 for "
            "nearly every tool among the best 50 of a stemmed BM25 that matches beginnings of "
            "words."
        ),
        reference="https://github.com/StackOneHQ/stackone-ai-node",
        license="apache-2.0",
        load=StackOneSDK,
        parameters=0,
        revision="d982a6363d229dc5cb137554243db8e0f0f9b161",
        style="name-description",
        settings={
            "share of BM25": BM25_SHARE,
            "passed on": PASSED_ON,
            "k": K,
            "b": B,
            "d": D,
            "stemmer": "PyStemmer, porter",
        },
        deviations=(
            "Python, not the SDK's TypeScript and Orama 3.1.",
            "Parts of a name are its words in any spelling; the SDK splits at '_'.",
            "The integration is the tool's provider where it has one, not the name's first part.",
            "Orama's stemmer cuts some words in -ion and -bly differently.",
            "In a scope, each engine passes on its best 50 candidates.",
        ),
        speed=Speed(start=1, per_tool=2e-4, per_query=1e-3),
    ),
)
