"""Student's t distribution for whole degrees of freedom, in closed form."""

import math
from functools import cache

__all__ = ["central", "quantile"]


def central(t: float, freedom: int) -> float:
    """Return the probability of a number between -t and t: a finite sum of powers of a cosine.

    Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, terms = (sine * cosine if odd else sine), 0.0
    for k in range(3 if odd else 2, freedom + 1, 2):
        terms += term
        term *= cosine**2 * (k - 1) / k
    return 2 / math.pi * (angle + terms) if odd else terms


@cache
def quantile(confidence: float, freedom: int) -> float:
    """Return the t for which a number lies between -t and t with probability ``confidence``."""
    low, high = 0.0, 1.0
    while central(high, freedom) < confidence:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if central(middle, freedom) < confidence else (low, middle)
    return high
