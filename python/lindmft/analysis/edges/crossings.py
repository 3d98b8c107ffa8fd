"""The first time at which a series passes a level, between the times at which it is known."""

import numpy as np

from lindmft._internal.types import Array

__all__ = ["first_above_one"]


def first_above_one(time: Array, values: Array) -> float | None:
    """Return the first time at which positive values exceed 1; None if they never do.

    Between two times the logarithm of the values is interpolated linearly, which is exact for
    exponential growth. Values that are infinite are reached at once.
    """
    above = np.flatnonzero(values > 1.0)
    if not len(above):
        return None
    i = int(above[0])
    if i == 0 or not np.isfinite(values[i]):
        return float(time[i])
    low, high = np.log(values[i - 1 : i + 1])
    return float(time[i - 1] + (time[i] - time[i - 1]) * low / (low - high))
