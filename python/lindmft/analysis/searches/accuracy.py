"""The accuracy of losses: below it they are rounding errors, which rank nothing.

Each constant belongs to one kind of comparison. All of them are for exactly solved steps; on coarse
grids the tolerance of the solver takes their place where it is larger.
"""

import numpy as np

from lindmft.results.solution import Solution

START_FRACTION = 1e-12
"""Accuracy of a loss, in units of the loss at the start."""
STEP_TO_STEP = 1e-10
"""Changes of a loss from step to step, in units of the loss at the start, that are rounding."""
EQUAL_LOSSES = 1e-9
"""Relative difference up to which the losses of two problems are equal."""
SMALLEST = 5e-324
"""The smallest positive double takes the place of a loss of zero, which has no logarithm."""


def resolution(run: Solution, loss: str) -> float:
    """Return the accuracy of a loss: by rounding on exact grids, ``atol`` on coarse ones.

    Both are in units of the loss at the start. Where that is zero or infinite, the result is zero:
    nothing is known then.
    """
    start = float(getattr(run, loss)[0])
    return start * max(START_FRACTION, run.atol or 0.0) if np.isfinite(start) else 0.0


def resolved(run: Solution, loss: str) -> float:
    """Return the loss at the end, or the accuracy of the solver where that is larger."""
    return max(float(getattr(run, loss)[-1]), resolution(run, loss))
