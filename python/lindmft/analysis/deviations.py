"""Deviations of networks from the theory on the scale on which chance is normal, and its chances.

Losses fluctuate by factors: their logarithms are nearly symmetric, and the mean of these is nearer
the theory's than that of losses.
"""

from collections.abc import Sequence

import numpy as np

from lindmft._internal.types import Array
from lindmft.analysis.rotation import SUSPICIOUS_CHANCE, Chances, chances
from lindmft.results.statistics import DOUBLE, SINGLE

__all__ = ["FEWEST_NETWORKS", "deviation_chances", "log_deviation", "rounding_errors"]

FEWEST_NETWORKS = 4
"""With fewer, a standard error is itself so uncertain that z-scores say little."""
FINITE_SIZE = 0.5
"""Largest deviation of a mean log loss at finite size, in units of its variance over networks.

In a combination of steps all steps of a loss are taken to be off by the same fraction of it: signs
that differ from step to step would allow any combination too much.
"""
ROUNDING = 1e-10, 1e-13
"""A smaller difference is rounding: relative to a loss, and to the largest loss."""
SINGLE_ROUNDING = 1e-5


def deviation_chances(
    losses: Sequence[tuple[Array, Array]],
    dtype: str = DOUBLE,
    weights: tuple[Array, Array] | None = None,
) -> tuple[Chances | None, float | None]:
    """How often chance makes these deviations, and those that finite size does not explain.

    Of the test and the train loss: (networks, m) and the theory's (m,), all finite. None of fewer
    than four networks. ``weights`` combine the steps of both, (m,) each (``pilot_weights``).
    """
    if len(losses[0][0]) < FEWEST_NETWORKS:
        return None, None
    deviations = [log_deviation(trained, theory, dtype) for trained, theory in losses]
    combined, allowed = None, 0.0
    if weights is not None:
        combined = np.sum([one @ by for one, by in zip(deviations, weights, strict=True)], axis=0)
        variances = [_finite_size(one) @ by for one, by in zip(deviations, weights, strict=True)]
        allowed = float(np.sum(np.abs(variances)))
    found = chances(deviations[0], deviations[1], combined)
    if found.overall >= SUSPICIOUS_CHANCE:
        return found, found.overall
    test, train = (_beyond(each, _finite_size(each)) for each in deviations)
    left = None if combined is None else _beyond(combined, allowed)
    return found, max(chances(test, train, left).overall, found.overall)


def rounding_errors(theory: Array) -> Array:
    """(m,), below which a difference is rounding, in the theory or in the mean."""
    rounding: Array = ROUNDING[0] * theory + ROUNDING[1] * theory.max() + np.finfo(float).tiny
    return rounding


def log_deviation(losses: Array, theory: Array, dtype: str) -> Array:
    """(networks, m), the logarithm of losses over the theory's; 0 where they differ by rounding."""
    floor = ROUNDING[1] * theory.max() + np.finfo(float).tiny
    expected = np.maximum(theory, floor)
    deviation: Array = np.log(np.maximum(losses, floor) / expected)
    rounding = rounding_errors(expected) / expected
    if dtype == SINGLE:
        rounding += SINGLE_ROUNDING
    return np.where(np.sqrt(np.mean(deviation**2, axis=0)) > 10 * rounding, deviation, 0.0)


def _finite_size(deviation: Array) -> Array:
    """(m,), the part of the mean that networks of this size may have."""
    allowed: Array = FINITE_SIZE * deviation.var(axis=0, ddof=1)
    return allowed


def _beyond(deviation: Array, allowed: Array | float) -> Array:
    """Deviations less as much of their mean as is allowed."""
    left: Array = deviation - np.clip(deviation.mean(axis=0), -allowed, allowed)
    return left
