"""Polynomial interpolation, by the barycentric formula of the second kind."""

import numpy as np

from lindmft._internal.types import Array


def weights(nodes: Array, points: Array) -> Array:
    """(k, m), what the value at each of m nodes counts at each of k points."""
    # Distances in units of the nodes' range, so that their products stay within range.
    scale = max(float(np.ptp(nodes)), np.finfo(float).tiny)
    gaps = (nodes[:, None] - nodes[None, :]) / scale
    np.fill_diagonal(gaps, 1.0)
    factors = 1.0 / gaps.prod(axis=1)
    distance = (points[:, None] - nodes[None, :]) / scale
    exact = distance == 0.0
    at_node = exact.any(axis=1, keepdims=True)
    terms = factors / np.where(exact, 1.0, distance)
    total = np.where(at_node, 1.0, terms.sum(axis=1, keepdims=True))
    result: Array = np.where(at_node, exact, terms / total)
    return result
