"""Writing of TOML: the subset that problems need (the standard library only reads TOML)."""

import json
from typing import Any


def dump(table: dict[str, Any], path: str = "") -> str:
    """Return the TOML text of nested tables of numbers, strings, bools and lists of numbers."""
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
    # Strings and bools are the same in JSON and TOML; repr writes floats exactly, also inf.
    return repr(value) if isinstance(value, float) else json.dumps(value)
