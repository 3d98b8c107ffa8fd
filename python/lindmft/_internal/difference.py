"""The differences between two nested dictionaries."""

from collections.abc import Iterator, Mapping
from typing import Any


def first_difference(a: Any, b: Any) -> tuple[str, Any, Any] | None:
    """Return the path and the values of the first entry that differs, or None."""
    return next(differences(a, b), None)


def differences(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path and the values of every entry that differs; "nothing" if one is missing."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in {**a, **b}:
            below = f"{path}.{key}" if path else key
            yield from differences(a.get(key, "nothing"), b.get(key, "nothing"), below)
    elif a != b:
        yield path, a, b
