"""Training loops in the conventions of PyTorch, written with NumPy alone, or with torch.

They share no code with the package, and take the arguments of ``from_pytorch``.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def excess_losses(seed: int, steps: int, **loop: Any) -> list[float]:
    """Return the test loss against noiseless labels before each step of one network."""
    rng = np.random.default_rng(seed)
    given = {"outputs": 1, "noise": 0.0, "input_scale": 1.0, **loop}
    target = rng.standard_normal((given["inputs"], given["outputs"]))
    target /= np.linalg.norm(target, axis=0) * given["input_scale"]
    weights, multipliers = start(rng, given)
    lr = np.broadcast_to(given["lr"], len(weights)).tolist()
    decay = np.broadcast_to(given.get("weight_decay", 0.0), len(weights)).tolist()
    velocity: list[Array] | None = None
    losses = []
    for step, (x, y) in zip(range(steps), batches(rng, target, given), strict=False):
        product = forward(weights, multipliers, np.eye(len(target)), given)[-1]
        losses.append(float(((target - product) ** 2).sum()) * given["input_scale"] ** 2)
        grads = backward(weights, multipliers, x, y, given)
        for layer in range(len(weights)):  # the factors of MuSGD
            grads[layer] += decay[layer] / mup_rates(given)[layer] * weights[layer]
        beta = given.get("momentum", 0.0)
        moved = grads if velocity is None else [
            beta * v + g for v, g in zip(velocity, grads, strict=True)
        ]  # fmt: skip
        velocity = moved
        if given.get("nesterov"):
            moved = [g + beta * v for g, v in zip(grads, velocity, strict=True)]
        factor = given["schedule"][step] if "schedule" in given else 1.0
        rates = [factor * a * b for a, b in zip(lr, mup_rates(given), strict=True)]
        weights = [w - r * m for w, r, m in zip(weights, rates, moved, strict=True)]
    return losses


def sizes(loop: dict[str, Any]) -> list[int]:
    return [loop["inputs"], *loop["hidden"], loop["outputs"]]


def start(rng: np.random.Generator, loop: dict[str, Any]) -> tuple[list[Array], list[float]]:
    """Draw initial weights; the second list has the factors of layers in the forward pass."""
    init = loop.get("init", "linear")
    weights, count = [], len(loop["hidden"]) + 1
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes(loop))):
        name = init[layer] if isinstance(init, list) else init
        weights.append(draw(rng, name, fan_in, fan_out, loop.get("gain")))
    multipliers = [1.0] * count
    if "base_hidden" in loop:
        ratio = loop["hidden"][-1] / loop["base_hidden"]
        weights[-1] *= ratio**0.5  # set_base_shapes rescales a MuReadout
        multipliers[-1] = 1 / ratio
    return weights, multipliers


def mup_rates(loop: dict[str, Any]) -> list[float]:
    """Return the factors by which MuSGD multiplies learning rates, and divides decays."""
    count = len(loop["hidden"]) + 1
    if "base_hidden" not in loop:
        return [1.0] * count
    ratio = loop["hidden"][-1] / loop["base_hidden"]
    return [ratio, *[1.0] * (count - 2), ratio]


def draw(rng: np.random.Generator, name: Any, a: int, b: int, gain: float | None) -> Array:
    """Draw the weights (b, a) of a layer with fan-in a, as the function of ``nn.init`` does."""
    if not isinstance(name, str):
        return rng.normal(0.0, name, (b, a))
    if name == "linear":
        return rng.uniform(-1 / math.sqrt(a), 1 / math.sqrt(a), (b, a))
    if name == "xavier_uniform":
        bound = (gain or 1.0) * math.sqrt(6 / (a + b))
        return rng.uniform(-bound, bound, (b, a))
    assert name == "kaiming_normal"
    return rng.normal(0.0, (gain or math.sqrt(2)) / math.sqrt(a), (b, a))


def batches(
    rng: np.random.Generator, target: Array, loop: dict[str, Any]
) -> Iterator[tuple[Array, Array]]:
    def samples(count: int) -> tuple[Array, Array]:
        x = loop["input_scale"] * rng.standard_normal((count, len(target)))
        return x, x @ target + loop["noise"] * rng.standard_normal((count, target.shape[1]))

    batch, order = loop.get("batch"), loop.get("order", "shuffled")
    if "samples" not in loop:
        while True:
            yield samples(loop["batch"])
    x, y = samples(loop["samples"])
    while True:
        if batch is None:
            yield x, y
        elif order == "replacement":
            chosen = rng.integers(0, len(x), batch)
            yield x[chosen], y[chosen]
        elif order == "subsets":
            chosen = rng.permutation(len(x))[:batch]
            yield x[chosen], y[chosen]
        else:
            shuffled = rng.permutation(len(x))
            for begin in range(0, len(x), batch):
                chosen = shuffled[begin : begin + batch]
                yield x[chosen], y[chosen]


def forward(
    weights: list[Array], multipliers: list[float], x: Array, loop: dict[str, Any]
) -> list[Array]:
    signals = [x]
    for layer, (w, m) in enumerate(zip(weights, multipliers, strict=True)):
        out = m * signals[-1] @ w.T
        if "branch" in loop and 0 < layer < len(weights) - 1:
            out = signals[-1] + loop["branch"] * out
        signals.append(out)
    return signals


def backward(
    weights: list[Array], multipliers: list[float], x: Array, y: Array, loop: dict[str, Any]
) -> list[Array]:
    """Return the gradients of ``nn.MSELoss``, halved if the loop has the factor 1/2."""
    signals = forward(weights, multipliers, x, loop)
    back = 2 * (signals[-1] - y)
    if loop.get("reduction", "mean") == "mean":
        back /= y.size
    if loop.get("half"):
        back /= 2
    grads: list[Array] = []
    for layer in reversed(range(len(weights))):
        skip = "branch" in loop and 0 < layer < len(weights) - 1
        factor = multipliers[layer] * (loop["branch"] if skip else 1.0)
        grads.append(factor * back.T @ signals[layer])
        back = factor * back @ weights[layer] + (back if skip else 0.0)
    return grads[::-1]


def combinations(inputs: int) -> dict[str, dict[str, Any]]:
    """Return loops of different conventions by name, with sizes in proportion to the inputs."""
    D = inputs
    return {
        "defaults of nn.Linear and nn.MSELoss": {
            "inputs": D, "hidden": [2 * D, 2 * D], "samples": 4 * D, "lr": 0.06, "noise": 0.3,
        },
        "Xavier, 1/2 of the sum, momentum and decay": {
            "inputs": D, "hidden": [D, 2 * D, D], "samples": 3 * D, "lr": 0.09 / (3 * D),
            "init": "xavier_uniform", "reduction": "sum", "half": True, "momentum": 0.5,
            "weight_decay": 0.6 * D,
        },
        "Kaiming, rates by layer, batches with replacement, Nesterov": {
            "inputs": D, "hidden": [D], "samples": 4 * D, "batch": D, "order": "replacement",
            "lr": [0.02, 0.01], "init": "kaiming_normal", "gain": 1.0, "momentum": 0.6,
            "nesterov": True,
        },
        "small readout, fresh batches, decay and schedule": {
            "inputs": D, "hidden": [D, D], "batch": 2 * D, "lr": 0.04,
            "init": [D**-0.5, 0.8 * D**-0.5, 0.3 * D**-0.5], "weight_decay": 0.5,
            "schedule": [1.0] * 6 + [0.5] * 20, "noise": 0.5, "input_scale": 1.5,
        },
        "mup with base shapes, subsets of two outputs, momentum": {
            "inputs": D, "hidden": [2 * D, 2 * D], "base_hidden": D / 2, "samples": 4 * D,
            "batch": 2 * D, "order": "subsets", "lr": 0.12, "momentum": 0.5, "outputs": 2,
            "weight_decay": 0.02, "half": True, "targets": [1.0, 1.0],
        },
        "residual, shuffled epochs, momentum": {
            "inputs": D, "hidden": [D, D, D], "samples": 2 * D, "batch": D // 2, "lr": 0.05,
            "branch": 0.5, "momentum": 0.3,
        },
    }  # fmt: skip
