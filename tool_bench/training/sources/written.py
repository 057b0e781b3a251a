"""Reads the requests that this project wrote."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from tool_bench.errors import DataError


def read_yaml(file: Traversable) -> Mapping[str, Any]:
    """Return the object that a YAML file holds.

    Raises:
        DataError: it is missing, is not YAML or UTF-8, or holds no object.
    """
    try:
        found = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except FileNotFoundError:
        raise DataError(file, "the file is missing") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(file, f"cannot be read: {error}") from None
    if not isinstance(found, Mapping):
        raise DataError(file, f"expected an object, found {type(found).__name__}")
    return found
