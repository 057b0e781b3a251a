"""Requests that were used, in a folder that all machines which train share.

A file is created with O_EXCL, which one process can do and no second one, also over NFS (since
version 3). Object stores and Modal's Volumes promise no such thing, so whoever starts training may
bring another :data:`Claim`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from tool_bench.errors import UsageError

Claim = Callable[[str, datetime], bool]
"""Given a nonce and when its request expires: True once, to the one who may start."""

KEPT = timedelta(days=1)
"""How long after its request has expired a nonce is kept: for machines whose clocks are late."""
_NONCE = re.compile(r"[0-9a-f]{32}")


def in_folder(folder: Path) -> Claim:
    """Return a claim that remembers used requests in ``folder``."""
    return partial(claim, folder)


def claim(folder: Path, nonce: str, expires: datetime, now: datetime | None = None) -> bool:
    """Use a request up; return False where it was used before.

    Args:
        folder: must exist: one made here would not be shared, and every request new to it.
        nonce: of the request.
        expires: when the request does; a day later its nonce may be forgotten.
        now: the time, with a time zone.

    Raises:
        UsageError: ``folder`` is not a folder that can be written to. Nothing may start then.
    """
    try:
        handle = os.open(folder / nonce, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(expires.astimezone(UTC).isoformat())
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(
            f"used requests cannot be recorded in {folder}: {error.strerror or error}; it must be "
            "a folder that exists and that all machines which train share"
        ) from None
    _forget(folder, now or datetime.now(UTC))
    return True


def _forget(folder: Path, now: datetime) -> None:
    """Remove the nonces of requests that expired long ago; they are refused without.

    What another machine removes, or has not written yet, is passed over.
    """
    with suppress(OSError):  # whoever may add to a folder need not be allowed to list it
        for path in folder.iterdir():
            with suppress(OSError, ValueError):
                if _NONCE.fullmatch(path.name) and _expiry(path) < now - KEPT:
                    path.unlink()


def _expiry(path: Path) -> datetime:
    return datetime.fromisoformat(path.read_text(encoding="ascii")).astimezone(UTC)
