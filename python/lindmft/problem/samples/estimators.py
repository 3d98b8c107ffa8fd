"""Estimates of target, signal and noise from a factor: theory section 6, "Measured spectra".

Least squares takes noise for signal: it adds Sigma / (P lambda_k) to the Gram matrix of mode k.
Estimates subtract this, and keep one target vector for each mode.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.samples.factor import Factor

PENALTIES = np.concatenate([np.geomspace(1e-8, 1e4, 121), [np.inf]])
"""Penalties of ridge regression that are compared, in units of the mean eigenvalue."""


@dataclass(frozen=True)
class Estimate:
    """Target, signal and noise; variances are sums over outputs."""

    targets: Array
    """w*_k (r, C), whose power is the estimated signal, or 0 if that is negative."""
    noise: Array | None
    """Covariance of the label noise (C, C); None if the data cannot tell."""
    signal: float
    """Variance of the linear part of the labels; negative by chance if it is small."""
    signal_error: float
    noise_error: float
    penalty: float = 0.0
    """Penalty of ridge regression, in the units of the eigenvalues."""
    doubt: float = 0.0
    """Standard error that the signal would have if the labels were noise alone."""


def population(factor: Factor) -> Estimate:
    """Take the samples for the whole population: the fit is exact, and residuals are the noise."""
    noise = factor.residual / factor.samples
    signal = float(np.trace(factor.components.T @ factor.components)) / factor.samples
    return Estimate(factor.targets, noise, signal, 0.0, 0.0)


def least_squares(factor: Factor) -> Estimate:
    """Return the least-squares target without the power that noise adds to it."""
    P, rank = factor.samples, factor.rank
    fitted = factor.components.T @ factor.components / P
    if factor.free <= 0:
        signal = float(np.trace(fitted))
        return Estimate(factor.targets, None, signal, np.inf, np.inf, doubt=np.inf)
    noise = factor.residual / factor.free
    share = np.trace(noise) / P
    power = cumulative((factor.components**2).sum(axis=1) / P - share)
    found = fitted - rank * noise / P
    square, target = float((noise**2).sum()), _positive(found)
    doubt = 2 * square * rank / P**2 + 2 * square / factor.free * (rank / P) ** 2
    sampling = 4 * (noise * target).sum() / P + 2 * (target**2).sum() / P
    return Estimate(
        _with_moments(factor, power, target),
        noise,
        float(np.trace(found)),
        float(np.sqrt(doubt + sampling)),
        float(np.sqrt(2 * square / factor.free)),
        doubt=float(np.sqrt(doubt)),
    )


def ridge(factor: Factor) -> Estimate:
    """Return the estimates for random targets, whose strength maximizes the likelihood.

    Targets have independent Gaussian coefficients along all directions. Powers are their second
    moments given the labels, so that they need no correction.
    """
    count = factor.samples - factor.lost
    unit = factor.eigenvalues.mean()

    def loss(penalty: float) -> float:
        shrink = _noise_fraction(factor, penalty * unit)
        noise = np.diag(_residual(factor, shrink)) / count
        return float((count * np.log(np.maximum(noise, 1e-300)) - np.log(shrink).sum()).sum())

    penalty = unit * _smallest(loss)
    shrink = _noise_fraction(factor, penalty)
    noise = _residual(factor, shrink) / count
    targets = factor.targets * (1 - shrink)[:, None]
    spread = (1 - shrink) / (factor.samples * factor.eigenvalues)
    power = factor.eigenvalues * ((targets**2).sum(axis=1) + spread * np.trace(noise))
    found = (targets.T * factor.eigenvalues) @ targets
    found = found + float(factor.eigenvalues @ spread) * noise
    signal_error, noise_error = _errors(factor, shrink, noise)
    return Estimate(
        _with_moments(factor, power, found),
        noise,
        float(np.trace(found)),
        signal_error,
        noise_error,
        penalty=penalty,
        doubt=_doubt(factor),
    )


def held_out(
    factor: Factor, train: Factor, errors: Callable[[Array], Array], labels: Array
) -> Estimate:
    """Return the estimates of ridge regression that predicts samples which were held out best.

    ``errors`` returns the errors of a predictor (D, C) on these samples (n, C), and ``labels`` are
    theirs (n, C).
    """
    unit = train.eigenvalues.mean()

    def fit(source: Factor, penalty: float) -> Array:
        shrink = _noise_fraction(source, penalty * unit)
        return source.targets * (1 - shrink)[:, None]

    def mistakes(penalty: float) -> Array:
        return errors(train.directions.T @ fit(train, penalty))

    penalty = _smallest(lambda p: float((mistakes(p) ** 2).sum()))
    left = mistakes(penalty)
    noise = left.T @ left / len(left)
    gain = (labels**2).sum(axis=1) - (left**2).sum(axis=1)
    found = labels.T @ labels / len(labels) - noise
    targets = fit(factor, penalty)
    power = factor.eigenvalues * (targets**2).sum(axis=1)
    signal_error = float(np.std(gain) / np.sqrt(len(gain)))
    return Estimate(
        _with_moments(factor, power, _positive(found)),
        noise,
        float(gain.mean()),
        signal_error,
        float(np.std((left**2).sum(axis=1)) / np.sqrt(len(left))),
        penalty=penalty * unit,
        doubt=_doubt(factor),
    )


def cumulative(power: Array) -> Array:
    """Return powers that are not negative, whose sums over the first modes follow those given.

    They are the differences of the isotonic regression of the sums. To set negative powers to zero
    mode by mode would keep the noise of all others.
    """
    levels: list[tuple[float, int]] = []
    for value in np.cumsum(power).tolist():
        mean, count = value, 1
        while levels and levels[-1][0] >= mean:
            below, others = levels.pop()
            mean = (below * others + mean * count) / (others + count)
            count += others
        levels.append((mean, count))
    sums = np.repeat([level[0] for level in levels], [level[1] for level in levels])
    steps: Array = np.diff(np.maximum(sums, 0.0), prepend=0.0)
    return steps


def _with_moments(factor: Factor, power: Array, moments: Array) -> Array:
    """Return targets (r, C) along the fitted ones, with these sums of lambda_k w_k w_k^T (C, C).

    Each fitted vector is first scaled to the power of its mode. One matrix for all modes then
    changes the sum as little as possible in the mean square: the linear map that transports one
    Gaussian distribution into the other.
    """
    fitted = factor.targets
    old = factor.eigenvalues * (fitted**2).sum(axis=1)
    scale = np.sqrt(np.divide(power, old, out=np.zeros_like(old), where=old > 0))
    targets = fitted * scale[:, None]
    root, inverse = _roots((targets.T * factor.eigenvalues) @ targets)
    middle, _ = _roots(root @ moments @ root)
    mapped: Array = targets @ (inverse @ middle @ inverse)
    return mapped


def _roots(matrix: Array) -> tuple[Array, Array]:
    """Return the square root of a positive semidefinite matrix and the inverse of that."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = values > 1e-12 * max(values[-1], 0.0)
    root = np.where(kept, np.sqrt(np.maximum(values, 0.0)), 0.0)
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=kept)
    return (vectors * root) @ vectors.T, (vectors * inverse) @ vectors.T


def _positive(matrix: Array) -> Array:
    """Return the part of a symmetric matrix that is positive, with its trace if that is positive.

    Negative eigenvalues are noise, and so is an equal amount of the positive ones.
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = np.maximum(values, 0.0)
    if kept.sum() > 0:
        kept *= max(0.0, float(values.sum())) / kept.sum()
    positive: Array = (vectors * kept) @ vectors.T
    return positive


def _noise_fraction(factor: Factor, penalty: float) -> Array:
    """Return penalty / (lambda_k + penalty) (r,), by which ridge regression shrinks mode k."""
    if np.isinf(penalty):
        return np.ones(factor.rank)
    fraction: Array = penalty / (factor.eigenvalues + penalty)
    return fraction


def _residual(factor: Factor, shrink: Array) -> Array:
    moments: Array = (factor.components.T * shrink) @ factor.components + factor.residual
    return moments


def _smallest(loss: Callable[[float], float]) -> float:
    """Return the penalty with the smallest loss, refined twice between its neighbors."""
    grid = PENALTIES
    for _ in range(3):
        values = [loss(float(penalty)) for penalty in grid]
        best = int(np.argmin(values))
        if np.isinf(grid[best]) or best == 0:
            break
        above = grid[min(best + 1, len(grid) - 1)]
        grid = np.geomspace(grid[best - 1], above if np.isfinite(above) else 2 * grid[best], 13)
    return float(grid[best])


def _doubt(factor: Factor) -> float:
    """Return the standard error of the signal of random targets if labels were noise alone."""
    return _errors(factor, np.ones(factor.rank), factor.label_moments)[0]


def _errors(factor: Factor, shrink: Array, noise: Array) -> tuple[float, float]:
    """Return standard errors of signal and noise from the information on the two strengths."""
    slope = factor.samples * factor.eigenvalues
    rest = max(0, factor.free)
    # Along mode k labels have the variance slope tau^2 + 1 = 1 / shrink, in units of the noise.
    information = 0.5 * np.array(
        [
            [(slope * shrink) @ (slope * shrink), (slope * shrink) @ shrink],
            [(slope * shrink) @ shrink, shrink @ shrink + rest],
        ]
    )
    total = float(factor.eigenvalues.sum())
    if np.linalg.cond(information) > 1e14:
        return np.inf, np.inf
    variances = np.diag(np.linalg.inv(information)) * float((noise**2).sum())
    return total * float(np.sqrt(variances[0])), float(np.sqrt(variances[1]))
