"""Few nodes for the many eigenvalues of a covariance and the target on them.

The eigenvalues are cut into geometric panels. In each panel two measures are replaced by their
Gauss rules, m nodes that are exact for polynomials in lambda of degree below 2 m: the eigenvalues
themselves, and the target's power on them, which may vary irregularly between neighbors. With C
outputs the second measure has matrices as values, and m C nodes with a target vector each. The
nodes of the two measures are separate. The tolerance bounds sums, not losses (docs/accuracy.md).
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
Nodes = tuple[Array, Array, Array]
"""Eigenvalues (K,), targets (K, C) and weights (K,)."""


def grouped(eigenvalues: Array, targets: Array, tolerance: float) -> Nodes:
    """Return the smallest set of nodes found for falling eigenvalues (D,) and targets (D, C).

    The error of the nodes is at most the tolerance in the power of every output; if no grouping is
    that accurate, every eigenvalue stays a node.
    """
    ones = np.ones_like(eigenvalues)
    # Times go beyond 1 / lambda of the last mode: narrow spectra learn most there.
    s = times(eigenvalues[0], eigenvalues[-1] / -np.log(FLOOR))
    best = (eigenvalues, targets, ones)
    exact = _sums(best, s)
    for order in ORDERS:
        for growth in GROWTHS[::-1]:
            nodes = _nodes(eigenvalues, targets, order, growth)
            if worst_error(_sums(nodes, s), exact, FLOOR) <= tolerance:
                if len(nodes[0]) < len(best[0]):
                    best = nodes
                break  # a smaller growth has smaller panels, and more nodes
    return best


def block_gauss_rule(points: Array, vectors: Array, order: int) -> Measure:
    """Return nodes (n,) and vectors (n, C) of the Gauss rule of a measure of matrices.

    The sum over points of f(point) v v^T becomes the same sum over nodes, exactly for polynomials
    of degree below twice the order. It is the block Lanczos process, whose first block has the
    components of the vectors.
    """
    first, start = np.linalg.qr(vectors)
    basis, blocks, couplings = [first], [], []
    for _ in range(order):
        v = points[:, None] * basis[-1]
        blocks.append(basis[-1].T @ v)
        whole = np.hstack(basis)
        for _ in range(2):  # one orthogonalization is not enough in floating point
            v = v - whole @ (whole.T @ v)
        following, coupling = np.linalg.qr(v)
        basis.append(following)
        couplings.append(coupling)
    size = vectors.shape[1]
    jacobi = np.zeros((order * size, order * size))
    for i, block in enumerate(blocks):
        here = slice(i * size, (i + 1) * size)
        jacobi[here, here] = (block + block.T) / 2
        if i + 1 < order:
            below = slice((i + 1) * size, (i + 2) * size)
            jacobi[below, here] = couplings[i]
            jacobi[here, below] = couplings[i].T
    nodes, columns = np.linalg.eigh(jacobi)
    return nodes, columns[:size].T @ start


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


def _sums(nodes: Nodes, s: Array) -> Array:
    """Return the sums over nodes, with one row for the target of each output."""
    lam, targets, p = nodes
    power = (p * lam)[:, None] * targets**2
    rows = [sums(lam, p, column, s) for column in power.T]
    return np.vstack([rows[0][1:], *(row[:1] for row in rows)])


def _nodes(eigenvalues: Array, targets: Array, order: int, growth: float) -> Nodes:
    panel = np.floor(np.log(eigenvalues[0] / eigenvalues) / np.log(growth)).astype(int)
    parts = []
    for own in np.split(np.arange(len(panel)), np.flatnonzero(np.diff(panel)) + 1):
        lam, w = eigenvalues[own], targets[own]
        if len(own) <= (1 + w.shape[1]) * order:
            parts.append((lam, w, np.ones_like(lam)))
            continue
        nodes, p = gauss_rule(lam, np.ones_like(lam), order)
        parts.append((nodes, np.zeros((len(nodes), w.shape[1])), p))
        nodes, rows = _target_rule(lam, np.sqrt(lam)[:, None] * w, order)
        parts.append((nodes, rows / np.sqrt(nodes * GHOST)[:, None], np.full_like(nodes, GHOST)))
    lam, w, p = (np.concatenate(column) for column in zip(*parts, strict=True))
    return lam, w, p


def _target_rule(points: Array, vectors: Array, order: int) -> Measure:
    """Return the Gauss rule of the measure of the target, whose vectors are (n, C)."""
    if vectors.shape[1] > 1:
        return block_gauss_rule(points, vectors, order)
    nodes, power = gauss_rule(points, vectors[:, 0] ** 2, order)
    return nodes, np.sqrt(power)[:, None]
