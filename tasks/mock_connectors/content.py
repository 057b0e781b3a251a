"""The YAML files of mock-connectors as checked records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tool_bench.dataset import Split
from tool_bench.errors import DataError

Kind = Literal["everyday", "problem", "long", "jargon", "several", "typos"]
Naming = Literal["explicit", "implied", "none"]
Text = Annotated[str, Field(min_length=1, pattern=r"^\S")]
Three = tuple[Text, Text, Text]


class _Loader(yaml.CSafeLoader):
    """Refuses a repeated key, where YAML libraries let the last one win; libyaml for its speed."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"'{key.value}' occurs twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ParameterEntry(_Record):
    """One input of a tool."""

    name: Text
    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    description: Text
    required: bool = False


class ToolEntry(_Record):
    """One tool, as its connector's file has it."""

    name: Text
    description: Text
    confused_with: tuple[Text, ...] = ()
    """Tools of the same connector that a person could take for this one."""
    parameters: Annotated[tuple[ParameterEntry, ...], Field(min_length=1, max_length=8)]


class Connector(_Record):
    """One product."""

    name: Text
    also_called: tuple[Text, ...] = ()
    """Other names by which a request may call the product."""
    category: Text
    about: Text
    tools: Annotated[tuple[ToolEntry, ...], Field(min_length=1)]


class Request(_Record):
    """One evaluation request."""

    id: Text
    text: Text
    tools: Annotated[tuple[Text, ...], Field(min_length=1, max_length=3)]
    """The tools it was written for, all of one connector."""
    kind: Kind
    names_product: Naming


class Family(_Record):
    """Tools of several connectors that are equivalent when the product is not named."""

    does: Text
    tools: Annotated[tuple[Text, ...], Field(min_length=2)]


@dataclass(frozen=True)
class Content:
    """Everything the folder holds."""

    connectors: Mapping[str, Connector]
    """Connector id -> product."""
    requests: Mapping[str, tuple[Request, ...]]
    """Connector id -> the requests written for its tools."""
    examples: Mapping[str, Three]
    """Tool -> usage examples."""
    families: Mapping[str, Family]
    splits: Mapping[str, Split]
    """Connector id -> the split it belongs to."""

    @property
    def owner(self) -> dict[str, str]:
        """Tool -> its connector's id."""
        return {t.name: id_ for id_, own in self.connectors.items() for t in own.tools}

    @property
    def family_of(self) -> dict[str, str]:
        """Tool -> the id of its family, for tools that have one."""
        return {tool: id_ for id_, family in self.families.items() for tool in family.tools}


def read(folder: Traversable | None = None) -> Content:
    """Read every file of ``folder``, the package's own when none is given.

    Raises:
        DataError: a file is missing, is not YAML, or an entry is not what it must be.
    """
    folder = folder or package_files(__package__ or "")
    ids = _ids(folder)
    examples: dict[str, Three] = {}
    connectors, requests = {}, {}
    for id_ in ids:
        connectors[id_] = _parse(folder / "connectors" / f"{id_}.yaml", Connector)
        requests[id_] = _parse(folder / "requests" / f"{id_}.yaml", tuple[Request, ...])
        file = folder / "examples" / f"{id_}.yaml"
        for tool, texts in _parse(file, dict[Text, Three]).items():
            if tool in examples:
                raise DataError(file, "is in another file too", f"tool '{tool}'")
            examples[tool] = texts
    return Content(
        connectors=connectors,
        requests=requests,
        examples=examples,
        families=_parse(folder / "families.yaml", dict[Text, Family]),
        splits=_splits(folder / "splits.yaml"),
    )


def _ids(folder: Traversable) -> list[str]:
    """Return the connectors' ids: the names of the files, the same in three folders."""
    found: dict[str, set[str]] = {}
    for name in ("connectors", "requests", "examples"):
        if not (folder / name).is_dir():
            raise DataError(folder / name, "is missing")
        names = {file.name for file in (folder / name).iterdir()}
        found[name] = {n.removesuffix(".yaml") for n in names if n.endswith(".yaml")}
    for name, ids in found.items():
        for id_ in sorted(ids ^ found["connectors"]):
            missing = name if id_ in found["connectors"] else "connectors"
            raise DataError(folder / missing / f"{id_}.yaml", "is missing")
    return sorted(found["connectors"])


def _splits(file: Traversable) -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for split, connectors in _parse(file, dict[Split, tuple[Text, ...]]).items():
        for connector in connectors:
            if connector in splits:
                raise DataError(file, "is listed twice", f"connector '{connector}'")
            splits[connector] = split
    return splits


Shape = TypeVar("Shape")


def _parse(file: Traversable, shape: type[Shape]) -> Shape:
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a safe loader
        return TypeAdapter(shape).validate_python(data)
    except FileNotFoundError:
        raise DataError(file, "is missing") from None
    except UnicodeDecodeError as error:
        raise DataError(file, f"not valid UTF-8 at byte {error.start}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        where = f"line {mark.line + 1}" if mark else None
        raise DataError(file, f"not valid YAML: {problem}", where) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(file, first["msg"], _place(data, first["loc"])) from None


def _place(data: Any, path: tuple[int | str, ...]) -> str:
    """Return where ``path`` leads, entries by their name or id where they have one."""
    shown = []
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
        label = data.get("id") or data.get("name") if isinstance(data, dict) else None
        shown.append(f"'{label}'" if label else str(step))
    return " > ".join(shown) or "top level"
