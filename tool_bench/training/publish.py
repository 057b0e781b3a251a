"""A trained model at the address that its request names: written once, never over another.

``request.json`` (the signed request) is written first and says whose place it is; ``made.json``
(the signer, the scores, the sha256 of each file) is written last: a place without it is an
interrupted upload.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_bench.errors import DataError, UnavailableError, UsageError

REQUEST = "request.json"
MADE = "made.json"


def check_free(address: str, signed: bytes) -> None:
    """Check that nothing lies at ``address``, or what the same request began to write.

    Raises:
        UsageError: something else lies there, or the address cannot be read.
        UnavailableError: the package that reads such addresses is not installed.
    """
    system, folder = _system(address)
    try:
        lying = system.find(folder)
        ours = bool(lying) and system.isfile(f"{folder}/{REQUEST}")
        ours = ours and system.cat_file(f"{folder}/{REQUEST}") == signed
    except OSError as error:
        raise UsageError(f"{address} cannot be read: {error}") from None
    if lying and not ours:
        raise UsageError(
            f"{address} is not empty, and models are never overwritten: sign a request with "
            "another place for the model"
        )


def publish(model: Path, address: str, signed: bytes, made: Mapping[str, Any]) -> None:
    """Write the files of ``model`` to ``address``; what it holds already is written again.

    Args:
        model: the trained model's folder.
        address: where :func:`check_free` found room.
        signed: the request that asked for it.
        made: what ``made.json`` says beside the hashes of the files.

    Raises:
        DataError: there is no model.
        UsageError: the address cannot be written, or was taken meanwhile.
    """
    check_free(address, signed)
    files = sorted(path for path in model.rglob("*") if path.is_file())
    if not files:
        raise DataError(model, "training has left no model here")
    system, folder = _system(address)
    hashes = {}
    try:
        system.makedirs(folder, exist_ok=True)
        system.pipe_file(f"{folder}/{REQUEST}", signed)
        for path in files:
            name = path.relative_to(model).as_posix()
            target = f"{folder}/{name}"
            system.makedirs(target.rpartition("/")[0], exist_ok=True)
            system.put_file(str(path), target)
            hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        text = json.dumps({**made, "files": hashes}, indent=1, sort_keys=True) + "\n"
        system.pipe_file(f"{folder}/{MADE}", text.encode())
    except OSError as error:
        raise UsageError(
            f"the model cannot be written to {address}: {error}. It is still in {model}"
        ) from None


def _system(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(address)
    except ImportError as error:
        raise UnavailableError(f"{address}: {error}; pip install 'tool-bench[train]'") from None
    except ValueError as error:
        raise UsageError(f"{address}: {error}") from None
    return system, path.rstrip("/")
