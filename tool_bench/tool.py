"""The tool record, and the one place where a tool becomes text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Style = Literal["name-description", "description", "full", "verbatim"]
STYLES: tuple[Style, ...] = get_args(Style)

MAX_CHARACTERS = 2_000
"""Default length at which :func:`render` cuts a text, in characters."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a tool."""

    name: str
    type: str = ""
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an agent can call: an API action, an MCP tool, a function."""

    id: str
    """Unique in its catalogue; no whitespace, because run files are split at it."""
    name: str
    """What a model is shown; need not be unique."""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    provider: str | None = None
    """The connector, server or app it belongs to; scope ``scoped`` searches one provider."""
    category: str | None = None
    raw: str | None = None
    """Upstream's own document string, for benchmarks that prescribe it."""


def render(tool: Tool, style: Style, max_characters: int = MAX_CHARACTERS) -> str:
    """Return the text of ``tool`` that is indexed, embedded and trained on.

    Every retriever and the training code call this function, so that the text a model was
    trained on and the text it is evaluated on cannot drift apart.

    Args:
        tool: the tool.
        style: ``name-description`` gives ``name: description`` (the name alone where there is
            no description); ``description`` gives it alone (the name where there is none);
            ``full`` adds provider, category and one line per parameter;
            ``verbatim`` is upstream's own string, and falls back to ``full`` where a tool has
            none.
        max_characters: the text is cut after this many characters.

    Returns:
        The text, never empty for a tool with a name.

    Raises:
        ValueError: ``style`` is not one of :data:`STYLES`.
    """
    if style == "name-description":
        text = _headline(tool)
    elif style == "description":
        text = tool.description.strip() or tool.name
    elif style == "full":
        text = _full(tool)
    elif style == "verbatim":
        text = _full(tool) if tool.raw is None else tool.raw
    else:
        raise ValueError(f"unknown style {style!r}: expected one of {', '.join(STYLES)}")
    return text[:max_characters]


def _headline(tool: Tool) -> str:
    description = tool.description.strip()
    return f"{tool.name}: {description}" if description else tool.name


def _full(tool: Tool) -> str:
    lines = [_headline(tool)]
    if tool.provider:
        lines.append(f"Provider: {tool.provider}")
    if tool.category:
        lines.append(f"Category: {tool.category}")
    for parameter in tool.parameters:
        kind = f" ({parameter.type})" if parameter.type else ""
        note = f": {parameter.description.strip()}" if parameter.description.strip() else ""
        lines.append(f"- {parameter.name}{kind}{note}")
    return "\n".join(lines)
