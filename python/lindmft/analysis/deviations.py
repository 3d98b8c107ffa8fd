"""Deviations of log losses from the theory, and how often chance makes them.

Losses fluctuate by factors. Their logarithms have a nearly symmetric distribution, and the mean of
log losses is nearer to the theory's logarithm than the logarithm of the mean loss.
"""

from collections.abc import Sequence

import numpy as np

from lindmft._internal.types import Array
from lindmft.analysis.rotation import SUSPICIOUS_CHANCE, Chances, chances
from lindmft.results.statistics import DOUBLE, SINGLE

__all__ = ["FEWEST_NETWORKS", "deviation_chances", "log_deviation", "rounding_errors"]

FEWEST_NETWORKS = 4
"""Fewest networks for z-scores: the standard error of fewer is itself too uncertain."""
FINITE_SIZE = 0.5
"""Largest deviation of a mean log loss at finite size, in units of its variance over networks.

In a combination of steps, all steps of a loss deviate by the same fraction of this bound. Signs
that differ from step to step would allow any combination too much.
"""
OF_LOSS, OF_LARGEST = 1e-10, 1e-13
"""Rounding errors relative to a loss, and relative to the largest loss."""
SINGLE_PRECISION = 1e-5
"""Relative rounding error of a loss in single precision."""


def deviation_chances(
    losses: Sequence[tuple[Array, Array]],
    dtype: str = DOUBLE,
    weights: tuple[Array, Array] | None = None,
) -> tuple[Chances | None, float | None]:
    """Return the chances of these deviations, and that of those beyond finite size.

    ``losses`` are the test and the train loss, and the loss of averaged weights if there is one:
    (networks, m) and the theory's (m,), all finite. The results are None with fewer than four
    networks. ``weights`` (m,) combine the steps of the first two (``pilot_weights``).
    """
    if len(losses[0][0]) < FEWEST_NETWORKS:
        return None, None
    deviations = [log_deviation(trained, theory, dtype) for trained, theory in losses]
    combined, allowed = None, 0.0
    if weights is not None:
        pairs = list(zip(deviations[:2], weights, strict=True))
        combined = np.sum([one @ by for one, by in pairs], axis=0)
        variances = [_finite_size(one) @ by for one, by in pairs]
        allowed = float(np.sum(np.abs(variances)))
    found = chances(deviations[0], deviations[1], combined, *deviations[2:])
    if found.overall >= SUSPICIOUS_CHANCE:
        return found, found.overall
    test, train, *average = (_beyond(each, _finite_size(each)) for each in deviations)
    left = None if combined is None else _beyond(combined, allowed)
    return found, max(chances(test, train, left, *average).overall, found.overall)


def rounding_errors(theory: Array) -> Array:
    """Return (m,) the size of rounding errors in the theory or in the mean."""
    rounding: Array = OF_LOSS * theory + OF_LARGEST * theory.max() + np.finfo(float).tiny
    return rounding


def log_deviation(losses: Array, theory: Array, dtype: str) -> Array:
    """Return log(loss / theory), (networks, m); 0 where the difference is rounding."""
    floor = OF_LARGEST * theory.max() + np.finfo(float).tiny
    expected = np.maximum(theory, floor)
    deviation: Array = np.log(np.maximum(losses, floor) / expected)
    rounding = rounding_errors(expected) / expected
    if dtype == SINGLE:
        rounding += SINGLE_PRECISION
    return np.where(np.sqrt(np.mean(deviation**2, axis=0)) > 10 * rounding, deviation, 0.0)


def _finite_size(deviation: Array) -> Array:
    """(m,), the deviation of the mean that networks of this size may have."""
    allowed: Array = FINITE_SIZE * deviation.var(axis=0, ddof=1)
    return allowed


def _beyond(deviation: Array, allowed: Array | float) -> Array:
    """Deviations less their mean, as far as the mean is allowed."""
    left: Array = deviation - np.clip(deviation.mean(axis=0), -allowed, allowed)
    return left
