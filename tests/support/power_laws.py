"""Curves of power-law data at infinite width and data, in gradient flow, apart from the solver.

Eigenvalues k^-a, target power w_k^2 with w_k^2 k^-a = k^(-a b - 1); K = L + 1 (theory.md
section 12, item 11). Modes are in geometric bins, which are weighted with their numbers of modes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]


def panel_times(first: float, last: float, panels: int, nodes: int = 8) -> Array:
    """Return times like those of an adaptive grid: geometric panels, nodes denser at their ends."""
    edges = np.geomspace(first, last, panels + 1)
    inner = (1 - np.cos(np.pi * (np.arange(nodes) + 1) / nodes)) / 2
    return np.append(first, (edges[:-1, None] + np.diff(edges)[:, None] * inner).ravel())


def modes(capacity: float, source: float, last: float) -> tuple[Array, Array, Array]:
    """Eigenvalues, target amplitudes w_k and numbers of modes, for k from 1 to ``last``."""
    edges = np.unique(np.geomspace(1, last, 200).round())
    k = np.sqrt(edges[:-1] * (edges[1:] - 1))  # bins of whole numbers from edge to edge
    eigenvalues = k**-capacity
    return eigenvalues, np.sqrt(k ** (-capacity * source - 1) / eigenvalues), np.diff(edges)


def lazy_loss(times: Array, capacity: float, source: float, kernel: float = 2.0) -> Array:
    """Sum over k of k^(-ab-1) exp(-2 K k^-a t), exactly up to 10^5 and by an integral beyond."""
    k = np.append(np.arange(1, 1e5), np.geomspace(1e5, 1e9, 2000))
    weight = np.append(np.ones(99999), np.gradient(np.geomspace(1e5, 1e9, 2000)))
    power = weight * k ** (-capacity * source - 1)
    return np.array([power @ np.exp(-2 * kernel * k**-capacity * t) for t in times])


def rich_loss(times: Array, capacity: float, source: float, gamma0: float) -> Array:
    """One hidden layer: dw_hat/dt = (a I + M) u, u = Lambda (w* - w_hat), any gamma0.

    The weights stay balanced, so a^2 = 1 + gamma0^2 |w_hat|^2 and M = I + (a - 1) e e^T with e
    along w_hat; with a single eigenvalue this is item 6.
    """
    eigenvalues, target, count = modes(capacity, source, 1e10)

    def rate(_: float, learned: Array) -> Array:
        gradient = eigenvalues * (target - learned)
        square = count @ learned**2
        a = np.sqrt(1 + gamma0**2 * square)
        along = learned * (count @ (learned * gradient)) / max(square, 1e-300)
        return (a + 1) * gradient + (a - 1) * along

    run = solve_ivp(
        rate, (0, times[-1]), np.zeros(len(target)), "LSODA", times, rtol=1e-7, atol=1e-12
    )
    assert run.success
    return np.array([(count * eigenvalues) @ (target - w) ** 2 for w in run.y.T])
