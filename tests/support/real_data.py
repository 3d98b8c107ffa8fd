"""Networks trained on real samples, by a loop in NumPy that shares no code with the package.

The weights are normal with variance 1, and the layers are those of trace-class spectra: W x, then
W h / sqrt(N), then w . h / (gamma0 N) for each output. Every step uses all training samples.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """Settings of networks and of gradient descent; ``lr`` is in the units of the package."""

    hidden: int
    depth: int
    gamma0: float
    lr: float
    steps: int
    samples: int


def load(name: str) -> tuple[Array, Any]:
    """Return inputs and labels of a data set that scikit-learn ships; skip without the package."""
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y


def losses(X: Array, Y: Array, settings: Training, seed: int) -> tuple[Array, Array]:
    """Return excess test loss and train loss before each step, as sums over outputs.

    The data set is the population, so training samples are drawn from it with replacement, and the
    test loss is the mean over all of it. The excess is over the best linear fit. The outputs of a
    network at initialization are subtracted.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(X), size=settings.samples)
    x, y = X[chosen], Y[chosen]
    best, moments = np.linalg.lstsq(X, Y, rcond=None)[0], X.T @ X / len(X)
    N, sizes = settings.hidden, [X.shape[1], *[settings.hidden] * settings.depth, Y.shape[1]]
    weights = [rng.standard_normal((b, a)) for a, b in pairwise(sizes)]
    scales = [1.0, *[N**-0.5] * (settings.depth - 1), 1 / (settings.gamma0 * N)]
    rate = settings.lr * settings.gamma0**2 * N
    start = forward(weights, scales, np.eye(X.shape[1]))[-1]
    test, train = [], []
    for _ in range(settings.steps):
        off = forward(weights, scales, np.eye(X.shape[1]))[-1] - start - best
        test.append((off * (moments @ off)).sum())
        layers = forward(weights, scales, x)
        error = y - (layers[-1] - x @ start)
        train.append((error**2).sum() / len(x))
        signal = error / len(x)
        for i in reversed(range(len(weights))):
            change = rate * scales[i] * signal.T @ layers[i]
            signal = scales[i] * signal @ weights[i]
            weights[i] = weights[i] + change
    return np.array(test), np.array(train)


def forward(weights: list[Array], scales: list[float], x: Array) -> list[Array]:
    """Return the inputs of all layers and the outputs."""
    layers = [x]
    for w, scale in zip(weights, scales, strict=True):
        layers.append(scale * layers[-1] @ w.T)
    return layers
