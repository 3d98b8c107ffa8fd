"""Few nodes for the many eigenvalues of a covariance and the target on them.

The eigenvalues are cut into geometric panels. In each of them two measures are replaced by their
Gauss rules, m nodes that are exact for polynomials in lambda of degree below 2 m: the eigenvalues
themselves, and the target's power on them, which may be as irregular as it likes. A node of one
measure carries nothing of the other. What the tolerance bounds are sums, not losses
(docs/accuracy.md).
"""

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.spectral_sums import sums, times, worst_error

ORDERS = (2, 3, 4, 6, 8)
GROWTHS = np.geomspace(1.5, 100.0, 16)
GHOST = 1e-12
"""Weight of a node that stands for the target alone: as good as none, but positive."""
FLOOR = 1e-9
"""Sums that fell below it, relative to their start, are not resolved."""

Measure = tuple[Array, Array]


def grouped(eigenvalues: Array, power: Array, tolerance: float) -> tuple[Array, Array, Array]:
    """Eigenvalues, target powers and weights (K,) of the smallest set of nodes found.

    From falling eigenvalues (D,) and the target's powers on them (D,). Its error is at most the
    tolerance; where no grouping is that good, every eigenvalue stays alone.
    """
    ones = np.ones_like(eigenvalues)
    # Beyond 1 / lambda of the last mode, all sums are falling, and narrow spectra learn most there.
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
                break  # smaller panels have more nodes
    return best


def gauss_rule(points: Array, weights: Array, order: int) -> Measure:
    """Nodes and weights of the Gauss rule of a discrete measure, by the Lanczos process.

    As many nodes as the order, or as there are points that weigh anything.
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
        for _ in range(2):  # once is not enough in floating point
            v = v - basis.T @ (basis @ v)
        off_diagonal.append(float(np.linalg.norm(v)))
        if off_diagonal[-1] <= 1e-14 * points.max():  # all points in fewer places
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
