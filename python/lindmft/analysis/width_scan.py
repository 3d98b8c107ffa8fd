"""Is wider better? The test loss at every time against width, everything else the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lindmft._internal.types import Array, Mask, Numbers
from lindmft._internal.validation import refuse, tuple_of_numbers
from lindmft.analysis.fixed_fields import cautions
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem, as_problem
from lindmft.theory.many import solve_many

__all__ = ["WiderIsBetter", "wider_is_better"]

ROUNDING = 1e-9
"""Relative increases up to this are rounding."""


@dataclass(frozen=True, eq=False)
class WiderIsBetter:
    """Test losses by width, and whether a wider network ever has the larger one.

    Attributes
    ----------
    problem
        As given.
    widths
        (m,), increasing.
    time
        (n,), in steps.
    test_loss
        (m, n); inf past a divergence.

    Notes
    -----
    Bordelon and Pehlevan (2025), figure 1.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> found = lm.wider_is_better(problem, [0.5, 1, 2], steps=20)
    >>> found.holds, found.test_loss.shape
    (True, (3, 20))
    >>> print(found.summary())
    Wider is better at every one of 20 times (widths 0.5, 1, 2).
    """

    problem: Problem
    widths: Array
    time: Array
    test_loss: Array

    @property
    def excess(self) -> Array:
        """(m - 1, n), how much larger the loss of the wider one of two neighbours is, relatively.

        Negative where wider is better; 0 where both have diverged, inf where only the wider has.
        """
        narrow, wide = self.test_loss[:-1], self.test_loss[1:]
        both = np.isinf(narrow) & np.isinf(wide)
        ratio = np.ones(narrow.shape)
        np.divide(wide, narrow, out=ratio, where=~both & (narrow > 0))
        return ratio - 1

    @property
    def violations(self) -> Mask:
        """(m - 1, n), where the wider one is worse by more than rounding."""
        worse: Mask = self.excess > ROUNDING
        return worse

    @property
    def holds(self) -> bool:
        """Whether no network is worse than a narrower one at any time."""
        return not self.violations.any()

    def summary(self) -> str:
        """One sentence."""
        names = ", ".join(short(float(width)) for width in self.widths)
        if self.holds:
            return f"Wider is better at every one of {len(self.time)} times (widths {names})."
        pair, first = np.argwhere(self.violations.T)[0][::-1]
        worst = np.unravel_index(int(self.excess.argmax()), self.excess.shape)
        return (
            f"Wider is not always better: from t = {self.time[first]:g} on width "
            f"{short(float(self.widths[pair + 1]))} is worse than "
            f"{short(float(self.widths[pair]))}, and at most, by {100 * self.excess[worst]:.3g} %, "
            f"width {short(float(self.widths[worst[0] + 1]))} at t = {self.time[worst[1]]:g}."
        )

    def __str__(self) -> str:
        return self.summary()


def wider_is_better(
    problem: Problem | Mapping[str, Any], widths: Numbers, steps: int, **options: Any
) -> WiderIsBetter:
    """Check that the test loss falls with the width at every time, all else the same.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form; its width is replaced (with a trace-class spectrum,
        ``hidden``).
    widths
        At least two, increasing; inf is allowed.
    steps
        n of every run.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    WiderIsBetter
        ``holds``, the losses, and where it fails.

    Raises
    ------
    ValueError
        Bad input, with the field.

    Warns
    -----
    ScalingWarning
        A field that most training loops choose by the width, such as ``layer_lr``, stays fixed.

    Notes
    -----
    Bordelon and Pehlevan (2025), figure 1: at the same learning rate and richness (muP) wider
    networks are better at every time while learning is stable. NTK parameterization makes them
    lazier, and label noise may turn the order.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
    >>> print(lm.wider_is_better(problem, [0.5, 1, 2, 4], steps=50))
    Wider is better at every one of 50 times (widths 0.5, 1, 2, 4).
    """
    problem, values = as_problem(problem), tuple_of_numbers(widths, "widths")
    if len(values) < 2 or not all(a < b for a, b in pairwise(values)):
        refuse("widths", "at least two, increasing", widths)
    path = "network.width" if problem.network.hidden is None else "network.hidden"
    cautions(problem, path, {"as given": ()})
    runs = solve_many(problem.vary({path: values}), steps, **options)
    times = runs[0].time
    losses = np.array([run.at(times).test_loss for run in runs])
    return WiderIsBetter(problem, np.array(values), times, losses)
