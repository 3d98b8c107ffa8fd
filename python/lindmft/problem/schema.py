"""The dictionary form of a problem: tables of plain values to configuration objects and back.

A table is a mapping; where several classes can stand (networks, data, spectra), its key ``kind``
chooses one. Keys that no class knows are refused with the nearest known one, so that a typing error
never passes as a default.
"""

import math
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

import numpy as np

from lindmft._internal.validation import Converter, choice, describe, refuse, suggestion

DEEPEST = 8
"""Levels of tables and lists that a value may have; a whole problem has four."""


def reader(*classes: type) -> Converter:
    """A converter that passes instances of these classes and builds one from a table.

    With several classes, or one that has a ``kind``, the table's ``kind`` says which.
    """
    kinds = {cls.kind: cls for cls in classes if hasattr(cls, "kind")}
    names = " or ".join(cls.__name__ for cls in classes)

    def convert(value: Any, table: str) -> Any:
        if isinstance(value, classes):
            return value
        if not isinstance(value, Mapping):
            refuse(table, f"{names}, or a table", value)
        cls = _chosen(value, table, kinds) if kinds else classes[0]
        _refuse_keys_of_others(value, cls, classes, table)
        return from_table(cls, value, table)

    return convert


def from_table(cls: type, values: Mapping[str, Any], table: str) -> Any:
    """An instance of ``cls``; unknown and missing keys are a ``ValueError`` that names them."""
    known: dict[str, Field[Any]] = {field.name: field for field in fields(cls)}
    check_keys(values, [*(["kind"] if hasattr(cls, "kind") else []), *known], table)
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{_join(table, name)} must be given, got nothing")
    return cls(**{name: _read_inf(values[name]) for name in known if name in values})


def check_keys(values: Mapping[str, Any], known: Iterable[str], table: str) -> None:
    """Refuse a key that is not known, naming the nearest one."""
    known = list(known)
    for key in values:
        if key not in known:
            raise ValueError(
                f"{table or 'problem'} must only have the keys {', '.join(known)}, "
                f"got {key!r}{suggestion(key, known)}"
            )


def to_table(config: Any) -> dict[str, Any]:
    """The inverse of ``from_table``: plain dictionaries, lists, numbers, strings and bools.

    Fields that came later say so in their metadata, and are written only where they matter: so old
    versions read what they know.
    """
    table: dict[str, Any] = {"kind": config.kind} if hasattr(config, "kind") else {}
    for field in fields(config):
        value = getattr(config, field.name)
        unsaid = field.metadata.get("later") and value == field.default
        if value is not None and not unsaid:
            table[field.name] = _plain(value)
    return table


def as_plain(value: Any, field: str, levels: int = DEEPEST) -> Any:
    """Any value a table may hold as plain ones: configuration objects, arrays and tuples, too."""
    if not levels:
        refuse(field, f"nested at most {DEEPEST} levels deep", value)
    if is_dataclass(value) and not isinstance(value, type):
        return to_table(value)
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        value = np.asarray(value).tolist()
    if isinstance(value, Mapping):
        return {str(key): as_plain(entry, field, levels - 1) for key, entry in value.items()}
    if isinstance(value, list | tuple | range):
        return [as_plain(entry, field, levels - 1) for entry in value]
    if value is not None and not isinstance(value, bool | int | float | str):
        refuse(field, "numbers, strings, lists, tables or parts of a problem", value)
    return value


def spell_inf(value: Any) -> Any:
    """Write an infinite float as the string "inf", which JSON can carry."""
    if isinstance(value, dict):
        return {key: spell_inf(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [spell_inf(entry) for entry in value]
    return "inf" if value == math.inf else value


def brief(config: Any) -> str:
    """One line: the class with the fields that differ from their defaults, long lists cut."""
    shown = []
    for field in fields(config):
        value = getattr(config, field.name)
        if value is not None and value != field.metadata.get("usual", field.default):
            shown.append(
                f"{field.name}={brief(value) if is_dataclass(value) else reprlib.repr(value)}"
            )
    return f"{type(config).__name__}({', '.join(shown)})"


def _chosen(values: Mapping[str, Any], table: str, kinds: Mapping[str, type]) -> type:
    if "kind" not in values:
        raise ValueError(f"{table}.kind must be given ({', '.join(map(repr, kinds))}), got nothing")
    return kinds[choice(*kinds)(values["kind"], f"{table}.kind")]


def _read_inf(value: Any, levels: int = DEEPEST) -> Any:
    """What is nested deeper is nothing that a field can be."""
    if isinstance(value, list) and levels:
        return [_read_inf(entry, levels - 1) for entry in value]
    return math.inf if isinstance(value, str) and value == "inf" else value


def _refuse_keys_of_others(
    values: Mapping[str, Any], cls: Any, classes: Iterable[Any], table: str
) -> None:
    """Say where a key belongs that this kind does not have but another has."""
    own = {field.name for field in fields(cls)}
    for other in classes:
        for field in fields(other):
            if field.name in values and field.name not in own:
                raise ValueError(
                    f"{_join(table, field.name)} must be left out of kind {cls.kind!r} (it belongs "
                    f"to {other.kind!r}), got {describe(values[field.name])}"
                )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return to_table(value) if is_dataclass(value) else value


def _join(table: str, name: str) -> str:
    return f"{table}.{name}" if table else name
