"""One training run as one file: what is learned from, how, and from which random numbers."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_bench.errors import DataError
from tool_bench.tool import MAX_CHARACTERS, Style

NegativeKind = Literal["cross", "same", "mined", "random"]
Order = Literal["random", "easy-first", "hard-first", "by-source", "by-provider"]
ONE_SOURCE: tuple[Order, ...] = ("by-source", "by-provider")
"""Orders whose batches are of one source each."""
MINILM = "all-MiniLM-L6-v2"
"""The embedded model: the base that needs no network."""

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Text(_Part):
    """How tools become text; the method that carries the model renders with the same values."""

    style: Style = "name-description"
    max_characters: Annotated[int, Field(ge=50)] = MAX_CHARACTERS
    max_tokens: Annotated[int, Field(ge=16, le=512)] = 128
    """Longer texts are cut while training; evaluation reads as much as the base can."""


class Data(_Part):
    """What is learned from."""

    sources: dict[str, Annotated[int, Field(ge=1)]]
    """Source -> training rows at most; a source with more gives those of least hash."""
    per_tool: Annotated[int, Field(ge=1)] = 60
    """Rows of one tool at most, so that no tool drowns the others."""
    as_asked: tuple[str, ...] = ()
    """Sources of which ``per_tool`` does not hold: how often a tool is asked for is part of what
    they teach."""
    paraphrases: bool = True
    held_out: Share = 0.15
    """Of providers, or tools, that validate and do not train."""
    refit: bool = False
    """Train on what is held out too, except where a source says itself what must be: the last
    run, of a recipe that was chosen with ``refit = false``."""


class Negatives(_Part):
    """Wrong answers that each row carries, beside those of its batch."""

    count: Count = 7
    kinds: tuple[NegativeKind, ...] = ("cross", "same", "mined")
    """Taken in turn; a kind that has none left is skipped, and ``random`` fills up."""


class Optimiser(_Part):
    """How the weights move."""

    epochs: Annotated[float, Field(gt=0)] = 1
    batch: Annotated[int, Field(ge=2)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 5e-5
    warmup: Share = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    scale: Annotated[float, Field(gt=0)] = 20
    """Cosines are multiplied by it before the softmax: 1 / temperature."""
    order: Order = "random"
    whole_catalogue: Count = 0
    """A batch of one source that trains at most so many tools has all of them as candidates; other
    batches have their own rows' alone. Those come as often as they are asked for, which hides just
    that from the model (Yi et al. 2019, https://doi.org/10.1145/3298689.3346996)."""
    lora_rank: Count = 0
    """0 trains all weights."""
    freeze_embeddings: bool = False
    towards_base: Share = 0.0
    """How far the trained weights are moved back to the base's at the end (Wortsman et al. 2022,
    arXiv 2109.01903): 0 keeps them, 0.3 takes 30 % of the way."""


class Recipe(_Part):
    """One training run."""

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    base: str = MINILM
    """:data:`MINILM`, a hub name, or a folder."""
    revision: str | None = None
    """Commit of a hub model."""
    seed: int = 1
    text: Text = Text()
    data: Data
    negatives: Negatives = Negatives()
    optimiser: Optimiser = Optimiser()


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        DataError: the file cannot be read, is not TOML, or a field is not what it must be.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError(path, "the file does not exist") from None
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(path, f"not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DataError(path, f"field '{field}': {first['msg']}") from None
