"""Small BEIR folders for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CORPUS: tuple[dict[str, Any], ...] = (
    {"_id": "rain", "title": "Get Rain", "text": "how much rain falls"},
    {"_id": "sun", "title": "", "text": "hours of sun"},
    {"_id": "wind", "title": None, "text": ""},
)
QUERIES: tuple[dict[str, Any], ...] = (
    {"_id": "q1", "text": "will it rain", "metadata": {}},
    {"_id": "q2", "text": "sunny?", "metadata": None},
    {"_id": "q3", "text": "how are you"},
)
QRELS = ("query-id\tcorpus-id\tscore", "q1\train\t2", "q1\tsun\t0", "q2\tsun\t1", "q3\twind\t0")


def beir_folder(
    folder: Path,
    corpus: Sequence[Any] = CORPUS,
    queries: Sequence[Any] = QUERIES,
    qrels: Sequence[str] = QRELS,
    split: str = "test",
) -> Path:
    """Write a folder; a row that is a string or bytes is written as it is."""
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        (folder / name).write_bytes(b"".join(_line(row) for row in rows))
    (folder / "qrels" / f"{split}.tsv").write_text("".join(f"{row}\n" for row in qrels))
    return folder


def _line(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row + b"\n"
    return f"{row if isinstance(row, str) else json.dumps(row)}\n".encode()
