"""The largest stable learning rate of a problem, by bisection on the theory."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._gate import choice, integer, positive, refuse
from lindmft.problem import Problem, as_problem
from lindmft.theory import Solution, solve

__all__ = ["StableRate", "largest_stable_lr"]

CRITERIA = ("bounded", "settled")
GROWTH = 2.0
MOST_DOUBLINGS = 60
ROUNDING = 1e-12
"""Rises of the loss up to this fraction of its start are no rises."""


@dataclass(frozen=True)
class StableRate:
    """The largest stable learning rate that was found, and how.

    Attributes
    ----------
    lr
        The largest rate that ran stably, ``lower``; of a schedule, its largest entry.
    lower, upper
        A stable and an unstable rate that enclose the edge.
    solves
        How many runs it took.
    steps, criterion
        As asked.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(width=float("inf"), gamma0=0), lm.Population(), lm.SGD(lr=1))
    >>> edge = lm.largest_stable_lr(problem, steps=20)
    >>> edge.lower <= 1 < edge.upper <= 1.01 * edge.lower
    True
    """

    lr: float
    lower: float
    upper: float
    solves: int
    steps: int
    criterion: str

    def summary(self) -> str:
        """One sentence."""
        return (
            f"{self.steps} steps are {self.criterion} at lr = {self.lower:.5g} and not at "
            f"{self.upper:.5g} ({self.solves} runs)."
        )

    def __str__(self) -> str:
        return self.summary()


def largest_stable_lr(
    problem: Problem | Mapping[str, Any],
    steps: int = 100,
    *,
    rtol: float = 0.01,
    criterion: str = "bounded",
    **options: Any,
) -> StableRate:
    """Largest learning rate at which a run of so many steps is stable in the theory.

    From the problem's own rate (1 if that is zero) it doubles while runs are stable, or halves
    until one is, and then bisects in log lr. Where stable and unstable rates alternate (a large
    step may throw a run to a flatter minimum, or into a cycle), this is one of the edges.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form. ``optimizer.lr`` is replaced; a schedule is multiplied
        as a whole.
    steps
        Of each run: enough to learn the target. Just above the edge the loss grows slowly, so that
        short runs put it too high, by about 2 / steps for full batch.
    rtol
        The edge lies between ``lower`` and ``upper`` <= (1 + rtol) ``lower``.
    criterion
        "bounded": the run does not diverge and its last training loss is not above its first. The
        loss may jump about. "settled": bounded, and in the second half of the run the training
        loss never rises; there training converges, to where the curvature is below 2 / lr. Not
        with momentum, which swings at any rate.
    options
        Passed on to ``solve``, such as ``threads``.

    Returns
    -------
    StableRate
        With ``lr``, the bracket, and ``summary()``.

    Raises
    ------
    ValueError
        Bad input; or no edge, as where the rate has no effect.

    Notes
    -----
    The training loss decides as the test loss may rise though training is stable (label noise).
    Theory section 12: items 3 and 7 are edges in closed form; item 10, at infinite width and
    gamma0 >> 1, is gamma0^(-2L / (L + 1)).

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.MLP(depth=2, width=float("inf"), gamma0=0.0)
    >>> problem = lm.Problem(network, lm.Population(), lm.SGD(lr=0.1))
    >>> edge = lm.largest_stable_lr(problem, steps=50)
    >>> print(f"{edge.lr:.2f}")  # 2 / (L + 1)
    0.67
    """
    search = _Search(problem, steps, criterion, options)
    precision = 1 + positive(rtol, "rtol")
    lower, upper = _bracket(search)
    while upper > precision * lower:
        middle = math.sqrt(lower * upper)
        if not lower < middle < upper:  # as near as doubles are
            break
        lower, upper = (middle, upper) if search.stable(middle) else (lower, middle)
    return StableRate(lower, lower, upper, search.solves, search.steps, search.criterion)


class _Search:
    """Runs of one problem at different rates, counted."""

    def __init__(
        self, problem: Any, steps: int, criterion: str, options: Mapping[str, Any]
    ) -> None:
        self.problem = as_problem(problem)
        self.steps = integer(steps, "steps")
        self.criterion = choice(*CRITERIA)(criterion, "criterion")
        self.options = options
        self.solves = 0
        self.schedule = np.atleast_1d(np.asarray(self.problem.optimizer.lr, float))
        if self.steps < 2:
            refuse("steps", "at least 2", steps)
        if self.criterion == "settled" and self.problem.optimizer.momentum > 0:
            refuse("criterion", "'bounded' with momentum", criterion)

    @property
    def start(self) -> float:
        """The problem's own largest rate, 1 if it is zero."""
        return float(self.schedule.max()) or 1.0

    def stable(self, lr: float) -> bool:
        self.solves += 1
        run = solve(self._at(lr), self.steps, **self.options)
        return _bounded(run) and (self.criterion == "bounded" or _settled(run))

    def _at(self, lr: float) -> Problem:
        rates: Any = lr
        if isinstance(self.problem.optimizer.lr, Iterable):
            largest = self.schedule.max()
            if largest == 0:
                refuse("optimizer.lr", "a schedule with a rate above 0", self.schedule)
            rates = [float(rate) for rate in self.schedule * (lr / largest)]
        return self.problem.replace(**{"optimizer.lr": rates})


def _bracket(search: _Search) -> tuple[float, float]:
    """A stable rate, and an unstable one twice as large."""
    rate = search.start
    stable = search.stable(rate)
    for _ in range(MOST_DOUBLINGS):
        following = rate * GROWTH if stable else rate / GROWTH
        if search.stable(following) != stable:
            return min(rate, following), max(rate, following)
        rate = following
    found = "stable" if stable else "unstable"
    raise ValueError(
        f"optimizer.lr must have a stable rate below an unstable one, got {search.steps} "
        f"steps that are {found} at all rates from {search.start:.3g} to {rate:.3g}"
    )


def _bounded(run: Solution) -> bool:
    return run.diverged_at is None and bool(run.train_loss[-1] <= run.train_loss[0])


def _settled(run: Solution) -> bool:
    late = run.train_loss[len(run.train_loss) // 2 :]
    return bool((np.diff(late) <= ROUNDING * run.train_loss[0]).all())
