"""The table ``run`` of a problem file: steps, time, dimension and seeds."""

from typing import Any

from lindmft._internal.validation import Converter, integer, number, refuse
from lindmft.problem.schema import check_keys

RUN_KEYS = ("steps", "time", "dim", "seeds", "seed")


def read_run(tables: dict[str, Any]) -> dict[str, Any]:
    """Read the table ``run`` of a file; whole numbers may be written as 1e6."""
    run = tables.get("run", {})
    if not isinstance(run, dict):
        refuse("run", "a table", run)
    check_keys(run, RUN_KEYS, "run")
    return {name: READERS[name](value, f"run.{name}") for name, value in run.items()}


def _count(value: Any, field: str) -> int:
    count = integer(value, field)
    if count < 1:
        refuse(field, "at least 1", value)
    return count


READERS: dict[str, Converter] = {
    **dict.fromkeys(("steps", "dim", "seeds"), _count),
    "time": number,
    "seed": integer,
}
