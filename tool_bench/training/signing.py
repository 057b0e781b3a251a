"""A request to train, signed: what is trained on what, where the model goes, and until when.

A signed request is a JSON file with three fields: ``request`` (the body), ``key`` (the signer's
public key) and ``signature``, an Ed25519 signature (RFC 8032) of the body's canonical bytes. The
body holds the whole recipe, so that nothing that is not signed decides what runs.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tool_bench.errors import DataError, ToolBenchError, UsageError
from tool_bench.training.keys import (
    PUBLIC_BYTES,
    decode,
    encode,
    need_cryptography,
    public_bytes,
)
from tool_bench.training.recipe import Recipe

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from tool_bench.training.keys import Allowed

FORMAT: Final = "tool-bench training request 1"
"""Part of what is signed, so that no signature of something else can pass for a request."""
SKEW = timedelta(minutes=1)
"""How far the signer's clock may be ahead of the clock of the machine that trains."""
MOST_HOURS = 120
"""A request is valid no longer: used ones must be remembered until they expire, and a Modal Dict,
one of the places that remember them, forgets after seven days."""
MOST_BYTES = 1_000_000
"""A request has a few thousand; more are not parsed."""
_SIGNATURE_BYTES = 64

Reason = Literal["unsigned", "altered", "key not allowed", "expired", "not yet valid", "replayed"]
Address = Annotated[str, Field(pattern=r"^(/|[a-z][a-z0-9+.-]*://)")]


class RefusedError(ToolBenchError):
    """A request that must not start training, and why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)  # both, so that a copy can be made in another process
        self.reason = reason

    def __str__(self) -> str:
        return f"refused, {self.reason}: {self.args[1]}"


class Request(BaseModel):
    """One training run, asked for once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["tool-bench training request 1"] = FORMAT
    recipe: Recipe
    snapshot: Address
    """Of the snapshot that is trained on. Its last part is a hash of what it holds."""
    model_to: Address
    """Where the trained model is put: an empty place."""
    made_at: AwareDatetime
    expires: AwareDatetime
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Random, and used up by the run that it starts."""


def make_request(
    recipe: Recipe, snapshot: str, model_to: str, hours: float, now: datetime | None = None
) -> Request:
    """Return a new request, valid from now on.

    Args:
        recipe: what to train.
        snapshot: the full address of what to train on.
        model_to: the full address that the model is written to.
        hours: how long the request may be used.
        now: when it is made, with a time zone.

    Raises:
        UsageError: ``hours`` is not above 0 and at most :data:`MOST_HOURS`, or an address is not
            a full one.
    """
    if not 0 < hours <= MOST_HOURS:
        raise UsageError(f"a request is valid for more than 0 and at most {MOST_HOURS} hours")
    made_at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    try:
        return Request(
            recipe=recipe,
            snapshot=snapshot,
            model_to=model_to,
            made_at=made_at,
            expires=made_at + timedelta(hours=hours),
            nonce=secrets.token_hex(16),
        )
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        raise UsageError(
            f"{field}: give a full address, '/…' or 's3://…': another machine reads it"
        ) from None


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: JSON in ASCII, keys sorted, no spaces.

    Raises:
        ValueError: ``body`` holds what JSON has no number for (infinity).
    """
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def sign(request: Request, key: Ed25519PrivateKey) -> bytes:
    """Return the signed request, the content of a file."""
    body = request.model_dump(mode="json")
    signed = {
        "request": body,
        "key": encode(public_bytes(key)),
        "signature": encode(key.sign(canonical(body))),
    }
    return (json.dumps(signed, indent=1) + "\n").encode("ascii")


def verify(
    signed: bytes, allowed: Allowed, now: datetime, where: object = "the request"
) -> tuple[str, Request]:
    """Return who signed a request, by the name in ``allowed``, and the request.

    Whether it was used before is not looked at; see :mod:`tool_bench.training.nonces`. The
    signature is verified before anything in the body is believed.

    Args:
        signed: the content of a signed request's file.
        allowed: name -> public key.
        now: the time, with a time zone.
        where: what errors call the file.

    Raises:
        RefusedError: it is unsigned, altered, signed with a key that is not allowed, expired or
            not yet valid.
        DataError: it is no request that this version of tool-bench reads.
        UnavailableError: cryptography is not installed.
    """
    need_cryptography()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    content, message = _parse(signed, where)
    if not (content.get("key") and content.get("signature")):
        raise RefusedError("unsigned", f"{where} has no signature; use 'tool-bench sign request'")
    key = decode(content["key"], PUBLIC_BYTES)
    signer = next((name for name, each in allowed.items() if each == key), None)
    if key is None or signer is None:
        shown = str(content["key"])[:60]
        raise RefusedError(
            "key not allowed", f"{where} is signed with {shown}, which is no key of the list"
        )
    signature = decode(content["signature"], _SIGNATURE_BYTES)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature or b"", message)
    except InvalidSignature:
        raise RefusedError("altered", f"{where} is not what {signer} signed") from None
    request = _read(content["request"], where)
    _check_clock(request, now)
    return signer, request


def _parse(signed: bytes, where: object) -> tuple[dict[str, Any], bytes]:
    """Return the fields of the file, and the bytes that its signature must be of."""
    wrong = "is no training request; make one with 'tool-bench sign request'"
    if len(signed) > MOST_BYTES:
        raise DataError(where, wrong)
    try:
        content = json.loads(signed, object_pairs_hook=_unambiguous)
        message = canonical(content["request"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError(where, wrong) from None
    if not isinstance(content["request"], dict):
        raise DataError(where, wrong)
    added = sorted(set(content) - {"request", "key", "signature"})
    if added:
        raise RefusedError("altered", f"{where} has a field '{added[0]}' that no one signed")
    return content, message


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's fields; one that is given twice could be read in two ways."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is given twice")
    return fields


def _read(body: Mapping[str, Any], where: object) -> Request:
    try:
        request = Request.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DataError(
            where, f"{first['msg']} (made by another version?)", f"field '{field}'"
        ) from None
    if request.model_dump(mode="json") != dict(body):
        raise DataError(where, "lacks fields that would decide what runs (an older version's?)")
    if not timedelta(0) < request.expires - request.made_at <= timedelta(hours=MOST_HOURS):
        raise DataError(
            where, f"must be after made_at, by at most {MOST_HOURS} hours", "field 'expires'"
        )
    return request


def _check_clock(request: Request, now: datetime) -> None:
    if now >= request.expires:
        raise RefusedError("expired", f"it was valid until {request.expires:%Y-%m-%d %H:%M:%S %Z}")
    if now < request.made_at - SKEW:
        raise RefusedError(
            "not yet valid",
            f"it was made at {request.made_at:%Y-%m-%d %H:%M:%S %Z}, and here it is "
            f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S %Z}; is one of the clocks wrong?",
        )
