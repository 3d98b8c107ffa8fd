"""Weights, rates and decays of a loop, as a user of PyTorch gives them."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import (
    choice,
    conflict,
    flag,
    is_list,
    number,
    positive,
    refuse,
    tuple_of_numbers,
)
from lindmft.problem.frameworks.initial import standard_deviations
from lindmft.problem.frameworks.layers import SAME, Layers, Sizes

__all__ = ["RawLayers", "raw_options", "scheduled"]


@dataclass(frozen=True)
class RawLayers:
    """Standard deviations, raw rates and decays of each layer (L + 1,), of the user's own weights.

    ``decays`` are the factors by which a step shrinks the weights of a layer, beside the gradient.
    """

    std: Array
    rates: Array
    decays: Array

    @classmethod
    def read(
        cls, sizes: Sizes, outputs: int, *, init: Any, gain: Any, lr: Any, weight_decay: Any
    ) -> "RawLayers":
        """Return the layers with the arguments of ``from_pytorch``, which are checked here."""
        shapes = [(b, a) for a, b in pairwise((sizes.inputs, *sizes.hidden, outputs))]
        factor = None if gain is None else positive(gain, "gain")
        rates = _by_layer(lr, "lr", len(shapes))
        if not rates.any():
            refuse("lr", "positive in a layer", lr)
        decays = rates * _by_layer(weight_decay, "weight_decay", len(shapes))
        return cls(standard_deviations(init, factor, shapes), rates, decays)

    def with_base(self, sizes: Sizes, base_hidden: Any) -> "RawLayers":
        """Return the layers of ``nn.Linear`` that train like those of ``mup`` with base shapes.

        MuSGD multiplies the rate of the first layer by m_1 = N_1 / base width and that of hidden
        layers by m_{l+1} / m_l. The readout has the rate m_L and the forward pass W h / m_L, and
        starts with sqrt(m_L) times its weights. Weight decays are divided by the same factors.
        """
        if base_hidden is None:
            return self
        base = _widths(base_hidden, "base_hidden", len(sizes.hidden))
        ratios = np.asarray(sizes.hidden) / base
        last = ratios[-1]
        std = self.std * np.append(np.ones(len(ratios)), last**-0.5)
        factors = [ratios[0], *(b / a for a, b in pairwise(ratios)), 1 / last]
        return replace(self, std=std, rates=self.rates * factors)

    def with_loss(self, reduction: Any, half: Any, count: float, outputs: int) -> "RawLayers":
        """Return the layers with the rates that belong to 1/2 of the mean over samples."""
        return replace(self, rates=self.rates * loss_factor(reduction, half, count, outputs))

    def with_inputs(self, scale: Any) -> "RawLayers":
        """Return the layers for inputs of unit scale: V^0 (a x) = (a V^0) x."""
        first = np.array([positive(scale, "input_scale"), *np.ones(len(self.std) - 1)])
        return replace(self, std=self.std * first, rates=self.rates * first**2)

    def settled(self, branch: Any) -> Layers:
        """Return the layers with one decay; others have no counterpart in the theory."""
        if np.ptp(self.decays) > SAME * np.abs(self.decays).max():
            shown = ", ".join(f"{decay:.3g}" for decay in self.decays)
            conflict(
                "weight_decay",
                "learning rates that differ between layers",
                "a step multiplies the weights of a layer by 1 - lr * weight_decay, which has to "
                f"be the same for all layers, and is 1 - [{shown}]",
                "Give weight_decay as a list whose products with lr are equal",
            )
        strength = None if branch is None else positive(branch, "branch")
        self._check_start(residual=strength is not None)
        return Layers(self.std, self.rates, float(self.decays[0]), strength)

    def _check_start(self, residual: bool) -> None:
        """Refuse layers that start from zero where no layer ever gets a gradient."""
        layers = self.std[[0, -1]] if residual else self.std
        if np.count_nonzero(layers == 0) > 1:
            which = "of the first and the last layer" if residual else "layer"
            refuse(
                "init",
                f"zero for at most one {which} (with more no layer ever gets a gradient)",
                list(self.std),
            )


def loss_factor(reduction: Any, half: Any, count: float, outputs: int) -> float:
    """Return the loss over 1/2 of the mean over samples of the sum of squares over outputs.

    ``count`` is the number of samples in the loss.
    """
    factor = 1.0 if flag(half, "half") else 2.0
    if choice("mean", "sum")(reduction, "reduction") == "mean":
        return factor / outputs
    if count == math.inf:
        conflict(
            "reduction='sum'",
            "infinite data",
            "the sum over samples is infinite",
            "Give reduction='mean'",
        )
    return factor * count


def raw_options(
    layers: Layers, reduction: Any, half: Any, count: float, outputs: int
) -> tuple[Array, Array]:
    """Return lr and weight_decay (L + 1,) of each layer in a loop with this loss."""
    lr = layers.rates / loss_factor(reduction, half, count, outputs)
    if layers.decay > 0 and not lr.all():
        conflict(
            "optimizer.weight_decay",
            "a learning rate of 0 in optimizer.layer_lr",
            "PyTorch multiplies the decay of a layer by its learning rate",
            "Set weight_decay to 0, or all multipliers above 0",
        )
    if layers.decay == 0:
        return lr, np.zeros(len(lr))
    return lr, layers.decay / lr


def scheduled(lr: float, schedule: Any) -> float | tuple[float, ...]:
    """Return the learning rate of every step, from the factors that a scheduler has."""
    if schedule is None:
        return lr
    factors = tuple_of_numbers(schedule, "schedule")
    if not factors:
        refuse("schedule", "a list with the factor of each step", schedule)
    return tuple(lr * factor for factor in factors)


def _by_layer(value: Any, field: str, layers: int) -> Array:
    """Return (L + 1,) numbers that are finite and not negative, from one or from a list."""
    if not is_list(value):
        found = np.full(layers, number(value, field, "a number, or a list with one per layer"))
    else:
        found = np.array(tuple_of_numbers(value, field))
    if len(found) != layers:
        refuse(field, f"one number, or a list of {layers} (one per layer)", value)
    if not (np.isfinite(found) & (found >= 0)).all():
        refuse(field, "finite and not negative", value)
    return found


def _widths(value: Any, field: str, layers: int) -> Array:
    found = _by_layer(value, field, layers)
    if not (found > 0).all():
        refuse(field, "positive", value)
    return found
