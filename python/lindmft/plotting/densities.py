"""Smooth densities of the Hessian's spectrum, from the Ritz values of a random start."""

import numpy as np

from lindmft._internal.types import Array
from lindmft.results.spectrum import HessianSpectrum

__all__ = ["smooth_density"]

LAST = 3
"""Number of last coefficients that must agree, so that the rest are taken as equal to them."""
EQUAL = 0.02
"""Relative difference up to which coefficients agree."""


def smooth_density(spectrum: HessianSpectrum, i: int, x: Array) -> Array | None:
    """Return the density at the points x, at time i of the theory; None where it is not known.

    Ritz values and weights are a Gauss rule, from which the coefficients of Lanczos' method follow.
    For a spectrum without gaps they converge. The continued fraction of the resolvent is closed
    with their limits, a semicircle. With gaps they do not converge, and the result is None.
    """
    coefficients = _jacobi(spectrum.random_ritz[i], spectrum.random_weight[i])
    if coefficients is None:
        return None
    a, b = coefficients
    ends = np.concatenate([a[-LAST:] / a[-1], b[-LAST:] / b[-1]])
    if np.abs(ends - 1).max() > EQUAL:
        return None
    middle, radius = a[-1], 2 * b[-1]
    inside = np.abs(x - middle) < radius
    z = x[inside] - middle
    resolvent = 2 * (z - 1j * np.sqrt(radius**2 - z**2)) / radius**2
    # The last b is that of the closing part.
    for diagonal, beside in zip(a[::-1], [b[-1], *b[::-1]], strict=True):
        resolvent = 1 / (x[inside] - diagonal - beside**2 * np.conj(resolvent))
        resolvent = np.conj(resolvent)
    density = np.zeros(len(x))
    density[inside] = np.abs(resolvent.imag) / np.pi
    return density


def _jacobi(ritz: Array, weight: Array) -> tuple[Array, Array] | None:
    """Return the coefficients on the diagonal and those beside it; None if there are too few."""
    known = np.isfinite(ritz) & np.isfinite(weight)
    ritz, weight = ritz[known], weight[known]
    count = len(ritz)
    if count <= LAST or (weight < 0).any():
        return None
    vectors, a, b = np.zeros((count, count)), np.zeros(count), np.zeros(count)
    vector = np.sqrt(weight / weight.sum())
    for k in range(count):
        vectors[k] = vector
        image = ritz * vector
        a[k] = vector @ image
        for _ in range(2):  # twice, so that rounding errors do not remain
            image -= vectors[: k + 1].T @ (vectors[: k + 1] @ image)
        b[k] = np.linalg.norm(image)
        vector = image / b[k] if b[k] > 0 else image
    return a, b[:-1]
