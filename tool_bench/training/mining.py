"""Hard negatives: what a model takes for the answer and is not.

After Xiong et al. 2021 (arXiv 2007.00808) with two guards against unlabelled answers: a tool that
the model can hardly tell from the answer is not taken, nor one that it likes much better.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import DataError
from tool_bench.progress import report
from tool_bench.store import write_atomically
from tool_bench.tool import render
from tool_bench.training.negatives import Mined
from tool_bench.training.recipe import Text
from tool_bench.training.records import Pair, TrainingData

if TYPE_CHECKING:
    from tool_bench.training.snapshot import Mine
    from tool_bench.training.validation import Encode

DEPTH = 15
"""Tools kept for a query."""
TOO_NEAR = 0.95
"""Cosine to a right tool from which a tool counts as the same one."""
TOO_GOOD = 0.1
"""A tool that scores higher than the best right one by more may be right itself."""
_BLOCK = 1_024


def miner(encode: Encode, text: Text) -> Mine:
    """Return a function that ranks a source's tools by ``encode`` and gives what it confuses.

    Args:
        encode: texts and role -> unit vectors, shape (texts, dimensions).
        text: how tools become text.
    """

    def mine(data: TrainingData, pairs: Sequence[Pair]) -> Mined:
        return confused(data, pairs, encode, text)

    return mine


def confused(
    data: TrainingData, pairs: Sequence[Pair], encode: Encode, text: Text
) -> dict[str, list[str]]:
    """Return query -> up to :data:`DEPTH` wrong tools, the best-ranked first.

    Args:
        data: a source; only its tools in the train split are candidates.
        pairs: requests of it.
        encode: as :func:`miner`.
        text: as :func:`miner`.
    """
    import numpy as np

    ids = [t.id for t in data.tools if data.splits.get(t.id, "train") == "train"]
    number = {id_: n for n, id_ in enumerate(ids)}
    texts = [render(data.by_id[id_], text.style, text.max_characters) for id_ in ids]
    documents = encode(texts, "document")
    found: dict[str, list[str]] = {}
    for start in range(0, len(pairs), _BLOCK):
        report(f"mine {data.source}", start, len(pairs))
        block = pairs[start : start + _BLOCK]
        scores = encode([pair.query for pair in block], "query") @ documents.T
        for pair, row in zip(block, scores, strict=True):
            golds = [number[id_] for id_ in pair.tools]
            right = data.right(pair)
            near = (documents @ documents[golds].T).max(axis=1) >= TOO_NEAR
            barred = near | (row > row[golds].max() + TOO_GOOD)
            best = np.argsort(-np.where(barred, -2, row), kind="stable")
            wrong = (ids[n] for n in best if not barred[n] and ids[n] not in right)
            found[pair.query] = [id_ for id_, _ in zip(wrong, range(DEPTH), strict=False)]
    return found


def write(path: Path, mined: Mapping[str, Mined]) -> None:
    """Write source -> query -> tools as JSON."""
    content = {name: {q: list(ids) for q, ids in own.items()} for name, own in mined.items()}
    text = json.dumps(content, ensure_ascii=False, indent=0, sort_keys=True)
    write_atomically({path: f"{text}\n".encode()})


def read(path: Path) -> Mine:
    """Return a function that looks up what was mined before.

    Raises:
        DataError: the file is missing or is not one that :func:`write` made.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(path, "the file does not exist") from None
    except ValueError as error:
        raise DataError(path, f"not valid JSON: {error}") from None
    if not isinstance(content, dict) or not all(isinstance(own, dict) for own in content.values()):
        raise DataError(path, "expected source -> query -> tools")

    def mine(data: TrainingData, pairs: Sequence[Pair]) -> Mined:
        own = content.get(data.source, {})
        return {pair.query: own.get(pair.query, []) for pair in pairs}

    return mine
