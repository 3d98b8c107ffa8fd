"""Criteria for a stable run: settled runs are bounded, and bounded runs are finite.

All judge the training loss. Label noise and minibatches give a stable run a floor, which may lie
above the loss at the start. A loss that rises to a floor rises ever more slowly; one that is
unstable rises ever faster. So the criteria judge whether rises slow down, not how high they end.
"""

import numpy as np

from lindmft._core import NotConverged
from lindmft._internal.types import Array
from lindmft.analysis.searches.accuracy import STEP_TO_STEP
from lindmft.results.solution import Solution

__all__ = ["CRITERIA", "MEANINGS", "is_stable"]

CRITERIA = ("bounded", "settled", "finite")
MEANINGS = {
    "bounded": "the training loss ends below its start, or levels off above it",
    "settled": "in their second half the training loss falls, or rises ever more slowly",
    "finite": "no divergence within the steps",
}
FEWEST = 8
"""Steps from which on the curvature of a loss can be judged."""
CALM = 0.1
"""Jumps of a loss in its second half, in units of its start, below which it does not jump about."""
SAMPLES = 400
"""Times at which a run on a coarse grid is judged."""


def is_stable(run: Solution | NotConverged, criterion: str) -> bool:
    """Whether a run is stable; one that the solver cannot follow is not."""
    if not isinstance(run, Solution) or run.diverged_at is not None:
        return False
    if criterion == "finite":
        return True
    loss, tolerance = _sampled(run), max(STEP_TO_STEP, run.rtol or 0.0) * run.train_loss[0]
    bounded = bool(loss[-1] <= loss[0]) or levels_off(loss, tolerance)
    return bounded and (criterion == "bounded" or settles(loss, tolerance))


def levels_off(loss: Array, tolerance: float) -> bool:
    """Whether a loss that no longer jumps about rises no faster in its last quarter than before.

    Compared are the rises of its mean over quarters, which average small oscillations out. Where
    loss(t) - loss(infinity) is a power A^t, as in lazy one-pass training, this is A <= 1,
    whatever the floor.
    """
    if len(loss) < FEWEST or _jumps(loss[len(loss) // 2 :]) > CALM * loss[0]:
        return False
    quarter = len(loss) // 4
    second, third, last = (loss[-i * quarter :][:quarter].mean() for i in (3, 2, 1))
    return bool(last - third <= max(third - second, tolerance))


def _jumps(loss: Array) -> float:
    """The way it goes up and down, less twice its net change: not positive if monotone."""
    return float(np.abs(np.diff(loss)).sum() - 2 * abs(loss[-1] - loss[0]))


def settles(loss: Array, tolerance: float) -> bool:
    """Whether in the second half no rise from step to step is larger than those before it."""
    rises = np.diff(loss[len(loss) // 2 :])
    allowed = np.maximum(np.minimum.accumulate(rises), 0.0)
    if len(loss) < FEWEST:
        return bool((rises <= tolerance).all())
    return bool((rises[1:] <= allowed[:-1] + tolerance).all())


def _sampled(run: Solution) -> Array:
    """The training loss at equally spaced times."""
    if run.grid == "exact":
        return run.train_loss
    times = np.linspace(run.time[0], run.time[-1], SAMPLES)
    return run.at(np.unique(np.round(times))).train_loss
