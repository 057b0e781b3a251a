"""A stand-in for the package ``modal``: the parts that the app uses, with Modal's own signatures.

Containers share one Dict, and a function's call id is set by the test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CALL: list[str | None] = [None]
"""The id of the call that runs now."""


def current_function_call_id() -> str | None:
    return CALL[0]


class Image:
    def __init__(self, steps: tuple[tuple[str, Any], ...] = ()) -> None:
        self.steps = steps

    @staticmethod
    def debian_slim(python_version: str | None = None) -> Image:
        return Image((("debian_slim", python_version),))

    def add_local_dir(
        self,
        local_path: Path,
        remote_path: str,
        *,
        copy: bool = False,
        ignore: Callable[[Path], bool],
    ) -> Image:
        assert Path(remote_path).is_absolute()
        assert copy, "later steps could not read it"
        return Image((*self.steps, ("add_local_dir", (local_path, ignore))))

    def uv_pip_install(self, *packages: str, extra_options: str = "") -> Image:
        assert not any(package.startswith("-") for package in packages)
        return Image((*self.steps, ("uv_pip_install", packages)))


class Dict(dict[str, str]):
    @staticmethod
    def from_name(name: str, *, create_if_missing: bool = False) -> Dict:
        return Dict()

    def put(self, key: str, value: str, *, skip_if_exists: bool = False) -> bool:
        if skip_if_exists and key in self:
            return False
        self[key] = value
        return True


@dataclass
class Named:
    """A Volume or a Secret."""

    name: str
    required_keys: list[str] = field(default_factory=list)


class Volume:
    @staticmethod
    def from_name(name: str, *, create_if_missing: bool = False) -> Named:
        return Named(name)


class Secret:
    @staticmethod
    def from_name(name: str, *, required_keys: list[str] = []) -> Named:  # noqa: B006  Modal's own
        return Named(name, required_keys)


@dataclass
class Function:
    """What Modal makes of a decorated function; ``remote`` runs here too."""

    local: Callable[..., Any]
    options: dict[str, Any]

    def remote(self, *arguments: Any) -> Any:
        return self.local(*arguments)


class App:
    def __init__(self, name: str, *, image: Image, include_source: bool = True) -> None:
        self.name, self.image, self.include_source = name, image, include_source

    def function(
        self, *, gpu: str, timeout: int, volumes: dict[str, Named], secrets: list[Named]
    ) -> Callable[[Callable[..., Any]], Function]:
        options = {"gpu": gpu, "timeout": timeout, "volumes": volumes, "secrets": secrets}
        return lambda function: Function(function, options)

    def local_entrypoint(self) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return lambda function: function
