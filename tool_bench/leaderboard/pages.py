"""Templates to pages: what all of them share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tool_bench import __version__
from tool_bench.leaderboard import printed
from tool_bench.leaderboard.explorer import cut
from tool_bench.leaderboard.folders import site_folder
from tool_bench.store import folder_name

if TYPE_CHECKING:
    import jinja2

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_WEB = re.compile(r"https?://", re.IGNORECASE)


def page_names(names: Iterable[str]) -> dict[str, str]:
    """Return name -> file name without ending, safe in any folder and address, none twice."""
    pages: dict[str, str] = {}
    for name in sorted(set(names)):
        plain = _UNSAFE.sub("-", folder_name(name)).lstrip(".")[:80]
        if plain != folder_name(name) or plain.lower() in {p.lower() for p in pages.values()}:
            plain = f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        pages[name] = plain
    return pages


def web(address: object) -> str:
    """Return ``address`` where it is one of the web's, else nothing: a link runs no script."""
    return str(address) if _WEB.match(str(address)) else ""


class Templates:
    """Renders templates with what every page has."""

    def __init__(self, shared: Mapping[str, Any]) -> None:
        """Read the templates.

        Args:
            shared: values that all pages are given.
        """
        self._environment = _environment()
        self._environment.globals.update(version=__version__, **shared)

    def render(self, template: str, path: str, **values: Any) -> str:
        """Return the page at ``path``, from the board's folder, made of ``template``."""
        root = "../" * path.count("/")
        return self._environment.get_template(f"{template}.html.j2").render(
            root=root, path=path, **values
        )


def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(site_folder() / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        caption=printed.caption,
        count=printed.count,
        cut=cut,
        dollars=printed.dollars,
        interval=printed.interval,
        machine=printed.describe,
        milliseconds=printed.milliseconds,
        parameters=printed.parameters,
        probability=printed.probability,
        roughly=printed.roughly,
        second_hand=printed.second_hand,
        seconds=printed.seconds,
        share=printed.share,
        size=printed.size,
        span=printed.span,
        web=web,
    )
    return environment
