"""Short calls of the solver for tests of coarse time grids: adaptive steps and gradient flow."""

import warnings
from typing import Any

import lindmft as lm

Run = lm.Solution


def solve(problem: Any, steps: int, rtol: float = 1e-6, atol: float = 1e-10) -> Run:
    """Solve with adaptive steps."""
    return lm.solve(problem, steps, grid="adaptive", rtol=rtol, atol=atol, keep_state=False)


def flow(problem: Any, time: float, rtol: float = 1e-6, atol: float = 1e-10) -> Run:
    """Solve gradient flow up to a time in units of 1 / learning rate."""
    return lm.flow(problem, time, rtol=rtol, atol=atol, keep_state=False)


def exact(problem: Any, steps: int) -> Run:
    """Solve every step, for comparison; the rate may be too large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lm.StabilityWarning)
        return lm.solve(problem, steps, keep_state=False)
