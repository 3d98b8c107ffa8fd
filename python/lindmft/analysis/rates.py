"""The learning rate with the smallest loss after a number of steps, by search on the theory."""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table
from lindmft._internal.types import Array
from lindmft._internal.validation import choice, integer, positive, refuse
from lindmft.analysis.accuracy import resolution
from lindmft.analysis.search import Rates, Run, Search, run_searches
from lindmft.problem.problem import Problem, Problems, as_problem, listed_problems
from lindmft.results.solution import Solution

__all__ = ["OptimalRate", "optimal_lr", "optimal_lrs"]

LOSSES = ("test_loss", "train_loss")
STRIDE, LONGEST = math.log(2), math.log(4)
SPACING = 5.0
"""Over ``max_solves``, between the rates looked at within a bracket, in log lr: 0.2 of 25."""
CLOSING = 9
"""Runs that closing in takes in most cases; they are not spent on looking."""
RIVAL = math.log(2)
"""Another valley is closed in on, too, if its loss is at most so much larger on a log scale."""
GOLDEN = (3 - math.sqrt(5)) / 2
FLAT = 1e-9
"""Relative changes of the loss up to this are none."""
FEWEST_SOLVES = 12
SMALLEST = 5e-324
"""A loss of zero has no logarithm."""


@dataclass(frozen=True, eq=False)
class OptimalRate:
    """The learning rate with the smallest loss that was found, and how.

    Attributes
    ----------
    lr
        The best rate; of a schedule, its largest entry.
    loss
        There, at the last step.
    lower, upper
        Rates beside it with larger losses, between which there is a minimum.
    rates, losses
        (m,), everything that was tried, in order of the rate: inf where a run diverged, and
        ``floor`` where the loss is smaller.
    steps, objective
        As asked.
    floor
        The accuracy of the solver, below which losses are rounding and cannot rank rates.

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
    floor: float = 0.0

    _repr_html_ = field_table

    @property
    def solves(self) -> int:
        """How many runs it took."""
        return len(self.rates)

    @property
    def plateau(self) -> tuple[float, float]:
        """The lowest and the highest rate tried whose loss is at the accuracy of the solver.

        Which rate between them is best is not determined, and ``lr`` is in their middle. Where the
        smallest loss is above the accuracy, both are ``lr``.
        """
        level = self.rates[self.losses <= self.floor * (1 + FLAT)]
        return (float(level[0]), float(level[-1])) if len(level) else (self.lr, self.lr)

    @property
    def determined(self) -> bool:
        """Whether the best rate is determined, and not one of several at the accuracy."""
        return self.plateau[0] == self.plateau[1]

    def summary(self) -> str:
        """One sentence."""
        name = self.objective.replace("_", " ")
        low, high = self.plateau
        if not self.determined:
            return (
                f"After {self.steps} steps several rates reach the solver's accuracy, a {name} of "
                f"{self.floor:.1g}: the best rate is not determined between {low:.4g} and "
                f"{high:.4g} ({self.solves} runs). Take fewer steps to find one."
            )
        return (
            f"After {self.steps} steps the {name} is smallest, {self.loss:.4g}, at lr = "
            f"{self.lr:.4g}, between {self.lower:.4g} and {self.upper:.4g} ({self.solves} runs)."
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
    """The learning rate with the smallest loss after so many steps of the theory.

    From the problem's own rate it goes downhill until the minimum is enclosed, looks at a few rates
    in between (near the edge of stability the loss may have several valleys), and closes in by
    parabolas and golden sections in log lr.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form. ``optimizer.lr`` is where the search starts; a
        schedule is multiplied as a whole.
    steps
        n; the loss is that at t = n - 1.
    rtol
        Relative accuracy of the rate.
    objective
        "test_loss" (without the irreducible noise) or "train_loss".
    max_solves
        After so many runs it returns the best of them, with the bracket it has by then. More
        of them look closer for narrow valleys.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    OptimalRate
        With ``lr``, ``loss``, the bracket and everything tried.

    Raises
    ------
    ValueError
        Bad input; or no minimum is found: the rate has no effect, the loss is smallest without
        training, or every rate tried diverges.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate. Runs that the solver
    cannot follow (chaos far beyond the edge of stability) count as diverged.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.01))
    >>> print(f"{lm.optimal_lr(problem, steps=40).lr:.3f}")
    0.040
    """
    goal = Goal.checked(objective, rtol, max_solves)
    rates = Rates(as_problem(problem), _checked(steps))
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
    """``optimal_lr`` of many problems, whose searches advance together on all cores.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable.
    steps, rtol, objective, max_solves, options
        As in ``optimal_lr``, the same for all problems.

    Returns
    -------
    list of OptimalRate
        In the order of the problems.

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
    steps = _checked(steps)
    found = [Rates(problem, steps) for problem in listed_problems(problems)]
    goal = Goal.checked(objective, rtol, max_solves)
    names = [f"problems[{i}]" for i in range(len(found))]
    return run_searches([(rates, optimum(rates, goal)) for rates in found], options, names)


def _checked(steps: Any) -> int:
    count = integer(steps, "steps")
    if count < 2:
        refuse("steps", "at least 2", steps)
    return count


@dataclass(frozen=True)
class Goal:
    """What is looked for, how exactly, and how long."""

    objective: str
    rtol: float
    max_solves: int

    @classmethod
    def checked(cls, objective: Any, rtol: Any, max_solves: Any) -> "Goal":
        """From what a user gave."""
        most = integer(max_solves, "max_solves")
        if most < FEWEST_SOLVES:
            refuse("max_solves", f"at least {FEWEST_SOLVES}", max_solves)
        return cls(choice(*LOSSES)(objective, "objective"), positive(rtol, "rtol"), most)

    def value(self, run: Run) -> float:
        """The logarithm of the loss; inf of a run that diverged."""
        if not isinstance(run, Solution):
            return math.inf
        loss = float(getattr(run, self.objective)[-1])
        floor = max(resolution(run, self.objective), SMALLEST)
        return math.log(max(loss, floor)) if math.isfinite(loss) else math.inf

    def floor(self, run: Run) -> float:
        """The logarithm of the accuracy of the loss; -inf of a run that diverged."""
        if not isinstance(run, Solution) or run.diverged_at is not None:
            return -math.inf
        return math.log(max(resolution(run, self.objective), SMALLEST))


def optimum(rates: Rates, goal: Goal) -> Search[OptimalRate]:
    """The search, in x = log lr."""
    seen = Seen()
    yield from _enclose(math.log(rates.start), goal, seen)
    yield from _look(_inside(goal, seen), goal, seen)
    closed: list[float] = []
    while (valley := _next_valley(seen, closed)) and len(seen) < goal.max_solves:
        if seen.level:
            break
        closed.append((yield from _close_in(valley, goal, seen)))
    yield from _middle(goal, seen)
    tried = np.array(sorted(seen))
    values = np.array([seen[x] for x in tried])
    best = int(np.flatnonzero(tried == seen.best)[0])
    worse = values > values[best]  # beside a plateau of equal losses, not on it
    around = np.flatnonzero(worse[:best])[-1], best, best + np.flatnonzero(worse[best:])[0]
    lower, lr, upper = (float(np.exp(tried[i])) for i in around)
    losses, floor = np.exp(values), math.exp(seen.floor)
    loss = float(losses[best])
    return OptimalRate(
        lr, loss, lower, upper, np.exp(tried), losses, rates.steps, goal.objective, floor
    )


class Seen(dict[float, float]):
    """Logarithms of the losses by x = log lr, and of the accuracy below which they are rounding."""

    floor = -math.inf

    @property
    def level(self) -> list[float]:
        """The x whose losses are at the accuracy, in order."""
        return sorted(x for x, value in self.items() if value <= self.floor + FLAT)

    @property
    def best(self) -> float:
        """The x of the smallest loss; on a plateau, nearest to the middle."""
        level = self.level
        if level:
            return min(level, key=lambda x: abs(x - (level[0] + level[-1]) / 2))
        return min(self, key=lambda x: (self[x], x))


Steps = Generator[list[float], list[Run], None]


def _look(places: list[float], goal: Goal, seen: Seen) -> Steps:
    """Evaluate these."""
    new = [x for x in places if x not in seen][: goal.max_solves - len(seen)]
    if new:
        runs = yield [math.exp(x) for x in new]
        seen.update((x, goal.value(run)) for x, run in zip(new, runs, strict=True))
        seen.floor = max(seen.floor, *(goal.floor(run) for run in runs))


def _middle(goal: Goal, seen: Seen) -> Steps:
    """Of a plateau at the accuracy of the solver, the rate in the middle."""
    if len(level := seen.level) > 1:
        yield from _look([(level[0] + level[-1]) / 2], goal, seen)


def _enclose(start: float, goal: Goal, seen: Seen) -> Steps:
    """Downhill, in growing strides, until the best rate has worse ones on both sides."""
    yield from _look([start - STRIDE, start, start + STRIDE], goal, seen)
    stride = STRIDE
    while True:
        tried = sorted(seen)
        lost = min(seen.values()) == math.inf  # deep networks may need rates of 1e-20
        best = tried[0] if lost else min(tried, key=lambda x: (seen[x], x))
        if seen.level and not lost:
            best = seen.level[0 if tried[0] in seen.level else -1]
        if tried[0] < best < tried[-1]:
            return
        if not lost and best == tried[0] and tried[1] - best > LONGEST:  # it went down too far
            yield from _look([(best + tried[1]) / 2], goal, seen)
            continue
        _refuse_hopeless(tried, goal, seen)
        stride = 2 * stride if lost else min(2 * stride, LONGEST)
        yield from _look([best + (stride if best == tried[-1] else -stride)], goal, seen)


def _refuse_hopeless(tried: list[float], goal: Goal, seen: Seen) -> None:
    low, high = math.exp(tried[0]), math.exp(tried[-1])
    where = f"lr from {low:.3g} to {high:.3g}"
    name = goal.objective
    first, second = seen[tried[0]], seen[tried[1]]
    level = math.log(SMALLEST) < first <= seen.floor + FLAT  # lower rates have larger losses
    if abs(second - first) <= FLAT and first <= min(seen.values()) + FLAT and not level:
        raise ValueError(
            f"optimizer.lr must have a best value, got a {name} that is smallest without "
            f"training, or does not depend on it (at {where})"
        )
    if len(seen) >= goal.max_solves - 1:
        found = "diverges" if min(seen.values()) == math.inf else "has no minimum"
        raise ValueError(
            f"optimizer.lr must have a best value, got a {name} that {found} (at {where}); start "
            "nearer to it, or raise max_solves"
        )


def _inside(goal: Goal, seen: Seen) -> list[float]:
    """Places between the best rates and their neighbours, about evenly spaced."""
    most = goal.max_solves - len(seen) - CLOSING
    tried = sorted(seen)
    first = last = tried.index(min(tried, key=lambda x: (seen[x], x)))
    if seen.level:  # a plateau, whose ends are looked at
        last = tried.index(seen.level[-1])
    gaps = ((tried[first - 1], tried[first]), (tried[last], tried[last + 1]))
    spacing = max(SPACING / goal.max_solves, sum(b - a for a, b in gaps) / max(most, 1))
    places: list[float] = []
    for a, b in gaps:
        pieces = math.ceil((b - a) / spacing)
        places += [a + (b - a) * i / pieces for i in range(1, pieces)]
    return places


Valley = tuple[float, float, float]


def _next_valley(seen: Seen, closed: list[float]) -> Valley | None:
    """The deepest one that nobody closed in on, and its neighbours; None if it is no rival."""
    tried = sorted(seen)
    best = min(seen.values())
    valleys = [
        (a, x, b)
        for a, x, b in zip(tried, tried[1:], tried[2:], strict=False)
        if seen[a] >= seen[x] < seen[b]
        and seen[x] <= best + RIVAL
        and not any(a <= c <= b for c in closed)
    ]
    return min(valleys, key=lambda valley: seen[valley[1]], default=None)


def _close_in(valley: Valley, goal: Goal, seen: Seen) -> Generator[list[float], list[Run], float]:
    """Brent's method: parabolas through three points, golden sections where they do not serve."""
    tolerance = math.log1p(goal.rtol) / 3
    a, x, b = valley
    w, v, before, step = a, b, b - a, b - a  # second best, third, and the last two moves
    if seen[v] < seen[w]:
        w, v = v, w
    while len(seen) < goal.max_solves:
        middle = (a + b) / 2
        if abs(x - middle) <= 2 * tolerance - (b - a) / 2:
            break
        move = _parabola(x, w, v, seen)
        if move is not None and abs(move) < abs(before) / 2 and a < x + move < b:
            before, step = step, move
            if min(x + step - a, b - x - step) < 2 * tolerance:
                step = math.copysign(tolerance, middle - x)
        else:
            before = (a if x >= middle else b) - x
            step = GOLDEN * before
        u = x + (step if abs(step) >= tolerance else math.copysign(tolerance, step))
        yield from _look([u], goal, seen)
        if seen[u] <= seen[x]:
            a, b = (x, b) if u > x else (a, x)
            w, v, x = x, w, u
        else:
            a, b = (a, u) if u > x else (u, b)
            if seen[u] <= seen[w]:
                w, v = u, w
            elif seen[u] <= seen[v]:
                v = u
    return x


def _parabola(x: float, w: float, v: float, seen: Seen) -> float | None:
    """From x to the vertex; None where there is none below."""
    r = (x - w) * (seen[x] - seen[v])
    q = (x - v) * (seen[x] - seen[w])
    above, below = (x - v) * q - (x - w) * r, 2 * (q - r)
    if not math.isfinite(below) or not math.isfinite(above) or below == 0:
        return None
    return -above / below
