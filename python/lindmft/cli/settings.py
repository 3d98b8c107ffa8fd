"""The option ``--set KEY=VALUE``, which changes values of a problem file."""

import copy
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from lindmft._internal.validation import refuse
from lindmft.cli.run_table import RUN_KEYS
from lindmft.problem.paths import check_path
from lindmft.problem.problem import drop_by_path
from lindmft.problem.schema import check_keys
from lindmft.problem.sizes import other_names

OPTION = "--set"
FORM = "KEY=VALUE with a value as in TOML, such as optimizer.lr=0.1 or 'network.width=[0.5, 2]'"
WORD = re.compile(r"[A-Za-z_][\w-]*")


def parsed(changes: Iterable[str]) -> dict[str, Any]:
    """Return the values by their dotted key; of a key that is given twice, the last one."""
    return dict(_parsed(change) for change in changes)


def with_changes(tables: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a file's tables with these values; tables that are missing are made.

    A size given by one name replaces the other, as in ``Problem.replace``.
    """
    changed = copy.deepcopy(tables)
    for key, value in changes.items():
        *parents, last = key.split(".")
        table = changed
        for name in parents:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                refuse(f"{OPTION} {key}", "the key of a value in a table", name)
        table[last] = value
        for other in other_names(key):
            if other not in changes:
                drop_by_path(changed, other)
    return changed


def _parsed(change: str) -> tuple[str, Any]:
    key, equals, text = (part.strip() for part in change.partition("="))
    if not equals or not key or not text:
        refuse(OPTION, FORM, change)
    _check_key(key)
    return key, _value(text, change)


def _check_key(key: str) -> None:
    table, _, name = key.partition(".")
    try:
        if table == "run" and name:
            check_keys({name: None}, RUN_KEYS, "run")
        elif table == "sweep":
            raise ValueError(
                "only values of the problem and of run can be changed here. Change the axes and "
                "options of a sweep in its file"
            )
        elif key in RUN_KEYS:
            raise ValueError(f"a problem file has no {key!r} (did you mean 'run.{key}'?)")
        else:
            check_path(key)
    except ValueError as error:
        raise ValueError(f"{OPTION} {key}: {error}") from error


def _value(text: str, change: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}\n")
    except (ValueError, RecursionError):
        if WORD.fullmatch(text):
            return text
        refuse(OPTION, FORM, change)
    if set(table) != {"value"}:  # a second line
        refuse(OPTION, FORM, change)
    return table["value"]
