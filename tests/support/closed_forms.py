"""Closed forms for perceptrons (theory.md section 12, items 1 to 7), written apart from the solver.

Unless said otherwise: isotropic inputs, equal widths `width` = nu, plain gradient descent with
learning rate `lr` = eta, `noise` = sigma, K = L + 1 and k = eta K. Time is counted in steps; the
`flow` functions take eta t.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def marchenko_pastur(aspect: float, nodes: int = 2000) -> tuple[Array, Array]:
    """Nodes and weights of the Marchenko-Pastur law of X^T X/P with aspect = D/P (section 12).

    Gauss-Chebyshev rule of the second kind on [(1 - sqrt(aspect))^2, (1 + sqrt(aspect))^2], plus a
    first node at 0 that completes the mass to 1: it is the atom for aspect > 1, the end point that
    the rule misses at aspect = 1, nothing otherwise. Exact for polynomials of degree 2 nodes.
    """
    if aspect == 0:
        return np.ones(1), np.ones(1)
    angle, root = np.arange(1, nodes + 1) * math.pi / (nodes + 1), math.sqrt(aspect)
    # 1 + aspect + 2 root cos(angle) as a sum of squares: no cancellation at a small lower edge.
    m = (1 - root) ** 2 + 4 * root * np.cos(angle / 2) ** 2
    weight = 2 * np.sin(angle) ** 2 / ((nodes + 1) * m)
    return np.append(0.0, m), np.append(1 - weight.sum(), weight)


def initial_loss(gamma0: float, width: float, init_scale: float = 1.0, depth: int = 1) -> float:
    """Test loss at t = 0, not centered (item 1); every weight array is scaled by `init_scale`."""
    return 1 + init_scale ** (2 * depth + 2) / (gamma0**2 * width)


def first_step(depth: int, lr: float, alpha: float, noise: float, width: float) -> float:
    """Test loss at t = 1, centered, full batch or one pass, every gamma0 (item 2)."""
    k = lr * (depth + 1)
    sampling = (1 + noise**2) / alpha
    layers = depth * (depth + 1) * (2 * depth + 1) / 6
    return (1 - k) ** 2 + k**2 * sampling + lr**2 / width * layers * (1 + sampling)


def lazy_losses(
    depth: int, lr: float, alpha: float, noise: float, steps: int
) -> tuple[Array, Array]:
    """Test and train loss for t = 0..steps-1, nu = inf, gamma0 = 0, full batch (item 3)."""
    return lazy_losses_at(depth, lr, alpha, noise, np.arange(steps))


def lazy_losses_at(
    depth: int, lr: float, alpha: float, noise: float, steps: Array, nodes: int = 2000
) -> tuple[Array, Array]:
    """Lazy losses after the given numbers of steps; many steps need many nodes of the law."""
    k = lr * (depth + 1)
    return _spectral_losses(lambda m: (1 - k * m) ** steps[:, None], alpha, noise, nodes)


def lazy_flow_losses(
    depth: int, alpha: float, noise: float, times: Array, nodes: int = 2000
) -> tuple[Array, Array]:
    """Lazy losses in gradient flow at the given times eta t (item 3)."""
    rates = (depth + 1) * np.asarray(times, float)[:, None]
    return _spectral_losses(lambda m: np.exp(-rates * m), alpha, noise, nodes)


def _spectral_losses(
    residual: Callable[[Array], Array], alpha: float, noise: float, nodes: int
) -> tuple[Array, Array]:
    """Item 3 for the surviving fraction `residual(m)`, (T, nodes), of each eigendirection.

    At alpha = 1 the law reaches zero, and times t need about 10 sqrt(K eta t) nodes.
    """
    m, weight = marchenko_pastur(1 / alpha, nodes)
    left = residual(m)
    positive = m > 0
    learned = np.where(positive, (1 - left) ** 2 / np.where(positive, m, 1.0), 0.0)
    test = left**2 @ weight + noise**2 / alpha * learned @ weight
    train = left**2 @ (weight * m) + noise**2 * (left**2 @ weight / alpha + 1 - 1 / alpha)
    return test, train


def lazy_largest_lr(depth: int, alpha: float) -> float:
    """Stability edge of lazy full-batch descent, k m+ = 2 (item 3)."""
    return 2 / ((depth + 1) * (1 + 1 / math.sqrt(alpha)) ** 2)


def long_time_limits(alpha: float, noise: float) -> tuple[float, float]:
    """Test and train loss as t -> inf, full batch (item 4).

    For alpha > 1 every depth, width and gamma0; for alpha < 1 the lazy limit only.
    """
    if alpha > 1:
        return noise**2 / (alpha - 1), noise**2 * (1 - 1 / alpha)
    return 1 - alpha + noise**2 * alpha / (1 - alpha), 0.0


def lazy_critical_loss(depth: int, lr: float, time: float) -> float:
    """Leading test loss at large t for alpha = 1 without noise, lazy (item 4)."""
    return 1 / math.sqrt(2 * math.pi * (depth + 1) * lr * time)


def lazy_finite_width_loss(lr: float, width: float, steps: int) -> Array:
    """Test loss for L = 1, gamma0 -> 0, population, centered (item 5); error O(gamma0^2)."""
    x, weight = marchenko_pastur(1 / width)
    return (1 - lr * (1 + x)) ** (2 * np.arange(steps)[:, None]) @ weight


def infinite_width_loss(lr: float, gamma0: float, steps: int) -> Array:
    """Test loss of one hidden layer at nu = inf, population, any gamma0 (item 6)."""
    f, kernel, loss = 0.0, 2.0, []
    for _ in range(steps):
        r = 1 - f
        loss.append(r**2)
        step, drive = lr * r, lr**2 * gamma0**2 * r
        f, kernel = (
            f + step * kernel + drive * r * f,
            kernel + 4 * lr * gamma0**2 * f * r + drive * r * kernel,
        )
    return np.array(loss)


def infinite_width_flow_loss(gamma0: float, times: Array) -> Array:
    """Gradient flow of `infinite_width_loss` at the times eta t (item 6).

    df/dtau = 2 sqrt(1 + gamma0^2 f^2) (1 - f) integrates to an inverse hyperbolic sine.
    """
    s = math.sqrt(1 + gamma0**2)
    angle = 2 * s * np.asarray(times, float)
    return (s**2 / (gamma0**2 + s * np.sinh(angle) + np.cosh(angle))) ** 2


def one_pass_lazy_loss(
    depth: int, lr: float, alpha_batch: float, noise: float, steps: int
) -> Array:
    """Test loss of lazy one-pass SGD at nu = inf, t = 0..steps-1 (item 7)."""
    k = lr * (depth + 1)
    factor = (1 - k) ** 2 + k**2 / alpha_batch
    loss = [1.0]
    for _ in range(steps - 1):
        loss.append(factor * loss[-1] + k**2 * noise**2 / alpha_batch)
    return np.array(loss)


def one_pass_lazy_limit(depth: int, lr: float, alpha_batch: float, noise: float) -> float:
    """Limit t -> inf of `one_pass_lazy_loss` below its stability edge (item 7)."""
    k = lr * (depth + 1)
    return noise**2 * k / (2 * alpha_batch - k * (alpha_batch + 1))


def one_pass_lazy_largest_lr(depth: int, alpha_batch: float) -> float:
    """Stability edge of `one_pass_lazy_loss`, k = 2 alpha_B/(1 + alpha_B) (item 7)."""
    return 2 * alpha_batch / ((1 + alpha_batch) * (depth + 1))


def multi_pass_lazy_largest_lr(depth: int, alpha: float, batch_fraction: float) -> float:
    """Stability edge of lazy multi-pass SGD: of fluctuations, or of the mean (item 7)."""
    q, batch = batch_fraction, alpha * batch_fraction
    if batch < (1 - q) * math.sqrt(alpha):
        return 2 * batch * (1 - q) / ((1 - q + batch) * (depth + 1))
    return lazy_largest_lr(depth, alpha)
