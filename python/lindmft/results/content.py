"""Validated access to the arrays and attributes of a dataset that was read from a file.

A file may come from anywhere. Each array and attribute is read together with the kind it must
have; anything else is a ``ValueError`` that names it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import Converter, integer, missing, number, refuse

if TYPE_CHECKING:
    import xarray as xr

Config = TypeVar("Config")

CHECKSUM = "checksum"
"""Name of the attribute with the checksum of everything else, made when the file was written."""


class Content:
    """A dataset, or a part of one with separate attributes."""

    def __init__(self, dataset: "xr.Dataset") -> None:
        self.dataset = dataset
        self.attrs: dict[str, Any] = dataset.attrs

    def __contains__(self, name: str) -> bool:
        return name in self.dataset.variables

    def array(self, name: str, *dims: str, undefined: bool = False) -> Array:
        """Return an array of real numbers with these dimensions; ``undefined`` allows nan."""
        if name not in self:
            missing(name, "the file has no such array")
        variable = self.dataset[name]
        if variable.dims != dims:
            refuse(name, f"an array along {dims}", variable.dims)
        if variable.dtype.kind not in "iuf":
            refuse(name, "numbers", variable.values)
        if not undefined and np.isnan(variable.values).any():
            refuse(name, "numbers, none of them nan", variable.values)
        values: Array = variable.values
        return values

    def whole(self, name: str, default: int | None = None) -> int:
        """Return an attribute that must be a whole number."""
        return integer(self._attribute(name, default), name)

    def number(self, name: str) -> float:
        """Return an attribute that must be a number."""
        return _number(self._attribute(name), name)

    def text(self, name: str, default: str | None = None) -> str:
        """Return an attribute that must be a text."""
        return _text(self._attribute(name, default), name)

    def tables(self, name: str, kind: type = dict, default: str | None = None) -> Any:
        """Return the table or list in an attribute that must be JSON text."""
        try:
            found = json.loads(self.text(name, default))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name} must be JSON text: {error}") from error
        if not isinstance(found, kind):
            refuse(name, f"a {kind.__name__} as JSON text", found)
        return found

    def texts(self, name: str) -> dict[str, str]:
        """Return an attribute that must be a table of texts."""
        table: dict[str, str] = self.tables(name)
        return {key: _text(value, f"{name}.{key}") for key, value in table.items()}

    def config(self, name: str, cls: type[Config]) -> Config:
        """Return the dataclass whose fields, numbers and texts, an attribute has as a table."""
        table = self.tables(name)
        known = {field.name: field.type for field in fields(cls)}  # type: ignore[arg-type]
        for key, value in table.items():
            if key not in known:
                refuse(name, f"a table of {', '.join(known)}", key)
            table[key] = CONVERTERS[known[key]](value, f"{name}.{key}")
        try:
            return cls(**table)
        except TypeError as error:  # a field without a default is missing
            raise ValueError(f"{name} must be complete: {error}") from error

    def _attribute(self, name: str, default: Any = None) -> Any:
        value = self.attrs.get(name, default)
        if value is None:
            missing(name, "the file has no such attribute")
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


CONVERTERS: dict[Any, Converter] = {int: integer, float: _number, str: _text}
"""Converters by the type of a field of ``SolveStats`` and ``TrainStats``."""


def checksum(dataset: "xr.Dataset") -> str:
    """Return the checksum of all numbers, names, dimensions and attributes, in any order."""
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
    """Return the attributes in order, in a form that is the same before and after a file."""
    kept = {str(name): value for name, value in attrs.items() if name != CHECKSUM}
    return [[name, np.asarray(kept[name]).tolist()] for name in sorted(kept)]


def _bytes(value: Any) -> bytes:
    return json.dumps(value, default=str).encode()
