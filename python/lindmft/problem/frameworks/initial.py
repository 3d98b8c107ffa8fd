"""Standard deviations of initial weights by the names of PyTorch's functions.

Only the variance of the weights matters in wide networks, so that uniform and normal ones are the
same here.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import conflict, is_list, number, one_of, refuse

__all__ = ["Init", "standard_deviations"]

Init: TypeAlias = str | float | Sequence[str | float]
"""The name of an initialization, a standard deviation, or one of these for each layer."""
Shape: TypeAlias = tuple[int, int]
"""Fan-out and fan-in of a layer: the shape of its weights."""

NAMED: dict[str, tuple[Callable[[int, int], float], float | None]] = {
    "linear": (lambda _, fan_in: math.sqrt(1 / (3 * fan_in)), None),
    "lecun_normal": (lambda _, fan_in: math.sqrt(1 / fan_in), None),
    **dict.fromkeys(
        ("xavier_uniform", "xavier_normal"),
        (lambda fan_out, fan_in: math.sqrt(2 / (fan_in + fan_out)), 1.0),
    ),
    **dict.fromkeys(
        ("kaiming_uniform", "kaiming_normal"),
        (lambda _, fan_in: math.sqrt(1 / fan_in), math.sqrt(2.0)),
    ),
    **dict.fromkeys(
        ("kaiming_uniform_fan_out", "kaiming_normal_fan_out"),
        (lambda fan_out, _: math.sqrt(1 / fan_out), math.sqrt(2.0)),
    ),
}
"""Standard deviation of weights without the gain, and PyTorch's gain unless the user gives one."""
ALLOWED = f"a standard deviation from 0 on, {one_of(NAMED)}, or a list with one of these per layer"


def standard_deviations(init: Any, gain: float | None, shapes: Sequence[Shape]) -> Array:
    """Return the standard deviation (L + 1,) of the initial weights of each layer."""
    if not is_list(init):
        return np.array([_deviation(init, "init", gain, shape) for shape in shapes])
    if len(init) != len(shapes):
        refuse("init", f"one entry, or a list of {len(shapes)} (one per layer)", init)
    return np.array(
        [
            _deviation(one, f"init[{layer}]", gain, shape)
            for layer, (one, shape) in enumerate(zip(init, shapes, strict=True))
        ]
    )


def _deviation(init: Any, field: str, gain: float | None, shape: Shape) -> float:
    if not isinstance(init, str):
        return _number(init, field, gain)
    name = init.removesuffix("_")  # PyTorch's functions are called xavier_normal_ and so on
    if name not in NAMED:
        refuse(field, ALLOWED, init)
    deviation, usual = NAMED[name]
    if gain is None:
        return deviation(*shape) * (1.0 if usual is None else usual)
    if usual is None:
        conflict("gain", f"{field} = {init!r}", "it has no gain", "Leave gain out")
    return deviation(*shape) * gain


def _number(init: Any, field: str, gain: float | None) -> float:
    deviation = number(init, field, ALLOWED)
    if not 0 <= deviation < math.inf:
        refuse(field, ALLOWED, init)
    if gain is not None:
        conflict("gain", f"a number as {field}", "the number has all factors", "Leave gain out")
    return deviation
