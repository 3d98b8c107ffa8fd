"""The frontier of a compute scan: which budgets it covers, and the powers that it follows.

A budget is covered if no width that may have the smallest loss there is missing: neither a narrow
one whose computed steps end below the budget, nor a wide one whose first step costs more.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.types import Array, Mask
from lindmft.analysis.curves import FEWEST_POINTS
from lindmft.analysis.log_fits import fit_line, local_slopes

SPAN = 0.25 * np.log(10)
"""Radius of the local fits in log budget, as in ``fit_exponent``."""
SAMPLES = 64
"""Steps of the later half of a run, among which its fastest decay is found."""


class Ends(NamedTuple):
    """Lower bound on the loss of a run beyond its last step: ``loss exp(-rate further steps)``.

    It holds if the loss decays no faster than it ever did in the later half of the run. The loss of
    a run that diverged is infinite, so that it is never the best one again.
    """

    first: float
    loss: float
    rate: float


def ends_of(run: Any, last: int, accuracy: float) -> Ends:
    """Return the loss after one step and after the last one, and the fastest decay."""
    first = float(run.at([1.0]).test_loss[0])
    times = np.unique(np.linspace(last // 2, last, SAMPLES).round())
    losses = run.at(times).test_loss
    if not np.isfinite(losses).all():
        return Ends(first, np.inf, 0.0)
    logs = np.log(np.maximum(losses, max(accuracy, np.finfo(float).tiny)))
    rates = -np.diff(logs) / np.diff(times)
    return Ends(first, float(np.exp(logs[-1])), max(0.0, float(rates.max(initial=0.0))))


def missing_steps(
    ends: list[Ends], counts: NDArray[np.int_], last: int, frontier: Array, accuracy: float
) -> NDArray[np.int_]:
    """Return (m, b) the steps that each run would need at each budget; 0 if none is missing."""
    further = np.maximum(counts - last, 0)
    rate = np.array([end.rate for end in ends])[:, None]
    bound = np.array([end.loss for end in ends])[:, None] * np.exp(-rate * further)
    return np.where((further > 0) & (np.maximum(bound, accuracy) < frontier), counts, 0)


def below_first_step(ends: list[Ends], counts: NDArray[np.int_], frontier: Array) -> Mask:
    """Return (b,) whether some width is better after one step that the budget does not pay."""
    first = np.array([end.first for end in ends])[:, None]
    coarse: Mask = ((counts == 0) & (first < frontier)).any(axis=0)
    return coarse


def power(x: Array, y: Array) -> tuple[float, float]:
    """Return the slope of log y against log x, and its variation (inf below five points)."""
    logs = np.log(x), np.log(y)
    slope = fit_line(*logs).slope
    if len(x) < FEWEST_POINTS:
        return slope, np.inf
    local = local_slopes(*logs, SPAN)
    return slope, float(max(np.ptp(local) / 2, np.abs(local - slope).max()))


def grid_error(budgets: Array, best: Array, widths: Array) -> float:
    """Return the uncertainty of the slope of the best width, since only some widths were tried.

    The best one is known to half of the spacing at each end of the range of budgets.
    """
    indices = np.searchsorted(widths, best)
    gaps = np.diff(np.log(widths))
    spacing = max(gaps[min(i, len(gaps) - 1)] for i in indices)
    spacing = max(spacing, *(gaps[max(i - 1, 0)] for i in indices))
    return float(spacing / np.log(budgets[-1] / budgets[0]))
