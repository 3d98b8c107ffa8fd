"""Few nodes for the many eigenvalues of a covariance and the target on them.

The eigenvalues are cut into geometric panels. In each panel two measures are replaced by their
Gauss rules, m nodes that are exact for polynomials in lambda of degree below 2 m: the eigenvalues
themselves, and the target's power on them, which may vary irregularly between neighbors. The nodes
of the two measures are separate. The tolerance bounds sums, not losses (docs/accuracy.md).
"""

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.spectral_sums import sums, times, worst_error

ORDERS = (2, 3, 4, 6, 8)
GROWTHS = np.geomspace(1.5, 100.0, 16)
GHOST = 1e-12
"""Weight of a node of the target's measure: positive, as weights must be, but negligible."""
FLOOR = 1e-9
"""Sums below this fraction of their value at s = 0 are not resolved."""

Measure = tuple[Array, Array]


def grouped(eigenvalues: Array, power: Array, tolerance: float) -> tuple[Array, Array, Array]:
    """Return eigenvalues, target powers and weights (K,) of the smallest set of nodes found.

    The arguments are falling eigenvalues (D,) and the target's powers on them (D,). The error of
    the nodes is at most the tolerance; if no grouping is that accurate, every eigenvalue stays a
    node.
    """
    ones = np.ones_like(eigenvalues)
    # Times go beyond 1 / lambda of the last mode: narrow spectra learn most there.
    s = times(eigenvalues[0], eigenvalues[-1] / -np.log(FLOOR))
    exact = sums(eigenvalues, ones, eigenvalues * power, s)
    best = (eigenvalues, power, ones)
    for order in ORDERS:
        for growth in GROWTHS[::-1]:
            nodes = _nodes(eigenvalues, power, order, growth)
            lam, w2, p = nodes
            if worst_error(sums(lam, p, p * lam * w2, s), exact, FLOOR) <= tolerance:
                if len(lam) < len(best[0]):
                    best = nodes
                break  # a smaller growth has smaller panels, and more nodes
    return best


def gauss_rule(points: Array, weights: Array, order: int) -> Measure:
    """Return nodes and weights of the Gauss rule of a discrete measure, by the Lanczos process.

    There are ``order`` nodes, or one for each point with a weight if these are fewer.
    """
    points, weights = points[weights > 0], weights[weights > 0]
    if len(points) <= order:
        return points, weights
    total = weights.sum()
    basis = np.sqrt(weights / total)[None]
    diagonal, off_diagonal = [], []
    for _ in range(order):
        v = points * basis[-1]
        diagonal.append(basis[-1] @ v)
        for _ in range(2):  # one orthogonalization is not enough in floating point
            v = v - basis.T @ (basis @ v)
        off_diagonal.append(float(np.linalg.norm(v)))
        if off_diagonal[-1] <= 1e-14 * points.max():  # fewer distinct points than the order
            break
        basis = np.vstack([basis, v / off_diagonal[-1]])
    inner = off_diagonal[: len(diagonal) - 1]
    nodes, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(inner, 1) + np.diag(inner, -1))
    return nodes, total * vectors[0] ** 2


def _nodes(
    eigenvalues: Array, power: Array, order: int, growth: float
) -> tuple[Array, Array, Array]:
    panel = np.floor(np.log(eigenvalues[0] / eigenvalues) / np.log(growth)).astype(int)
    parts = []
    for own in np.split(np.arange(len(panel)), np.flatnonzero(np.diff(panel)) + 1):
        lam, w2 = eigenvalues[own], power[own]
        if len(own) <= 2 * order:
            parts.append((lam, w2, np.ones_like(lam)))
            continue
        nodes, p = gauss_rule(lam, np.ones_like(lam), order)
        parts.append((nodes, np.zeros_like(nodes), p))
        nodes, target = gauss_rule(lam, lam * w2, order)
        parts.append((nodes, target / nodes / GHOST, np.full_like(nodes, GHOST)))
    lam, w2, p = (np.concatenate(column) for column in zip(*parts, strict=True))
    return lam, w2, p
