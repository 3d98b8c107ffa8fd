"""What a file says, taken only where it is of the right kind; what is not is named.

A file may be of any origin: each array and attribute is asked for with what it has to be, and
anything else is a ``ValueError``.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import Converter, integer, number, refuse

if TYPE_CHECKING:
    import xarray as xr

Config = TypeVar("Config")

CHECKSUM = "checksum"
"""The attribute that says what everything else added up to when it was written."""


class Content:
    """A dataset, or a part of one with attributes of its own."""

    def __init__(self, dataset: "xr.Dataset") -> None:
        self.dataset = dataset
        self.attrs: dict[str, Any] = dataset.attrs

    def __contains__(self, name: str) -> bool:
        return name in self.dataset.variables

    def array(self, name: str, *dims: str, missing: bool = False) -> Array:
        """Real numbers along these dimensions, none of them nan unless some may be missing."""
        if name not in self:
            raise ValueError(f"{name} must be there, got nothing")
        variable = self.dataset[name]
        if variable.dims != dims:
            refuse(name, f"an array along {dims}", variable.dims)
        if variable.dtype.kind not in "iuf":
            refuse(name, "numbers", variable.values)
        if not missing and np.isnan(variable.values).any():
            refuse(name, "numbers, none of them nan", variable.values)
        values: Array = variable.values
        return values

    def whole(self, name: str, default: int | None = None) -> int:
        """An attribute that is a whole number."""
        return integer(self._attribute(name, default), name)

    def number(self, name: str) -> float:
        """An attribute that is a number."""
        return _number(self._attribute(name), name)

    def text(self, name: str, default: str | None = None) -> str:
        """An attribute that is a text."""
        return _text(self._attribute(name, default), name)

    def tables(self, name: str, kind: type = dict, default: str | None = None) -> Any:
        """An attribute that is JSON text, of a table or a list."""
        try:
            found = json.loads(self.text(name, default))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name} must be JSON text: {error}") from error
        if not isinstance(found, kind):
            refuse(name, f"a {kind.__name__} as JSON text", found)
        return found

    def texts(self, name: str) -> dict[str, str]:
        """An attribute that is a table of texts."""
        table: dict[str, str] = self.tables(name)
        return {key: _text(value, f"{name}.{key}") for key, value in table.items()}

    def config(self, name: str, cls: type[Config]) -> Config:
        """An attribute with the fields of a dataclass of numbers and texts."""
        table = self.tables(name)
        known = {field.name: field.type for field in fields(cls)}  # type: ignore[arg-type]
        for key, value in table.items():
            if key not in known:
                refuse(name, f"a table of {', '.join(known)}", key)
            table[key] = GATES[known[key]](value, f"{name}.{key}")
        try:
            return cls(**table)
        except TypeError as error:  # of a field without a default
            raise ValueError(f"{name} must be complete: {error}") from error

    def _attribute(self, name: str, default: Any = None) -> Any:
        value = self.attrs.get(name, default)
        if value is None:
            raise ValueError(f"{name} must be there, got nothing")
        return value


def _number(value: Any, field: str) -> float:
    found = number(value, field)
    if np.isnan(found):
        refuse(field, "a number", value)
    return found


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        refuse(field, "a text", value)
    return value


GATES: dict[Any, Converter] = {int: integer, float: _number, str: _text}
"""By the types of fields of results' statistics."""


def checksum(dataset: "xr.Dataset") -> str:
    """Of all numbers, names, dimensions and attributes, whatever the order they are kept in."""
    digest = hashlib.sha256(_bytes(_plain(dataset.attrs)))
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        values = variable.values
        digest.update(_bytes([name, list(variable.dims), values.shape, _plain(variable.attrs)]))
        if values.dtype.kind in "biuf":
            native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
            digest.update(native.dtype.str.encode() + native.tobytes())
        else:
            digest.update(_bytes([str(value) for value in values.ravel()]))
    return digest.hexdigest()


def _plain(attrs: Mapping[Any, Any]) -> list[Any]:
    """Attributes in order, as they are before and after a file, which makes arrays of numbers."""
    kept = {str(name): value for name, value in attrs.items() if name != CHECKSUM}
    return [[name, np.asarray(kept[name]).tolist()] for name in sorted(kept)]


def _bytes(value: Any) -> bytes:
    return json.dumps(value, default=str).encode()
