"""Check that a start is complete: the compiled module takes its arrays as they are."""

from typing import Any

import numpy as np

from lindmft._internal.validation import increasing, refuse
from lindmft.problem.problem import Problem
from lindmft.results.observables import resumed
from lindmft.results.solution import Solution
from lindmft.results.solve_stats import SolveStats
from lindmft.results.state import State

KINDS: dict[str, Any] = {
    "problem": Problem,
    "grid": str,
    "rtol": float | None,
    "atol": float | None,
    "stats": SolveStats,
    "state": State,
    "channels": tuple,
    "diverged_at": int | None,
    "unstable_at": float | None,
    "predictable_until": float | None,
}


def checked_start(start: Any, name: str = "continue_from") -> Solution:
    """Return the start if its parts are of the right kinds, and its arrays of matching sizes."""
    if not isinstance(start, Solution):
        refuse(name, "a Solution", start)
    for field, kind in KINDS.items():
        value = getattr(start, field)
        if not isinstance(value, kind) or value is True:
            refuse(f"{name}.{field}", getattr(kind, "__name__", str(kind)), value)
    for field in ("unstable_at", "predictable_until"):
        if (at := getattr(start, field)) is not None and not 0 <= at < np.inf:
            refuse(f"{name}.{field}", "finite and not negative", at)
    _check_arrays(start, name)
    for c, channel in enumerate(start.channels):
        checked_start(channel, f"{name}.channels[{c}]")
    if len(start.channels) not in {0, start.problem.data.outputs}:
        refuse(f"{name}.channels", "one for each output", start.channels)
    return start


def _check_arrays(start: Solution, name: str) -> None:
    nodes, layers = (_length(start, field, name) for field in ("time", "depth"))
    sizes = {"time": nodes, "layer": layers, "output": start.problem.data.outputs}
    shapes = {"time": (nodes,), "depth": (layers,)} | {
        one.name: one.shape(sizes) for one in resumed(start)
    }
    for field, shape in shapes.items():
        _check(getattr(start, field), f"{name}.{field}", shape)
    if not increasing(start.time) or start.time[0] != 0:
        refuse(f"{name}.time", "increasing from 0 on", start.time)
    if start.problem.network.depth not in {layers, np.inf}:
        refuse(f"{name}.depth", f"of {start.problem.network.depth} layers", start.depth)
    _check_panels(start, name, nodes)
    for key, array in start.state.items():
        _check(array, f"{name}.state[{key!r}]", getattr(array, "shape", ()))


def _length(start: Solution, field: str, name: str) -> int:
    array = getattr(start, field)
    if not isinstance(array, np.ndarray) or array.ndim != 1 or not len(array):
        refuse(f"{name}.{field}", "an array of at least one number", array)
    return len(array)


def _check(array: Any, field: str, shape: tuple[int, ...]) -> None:
    """Refuse all but doubles without nan; past a divergence they are inf."""
    good = isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == shape
    if not good or np.isnan(array).any():
        refuse(field, f"numbers of shape {shape}, none of them nan", array)


def _check_panels(start: Solution, name: str, nodes: int) -> None:
    panels: Any = start.panels
    good = isinstance(panels, np.ndarray) and panels.ndim == 1 and panels.dtype.kind == "i"
    if good and len(panels):
        good = panels[0] == 0 and panels[-1] <= nodes and bool((np.diff(panels) > 0).all())
    if not good:
        refuse(f"{name}.panels", f"increasing numbers of nodes from 0 to at most {nodes}", panels)
