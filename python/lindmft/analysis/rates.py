"""Search for the learning rate with the smallest loss of the theory after a number of steps."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table
from lindmft._internal.types import Array
from lindmft._internal.validation import choice, integer, positive, refuse
from lindmft.analysis.searches.accuracy import SMALLEST, resolution
from lindmft.analysis.searches.search import (
    OF_SCHEDULES,
    Rates,
    Run,
    Search,
    checked_steps,
    run_searches,
)
from lindmft.analysis.searches.valleys import FLAT, Survey, around, close_in, minima, next_valley
from lindmft.problem.problem import Problem, Problems, as_problem, listed_problems
from lindmft.problem.scales import warn_of_sizes_among
from lindmft.results.solution import Solution

__all__ = ["OptimalRate", "optimal_lr", "optimal_lrs"]

LOSSES = ("test_loss", "train_loss")
FEWEST_SOLVES = 12
"""Smallest allowed ``max_solves``: fewer runs do not enclose a minimum."""


@dataclass(frozen=True, eq=False)
class OptimalRate:
    """The learning rate with the smallest loss that was found, and how.

    Attributes
    ----------
    lr
        The best rate; of a schedule, the largest of the rates that act within the steps (the
        first ``steps - 1``).
    loss
        The loss at the last step with this rate.
    lower, upper
        The nearest rates tried on both sides whose losses are larger by more than rounding; a
        minimum lies between them.
    rates, losses
        (m,), all rates that were tried in increasing order, and their losses: inf where a run
        diverged, and ``floor`` where the loss is smaller.
    steps, objective
        The arguments of the call.
    valleys
        (v,), rates at which the loss has a minimum among the rates tried, of at most twice the
        smallest loss; the deepest one, ``lr``, is the first.
    floor
        The accuracy of the solver: smaller losses are rounding errors and cannot rank rates.
    schedule
        The given schedule, multiplied so that it runs at ``lr``; None if the rate is constant.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.01))
    >>> best = lm.optimal_lr(problem, steps=20)
    >>> best.lower < best.lr < best.upper
    True
    >>> print(best.summary().partition(",")[0])
    After 20 steps the test loss is smallest
    """

    lr: float
    loss: float
    lower: float
    upper: float
    rates: Array
    losses: Array
    steps: int
    objective: str
    valleys: Array
    floor: float = 0.0
    schedule: tuple[float, ...] | None = None

    _repr_html_ = field_table

    @property
    def solves(self) -> int:
        """The number of runs of the search."""
        return len(self.rates)

    @property
    def plateau(self) -> tuple[float, float]:
        """The lowest and the highest rate tried whose loss is at the accuracy of the solver.

        The best rate between them is not determined, and ``lr`` is in their middle. Where the
        smallest loss is above the accuracy, both are ``lr``.
        """
        level = self.rates[self.losses <= self.floor * (1 + FLAT)]
        return (float(level[0]), float(level[-1])) if len(level) else (self.lr, self.lr)

    @property
    def determined(self) -> bool:
        """Whether the best rate is determined: not one of several whose losses are rounding."""
        return self.plateau[0] == self.plateau[1]

    def summary(self) -> str:
        """The best rate, and a sentence on other valleys if there are any."""
        said = self._best() if self.determined else self._not_determined()
        return said if self.schedule is None else f"{said} {OF_SCHEDULES}"

    def _not_determined(self) -> str:
        low, high = self.plateau
        return (
            f"After {self.steps} steps several rates reach the solver's accuracy, a "
            f"{self.objective.replace('_', ' ')} of {self.floor:.1g}: the best rate is not "
            f"determined between {low:.4g} and {high:.4g} ({self.solves} runs). Take fewer steps "
            "to find one."
        )

    def _best(self) -> str:
        name = self.objective.replace("_", " ")
        said = (
            f"After {self.steps} steps the {name} is smallest, {self.loss:.4g}, at lr = "
            f"{self.lr:.4g}, between {self.lower:.4g} and {self.upper:.4g} ({self.solves} runs)."
        )
        if len(self.valleys) > 1:
            said += f" {self._other_valleys()}"
        return said

    def _other_valleys(self) -> str:
        at, count = self.valleys[1], len(self.valleys) - 1
        above = 100 * (self.losses[np.searchsorted(self.rates, at)] / self.loss - 1)
        others = "another valley" if count == 1 else f"{count} other valleys, the deepest"
        return (
            f"The loss has {others} at lr = {at:.4g}, where it is {above:.3g} % larger. Valleys "
            "between the rates tried are not seen: a larger max_solves looks closer."
        )

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<OptimalRate: {self.summary()}>"


def optimal_lr(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    rtol: float = 0.01,
    objective: str = "test_loss",
    max_solves: int = 25,
    **options: Any,
) -> OptimalRate:
    """Find the learning rate with the smallest loss of the theory after ``steps`` steps.

    The search starts at the rate of the problem and first finds the rate above which runs diverge.
    Below it, it tries the decades of rates in which training has an effect, on a lattice that does
    not depend on the start, because the loss may have several valleys near the edge of stability.
    Then it tries finer rates around the best one, and narrows the deepest valleys down by parabolas
    and golden sections in log lr.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form. ``optimizer.lr`` is where the search starts; a
        schedule is multiplied as a whole.
    steps
        n; the objective is the loss at t = n - 1.
    rtol
        Relative accuracy of the rate.
    objective
        "test_loss" (without the irreducible noise) or "train_loss".
    max_solves
        Number of runs after which the search returns the best one and its bracket. If the start is
        decades away from the edge, up to ten more runs find it. A larger number finds more of the
        narrow valleys.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    OptimalRate
        The best rate ``lr`` and its ``loss``, the bracket, and all rates that were tried.

    Raises
    ------
    ValueError
        If an argument is not allowed, or no minimum is found: the rate has no effect, the loss is
        smallest without training, or all rates tried diverge.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate. Runs that do
    not converge in the solver (chaos far beyond the edge of stability) count as diverged.

    Some of the rates that are tried lie near the edge of stability, where losses oscillate. There
    ``grid="adaptive"`` keeps every step, as exact steps do, and a run of n steps takes time of
    order n^3 (theory section 10): many thousand steps take hours. Search with fewer steps then.
    With the random batches of one pass and multi pass, runs with ``grid="adaptive"`` take time of
    order n at rates well below that edge.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.01))
    >>> print(f"{lm.optimal_lr(problem, steps=40).lr:.3f}")
    0.040
    """
    goal = Goal.checked(objective, rtol, max_solves)
    problem = as_problem(problem)
    warn_of_sizes_among([problem], str)
    rates = Rates(problem, checked_steps(steps))
    return run_searches([(rates, optimum(rates, goal))], options)[0]


def optimal_lrs(
    problems: Problems,
    steps: int,
    *,
    rtol: float = 0.01,
    objective: str = "test_loss",
    max_solves: int = 25,
    **options: Any,
) -> list[OptimalRate]:
    """Find the best rates of many problems; their searches advance together on all cores.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable.
    steps, rtol, objective, max_solves, options
        As in ``optimal_lr``, the same for all problems.

    Returns
    -------
    list of OptimalRate
        The results, in the order of the problems.

    Raises
    ------
    ValueError
        As in ``optimal_lr``, with the index of the problem.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.01))
    >>> widths = problem.vary({"network.width": [1, 8]})
    >>> [f"{best.lr:.3f}" for best in lm.optimal_lrs(widths, steps=40)]
    ['0.040', '0.040']
    """
    steps = checked_steps(steps)
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    found = [Rates(problem, steps) for problem in listed]
    goal = Goal.checked(objective, rtol, max_solves)
    names = [f"problems[{i}]" for i in range(len(found))]
    return run_searches([(rates, optimum(rates, goal)) for rates in found], options, names)


@dataclass(frozen=True)
class Goal:
    """Goal of a search: the loss, the accuracy of the rate, and the number of runs."""

    objective: str
    rtol: float
    max_solves: int

    @classmethod
    def checked(cls, objective: Any, rtol: Any, max_solves: Any) -> "Goal":
        """Return the goal from the arguments of a user, or refuse them."""
        most = integer(max_solves, "max_solves")
        if most < FEWEST_SOLVES:
            refuse("max_solves", f"at least {FEWEST_SOLVES}", max_solves)
        return cls(choice(*LOSSES)(objective, "objective"), positive(rtol, "rtol"), most)

    def value(self, run: Run) -> float:
        """Return the logarithm of the loss; inf for a run that diverged."""
        if not isinstance(run, Solution):
            return math.inf
        loss = float(getattr(run, self.objective)[-1])
        return (
            max(math.log(max(loss, SMALLEST)), self.floor(run)) if math.isfinite(loss) else math.inf
        )

    def floor(self, run: Run) -> float:
        """Return the logarithm of the accuracy of the loss; -inf where it is not known."""
        accuracy = resolution(run, self.objective) if isinstance(run, Solution) else 0.0
        return math.log(accuracy) if accuracy > 0 else -math.inf

    def untrained(self, run: Run) -> float:
        """Return the logarithm of the loss before training; nan if it is not known."""
        loss = float(getattr(run, self.objective)[0]) if isinstance(run, Solution) else math.inf
        return math.log(max(loss, SMALLEST)) if math.isfinite(loss) else math.nan


def _exp(logs: Iterable[float]) -> Array:
    """Return exponentials whose last bits are those of ``math.exp``, which NumPy's need not be."""
    return np.array([math.exp(x) for x in logs])


def optimum(rates: Rates, goal: Goal) -> Search[OptimalRate]:
    """Search for the minimum, in x = log lr."""
    survey = Survey(
        goal.value, goal.untrained, goal.floor, goal.objective, goal.max_solves, goal.rtol
    )
    yield from survey.explore(math.log(rates.start))
    closed: list[float] = []
    while not survey.level and (valley := next_valley(survey.window, closed)) and survey.left > 0:
        closed.append((yield from close_in(valley, survey)))
    yield from survey.halve_level()
    seen = survey.seen
    tried = sorted(seen)
    lower, lr, upper = map(math.exp, around(seen))
    if survey.level:
        lr = math.exp(survey.middle_of_level)
    return OptimalRate(
        lr=lr,
        loss=math.exp(survey.best),
        lower=lower,
        upper=upper,
        rates=_exp(tried),
        losses=_exp(seen[x] for x in tried),
        steps=rates.steps,
        objective=goal.objective,
        valleys=_exp(minima(seen, 3 * math.log1p(goal.rtol))),
        floor=math.exp(survey.floor),
        schedule=rates.schedule(lr),
    )
