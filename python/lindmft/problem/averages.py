"""Averages of the weights of a training, for ``solve(average=...)`` and ``train(average=...)``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lindmft._internal.display import short_repr
from lindmft._internal.types import Numbers
from lindmft._internal.validation import (
    choice,
    instance,
    integer,
    number,
    number_or_numbers,
    refuse,
)

__all__ = ["EMA", "Average", "CheckpointAverage", "TailAverage"]


@dataclass(frozen=True)
class EMA:
    """The exponential moving average of the weights.

    At t = 0 it is the initial weights; from then on a step multiplies the average by ``decay`` and
    adds ``1 - decay`` times the weights.

    Parameters
    ----------
    decay
        From 0 (the weights themselves) to below 1. The average is over about 1 / (1 - decay) steps.

    Raises
    ------
    ValueError
        If ``decay`` is out of range; the message names it.

    Notes
    -----
    Theory section 18.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=1.0, noise=0.5), lm.SGD(lr=0.2))
    >>> theory = lm.solve(problem, 200, average=lm.EMA(decay=0.95))
    >>> print(f"{theory.test_loss[-1]:.3f}, averaged {theory.average_loss[-1]:.3f}")
    0.055, averaged 0.006
    """

    decay: float

    __repr__ = short_repr

    def __post_init__(self) -> None:
        decay = number(self.decay, "average.decay")
        if not 0 <= decay < 1:
            refuse("average.decay", "at least 0 and below 1", self.decay)
        object.__setattr__(self, "decay", decay)


@dataclass(frozen=True)
class TailAverage:
    """The mean of the weights from a step on; before that step, the weights themselves.

    Parameters
    ----------
    start
        The first step of the mean, 0, 1, ...

    Raises
    ------
    ValueError
        If ``start`` is no step; the message names it.

    Notes
    -----
    Theory section 18.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=1.0, noise=0.5), lm.SGD(lr=0.2))
    >>> theory = lm.solve(problem, 200, average=lm.TailAverage(start=100))
    >>> print(f"{theory.test_loss[-1]:.3f}, averaged {theory.average_loss[-1]:.3f}")
    0.055, averaged 0.003
    """

    start: int

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _step(self.start, "average.start"))


@dataclass(frozen=True)
class CheckpointAverage:
    """The mean of the weights at chosen steps: merged checkpoints.

    At each time it is the mean of the checkpoints so far; before the first one, the weights
    themselves.

    Parameters
    ----------
    steps
        The steps whose weights are merged, in any order and each of them once.

    Raises
    ------
    ValueError
        If ``steps`` are no different steps; the message names them.

    Notes
    -----
    Theory section 18. Checkpoints at equal distances are stochastic weight averaging (SWA).

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=1.0, noise=0.5), lm.SGD(lr=0.2))
    >>> theory = lm.solve(problem, 200, average=lm.CheckpointAverage(steps=[120, 160, 199]))
    >>> print(f"{theory.test_loss[-1]:.3f}, averaged {theory.average_loss[-1]:.3f}")
    0.055, averaged 0.019
    """

    steps: Numbers

    __repr__ = short_repr

    def __post_init__(self) -> None:
        found = number_or_numbers(self.steps, "average.steps")
        given = found if isinstance(found, tuple) else (found,)
        chosen = sorted(_step(step, f"average.steps[{i}]") for i, step in enumerate(given))
        if not chosen or len(set(chosen)) < len(chosen):
            refuse("average.steps", "at least one step, and each of them once", self.steps)
        object.__setattr__(self, "steps", tuple(chosen))


Average = EMA | TailAverage | CheckpointAverage
"""An average of the weights."""

KINDS: dict[str, type[Average]] = {
    "ema": EMA,
    "tail": TailAverage,
    "checkpoints": CheckpointAverage,
}


def average_or_none(value: Any) -> Average | None:
    """Return an average, or None for no average; anything else is refused."""
    if value is None:
        return None
    allowed = "lm.EMA(decay), lm.TailAverage(start), lm.CheckpointAverage(steps) or None"
    found: Average = instance(value, "average", allowed, *KINDS.values())
    return found


def shares(average: Average, steps: int) -> tuple[float, ...]:
    """Return the share of the weights of each step in the average up to there, from 0 to 1.

    A step multiplies the average by one minus its share, and adds its share of the weights.
    """
    if isinstance(average, EMA):
        return (1.0, *(steps - 1) * (1.0 - average.decay,))
    if isinstance(average, TailAverage):
        _check_within(average.start, steps, "average.start")
        return tuple(1 / max(1, t - average.start + 1) for t in range(steps))
    chosen = [int(step) for step in average.steps]
    _check_within(chosen[-1], steps, "average.steps")
    merged = {step: 1 / (k + 1) for k, step in enumerate(chosen)}
    return tuple(1.0 if t < chosen[0] else merged.get(t, 0.0) for t in range(steps))


def to_table(average: Average) -> dict[str, Any]:
    """Return the kind and the parameters of an average."""
    kind = next(name for name, one in KINDS.items() if isinstance(average, one))
    return {"kind": kind, **asdict(average)}


def from_table(table: Mapping[str, Any]) -> Average:
    """Return the average that ``to_table`` wrote."""
    values = dict(table)
    kind = choice(*KINDS)(values.pop("kind", None), "average.kind")
    try:
        return KINDS[kind](**values)
    except TypeError:
        refuse("average", f"the parameters of kind {kind!r}", values)


def _step(value: Any, field: str) -> int:
    step = integer(value, field)
    if step < 0:
        refuse(field, "a step 0, 1, ...", value)
    return step


def _check_within(step: int, steps: int, field: str) -> None:
    if step >= steps:
        refuse(field, f"at most the last step ({steps - 1})", step)
