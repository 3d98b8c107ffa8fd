"""Losses against time from solutions, ensembles or arrays, positive and ready for logarithms."""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import (
    choice,
    conflict,
    describe,
    number,
    refuse,
    tuple_of_numbers,
)
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution

Trajectory: TypeAlias = Solution | Ensemble | tuple[Numbers, Numbers]
"""A source of a loss against time: a result, or the pair (time, loss)."""

LOSSES = ("test_loss", "train_loss")
FEWEST_POINTS = 5
"""Points of a local parabola: three determine it, and two more make it a fit."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Positive times (m,) and positive losses (m,) above a floor.

    ``networks`` (seed, m) has the losses of each network of an ensemble, and is None for other
    sources. Losses of a single network above the floor may be negative; their mean is not.
    """

    time: Array
    loss: Array
    networks: Array | None = None

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def log_time(self) -> Array:
        """Natural logarithm of the times."""
        return np.asarray(np.log(self.time))

    def within(self, window: tuple[float, float]) -> Self:
        """Return the part with times in the window, both ends included."""
        inside = (self.time >= window[0]) & (self.time <= window[1])
        networks = None if self.networks is None else self.networks[:, inside]
        return type(self)(self.time[inside], self.loss[inside], networks)


def as_curve(
    source: Trajectory | Numbers,
    loss: Numbers | None = None,
    *,
    observable: str = "test_loss",
    floor: float = 0.0,
) -> Curve:
    """Return the curve of a loss above ``floor``, from t > 0 up to a divergence or a zero."""
    name = choice(*LOSSES)(observable, "observable")
    level = number(floor, "floor")
    if not 0 <= level < np.inf:
        refuse("floor", "a finite number of at least 0", floor)
    time, values, networks = _read(source, loss, name)
    kept = _valid(time, values)
    if kept.sum() < FEWEST_POINTS:
        refuse(
            "loss", f"positive and finite at {FEWEST_POINTS} or more times t > 0", int(kept.sum())
        )
    if values[kept].min() <= level:
        refuse(
            "floor", f"below every loss, the smallest of which is {values[kept].min():.6g}", floor
        )
    return Curve(
        time[kept],
        values[kept] - level,
        None if networks is None else networks[:, kept] - level,
    )


def _read(source: Any, loss: Any, name: str) -> tuple[Array, Array, Array | None]:
    if isinstance(source, Solution | Ensemble):
        if loss is not None:
            conflict(
                "loss", "a result as the curve", "the result has its own losses", "Leave it out"
            )
        return _read_result(source, name)
    if loss is None and isinstance(source, tuple) and len(source) == 2:
        source, loss = source
    if loss is None:
        allowed = "a Solution, an Ensemble or the pair (time, loss)"
        raise ValueError(f"the curve must be {allowed}, got {describe(source)}")
    return (*_read_arrays(source, loss), None)


def _read_result(result: Solution | Ensemble, name: str) -> tuple[Array, Array, Array | None]:
    time = np.asarray(result.time, float)
    if isinstance(result, Solution):
        return time, getattr(result, name), None
    networks = getattr(result, name)[result.used]
    return time, networks.mean(axis=0), networks


def _read_arrays(time: Any, loss: Any) -> tuple[Array, Array]:
    times = np.array(tuple_of_numbers(time, "time"))
    values = np.array(tuple_of_numbers(loss, "loss"))
    if len(times) != len(values):
        raise ValueError(f"loss must have one entry a time ({len(times)}), got {len(values)}")
    if not (np.isfinite(times).all() and (times >= 0).all() and (np.diff(times) > 0).all()):
        refuse("time", "finite, non-negative and increasing", times)
    if not (values >= 0).all():
        refuse("loss", "non-negative numbers", values)
    return times, values


def _valid(time: Array, loss: Array) -> Array:
    """Mask of the positive times before the first loss that has no logarithm."""
    usable = np.isfinite(loss) & (loss > 0)
    return np.asarray((time > 0) & np.logical_and.accumulate(usable | (time == 0)))
