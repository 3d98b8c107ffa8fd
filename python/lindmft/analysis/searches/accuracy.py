"""How small a loss the solver can tell from zero; smaller ones are rounding, and rank nothing."""

import numpy as np

from lindmft.results.solution import Solution

ROUNDING = 1e-12
"""Accuracy of losses on exact grids, in units of the loss at the start."""


def resolution(run: Solution, loss: str) -> float:
    """The accuracy of a loss: on exact grids by rounding, on coarse ones the tolerance ``atol``.

    In units of the loss at the start. Where that is zero, nothing is known, and it is zero.
    """
    start = float(getattr(run, loss)[0])
    return start * max(ROUNDING, run.atol or 0.0) if np.isfinite(start) else 0.0


def resolved(run: Solution, loss: str) -> float:
    """The loss at the end, or the accuracy of the solver where that is larger."""
    return max(float(getattr(run, loss)[-1]), resolution(run, loss))
