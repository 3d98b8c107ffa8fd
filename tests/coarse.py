"""Coarse time grids, as the tests of them call the solver: adaptive steps and gradient flow."""

from types import SimpleNamespace
from typing import Any

from lindmft import _core
from lindmft.problem import as_problem

Run = SimpleNamespace
"""With the attributes of a ``Solution`` that these tests read."""


def solve(problem: Any, steps: int, rtol: float = 1e-6, atol: float = 1e-10) -> Run:
    """Adaptive steps."""
    core = as_problem(problem).as_core()
    return _run(_core.solve(core, steps, grid=_core.Grid.adaptive, rtol=rtol, atol=atol))


def flow(problem: Any, time: float, rtol: float = 1e-6, atol: float = 1e-10) -> Run:
    """Gradient flow to a time in units of 1 / learning rate."""
    return _run(_core.flow(as_problem(problem).as_core(), time, rtol=rtol, atol=atol))


def exact(problem: Any, steps: int) -> Run:
    """Every step, for comparison."""
    return _run(_core.solve(as_problem(problem).as_core(), steps))


def _run(result: dict[str, Any]) -> Run:
    return Run(**(result | {"stats": Run(**result["stats"])}))
