"""Short texts of values: ``repr`` of configurations and results, and their tables in notebooks."""

import html
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["field_table", "html_table", "short", "short_repr"]

MOST = 12
"""Most entries of a list that is shown whole."""
SHOWN = 3
"""Entries that are shown of the beginning of a longer list."""
DEEPEST = 4
"""Most levels of values within values that are shown."""
LONGEST = 300
"""Most characters of a text that are shown."""
HIDDEN = ("provenance", "channels", "state", "panels")
"""Fields that tables do not show."""


def short_repr(config: Any) -> str:
    """Return the ``repr`` of a dataclass as Python does, but abbreviate long lists, arrays, texts.

    The text of an object without long values can be evaluated, as usual.
    """
    return _fields(config, DEEPEST)


def short(value: Any, levels: int = DEEPEST) -> str:
    """Return a short text of a value; numbers and short texts and lists are as in ``repr``."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if is_dataclass(value) and not isinstance(value, type):
        plain = type(value).__repr__ is short_repr or not levels
        return _fields(value, levels - 1) if plain else _cut(repr(value))
    if type(value) in {tuple, list}:
        return _list(value, levels - 1)
    if type(value) is dict:
        pairs = [f"{key!r}: {short(entry, levels - 1)}" for key, entry in _first(value.items())]
        return f"{{{', '.join(pairs)}{_rest(len(value))}}}"
    return _cut(repr(value.item() if isinstance(value, np.generic) else value))


def html_table(title: str, rows: Mapping[str, str], text: str = "") -> str:
    """Return a table in HTML with a row for each name, and ``text`` below it, line by line.

    All texts are escaped.
    """
    cells = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left">{html.escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    below = f"<pre>{html.escape(text)}</pre>" if text else ""
    return f"<table><caption>{html.escape(title)}</caption><tbody>{cells}</tbody></table>{below}"


def field_table(result: Any) -> str:
    """Return the table of a result for notebooks: its status or summary, and a row for each field.

    Fields that are empty are left out.
    """
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    rows = {"status": result.status} if hasattr(result, "status") else {}
    rows |= {
        name.replace("_", " "): short(value)
        for name, value in values.items()
        if name not in HIDDEN and not name.startswith("_") and not _empty(value)
    }
    summary = result.summary() if hasattr(result, "summary") else ""
    return html_table(type(result).__name__, rows, summary)


def _fields(config: Any, levels: int) -> str:
    if levels < 0:
        return f"{type(config).__name__}(...)"
    shown = [
        f"{field.name}={short(getattr(config, field.name), levels)}"
        for field in fields(config)
        if field.repr and not _unsaid(config, field)
    ]
    return f"{type(config).__qualname__}({', '.join(shown)})"


def _unsaid(config: Any, field: Field[Any]) -> bool:
    """Whether a field that older versions do not know is not given."""
    return field.metadata.get("later", False) and getattr(config, field.name) is None


def _array(array: np.ndarray[Any, Any]) -> str:
    if array.ndim != 1 or not len(array):
        return f"<array of shape {array.shape}>"
    if array.dtype.kind not in "iuf":
        return f"<{len(array)} values>"
    if len(array) <= SHOWN:
        return f"<{', '.join(f'{value:.4g}' for value in array)}>"
    return f"<{len(array)} values, {array[0]:.4g} to {array[-1]:.4g}>"


def _list(values: Any, levels: int) -> str:
    if levels < 0:
        return "(...)" if type(values) is tuple else "[...]"
    if (table := _large_table(values)) is not None:
        return table
    start, end = "()" if type(values) is tuple else "[]"
    shown = ", ".join(short(entry, levels) for entry in _first(values))
    if len(values) > MOST:
        return f"{start}{shown}{_rest(len(values))}{short(values[-1], levels)}{end}"
    return f"{start}{shown}{',' if start == '(' and len(values) == 1 else ''}{end}"


def _large_table(values: Any) -> str | None:
    """Return a short text of nested lists of many numbers, otherwise None."""
    if not all(type(row) in {tuple, list} for row in values) or not values:
        return None
    columns = {len(row) for row in values}
    if len(columns) > 1 or len(values) * max(columns) <= MOST:
        return None
    return f"<table of {len(values)} x {max(columns)} values>"


def _first(values: Any) -> list[Any]:
    listed = list(values)
    return listed if len(listed) <= MOST else listed[:SHOWN]


def _rest(count: int) -> str:
    return f", ... {count} values ..., " if count > MOST else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."


def _empty(value: Any) -> bool:
    if isinstance(value, list | tuple):  # entries may be arrays of different shapes
        return not value
    return value is None or (bool(np.ndim(value)) and not len(value))
