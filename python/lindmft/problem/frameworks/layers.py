"""The weights of ``nn.Linear`` layers and those of a problem: the same network in two scalings.

Layers l = 0 .. L have no biases, and their forward pass is V^l h. Raw rates belong to the gradient
of the sum of squared errors over outputs, 1/2 of its mean over samples. D' is the number of inputs
D, or 1 with a trace-class spectrum (theory sections 2 and 8):

    V^0 = W^0 / sqrt(D')        V^l = W^l / sqrt(N_l)         V^L = w^L sqrt(D') / (gamma0 N_L)

With V^l = a_l U^l, the product of all a_l being 1, U has the same predictor, and the same
trajectory if its raw rate is that of V^l divided by a_l^2. So one initial scale and multipliers
of the learning rate describe any initial scales. A layer that starts from zero has any a_l. A
branch h + b V^l h keeps a_l = 1, up to b, which is the same for all branches, so that branches of
other scales keep them.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.network import MLP, ResNet, initial_scales, widths
from lindmft.problem.problem import Problem

__all__ = ["Layers", "Sizes", "layers_of", "network_and_rates", "rounded"]

SAME = 1e-9
"""Relative difference up to which numbers of layers are equal."""


@dataclass(frozen=True)
class Sizes:
    """The numbers of inputs and of hidden units, and whether modes are inputs."""

    inputs: int
    hidden: tuple[int, ...]
    trace_class: bool

    @property
    def unit(self) -> float:
        """D', the factor of the first layer."""
        return 1.0 if self.trace_class else float(self.inputs)

    @property
    def fan_in(self) -> Array:
        """(L + 1,), the number of inputs of each layer."""
        return np.array([self.inputs, *self.hidden], float)


@dataclass(frozen=True)
class Layers:
    """Layers l = 0 .. L of a network as ``nn.Linear`` has them.

    Attributes
    ----------
    std
        (L + 1,), standard deviations of the initial weights.
    rates
        (L + 1,), raw learning rates.
    decay
        Factor 1 - decay by which a step multiplies every weight; the same for all layers.
    branch
        Strength of the skip connections' branches; None: a perceptron.
    """

    std: Array
    rates: Array
    decay: float
    branch: float | None = None


def factors(sizes: Sizes, gamma0: float) -> Array:
    """Return (L + 1,) the factors of V^l over W^l."""
    last = math.sqrt(sizes.unit) / (gamma0 * sizes.hidden[-1])
    return np.array([sizes.unit**-0.5, *(n**-0.5 for n in sizes.hidden[:-1]), last])


def layers_of(problem: Problem, sizes: Sizes, lr: float) -> Layers:
    """Return the layers of ``nn.Linear`` that train like a problem whose learning rate is lr."""
    network, optimizer = problem.network, problem.optimizer
    gamma0 = _effective_gamma0(problem)
    scale = factors(sizes, gamma0)
    multipliers = np.ones(len(scale)) if optimizer.layer_lr is None else optimizer.layer_lr
    return Layers(
        std=initial_scales(network) * scale,
        rates=lr * np.asarray(multipliers) * gamma0**2 * sizes.hidden[-1] * scale**2,
        decay=lr * optimizer.weight_decay,
        branch=_strength(network) if isinstance(network, ResNet) else None,
    )


def network_and_rates(
    layers: Layers, sizes: Sizes, parameterization: str, centered: bool
) -> tuple[MLP | ResNet, dict[str, Any]]:
    """Return the network of a problem with these layers, and learning rates and decay for ``SGD``.

    "ntk" sets gamma0 such that the readout is scaled like the other layers, "mup" such that the
    initial scale is 1.
    """
    residual = layers.branch is not None
    # Branches have a separate strength, so that the first layer and the readout set the scale.
    chosen = [0, -1] if residual else slice(None)
    count = 2 if residual else len(layers.std)
    reference = _reference(layers, sizes)
    product = float(np.prod((reference / factors(sizes, 1.0))[chosen]))
    gamma0 = (
        math.sqrt(sizes.inputs / sizes.hidden[-1]) if parameterization == "ntk" else 1 / product
    )
    init_scale = (product * gamma0) ** (1 / count)
    scale = factors(sizes, gamma0)
    rates = layers.rates * (init_scale * scale / reference) ** 2
    multipliers = rates / (gamma0**2 * sizes.hidden[-1] * scale**2)
    lr = float(multipliers[np.flatnonzero(multipliers)[0]])
    alike = np.ptp(multipliers) <= SAME * multipliers.max()
    options: dict[str, Any] = {
        **_widths(sizes),
        "depth": len(sizes.hidden),
        "gamma0": rounded(_given_gamma0(gamma0, parameterization, sizes)),
        "parameterization": parameterization,
        "init_scale": _of_arrays(init_scale * layers.std / reference, init_scale),
        "centered": centered,
    }
    optimizer = {
        "lr": rounded(lr),
        "weight_decay": rounded(layers.decay / lr),
        "layer_lr": None if alike else tuple(map(rounded, (multipliers / lr).tolist())),
    }
    if not residual:
        return MLP(**options), optimizer
    branch = (layers.branch or 0.0) * float(reference[1]) * math.sqrt(sizes.hidden[-1]) / init_scale
    strength = rounded(branch) if len(sizes.hidden) > 1 else 1.0
    return ResNet(**options, branch=strength, branch_scaling="constant"), optimizer


def _reference(layers: Layers, sizes: Sizes) -> Array:
    """Return standard deviations (L + 1,) that are a_l times the same scale, all positive.

    They are those of the layers, but for layers that start from zero and for branches.
    """
    reference = np.where(layers.std > 0, layers.std, sizes.fan_in**-0.5)
    if layers.branch is not None and (layers.std[1:-1] > 0).any():
        reference[1:-1] = layers.std[1:-1].max()
    return reference


def _of_arrays(scales: Array, usual: float) -> float | tuple[float, ...]:
    """Return one initial scale if all are equal, else all of them."""
    if np.ptp(scales) <= SAME * usual:
        return rounded(usual)
    return tuple(map(rounded, scales.tolist()))


def _widths(sizes: Sizes) -> dict[str, Any]:
    same = len(set(sizes.hidden)) == 1
    return {"hidden": sizes.hidden[0] if same else sizes.hidden}


def _given_gamma0(gamma0: float, parameterization: str, sizes: Sizes) -> float:
    """Return the field ``gamma0``, to which NTK parameterization adds a power of the width."""
    if parameterization == "mup":
        return gamma0
    return gamma0 * math.sqrt(sizes.hidden[-1] / sizes.unit)


def _effective_gamma0(problem: Problem) -> float:
    network = problem.network
    if network.parameterization == "mup":
        return network.gamma0
    return network.gamma0 / math.sqrt(widths(network)[-1])


def _strength(network: ResNet) -> float:
    deep = network.branch_scaling == "depth"
    return network.branch / math.sqrt(network.depth) if deep else network.branch


def rounded(value: float) -> float:
    """Return a number without its last two digits, which are rounding errors of powers."""
    return float(f"{value:.14g}")
