"""Profiles over depth: polynomials through collocation nodes in tau = l/L."""

from typing import Any

import numpy as np

from lindmft._gate import refuse, tuple_of_numbers
from lindmft._types import Array


def interpolate(nodes: Array, values: Array, tau: Any) -> Array:
    """The polynomial through ``values`` (m, ...) at the ``nodes`` (m,), evaluated at ``tau``.

    Returns (...) for a number and (k, ...) for k of them. Barycentric formula of the second kind.
    """
    scalar = np.ndim(tau) == 0
    points = np.array(tuple_of_numbers([tau] if scalar else tau, "tau", "numbers in [0, 1]"))
    if not ((points >= 0) & (points <= 1)).all():
        refuse("tau", "in [0, 1]", tau)
    weights = _weights(nodes, points)
    result: Array = np.tensordot(weights, values, axes=1)
    return result[0] if scalar else result


def _weights(nodes: Array, points: Array) -> Array:
    """(k, m), what each node's value counts at each point."""
    gaps = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(gaps, 1.0)
    factors = 1.0 / gaps.prod(axis=1)
    distance = points[:, None] - nodes[None, :]
    exact = distance == 0.0
    terms = factors / np.where(exact, 1.0, distance)
    weights: Array = np.where(
        exact.any(axis=1, keepdims=True), exact, terms / terms.sum(axis=1, keepdims=True)
    )
    return weights
