"""A training loop on raw weights, as a user of PyTorch writes it: no biases, one raw rate, 0.5 mse.

It uses NumPy alone, passes sample by sample through the layers, and shares no code with the
package.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def excess_losses(
    seed: int,
    *,
    inputs: int,
    hidden: list[int],
    samples: int,
    lr: float,
    steps: int,
    scale: float,
    branch: float | None = None,
    spectrum: Any = 1.0,
    uniform: bool = False,
) -> list[float]:
    """Return the excess test loss before each step, for weights of variance scale^2 / fan-in.

    Weights are normal, so that small networks have the same law as those of the package, or uniform
    as in ``nn.Linear``, which makes no difference for large networks. Inputs are Gaussian with
    variances ``spectrum``, and the target's norm is 1. With ``branch`` every hidden layer but the
    first is h + branch * W h.
    """
    rng = np.random.default_rng(seed)
    deviations = np.sqrt(np.broadcast_to(spectrum, inputs))
    x = rng.standard_normal((samples, inputs)) * deviations
    target = rng.standard_normal(inputs)
    target /= np.linalg.norm(target)
    y = x @ target
    sizes = [inputs, *hidden, 1]
    bound = np.sqrt(3.0)

    def draw(*shape: int) -> Array:
        return rng.uniform(-bound, bound, shape) if uniform else rng.standard_normal(shape)

    weights = [
        scale * draw(fan_out, fan_in) / np.sqrt(fan_in) for fan_in, fan_out in pairwise(sizes)
    ]
    losses = []
    for _ in range(steps):
        predictor = _forward(weights, np.eye(inputs), branch)[-1][:, 0]
        losses.append(float((((target - predictor) * deviations) ** 2).sum()))
        layers = _forward(weights, x, branch)
        gradients = _backward(weights, layers, y, branch)
        weights = [w - lr * gradient for w, gradient in zip(weights, gradients, strict=True)]
    return losses


def _strength(layer: int, count: int, branch: float | None) -> float | None:
    """Return the strength of a layer's branch; None if the layer has no skip connection."""
    return branch if 0 < layer < count - 1 else None


def _forward(weights: list[Array], x: Array, branch: float | None) -> list[Array]:
    layers = [x]
    for layer, w in enumerate(weights):
        b = _strength(layer, len(weights), branch)
        out = layers[-1] @ w.T
        layers.append(out if b is None else layers[-1] + b * out)
    return layers


def _backward(
    weights: list[Array], layers: list[Array], y: Array, branch: float | None
) -> list[Array]:
    """Return the gradients of 0.5 * mean (f - y)^2."""
    signal = (layers[-1] - y[:, None]) / len(y)
    gradients: list[Array] = []
    for layer in reversed(range(len(weights))):
        b = _strength(layer, len(weights), branch)
        gradients.append((1.0 if b is None else b) * signal.T @ layers[layer])
        back = signal @ weights[layer]
        signal = back if b is None else signal + b * back
    return gradients[::-1]
