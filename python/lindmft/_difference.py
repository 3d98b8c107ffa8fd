"""The first difference between two nested dictionaries."""

from collections.abc import Mapping
from typing import Any


def first_difference(a: Any, b: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Path and values of the first entry that differs, or None."""
    if not (isinstance(a, Mapping) and isinstance(b, Mapping)):
        return None if a == b else (path, a, b)
    for key in {**a, **b}:
        below = f"{path}.{key}" if path else key
        if found := first_difference(a.get(key, "nothing"), b.get(key, "nothing"), below):
            return found
    return None
