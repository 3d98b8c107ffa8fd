"""Profiles over depth: polynomials through collocation nodes in tau = l/L."""

from typing import Any

import numpy as np

from lindmft._internal import interpolation
from lindmft._internal.types import Array
from lindmft._internal.validation import number_array, refuse


def interpolate(nodes: Array, values: Array, tau: Any) -> Array:
    """Evaluate at ``tau`` the polynomial through ``values`` (m, ...) at the ``nodes`` (m,).

    Returns (...) for a number and (k, ...) for k of them.
    """
    given = number_array(tau, "tau", "numbers in [0, 1]")
    points = np.atleast_1d(given)
    if not ((points >= 0) & (points <= 1)).all():
        refuse("tau", "in [0, 1]", tau)
    result: Array = np.tensordot(interpolation.weights(nodes, points), values, axes=1)
    return result if given.ndim else result[0]
