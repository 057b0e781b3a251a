"""Errors a user can act on. Each message says what is wrong, where, and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ToolBenchError(Exception):
    """Base of every expected error; the command line prints its text and no traceback."""

    exit_code = 1

    def __reduce__(self) -> tuple[object, ...]:
        """Let another process have it as it is, whatever it was made of."""
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[ToolBenchError], args: tuple[object, ...]) -> ToolBenchError:
    """Return an error with these ``args``, which need not be what its kind is made of."""
    return kind.__new__(kind, *args)


class UsageError(ToolBenchError):
    """The command was called with something that cannot be right; exit code 2."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A task, baseline or measure that does not exist, with the nearest names that do.

    ``way_out`` stands in their place where it is known how to get what was named.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], way_out: str | None = None
    ) -> None:
        if way_out is not None:
            super().__init__(f"unknown {kind} '{name}': {way_out}")
            return
        known = sorted(known)
        by_fold = {k.casefold(): k for k in known}
        close = difflib.get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(by_fold[c] for c in close)}?"
            if close
            else f"known: {', '.join(known) or 'none'}."
        )
        super().__init__(f"unknown {kind} '{name}': {hint}")


class DataError(ToolBenchError):
    """A file whose content is not what it must be: the file, the row and what was expected."""

    def __init__(self, file: object, problem: str, row: object = None) -> None:
        where = f"{file}" if row is None else f"{file}, {row}"
        super().__init__(f"{where}: {problem}")


class UnavailableError(ToolBenchError):
    """Something this machine lacks (data, weights, an extra, a key), and how to get it.

    A cell that raises it is reported as unavailable, which is not a failure.
    """


class RetrieverError(ToolBenchError):
    """A retriever broke its contract: what it returned and what was expected."""
