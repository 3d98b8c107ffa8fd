"""Criteria for a stable run: settled runs are bounded, and bounded runs are finite.

All criteria use the training loss. With label noise or minibatches, the loss of a stable run tends
to a floor, which may be above the loss at the start. A loss that rises to a floor rises more and
more slowly; an unstable one rises faster and faster. So the criteria ask whether rises slow down,
not how high they end.
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
"""Smallest number of steps at which the curvature of a loss can be judged."""
CALM = 0.1
"""Largest sum of jumps in the second half of a calm loss, in units of its start."""
SAMPLES = 400
"""Number of times at which a run on a coarse grid is judged."""


def is_stable(run: Solution | NotConverged, criterion: str) -> bool:
    """Return whether a run is stable; one that does not converge in the solver is not."""
    if not isinstance(run, Solution) or run.diverged_at is not None:
        return False
    if criterion == "finite":
        return True
    loss, tolerance = _sampled(run), max(STEP_TO_STEP, run.rtol or 0.0) * run.train_loss[0]
    bounded = bool(loss[-1] <= loss[0]) or levels_off(loss, tolerance)
    return bounded and (criterion == "bounded" or settles(loss, tolerance))


def levels_off(loss: Array, tolerance: float) -> bool:
    """Return whether a calm loss rises no faster in its last quarter than before.

    The rises of its mean over quarters are compared, because means average out small oscillations.
    Where loss(t) - loss(infinity) is a power A^t, as in lazy one-pass training, this is A <= 1,
    whatever the floor.
    """
    if len(loss) < FEWEST or _jumps(loss[len(loss) // 2 :]) > CALM * loss[0]:
        return False
    quarter = len(loss) // 4
    second, third, last = (loss[-i * quarter :][:quarter].mean() for i in (3, 2, 1))
    return bool(last - third <= max(third - second, tolerance))


def _jumps(loss: Array) -> float:
    """The total variation of a loss less twice its net change: not positive if monotone."""
    return float(np.abs(np.diff(loss)).sum() - 2 * abs(loss[-1] - loss[0]))


def settles(loss: Array, tolerance: float) -> bool:
    """Return whether in the second half no rise of a step exceeds the rises before it."""
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
