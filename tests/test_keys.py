from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tool_bench.errors import DataError, UsageError
from tool_bench.training.keys import (
    encode,
    listed_line,
    new_key,
    parse_allowed,
    public_bytes,
    read_allowed,
    read_key,
)


def test_a_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "alice.pem"
    public = new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert encode(public_bytes(read_key(path))) == public
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not overwritten"):
        new_key(path)
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match="cannot be written"):
        new_key(tmp_path / "no" / "folder.pem")


def test_private_keys_that_cannot_sign(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem, pkcs8 = Encoding.PEM, PrivateFormat.PKCS8
    contents = {
        "text": b"no key",
        "empty": b"",
        "encrypted": key.private_bytes(pem, pkcs8, BestAvailableEncryption(b"secret")),
        "openssh": key.private_bytes(pem, PrivateFormat.OpenSSH, NoEncryption()),
        "ecdsa": generate_private_key(SECP256R1()).private_bytes(pem, pkcs8, NoEncryption()),
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"{name}: is no unencrypted Ed25519 key"):
            read_key(path)
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_key(path)


KEYS = [encode(public_bytes(Ed25519PrivateKey.generate())) for _ in range(2)]


def test_the_list_of_allowed_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'alice = "{KEYS[0]}"\n"bob@example.org" = "{KEYS[1]}"\n', encoding="utf-8")
    assert {name: encode(key) for name, key in read_allowed(path).items()} == {
        "alice": KEYS[0],
        "bob@example.org": KEYS[1],
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("alice = ", "not valid TOML"),
        ("", "names no key"),
        ("# nobody yet", "names no key"),
        ('alice = "short"', "key 'alice': expected the base64 of 32 bytes"),
        ('alice = "AAAA"', "key 'alice'"),
        (f'alice = "{KEYS[0][:4]}!{KEYS[0][4:]}"', "key 'alice'"),
        ("alice = 3", "key 'alice'"),
        (f'[alice]\nkey = "{KEYS[0]}"', "key 'alice'"),
        (f'alice = "{KEYS[0]}"\nbob = "{KEYS[0]}"', "key 'bob': the same key"),
    ],
)
def test_lists_that_are_wrong(text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        parse_allowed(text, "keys.toml")
    assert str(caught.value).startswith("keys.toml")


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("absent", "binary"):
        with pytest.raises(DataError, match=name):
            read_allowed(tmp_path / name)


def test_a_printed_line_can_be_put_into_the_list() -> None:
    for name in ("alice", "bob@example.org", 'a "b" \\ c', "Zoë"):
        listed = parse_allowed(listed_line(name, KEYS[0]), "keys.toml")
        assert {key: encode(value) for key, value in listed.items()} == {name: KEYS[0]}
