"""The one way in to training in shared infrastructure: a signed request, and nothing else.

What starts it (a command, a Modal function) brings its own memory of used requests and its own
working folder; what is trained, on what, and where the model goes stands in the request alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.training import run_folder, snapshot, trainer
from tool_bench.training.publish import check_free, publish
from tool_bench.training.recipe import Recipe
from tool_bench.training.signing import RefusedError, verify
from tool_bench.training.validation import Scores

if TYPE_CHECKING:
    from tool_bench.training.keys import Allowed
    from tool_bench.training.nonces import Claim

Train = Callable[[Recipe, str, Path], Mapping[str, Scores]]
"""Recipe, snapshot's address and working folder -> validation scores; ``model/`` lies in the
folder then. See :func:`tool_bench.training.trainer.train`."""


@dataclass(frozen=True)
class Made:
    """What a request led to."""

    signer: str
    """By the name in the list of allowed keys."""
    model: str
    """Address of the trained model."""
    scores: Mapping[str, Scores]
    """Source -> validation scores."""


def run(  # noqa: PLR0913, PLR0917  what starts it decides all of these, and the request the rest
    signed: bytes,
    allowed: Allowed,
    claim: Claim,
    folder: Path,
    train: Train = trainer.train,
    now: datetime | None = None,
) -> Made:
    """Verify a signed request, use it up, train, and put the model where the request says.

    All that can be refused is refused before the request is used up.

    Args:
        signed: the content of the request's file.
        allowed: name -> public key of those who may start training.
        claim: the memory of used requests, shared by all that train.
        folder: the run's working folder. A run that was killed goes on in it, from a new request
            for the same recipe and snapshot.
        train: what trains.
        now: the time, with a time zone.

    Raises:
        RefusedError: it is unsigned, altered, of a key that is not allowed, expired, not yet valid
            or used before.
        DataError: it is no request, its snapshot is not the one that its address names or that its
            recipe builds, the folder is another run's, or training left no model.
        UsageError: something else lies where the model goes.
    """
    signer, request = verify(signed, allowed, now or datetime.now(UTC))
    # its address, which is signed, ends in a hash of its content
    manifest, _ = snapshot.read(request.snapshot)
    run_folder.check(folder, request.recipe, manifest, request.snapshot)
    check_free(request.model_to, signed)
    if not claim(request.nonce, request.expires):
        raise RefusedError(
            "replayed", f"this request of {signer} was used before; a new run needs a new request"
        )
    scores = train(request.recipe, request.snapshot, folder)
    made = {"signer": signer, "scores": {name: asdict(each) for name, each in scores.items()}}
    publish(folder / "model", request.model_to, signed, made)
    return Made(signer, request.model_to, scores)
