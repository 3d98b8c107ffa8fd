"""Polynomial interpolation, by the barycentric formula of the second kind."""

import numpy as np

from lindmft._internal.types import Array


def weights(nodes: Array, points: Array) -> Array:
    """Return (k, m), the weights of the values at m nodes in the interpolant at k points."""
    # Distances are in units of the range of the nodes, so that products do not overflow.
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
