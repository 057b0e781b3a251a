"""Vectors kept on disk under the hash of their text, one SQLite file per encoder.

SQLite because a kill at any moment leaves a file that still opens. A cache is never needed for a
right answer: where it cannot be read or written, vectors are computed again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tool_bench.data.paths import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Stored = tuple["NDArray[np.float32]", float]
"""A vector and the seconds it took to compute."""

_LOOKUP = 500
_CREATE = (
    "CREATE TABLE IF NOT EXISTS vectors "
    "(key BLOB PRIMARY KEY, vector BLOB NOT NULL, seconds REAL NOT NULL) WITHOUT ROWID"
)


class VectorStore:
    """The vectors of one encoder, identified by everything that changes what it computes."""

    def __init__(self, identity: str) -> None:
        name = hashlib.sha256(identity.encode()).hexdigest()[:24]
        self.path = cache_folder() / "vectors" / f"{name}.sqlite"

    def get(self, texts: Sequence[str]) -> dict[str, Stored]:
        """Return what is stored of ``texts``."""
        import numpy as np

        by_key = {_key(text): text for text in texts}
        keys = list(by_key)
        found: dict[str, Stored] = {}
        with suppress(sqlite3.Error, OSError), closing(self._open()) as store:
            for start in range(0, len(keys), _LOOKUP):
                some = keys[start : start + _LOOKUP]
                marks = ",".join("?" * len(some))
                for key, vector, seconds in store.execute(
                    f"SELECT key, vector, seconds FROM vectors WHERE key IN ({marks})",  # noqa: S608  marks
                    some,
                ):
                    found[by_key[key]] = (np.frombuffer(vector, dtype=np.float32), seconds)
        return found

    def put(self, texts: Sequence[str], vectors: NDArray[np.float32], seconds_each: float) -> None:
        """Store ``vectors``, shape (texts, dimensions)."""
        rows = [
            (_key(text), vector.tobytes(), seconds_each)
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with suppress(sqlite3.Error, OSError), closing(self._open()) as store, store:
            store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, full, read-only
                raise
            self.path.unlink()  # not a database any more
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        store = sqlite3.connect(self.path, timeout=30)
        try:
            store.execute(_CREATE)
        except sqlite3.Error:
            store.close()
            raise
        return store


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
