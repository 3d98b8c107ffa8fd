"""Schedules: the value of every step, for ``SGD(lr=..., momentum=...)`` and ``OnePass``."""

import math
from typing import Any

import numpy as np

from lindmft._internal.validation import choice, integer, number, positive, refuse
from lindmft.problem.problem import Problem

__all__ = ["schedule"]

NAMES = ("constant", "linear", "cosine")


def schedule(
    name: str, steps: int, *, peak: float = 1.0, warmup: float = 0, end: float = 0.0
) -> tuple[float, ...]:
    """Return a learning rate for every step: a linear warm-up, then constant or decaying rates.

    The numbers serve as the momentum or the batch of every step as well.

    Parameters
    ----------
    name
        The form after the warm-up: "constant", or "linear" or "cosine" decay to ``end``.
    steps
        n, the number of rates. A run of n steps computes n times and makes n - 1 updates: it uses
        the first n - 1 rates.
    peak
        The largest rate.
    warmup
        w, the number of steps over which the rate rises to the peak: peak / w, 2 peak / w, ... A
        number below 1 is a fraction of all steps.
    end
        The rate just after the last step, to which rates decay, in units of the peak.

    Returns
    -------
    tuple of float
        n rates, none of them above ``peak``.

    Raises
    ------
    ValueError
        If an argument has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory section 7 (beyond the paper), which is exact for every schedule.

    Examples
    --------
    >>> import lindmft as lm
    >>> [round(rate, 3) for rate in lm.schedule("linear", 5, peak=0.1)]
    [0.1, 0.08, 0.06, 0.04, 0.02]
    >>> [round(rate, 3) for rate in lm.schedule("cosine", 6, peak=0.1, warmup=2)]
    [0.05, 0.1, 0.09, 0.065, 0.035, 0.01]
    """
    kind, count = choice(*NAMES)(name, "name"), integer(steps, "steps")
    if count < 1:
        refuse("steps", "at least 1", steps)
    top, last = positive(peak, "peak"), number(end, "end")
    if not 0 <= last <= 1:
        refuse("end", "a fraction of the peak, from 0 to 1", end)
    rising = _rising(warmup, count)
    start = 1 if rising else 0  # the warm-up ends at the peak
    passed = (start + np.arange(count - rising)) / max(start + count - rising, 1)
    shape: dict[str, Any] = {
        "constant": np.ones_like(passed),
        "linear": 1 - passed,
        "cosine": (1 + np.cos(math.pi * passed)) / 2,
    }
    falling = shape[kind] if kind == "constant" else last + (1 - last) * shape[kind]
    rates = np.concatenate([np.arange(1, rising + 1) / max(rising, 1), falling])
    return tuple(float(rate) for rate in top * rates)


def has_schedule(problem: Problem) -> bool:
    """Whether something has an entry for each step, so that runs cannot be longer."""
    sizes = (getattr(problem.data, name, None) for name in ("alpha", "batch"))
    given = (problem.optimizer.lr, problem.optimizer.momentum, *sizes)
    return any(isinstance(entry, tuple) for entry in given)


def _rising(warmup: Any, steps: int) -> int:
    """Return the number of steps of the warm-up."""
    given = number(warmup, "warmup")
    if not (0 <= given < 1 or (given.is_integer() and 1 <= given <= steps)):
        refuse("warmup", f"a fraction below 1, or a whole number up to steps ({steps})", warmup)
    return round(given * steps) if given < 1 else int(given)
