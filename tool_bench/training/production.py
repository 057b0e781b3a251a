"""The model in production: a pointer file with its whole history.

The file is replaced whole, under a lock, and only by someone who has seen what it holds: of two
that promote at once, the second is told that production is no longer what it was measured against.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tool_bench import registry, store
from tool_bench.errors import DataError, ToolBenchError, UsageError
from tool_bench.training.gate import Verdict

LOCK_S = 30.0
"""How long to wait for another process that changes the pointer: it takes a second at most."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(_Record):
    """One model, and what it was when it was promoted."""

    name: str
    folder: str | None = Field(
        description="where it lies, relative to the pointer where it lies below its folder; null "
        "for a method that baselines/ declares"
    )
    identity: str = Field(
        description="sha256 over the folder's files; of a declared method the hash of everything "
        "that decides its rankings"
    )


class Change(_Record):
    """One change of production."""

    action: Literal["promote", "rollback"]
    model: Model | None = Field(description="production since then; null where there was none")
    when: str = Field(description="UTC")
    why: str
    against: str | None = Field(description="the model it was compared with; null for a rollback")
    verdict: Verdict | None = Field(description="the gate's table; null for a rollback")


class Pointer(_Record):
    """What the pointer file holds."""

    schema_version: Literal[1] = 1
    current: Model | None = None
    history: tuple[Change, ...] = Field(default=(), description="oldest first")

    @model_validator(mode="after")
    def _current_is_the_last(self) -> Self:
        last = self.history[-1].model if self.history else None
        if self.current != last:
            raise ValueError("'current' is not the model of the last change in 'history'")
        return self


def default_path() -> Path:
    """Return ``production.json`` beside the default results folder."""
    return store.default_folder().parent / "production.json"


def read(path: Path) -> Pointer:
    """Return what the pointer at ``path`` holds; one without history where there is no file.

    Raises:
        DataError: the file is no pointer, with the first field that is wrong.
    """
    try:
        return Pointer.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Pointer()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        problem = f"{first['msg']} (only 'tool-bench gate' writes this file; restore it)"
        raise DataError(path, problem, field) from None


def identify(name: str, folder: Path | None, path: Path) -> Model:
    """Return the model as it is now.

    Args:
        name: of the method.
        folder: where it lies; None for a method that ``baselines/`` declares.
        path: of the pointer that is to hold it.

    Raises:
        DataError: there is no such folder, or no such method.
    """
    if folder is None:
        from tool_bench.fingerprint import baseline_hash

        declared = registry.baselines().get(name)
        if declared is None:
            raise DataError(path, f"no method is declared as '{name}'")
        return Model(name=name, folder=None, identity=baseline_hash(declared))
    from tool_bench.sentence import folder_identity

    if not folder.is_dir():
        raise DataError(folder, f"the folder of '{name}' is not there")
    whole, base = folder.resolve(), path.resolve().parent
    place = whole.relative_to(base) if whole.is_relative_to(base) else whole
    return Model(name=name, folder=place.as_posix(), identity=folder_identity(whole))


def folder_of(model: Model, path: Path) -> Path | None:
    """Return where a model of the pointer at ``path`` lies; None for a declared method."""
    return None if model.folder is None else path.resolve().parent / model.folder


def verify(model: Model, path: Path) -> None:
    """Check that a model is still what it was when it was measured.

    Args:
        model: the model.
        path: of the pointer.

    Raises:
        DataError: its files have changed since or are gone.
    """
    if identify(model.name, folder_of(model, path), path).identity != model.identity:
        where = folder_of(model, path) or model.name
        raise DataError(where, f"'{model.name}' has changed since it was measured")


def promote(path: Path, model: Model, seen: Pointer, against: str, verdict: Verdict) -> Pointer:
    """Make ``model`` the one in production; return what the pointer holds now.

    Args:
        path: of the pointer.
        model: as it was when it was measured.
        seen: what the pointer held when the model was compared with it.
        against: the model that it was compared with.
        verdict: the gate's.

    Raises:
        DataError: the model's files have changed since it was measured.
        ToolBenchError: the verdict refuses it, production has changed since it was ``seen``, or
            the file cannot be written; production is as it was.
    """
    if not verdict.passed:
        raise ToolBenchError(f"'{model.name}' is not promoted: {verdict.why}")
    with _locked(path):
        now = read(path)
        if now != seen:
            name = "none" if now.current is None else f"'{now.current.name}'"
            raise ToolBenchError(
                f"production in {path} has changed since '{model.name}' was compared with "
                f"'{against}': it is {name} now. Run the gate again."
            )
        verify(model, path)
        change = Change(
            action="promote",
            model=model,
            when=_now(),
            why=verdict.why,
            against=against,
            verdict=verdict,
        )
        return _write(path, now, change)


def rollback(path: Path) -> Pointer:
    """Go back to the model that was in production before; return what the pointer holds now.

    A model whose files have changed since is passed over for the one before it, and where none is
    left there is no production, as before the first promotion.

    Raises:
        UsageError: nothing is in production.
        ToolBenchError: the file cannot be written; production is as it was.
    """
    with _locked(path):
        now = read(path)
        if now.current is None:
            raise UsageError(f"nothing is in production in {path}")
        reasons = [f"'{now.current.name}' was taken back"]
        found = None
        for model in reversed(_before(now.history)):
            try:
                verify(model, path)
            except DataError as error:
                reasons.append(f"passed over: {error}")
            else:
                found = model
                break
        change = Change(
            action="rollback",
            model=found,
            when=_now(),
            why="; ".join(reasons),
            against=None,
            verdict=None,
        )
        return _write(path, now, change)


def _before(history: Sequence[Change]) -> list[Model]:
    """Return the models that the current one replaced and that were not taken back since."""
    stack: list[Model] = []
    for change in history:
        if change.action == "promote" and change.model is not None:
            stack.append(change.model)
            continue
        stack.pop()
        while stack and stack[-1] != change.model:
            stack.pop()
    return stack[:-1]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from changing the pointer; a process that dies lets go of it."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_S):
            yield
    except Timeout:
        raise ToolBenchError(f"another process is changing {path}; try again") from None


def _write(path: Path, before: Pointer, change: Change) -> Pointer:
    pointer = Pointer(current=change.model, history=(*before.history, change))
    text = json.dumps(pointer.model_dump(mode="json"), indent=1, ensure_ascii=False)
    store.write_atomically({path: (text + "\n").encode("utf-8")})
    return pointer


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
