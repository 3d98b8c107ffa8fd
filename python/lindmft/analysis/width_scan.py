"""The test loss at every time by width: whether wider networks are always better."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Mask, Numbers
from lindmft._internal.validation import refuse, tuple_of_numbers
from lindmft.analysis.searches.accuracy import EQUAL_LOSSES, resolution
from lindmft.analysis.sizes.fixed_fields import cautions, width_path
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.theory.many import solve_many

__all__ = ["WiderIsBetter", "wider_is_better"]

COARSE = 10.0
"""Factor of ``rtol`` up to which losses on coarse grids are equal."""
FACTOR = 1.0
"""Relative increase from which on the text gives a factor instead of a percentage."""


@dataclass(frozen=True, eq=False)
class WiderIsBetter:
    """Test losses by width, and whether a wider network ever has the larger one.

    Attributes
    ----------
    problem
        The problem as given.
    widths
        (m,), the widths in increasing order.
    time
        (n,), the times in steps.
    test_loss
        (m, n), the losses; inf past a divergence.
    accuracy
        (m,), the absolute accuracy of these losses: 1e-12 times the loss at the start, on coarse
        grids ``atol`` times it.
    tolerance
        Their relative accuracy. Losses are equal if their difference is no larger than the sum of
        the absolute accuracy and this fraction of the smaller one.

    Notes
    -----
    Bordelon and Pehlevan (2025), figure 1. All verdicts are those of the widths that were solved;
    widths between or beyond them may behave differently.

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
    accuracy: Array
    tolerance: float = EQUAL_LOSSES

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def excess(self) -> Array:
        """(m - 1, n), relative excess of the loss of the wider one of two neighbouring widths.

        Negative where wider is better; 0 where both are equal within the solver's accuracy or both
        have diverged, inf where only the wider has. Losses below the accuracy count as equal to it.
        """
        narrow, wide = (np.maximum(losses, self._floor) for losses in self._pairs)
        ratio = np.ones(narrow.shape)
        np.divide(wide, narrow, out=ratio, where=~self.equal & np.isfinite(narrow))
        ratio[np.isinf(narrow) & np.isfinite(wide)] = 0.0
        return ratio - 1

    @property
    def equal(self) -> Mask:
        """(m - 1, n), where two neighbours are equal within the solver's accuracy, or diverged."""
        narrow, wide = self._pairs
        both = np.isinf(narrow) & np.isinf(wide)
        gap = np.subtract(wide, narrow, out=np.zeros(narrow.shape), where=~both)
        smaller = np.minimum(narrow, wide)
        close: Mask = both | (np.abs(gap) <= self._floor + self.tolerance * np.abs(smaller))
        return close

    @property
    def violations(self) -> Mask:
        """(m - 1, n), where the wider one is worse by more than the solver's accuracy."""
        worse: Mask = self.excess > 0
        return worse

    @property
    def holds(self) -> bool:
        """Whether no network is worse than a narrower one at any time, and some are better."""
        return not self.violations.any() and not bool(self.equal.all())

    @property
    def _pairs(self) -> tuple[Array, Array]:
        return self.test_loss[:-1], self.test_loss[1:]

    @property
    def _floor(self) -> Array:
        """(m - 1, 1): the larger accuracy of two neighbours."""
        floor: Array = np.maximum(self.accuracy[:-1], self.accuracy[1:])[:, None]
        return floor

    def summary(self) -> str:
        """Sentences that say where wider is better, equal or worse, and by how much."""
        names = ", ".join(short(float(width)) for width in self.widths)
        if self.violations.any():
            return f"{self._failure()} (Widths {names}.)"
        count, equal = len(self.time), int(self.equal.any(axis=0).sum())
        if self.equal.all():
            return f"No verdict: losses of all widths are equal ({self._what_is_equal()}): {names}."
        if not equal:
            return f"Wider is better at every one of {count} times (widths {names})."
        return (
            f"Wider is better at {count - equal} of {count} times, and never worse (widths "
            f"{names}). Times at which losses of some widths are equal ({self._what_is_equal()}): "
            f"{equal}."
        )

    def _what_is_equal(self) -> str:
        within = f"within {self.accuracy.max():.1g}, or {self.tolerance:.1g} of themselves"
        return f"{within}, or both infinite" if np.isinf(self.test_loss).any() else within

    def _failure(self) -> str:
        """Sentences on a failure: where it is first, how often, and where it is largest."""
        worse = self.violations
        pair, first = np.argwhere(worse.T)[0][::-1]
        most, when = np.unravel_index(int(self.excess.argmax()), worse.shape)
        wide, narrow = (short(float(self.widths[pair + i])) for i in (1, 0))
        times = int(worse.any(axis=0).sum())
        lasts = bool(np.asarray(worse.any(axis=0))[first:].all())
        start = (
            f"from t = {self.time[first]:g} on"
            if lasts
            else f"at {times} of {len(self.time)} times, first at t = {self.time[first]:g},"
        )
        largest = short(float(self.widths[most + 1]))
        return (
            f"Wider is not always better: {start} width {wide} is worse than {narrow}. The largest "
            f"excess is that of width {largest} at t = {self.time[when]:g}: "
            f"{self._how_much(most, when)}."
        )

    def _how_much(self, pair: Any, time: Any) -> str:
        excess = float(self.excess[pair, time])
        other = short(float(self.widths[pair]))
        if np.isinf(excess):
            return f"it has diverged where width {other} has not"
        if excess >= FACTOR:
            return f"its loss is {excess + 1:.3g} times that of width {other}"
        return f"its loss is {100 * excess:.2g} % larger than that of width {other}"

    def __str__(self) -> str:
        return self.summary()


def wider_is_better(
    problem: Problem | Mapping[str, Any], widths: Numbers, steps: int, **options: Any
) -> WiderIsBetter:
    """Check that the test loss falls with the width at every time, with all else the same.

    Differences within the solver's accuracy count neither for nor against that.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form; its width is replaced (with a trace-class spectrum,
        ``hidden``).
    widths
        At least two, increasing; inf is allowed. They are ratios also with ``data.inputs``.
    steps
        n, the number of steps of every run.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    WiderIsBetter
        The losses, with ``holds`` and ``summary()``, which says where it fails.

    Raises
    ------
    ValueError
        If an argument is not allowed; the message names the field.

    Warns
    -----
    ScalingWarning, SizeWarning
        If a field that usually follows the width stays fixed, or widths look like counts.

    Notes
    -----
    Bordelon and Pehlevan (2025), figure 1: at the same learning rate and richness (muP) wider
    networks are better at every time while learning is stable. NTK parameterization makes them
    lazier, and label noise may reverse the order.

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
    path = width_path(problem)
    cautions(problem, path, {"as given": ()})
    warn_of_widths(problem, values)
    runs = solve_many(problem.vary({path: values}), steps, **options)
    times = runs[0].time
    losses = np.array([run.at(times).test_loss for run in runs])
    accuracy = np.array([resolution(run, "test_loss") for run in runs])
    relative = max(EQUAL_LOSSES, COARSE * (runs[0].rtol or 0.0))
    return WiderIsBetter(problem, np.array(values), times, losses, accuracy, relative)
