"""Search for the largest stable learning rate of a problem, by bisection on the theory."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.validation import choice, positive, refuse
from lindmft.analysis.searches.criteria import CRITERIA, MEANINGS, is_stable
from lindmft.analysis.searches.search import (
    OF_SCHEDULES,
    Rates,
    Search,
    checked_steps,
    run_searches,
)
from lindmft.problem.optimizer import has_momentum
from lindmft.problem.problem import Problem, Problems, as_problem, listed_problems
from lindmft.problem.scales import warn_of_sizes_among

__all__ = ["StableRate", "largest_stable_lr", "largest_stable_lrs"]

GROWTH = 2.0
MOST_DOUBLINGS = 60


@dataclass(frozen=True)
class StableRate:
    """The largest stable learning rate that was found, with its bracket.

    Attributes
    ----------
    lr
        The largest rate that ran stably, ``lower``; of a schedule, the largest of the rates that
        act within the steps (the first ``steps - 1``).
    lower, upper
        A stable and an unstable rate that enclose the edge.
    solves
        The number of runs of the search.
    steps, criterion
        The arguments of the call.
    schedule
        The given schedule, multiplied so that it runs at ``lr``; None if the rate is constant.

    Notes
    -----
    Theory section 12, items 3, 7 and 10; Bordelon and Pehlevan (2025), figure 8.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(width=float("inf"), gamma0=0), lm.Population(), lm.SGD(lr=1))
    >>> edge = lm.largest_stable_lr(problem, steps=20)
    >>> edge.lower <= 1 < edge.upper <= 1.01 * edge.lower
    True
    >>> print(edge.summary()[:30])
    20 steps are bounded at lr = 1
    """

    lr: float
    lower: float
    upper: float
    solves: int
    steps: int
    criterion: str
    schedule: tuple[float, ...] | None = field(default=None, repr=False)

    __repr__ = short_repr
    _repr_html_ = field_table

    def summary(self) -> str:
        """Sentences on the edge and on the meaning of stable."""
        edge = (
            f"{self.steps} steps are {self.criterion} at lr = {self.lower:.5g} and not at "
            f"{self.upper:.5g} ({self.solves} runs). {self.criterion.capitalize()}: "
            f"{MEANINGS[self.criterion]}."
        )
        return edge if self.schedule is None else f"{edge} {OF_SCHEDULES}"

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
    """Find the largest learning rate at which a run of ``steps`` steps is stable in the theory.

    From the rate of the problem (1 if that is zero) the search doubles while runs are stable, or
    halves until one is, and then bisects in log lr. Where stable and unstable rates alternate (a
    large step may move a run to a flatter minimum, or into a cycle), the result is one of the
    edges.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form. ``optimizer.lr`` is replaced; a schedule is multiplied
        as a whole.
    steps
        The number of steps of each run, at least 2, and enough to learn the target. Just above the
        edge the loss grows slowly, so that the edge of short runs is too high, by about 2 / steps
        for full batch. With momentum m, losses overshoot at first, and fewer than about
        10 / (1 - m) steps may give an edge that is too low.
    rtol
        The edge lies between ``lower`` and ``upper`` <= (1 + rtol) ``lower``.
    criterion
        The condition on the training loss of a stable run. "bounded": it ends at or below its
        start, and may jump in between; or it levels off above its start, as with a floor of label
        noise: it no longer jumps, and its mean rises no more between the third and the last quarter
        of the run than between the second and the third. "settled": it is bounded, and in the
        second half it only falls, or rises by smaller and smaller amounts; training converges to a
        point where the curvature is below 2 / lr. Not allowed with momentum, which oscillates at
        any rate. "finite": the run does not diverge within the steps, whatever its losses do. In
        short runs that edge is far above the other two, because slow growth does not show.
    options
        Passed on to ``solve_many``, such as ``threads``.

    Returns
    -------
    StableRate
        The rate ``lr``, its bracket, and ``summary()``.

    Raises
    ------
    ValueError
        If an argument is not allowed, or there is no edge because the rate has no effect.

    Notes
    -----
    The criteria use the training loss, because the test loss may rise though training is stable.
    Label noise and minibatches raise the loss to a floor, which near the edge is far above the
    start. In lazy training the loss approaches it like a decaying exponential; above the edge it
    grows exponentially. From 8 steps on the criteria tell the two apart. Theory section 12: items 3
    and 7 are edges in closed form, which do not depend on the noise; item 10, at infinite width and
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
    problem = as_problem(problem)
    warn_of_sizes_among([problem], str)
    return _found([problem], (), steps, rtol, criterion, options)[0]


def largest_stable_lrs(
    problems: Problems,
    steps: int = 100,
    *,
    rtol: float = 0.01,
    criterion: str = "bounded",
    **options: Any,
) -> list[StableRate]:
    """Find the largest stable rates of many problems; searches advance together on all cores.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable.
    steps, rtol, criterion, options
        As in ``largest_stable_lr``, the same for all problems.

    Returns
    -------
    list of StableRate
        The results, in the order of the problems.

    Raises
    ------
    ValueError
        As in ``largest_stable_lr``, with the index of the problem.

    Notes
    -----
    Theory section 12, items 3, 7 and 10; Bordelon and Pehlevan (2025), figure 8.

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.MLP(width=float("inf"), gamma0=0.0)
    >>> problem = lm.Problem(network, lm.Population(), lm.SGD(lr=0.1))
    >>> edges = lm.largest_stable_lrs(problem.vary({"network.depth": [1, 3]}), steps=50)
    >>> [f"{edge.lr:.2f}" for edge in edges]  # 2 / (L + 1)
    ['1.00', '0.50']
    """
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    names = [f"problems[{i}]" for i in range(len(listed))]
    return _found(listed, names, steps, rtol, criterion, options)


def _found(
    problems: Sequence[Problem],
    names: Sequence[str],
    steps: Any,
    rtol: Any,
    criterion: Any,
    options: Mapping[str, Any],
) -> list[StableRate]:
    precision = 1 + positive(rtol, "rtol")
    steps, kind = checked_steps(steps), choice(*CRITERIA)(criterion, "criterion")
    for problem in problems:
        if kind == "settled" and has_momentum(problem.optimizer):
            refuse("criterion", "'bounded' or 'finite' with momentum", criterion)
    found = [Rates(problem, steps) for problem in problems]
    return run_searches([(rates, edge(rates, kind, precision)) for rates in found], options, names)


def edge(rates: Rates, criterion: str, precision: float) -> Search[StableRate]:
    """Search for the edge: bracket it by factors of two, and then bisect."""
    lower, upper, solves = yield from _bracket(rates, criterion)
    while upper > precision * lower:
        middle = math.sqrt(lower * upper)
        if not lower < middle < upper:  # neighbouring doubles
            break
        (run,) = yield (middle,)
        solves += 1
        lower, upper = (middle, upper) if is_stable(run, criterion) else (lower, middle)
    schedule = rates.schedule(lower)
    return StableRate(lower, lower, upper, solves, rates.steps, criterion, schedule)


def _bracket(rates: Rates, criterion: str) -> Search[tuple[float, float, int]]:
    """Return a stable rate, an unstable one twice as large, and the number of runs."""
    rate = start = rates.start
    (run,) = yield (rate,)
    stable = is_stable(run, criterion)
    for solves in range(2, MOST_DOUBLINGS + 2):
        following = rate * GROWTH if stable else rate / GROWTH
        (run,) = yield (following,)
        if is_stable(run, criterion) != stable:
            return min(rate, following), max(rate, following), solves
        rate = following
    found = "stable" if stable else "unstable"
    raise ValueError(
        f"optimizer.lr must have a stable rate below an unstable one, got {rates.steps} "
        f"steps that are {found} at all rates from {start:.3g} to {rate:.3g}"
    )
