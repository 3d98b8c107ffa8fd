"""Sums over modes, like those of the theory, by which the error of binning is measured."""

import numpy as np

from lindmft._internal.types import Array

PER_DECADE = 4
"""Number of times s in each decade."""


def times(largest: float, smallest: float) -> Array:
    """Return times s: 0, and from 0.1 / lambda of the first mode to 1 / lambda of the last one."""
    first, last = np.log10(0.1 / largest), -np.log10(smallest)
    steps = 1 + int(np.ceil(PER_DECADE * (last - first)))
    return np.concatenate([[0.0], np.logspace(first, last, steps + 1)])


def sums(eigenvalues: Array, weights: Array, target: Array, s: Array) -> Array:
    """Return three sums (3, times) over modes, from lambda_k, p_k and p_k lambda_k (w*_k)^2 (K,).

    They are the sums of p lambda w*^2, p lambda and p lambda^2, each times exp(-lambda s): the
    target, the initial weights and the noise in the modes that are not yet learned at time s. The
    rational functions of lambda s of other optimizers and of finite data are smoother.
    """
    measures = np.stack([target, weights * eigenvalues, weights * eigenvalues**2])
    result: Array = measures @ np.exp(-np.multiply.outer(eigenvalues, s))
    return result


def worst_error(found: Array, exact: Array, floor: float = 0.0) -> float:
    """Return the largest error of ``sums``, relative to the sum or ``floor`` times its start."""
    scale = np.maximum(exact, floor * exact[:, :1])
    off = np.abs(found - exact)
    return float(np.divide(off, scale, out=off, where=scale > 0).max())
