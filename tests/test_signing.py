from __future__ import annotations

import base64
import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from tool_bench.errors import DataError, UnavailableError, UsageError
from tool_bench.training.keys import encode, public_bytes
from tool_bench.training.recipe import Recipe
from tool_bench.training.signing import (
    MOST_HOURS,
    SKEW,
    RefusedError,
    canonical,
    make_request,
    sign,
    verify,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECIPE = Recipe.model_validate(
    {"name": "small", "data": {"sources": {"tldr": 100}}, "optimiser": {"learning_rate": 3e-5}}
)


@dataclass
class Signed:
    """A request of Alice's, made at noon for two hours, and who may sign."""

    content: dict[str, Any]
    key: Ed25519PrivateKey
    allowed: dict[str, bytes]

    def verify(self, now: datetime = NOON) -> Any:
        return verify(json.dumps(self.content).encode(), self.allowed, now)

    def sign_again(self) -> None:
        self.content["signature"] = encode(self.key.sign(canonical(self.content["request"])))


@pytest.fixture
def signed() -> Signed:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    request = make_request(RECIPE, "s3://b/snapshots/ab", "s3://b/models/m", 2, NOON)
    allowed = {"bob": public_bytes(other), "alice": public_bytes(key)}
    return Signed(json.loads(sign(request, key)), key, allowed)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    assert str(caught.value).startswith(f"refused, {caught.value.reason}: ")
    return caught.value.reason


def test_a_signed_request_says_who_asks_for_what(signed: Signed) -> None:
    signer, request = signed.verify()
    assert signer == "alice"
    assert request.recipe == RECIPE
    assert request.snapshot == "s3://b/snapshots/ab"
    assert request.model_to == "s3://b/models/m"
    assert request.expires - request.made_at == timedelta(hours=2)


def test_the_signature_is_ed25519_over_sorted_ascii_json(signed: Signed) -> None:
    body = signed.content["request"]
    message = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signed.content["key"]))
    public.verify(base64.b64decode(signed.content["signature"]), message)
    other_order = dict(reversed(body.items()))
    assert canonical(other_order) == canonical(body) == message
    assert canonical({"name": "Ω"}) == b'{"name":"\\u03a9"}'


def test_layout_of_the_file_does_not_matter(signed: Signed) -> None:
    spread = json.dumps(signed.content, indent=7, sort_keys=True).encode()
    assert verify(spread, signed.allowed, NOON)[0] == "alice"


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _leaves(each, (*path, key))]
    return [path]


EXAMPLE = make_request(RECIPE, "/s", "/m", 1, NOON).model_dump(mode="json")


@pytest.mark.parametrize("path", _leaves(EXAMPLE), ids=".".join)
def test_no_field_can_be_changed_or_removed(signed: Signed, path: tuple[str, ...]) -> None:
    part = signed.content["request"]
    for key in path[:-1]:
        part = part[key]
    kept = part[path[-1]]
    for changed in (str(kept) + "0", "", None, 1e9, ["x"]):
        if changed == kept:
            continue
        part[path[-1]] = changed
        assert refusal(signed.verify) == "altered", changed
    del part[path[-1]]
    assert refusal(signed.verify) == "altered"
    part[path[-1]] = kept
    signed.verify()


def test_no_field_can_be_added(signed: Signed) -> None:
    signed.content["request"]["recipe"]["data"]["sources"]["clinc"] = 1
    assert refusal(signed.verify) == "altered"
    del signed.content["request"]["recipe"]["data"]["sources"]["clinc"]
    signed.content["model_to"] = "s3://elsewhere"
    assert refusal(signed.verify) == "altered"


def test_equal_numbers_that_are_written_otherwise_are_altered(signed: Signed) -> None:
    signed.content["request"]["recipe"]["seed"] = 1.0
    assert refusal(signed.verify) == "altered"


@pytest.mark.parametrize("field", ["signature", "key"])
@pytest.mark.parametrize("value", [None, "", "absent"])
def test_unsigned(signed: Signed, field: str, value: str | None) -> None:
    if value == "absent":
        del signed.content[field]
    else:
        signed.content[field] = value
    assert refusal(signed.verify) == "unsigned"


def test_signatures_of_something_else(signed: Signed) -> None:
    whole = base64.b64decode(signed.content["signature"])
    flipped = bytes([whole[0] ^ 1, *whole[1:]])
    elsewhere = signed.key.sign(b"another message")
    for signature in (flipped, whole[:-1], whole + b"\0", bytes(64), elsewhere):
        signed.content["signature"] = encode(signature)
        assert refusal(signed.verify) == "altered"
    for text in ("no base64!", 7, {"a": 1}):
        signed.content["signature"] = text
        assert refusal(signed.verify) == "altered"


def test_keys_that_are_not_allowed(signed: Signed) -> None:
    mallory = Ed25519PrivateKey.generate()
    request = make_request(RECIPE, "/s", "/m", 1, NOON)
    assert refusal(lambda: verify(sign(request, mallory), signed.allowed, NOON)) == (
        "key not allowed"
    )
    for key in ("AAAA", "no base64!", 7, [1]):
        signed.content["key"] = key
        assert refusal(signed.verify) == "key not allowed"


def test_nobody_signs_in_anothers_name(signed: Signed) -> None:
    signed.content["key"] = encode(signed.allowed["bob"])
    assert refusal(signed.verify) == "altered"


def test_a_key_taken_off_the_list_no_longer_signs(signed: Signed) -> None:
    del signed.allowed["alice"]
    assert refusal(signed.verify) == "key not allowed"


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (NOON - SKEW - SECOND, "not yet valid"),
        (NOON - SKEW, None),
        (NOON, None),
        (NOON + timedelta(hours=2) - SECOND, None),
        (NOON + timedelta(hours=2), "expired"),
        (NOON + timedelta(days=400), "expired"),
    ],
)
def test_the_edges_of_the_time(signed: Signed, now: datetime, reason: str | None) -> None:
    elsewhere = now.astimezone(datetime.strptime("+0900", "%z").tzinfo)
    for same in (now, elsewhere):
        if reason is None:
            signed.verify(same)
        else:
            assert refusal(lambda same=same: signed.verify(same)) == reason  # type: ignore[misc]  # a default keeps the loop's value


def test_an_altered_request_is_altered_before_it_is_expired(signed: Signed) -> None:
    signed.content["request"]["expires"] = "2030-01-01T00:00:00Z"
    assert refusal(lambda: signed.verify(NOON + timedelta(days=1))) == "altered"


@pytest.mark.parametrize("hours", [0, -1, MOST_HOURS + 1, float("nan"), float("inf")])
def test_how_long_a_request_may_be_valid(hours: float) -> None:
    with pytest.raises(UsageError, match="hours"):
        make_request(RECIPE, "/s", "/m", hours)


@pytest.mark.parametrize("address", ["snapshots/ab", "", "../x", "C:x"])
def test_addresses_must_mean_the_same_on_every_machine(address: str) -> None:
    with pytest.raises(UsageError, match="snapshot: give a full address"):
        make_request(RECIPE, address, "/m", 1)
    with pytest.raises(UsageError, match="model_to: give a full address"):
        make_request(RECIPE, "/s", address, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nonce", "../../../etc/cron.d/x0000000000000"),
        ("nonce", "0" * 31),
        ("expires", "2027-03-01T12:00:00Z"),
        ("expires", "2026-03-01T12:00:00Z"),
        ("made_at", "2026-03-01T12:00:00"),
        ("model_to", "relative"),
        ("format", "tool-bench training request 2"),
        ("recipe", {"name": "small"}),
        ("command", "rm"),
    ],
)
def test_even_a_signed_request_must_be_one(signed: Signed, field: str, value: Any) -> None:
    signed.content["request"][field] = value
    signed.sign_again()
    with pytest.raises(DataError, match=f"field '{field}"):
        signed.verify()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"no json",
        b"[]",
        b'"request"',
        b"{}",
        b'{"request": 3}',
        b'{"request": {"a": NaN}, "key": "k", "signature": "s"}',
        b'{"request": {"a": 1e999}, "key": "k", "signature": "s"}',
        b'{"request": {"a": 1, "a": 2}, "key": "k", "signature": "s"}',
        b"[" * 100_000,
        b'{"request": {"a": "' + b"x" * 2_000_000 + b'"}}',
    ],
    ids=range(12),
)
def test_files_that_are_no_request(signed: Signed, content: bytes) -> None:
    with pytest.raises(DataError, match=r"request\.json: is no training request"):
        verify(content, signed.allowed, NOON, Path("request.json"))


def test_two_requests_are_never_the_same() -> None:
    nonces = {make_request(RECIPE, "/s", "/m", 1, NOON).nonce for _ in range(100)}
    assert len(nonces) == 100


def test_a_refusal_survives_the_way_from_another_process() -> None:
    error = RefusedError("expired", "too late")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert (
        (str(copy), copy.reason)
        == (str(error), "expired")
        == (
            "refused, expired: too late",
            "expired",
        )
    )


def test_without_cryptography(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(UnavailableError, match=r"pip install 'tool-bench\[train\]'"):
        signed.verify()
