"""Tests of whether numbers are draws from the standard normal distribution."""

import math

import numpy as np

from lindmft._internal.types import Array

__all__ = ["cdf", "from_student", "kolmogorov"]


def cdf(z: float) -> float:
    """Return the probability of a smaller number."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def from_student(t: Array, freedom: Array) -> Array:
    """Convert Student's t to the normal number of the same probability.

    Wallace (1959), Annals of Mathematical Statistics 30, 1121: accurate to about 0.002 for 30 and
    more degrees of freedom and numbers up to 5, and to 4 % for 3 degrees.
    """
    root = np.sqrt(freedom * np.log1p(t**2 / freedom))
    return np.sign(t) * (8 * freedom + 1) / (8 * freedom + 3) * root


def kolmogorov(z: Array) -> tuple[float, float]:
    """Return Kolmogorov's distance of (m,) numbers from the normal, and the chance of more.

    The chance is that of Stephens (1970), Journal of the Royal Statistical Society B 32, 115.
    """
    m = len(z)
    probability = np.array([cdf(x) for x in np.sort(z)])
    ranks = np.arange(m + 1) / m
    distance = float(max((ranks[1:] - probability).max(), (probability - ranks[:-1]).max()))
    scaled = distance * (math.sqrt(m) + 0.12 + 0.11 / math.sqrt(m))
    terms = [(-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101)]
    # For smaller distances the series does not converge, and the chance is one to all digits.
    return distance, 1.0 if scaled < 0.2 else min(1.0, 2 * math.fsum(terms))
