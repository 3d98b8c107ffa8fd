"""Few nodes for the many modes of a power law: quadrature rules for sums over k.

The theory needs sums over modes of functions of lambda_k that are smooth on the scale of log k. The
modes are cut into panels that grow geometrically, and the sum over the integers of a panel is
replaced by its Gauss rule: m nodes that are exact for every polynomial in k of degree below 2 m,
for any length of the panel. The Gauss rule of the uniform measure on 0 .. n-1 is known in closed
form (discrete Chebyshev or Gram polynomials), so that no sum over all modes is computed.
"""

from functools import lru_cache

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.spectral_sums import sums, times, worst_error

ORDERS = (4, 6, 8, 10, 12, 16)
GROWTHS = np.geomspace(1.1, 8.0, 40)
REFERENCE = (20, 1.25)
"""Order and growth of a rule whose error is rounding."""


@lru_cache(maxsize=64)
def power_law_nodes(
    capacity: float, source: float, modes: int, tolerance: float
) -> tuple[Array, Array] | None:
    """Return nodes k (K,), real numbers in 1 .. modes, and weights p (K,) with the sum ``modes``.

    They are those of the smallest rule that was found whose error (see ``worst_error``) is at most
    the tolerance; None if there is none.
    """
    s = times(1.0, float(modes) ** -capacity)

    def all_sums(k: Array, p: Array) -> Array:
        return sums(k**-capacity, p, p * k ** (-capacity * source - 1), s)

    exact = all_sums(*_rule(modes, *REFERENCE))
    # Sorted by a bound on the size of a rule, which costs much less than its error.
    candidates = sorted(
        (size, order, growth)
        for order in ORDERS
        for growth in GROWTHS
        for size in [sum(min(order, n) for _, n in _panels(modes, order, growth))]
    )
    for _, order, growth in candidates:
        rule = _rule(modes, order, growth)
        if worst_error(all_sums(*rule), exact) <= tolerance:
            return rule
    return None


def gram_rule(count: int, order: int) -> tuple[Array, Array]:
    """Return the Gauss rule of ``order`` <= ``count`` nodes for sums over 0 .. count - 1."""
    j = np.arange(1.0, order)
    off_diagonal = np.sqrt(j**2 * (float(count) ** 2 - j**2) / (4 * (4 * j**2 - 1)))
    jacobi = np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes + (count - 1) / 2, count * vectors[0] ** 2


def _panels(modes: int, order: int, growth: float) -> list[tuple[int, int]]:
    """Return first mode and number of modes of every panel; the first ones have ``order`` modes."""
    panels = []
    first = 1
    while first <= modes:
        count = min(max(order, int(first * (growth - 1))), modes - first + 1)
        panels.append((first, count))
        first += count
    return panels


def _rule(modes: int, order: int, growth: float) -> tuple[Array, Array]:
    parts = []
    for first, count in _panels(modes, order, growth):
        single = count <= order
        k, p = (np.arange(count), np.ones(count)) if single else gram_rule(count, order)
        parts.append((first + k, p))
    return np.concatenate([k for k, _ in parts]), np.concatenate([p for _, p in parts])
