"""The dictionary form of a problem: tables of plain values to configuration objects and back.

A table is a mapping. For parts of several kinds (networks, data, spectra) its key ``kind`` chooses
the class. Keys that no class knows are refused with the nearest known one, so that a typing error
never becomes a default. The text "inf" is infinity, which JSON does not have.
"""

import json
import math
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

import numpy as np

from lindmft._internal.refusals import BadInput
from lindmft._internal.validation import (
    Converter,
    choice,
    conflict,
    missing,
    one_of,
    refuse,
    suggestion,
)

DEEPEST = 8
"""Most levels of tables and lists within a value; a whole problem has four."""
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""Texts that spell a number: no spaces, no underscores, not "nan", and only base ten."""


def reader(*classes: type) -> Converter:
    """Return a converter that accepts instances of these classes and builds one from a table.

    With several classes, or one that has a ``kind``, the key ``kind`` of the table chooses.
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
    """Return an instance of ``cls``; unknown and missing keys are errors that name them."""
    known: dict[str, Field[Any]] = {field.name: field for field in fields(cls)}
    check_keys(values, [*(["kind"] if hasattr(cls, "kind") else []), *known], table)
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            missing(_join(table, name), "it has no default value")
    return cls(**{name: _read_inf(values[name]) for name in known if name in values})


def check_keys(values: Mapping[str, Any], known: Iterable[str], table: str) -> None:
    """Refuse a key that is not known, naming the nearest one."""
    known = list(known)
    for key in values:
        if key not in known:
            raise BadInput(
                f"{table or 'problem'} must only have the keys {', '.join(known)}, "
                f"got {key!r}{suggestion(key, known)}",
                field=_join(table, str(key)),
            )


def to_table(config: Any) -> dict[str, Any]:
    """Return plain dictionaries, lists, numbers, strings and bools: the inverse of ``from_table``.

    Fields that were added in later versions are marked in their metadata. They are written only if
    they differ from the default, so that older versions can read all problems that they know.
    """
    table: dict[str, Any] = {"kind": config.kind} if hasattr(config, "kind") else {}
    for field in fields(config):
        value = getattr(config, field.name)
        unsaid = field.metadata.get("later") and value == field.default
        if value is not None and not unsaid:
            table[field.name] = _plain(value)
    return table


def as_plain(value: Any, field: str, levels: int = DEEPEST) -> Any:
    """Return a value of a table as plain ones: also configuration objects, arrays and tuples."""
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


def to_json_line(config: Any) -> str:
    """Return the dictionary form in one line of JSON, as datasets store it; infinity is "inf"."""
    return json.dumps(spell_inf(to_table(config)))


def spell_inf(value: Any) -> Any:
    """Write an infinite float as the string "inf", which JSON can carry."""
    if isinstance(value, dict):
        return {key: spell_inf(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [spell_inf(entry) for entry in value]
    return "inf" if value == math.inf else value


def read_numbers(value: Any, levels: int = DEEPEST) -> Any:
    """Return tables with numbers in the place of all texts that spell a number.

    Values that are nested deeper than those of a problem stay as they are.
    """
    if isinstance(value, Mapping) and levels:
        return {key: read_numbers(entry, levels - 1) for key, entry in value.items()}
    if isinstance(value, list) and levels:
        return [read_numbers(entry, levels - 1) for entry in value]
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    number = float(value)
    return number if math.isfinite(number) else value  # the text of a finite number is not infinity


def brief(config: Any) -> str:
    """Return one line: the class with the fields that differ from their defaults, lists cut."""
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
        missing(f"{table}.kind", f"give {one_of(kinds)}")
    return kinds[choice(*kinds)(values["kind"], f"{table}.kind")]


def _read_inf(value: Any, levels: int = DEEPEST) -> Any:
    """Return a value with infinity in the place of the text "inf", also within lists.

    Entries that are nested deeper than a field can be stay as they are.
    """
    if isinstance(value, list) and levels:
        return [_read_inf(entry, levels - 1) for entry in value]
    return math.inf if isinstance(value, str) and value == "inf" else value


def _refuse_keys_of_others(
    values: Mapping[str, Any], cls: Any, classes: Iterable[Any], table: str
) -> None:
    """Refuse keys that this kind does not have but another kind has, and name that kind."""
    own = {field.name for field in fields(cls)}
    for other in classes:
        for field in fields(other):
            if field.name in values and field.name not in own:
                conflict(
                    _join(table, field.name),
                    f"kind {cls.kind!r}",
                    f"only kind {other.kind!r} has it",
                    "Leave it out, or choose that kind",
                )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return to_table(value) if is_dataclass(value) else value


def _join(table: str, name: str) -> str:
    return f"{table}.{name}" if table else name
