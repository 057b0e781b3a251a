"""What tests of signed training share: a small snapshot, a signer, and a trainer of no time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tool_bench.training import snapshot
from tool_bench.training.keys import public_bytes
from tool_bench.training.recipe import Recipe
from tool_bench.training.signing import make_request, sign
from tool_bench.training.validation import Scores

KEY = Ed25519PrivateKey.generate()
ALLOWED = {"alice": public_bytes(KEY)}
RECIPE = Recipe.model_validate({"name": "small", "data": {"sources": {"tldr": 100}}})
SCORES = {"tldr": Scores(requests=2, tools=3, hit_at_1=0.5, mrr_at_10=0.75, scoped_hit_at_1=None)}


@dataclass
class FakeTrainer:
    """Writes a small model, and keeps what it was asked for; with ``broken`` it dies first."""

    asked: list[tuple[Recipe, str, Path]] = field(default_factory=list)
    broken: bool = False

    def __call__(self, recipe: Recipe, address: str, folder: Path) -> Mapping[str, Scores]:
        self.asked.append((recipe, address, folder))
        if self.broken:
            raise KeyboardInterrupt
        (folder / "model" / "part").mkdir(parents=True, exist_ok=True)
        (folder / "model" / "weights").write_bytes(b"weights")
        (folder / "model" / "part" / "config.json").write_bytes(b"{}")
        return SCORES


def save_snapshot(base: str, recipe: Recipe = RECIPE) -> str:
    """Save a snapshot of one file, as if built for ``recipe``; return its address."""
    content = b'{"id": "tldr/ls"}\n'
    manifest = {
        "format": 1,
        "files": {"tools.jsonl": hashlib.sha256(content).hexdigest()},
        "recipe": recipe.model_dump(include={"text", "data", "negatives"}, mode="json"),
    }
    return snapshot.save(snapshot.Snapshot({"tools.jsonl": content}, manifest), base)


def signed_request(snapshot_address: str, model_to: str, now: datetime | None = None) -> bytes:
    """Sign a request, as Alice, for two hours from ``now``."""
    return sign(make_request(RECIPE, snapshot_address, model_to, 2, now or datetime.now(UTC)), KEY)
