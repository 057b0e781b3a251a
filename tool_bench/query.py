"""The query record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """One request in plain language."""

    id: str
    """Unique in its task; no whitespace, because run files are split at it."""
    text: str
    instruction: str | None = None
    """What to look for, where a benchmark gives one beside the request (ToolRet)."""
    provider: str | None = None
    """The provider whose tools scope ``scoped`` searches."""
    kind: str | None = None
    """What a task sorts its queries by: a way of phrasing, a scenario. One slice each."""

    @property
    def joined(self) -> str:
        """The text with its instruction, where it has one, before it: for methods of words."""
        return f"{self.instruction} {self.text}" if self.instruction else self.text

    @property
    def instructed(self) -> str:
        """The same in the form that text encoders, rerankers and language models are given.

        ToolRet's (arXiv 2503.01763). A text without an instruction stays as it is: upstream's code
        puts an empty instruction before it.
        """
        return (
            f"Instruct: {self.instruction}\nQuery: {self.text}" if self.instruction else self.text
        )


def fold(text: str) -> str:
    """Return ``text`` in the form in which two queries count as the same one.

    Case and runs of whitespace do not make a new query.
    """
    return " ".join(text.casefold().split())


def letters(text: str) -> str:
    """Return ``text`` in the form in which training data must differ from evaluation queries.

    Stricter than :func:`fold`: punctuation does not make a new text either.
    """
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
