"""Files of the command ``sweep``: a problem file with a table ``sweep`` of axes.

[sweep]
run = ["solve", "train"]
[sweep.axes]
"network.width" = [0.5, 1, 2]
"optimizer.lr" = { from = 0.01, to = 0.5, points = 24 }   # on a logarithmic scale
"network.depth, network.gamma0" = [[2, 1.0], [4, 2.0]]    # together
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lindmft._internal.refusals import BadInput
from lindmft._internal.validation import (
    choice,
    integer,
    mapping,
    missing,
    number,
    positive,
    refuse,
)
from lindmft.cli.files import opened
from lindmft.cli.run_table import read_run
from lindmft.problem.averages import from_table
from lindmft.problem.paths import check_path
from lindmft.problem.problem import Problem, without_run
from lindmft.problem.schema import check_keys
from lindmft.sweeps.options import SweepOptions

EXTENT = ("steps", "time", "dim", "seeds", "seed")
CHOSEN = tuple(name for name in SweepOptions.__annotations__ if name not in EXTENT)
OPTIONS = ("run", "times", "observables", *CHOSEN, "store", "engine")
MOST_POINTS = 10**6
RANGE = ("from", "to", "points", "scale")


def read_sweep(
    path: Path, changes: Iterable[str] = (), **options: Any
) -> tuple[Problem, dict[str, Any], dict[str, Any]]:
    """Return problem, axes, and the other arguments of ``sweep``.

    The texts KEY=VALUE of ``changes`` change values of the file; ``options`` override them.
    """
    with opened(path, changes) as tables:
        problem = Problem.from_dict(without_run(tables))
        found, chosen = _sweep_table(tables)
        run = read_run(tables)
    given = {name: value for name, value in options.items() if value is not None}
    return problem, found, run | chosen | given


def _sweep_table(tables: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the axes, and the other keys of the table ``sweep``."""
    table = tables.get("sweep", {})
    if not isinstance(table, dict) or "axes" not in table:
        text = "the file must have a table [sweep.axes] of paths, each with its values"
        raise BadInput(text, field="sweep.axes")
    check_keys(table, ("axes", *OPTIONS), "sweep")
    axes = table["axes"]
    if not isinstance(axes, dict):
        refuse("sweep.axes", "a table of paths, each with its values", axes)
    for path in (part.strip() for key in axes for part in key.split(",")):
        _check_path(path)
    found = {key: _values(f"sweep.axes.{key}", values) for key, values in axes.items()}
    others = {name: value for name, value in table.items() if name != "axes"}
    if "average" in others:
        others["average"] = from_table(mapping(others["average"], "sweep.average", "a table"))
    return found, others


def _check_path(path: str) -> None:
    try:
        check_path(path)
    except ValueError as error:
        field = f"sweep.axes.{path}"
        raise BadInput(f"{field}: {error}", field=field) from error


def _values(field: str, values: Any) -> Any:
    """Return a list unchanged, or the points of a range."""
    if not isinstance(values, dict) or not {"from", "to", "points"} & values.keys():
        return values
    check_keys(values, RANGE, field)
    for name in RANGE[:3]:
        if name not in values:
            missing(f"{field}.{name}", "a range has from, to and points")
    scale = choice("log", "linear")(values.get("scale", "log"), f"{field}.scale")
    count = integer(values["points"], f"{field}.points")
    if not 1 <= count <= MOST_POINTS:
        refuse(f"{field}.points", f"from 1 to {MOST_POINTS}", count)
    converter, spaced = (positive, np.geomspace) if scale == "log" else (number, np.linspace)
    first, last = (converter(values[name], f"{field}.{name}") for name in ("from", "to"))
    return spaced(first, last, count)
