"""Where the board's own files lie: in a checkout, or in the installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def site_folder() -> Path:
    """Return the folder with templates, style and scripts."""
    return _folder("site")


def docs_folder() -> Path:
    """Return the folder with the documentation."""
    return _folder("docs")


def _folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
