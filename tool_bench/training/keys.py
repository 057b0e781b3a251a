"""Who may start training: Ed25519 keys (RFC 8032), private in PEM files, public in a list."""

from __future__ import annotations

import base64
import binascii
import json
import os
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import DataError, UnavailableError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    Allowed = Mapping[str, bytes]

PUBLIC_BYTES = 32
"""Of an Ed25519 public key."""


def need_cryptography() -> None:
    """Raise UnavailableError where the package that signs and verifies is not installed."""
    if find_spec("cryptography") is None:
        raise UnavailableError(
            "signed training needs cryptography: pip install 'tool-bench[train]'"
        )


def new_key(path: Path) -> str:
    """Write a new private key to ``path``, readable by its owner alone; return the public key.

    Raises:
        UsageError: the file exists, or cannot be written.
        UnavailableError: cryptography is not installed.
    """
    need_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return encode(public_bytes(key))


def read_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        DataError: the file cannot be read, or holds no unencrypted Ed25519 key.
        UnavailableError: cryptography is not installed.
    """
    need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    wrong = "is no unencrypted Ed25519 key in PEM; make one with 'tool-bench sign keygen'"
    try:
        key = load_pem_private_key(read_bytes(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a password
        raise DataError(path, wrong) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise DataError(path, wrong)
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public half of ``key``."""
    return key.public_key().public_bytes_raw()


def read_allowed(path: Path) -> dict[str, bytes]:
    """Read the list of allowed public keys; see :func:`parse_allowed`."""
    try:
        return parse_allowed(read_bytes(path).decode("utf-8"), path)
    except UnicodeDecodeError as error:
        raise DataError(path, f"not valid TOML: {error}") from None


def parse_allowed(text: str, where: object) -> dict[str, bytes]:
    """Return name -> public key of a TOML text with lines ``name = "base64"``.

    Raises:
        DataError: the text is not TOML, names no key, or a key is malformed or has two names.
    """
    try:
        listed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(where, f"not valid TOML: {error}") from None
    allowed: dict[str, bytes] = {}
    for name, value in listed.items():
        key = decode(value, PUBLIC_BYTES)
        if key is None:
            raise DataError(
                where,
                "expected the base64 of 32 bytes, as 'sign keygen' prints it",
                f"key '{name}'",
            )
        if key in allowed.values():
            raise DataError(where, "the same key has another name above", f"key '{name}'")
        allowed[name] = key
    if not allowed:
        raise DataError(where, f"names no key; add a line like {listed_line('alice', '…')}")
    return allowed


def listed_line(name: str, public: str) -> str:
    """Return the line that allows a key."""
    return f"{json.dumps(name)} = {json.dumps(public, ensure_ascii=False)}"


def encode(data: bytes) -> str:
    """Return ``data`` as base64."""
    return base64.b64encode(data).decode("ascii")


def decode(text: object, length: int) -> bytes | None:
    """Return the bytes of a base64 ``text``, or None where it is not one of ``length`` bytes."""
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == length else None


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, or raise DataError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from None


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that did not exist, with the permissions ``mode`` from its first moment.

    Raises:
        UsageError: it exists, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise UsageError(f"{path} exists and is not overwritten; choose another name") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)
