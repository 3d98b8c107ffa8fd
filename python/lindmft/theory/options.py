"""The options that calls of the theory have in common; ``solve`` says what each of them means."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from lindmft import _core
from lindmft._internal.options import converted
from lindmft._internal.types import Callback, Number, Numbers
from lindmft.problem.averages import Average, average_or_none

__all__ = ["AccuracyOptions", "FlowOptions", "SolveOptions"]

DEFAULTS = _core.SolveOptions()
PLAIN = tuple(entry for entry in _core.SolveOptions.table if entry["name"] != "average")
"""The options but the average, whose form in the compiled module depends on the steps."""


class AccuracyOptions(TypedDict, total=False):
    """Options of ``solve`` on which the numbers of a solution depend."""

    rtol: float | None
    atol: float | None
    depth_nodes: int | None


class FlowOptions(AccuracyOptions, total=False):
    """Options of ``flow_many``, each as in ``flow``."""

    save: Iterable[str] | str
    replicas: bool
    modes: bool
    spectrum_at: Number | Numbers | None
    lanczos: int | None
    keep_state: bool | None
    threads: int | None
    memory_limit: float | None
    progress: bool | Callback | None


class SolveOptions(FlowOptions, total=False):
    """Options of ``solve_many``, ``check_solve`` and ``estimate_memory``, each as in ``solve``."""

    grid: str
    beyond_edge: str
    kernels: bool
    average: Average | None


def checked_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that were given; bad ones are a ``BadInput`` that names them."""
    unset = given.get("keep_state") is None
    kept = {name: value for name, value in given.items() if not (unset and name == "keep_state")}
    options = converted(PLAIN, kept)
    average = average_or_none(given.get("average"))
    return options if average is None else {**options, "average": average}
