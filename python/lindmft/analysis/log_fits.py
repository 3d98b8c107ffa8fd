"""Straight lines and local slopes through points (x, y), here logarithms of times and losses."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.types import Array

NEAREST = 5
"""Smallest number of points in a local fit, however far they are."""

STATIONS = 10
"""Largest number of slopes that are fitted per radius."""


class Line(NamedTuple):
    """``y = slope x + intercept`` and the root mean square deviation from it."""

    slope: float
    intercept: float
    residual: float


def fit_line(x: Array, y: Array) -> Line:
    """Fit a line by least squares over the interval: dense points have no larger weight."""
    weight = interval_weights(x)
    mean_x, mean_y = weight @ x, weight @ y
    slope = weight @ ((x - mean_x) * (y - mean_y)) / (weight @ (x - mean_x) ** 2)
    off = y - mean_y - slope * (x - mean_x)
    residual = np.sqrt(weight @ off**2)
    return Line(float(slope), float(mean_y - slope * mean_x), float(residual))


def interval_weights(x: Array) -> Array:
    """Return the fraction of the interval that belongs to each point (trapezoidal rule)."""
    gaps = np.diff(x)
    weight = (np.append(gaps, 0.0) + np.append(0.0, gaps)) / 2
    return np.asarray(weight / weight.sum())


def local_slopes(x: Array, y: Array, radius: float) -> Array:
    """Return the slope at every x of a parabola fitted to nearby points with tricube weights.

    Where points are dense, only some slopes are fitted and the others are interpolated, because
    slopes hardly change within a small fraction of the radius.
    """
    fitted = _thinned(x, radius / STATIONS)
    return np.interp(x, x[fitted], [_local_slope(x, y, int(i), radius) for i in fitted])


def _thinned(x: Array, spacing: float) -> NDArray[np.int_]:
    """Indices of the first point after each of equally spaced marks, and of the last point."""
    marks = np.arange(x[0], x[-1], spacing)
    last = len(x) - 1  # rounding may put the last mark behind the last point
    return np.unique(np.append(np.minimum(np.searchsorted(x, marks), last), last))


def _local_slope(x: Array, y: Array, i: int, radius: float) -> float:
    reach = max(radius, 1.1 * _distance_of_nearest(x, i))
    first, last = np.searchsorted(x, [x[i] - reach, x[i] + reach])
    near = (x[first:last] - x[i]) / reach
    root = np.sqrt(np.clip(1 - np.abs(near) ** 3, 0, 1) ** 3)
    # Differences from y[i] keep all digits, however large y is.
    columns = np.vander(near, 3, increasing=True) * root[:, None]
    solution = np.linalg.lstsq(columns, (y[first:last] - y[i]) * root, rcond=None)[0]
    return float(solution[1] / reach)


def _distance_of_nearest(x: Array, i: int) -> float:
    """Distance to the farthest of the nearest points, among which the point itself counts."""
    around = np.abs(x[max(0, i - NEAREST) : i + NEAREST + 1] - x[i])
    return float(np.partition(around, NEAREST - 1)[NEAREST - 1])


def widest_flat(x: Array, values: Array, tolerance: float) -> tuple[int, int]:
    """Return the first and last index of the widest segment that is flat.

    Flat means that values are within the fraction ``tolerance`` of their middle.
    """
    best = (0, 0)
    for first in range(len(x)):
        low = np.minimum.accumulate(values[first:])
        high = np.maximum.accumulate(values[first:])
        # A segment only becomes less flat as it grows, so that the flat ones come first.
        flat = (high - low) <= tolerance * np.abs(high + low)
        flat &= low * high > 0  # slopes of one sign only: a power is not zero
        last = first + int(np.argmin(np.append(flat, False))) - 1
        if last > first and x[last] - x[first] > x[best[1]] - x[best[0]]:
            best = first, last
    return best
