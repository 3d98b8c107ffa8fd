"""Writes TOML: the subset a problem needs (the standard library only reads it)."""

import json
from typing import Any


def dump(table: dict[str, Any], path: str = "") -> str:
    """TOML text of nested tables of numbers, strings, bools and lists of numbers."""
    values = [
        f"{key} = {_value(entry)}\n" for key, entry in table.items() if not isinstance(entry, dict)
    ]
    text = f"[{path}]\n{''.join(values)}\n" if path else "".join(values)
    for key, entry in table.items():
        if isinstance(entry, dict):
            text += dump(entry, f"{path}.{key}" if path else key)
    return text


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's strings and bools are TOML's; floats are written in full by repr, inf included.
    return repr(value) if isinstance(value, float) else json.dumps(value)
