"""What the folder of a model that was trained here says beside its weights.

``tool_bench.json`` holds how tools became text while it was trained, so that it is evaluated on the
same text, and what it was trained on; ``seen.txt`` the hashes of the tools that it has seen, so
that a result can say how many of a task's tools these are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from tool_bench.errors import DataError
from tool_bench.query import letters
from tool_bench.tool import Style, Tool

if TYPE_CHECKING:
    from tool_bench.results import SeenTools

CARD = "tool_bench.json"
SEEN = "seen.txt"


class TrainedCard(BaseModel):
    """How a model was trained, as far as its evaluation needs it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Style
    max_characters: int
    trained_on: tuple[str, ...]
    """Training sources."""


def tool_key(tool: Tool) -> str:
    """Return what makes two tools the same one: name and description, by letters and digits.

    A tool without a description is known by its name alone, which is no proof: such tools are the
    same only as tools without a description.
    """
    return f"{letters(tool.name)}|{letters(tool.description)}"


def tool_hash(tool: Tool) -> str:
    """Return the hash of :func:`tool_key` that ``seen.txt`` lists: 16 hex digits."""
    return hashlib.sha256(tool_key(tool).encode()).hexdigest()[:16]


def seen_tools(seen: frozenset[str], tools: Iterable[Tool]) -> SeenTools:
    """Count the tools whose hashes are in ``seen``."""
    from tool_bench.results import SeenTools

    found = [tool_hash(tool) in seen for tool in tools]
    return SeenTools(seen=sum(found), of=len(found))


def read_card(folder: Path) -> TrainedCard | None:
    """Return what a model's folder says; None where it was not trained here.

    Raises:
        DataError: the file cannot be read.
    """
    path = folder / CARD
    try:
        return TrainedCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(path, f"is not what a training run writes: {error.errors()[0]}") from None


def read_seen(folder: Path) -> frozenset[str]:
    """Return the hashes of the tools that a model has seen; none where the folder lists none."""
    try:
        return frozenset((folder / SEEN).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return frozenset()


def write(folder: Path, card: TrainedCard, seen: Iterable[str]) -> None:
    """Write both files."""
    text = json.dumps(card.model_dump(mode="json"), indent=1)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    (folder / SEEN).write_text("".join(f"{key}\n" for key in sorted(seen)), encoding="ascii")
