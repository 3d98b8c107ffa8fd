"""The two kinds of curve that most panels are made of: over time, and over learning rates.

Every curve has networks of its own, so that the deviations of different curves are independent;
the points of one curve are of the same networks, and deviate together.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from lindmft._types import Array, Callback
from lindmft.ensemble import Ensemble
from lindmft.figures._panel import Curve, Points
from lindmft.many import solve_many
from lindmft.plotting.losses import thinned
from lindmft.problem import Problem
from lindmft.solution import Solution
from lindmft.training import train, train_many

__all__ = ["Progress", "Sizes", "over_rates", "over_time", "points_of", "trained"]

Progress = bool | Callback | None


class Sizes(Protocol):
    """What parameters of a figure say about its networks."""

    @property
    def dim(self) -> int:
        """D, the input dimension or the number of modes."""

    @property
    def seeds(self) -> int:
        """Networks a curve."""


def over_time(
    problems: Mapping[str, Problem],
    steps: int,
    p: Sizes,
    *,
    progress: Progress = None,
    losses: Sequence[str] = ("test_loss",),
    noise: bool = False,
    grid: str = "exact",
    trained_steps: int | None = None,
) -> list[Curve]:
    """Losses over time, a curve a problem and loss; with ``noise``, sigma^2 is in test losses.

    Networks are trained for ``trained_steps`` (None: all) steps.
    """
    short = steps if trained_steps is None else trained_steps
    solutions = solve_many(problems.values(), steps, grid=grid, progress=progress)
    curves = []
    for look, (label, solution) in enumerate(zip(problems, solutions, strict=True)):
        runs = trained(solution.problem, short, p, look, progress)
        extra = solution.problem.data.irreducible if noise else 0.0
        for name in losses:
            test = name == "test_loss"
            curves.append(_in_time(solution, runs, name, extra * test, label, look, test))
    return curves


def over_rates(
    problems: Mapping[str, Problem],
    rates: Array,
    trained_rates: Array,
    steps: int,
    p: Sizes,
    *,
    progress: Progress = None,
) -> list[Curve]:
    """Test losses after ``steps`` steps against learning rates, a curve a problem.

    Rates that diverge are left out, as are trained ones of which any network diverges.
    """
    curves = []
    for look, (label, problem) in enumerate(problems.items()):
        expected = _last(problem, rates, steps, progress)
        at = _last(problem, trained_rates, steps, progress)
        family = problem.vary({"optimizer.lr": trained_rates})
        seed = look * p.seeds
        runs = train_many(family, steps, dim=p.dim, seeds=p.seeds, seed=seed, progress=progress)
        points = points_of(
            trained_rates,
            np.array([run.mean().test_loss[-1] for run in runs]),
            np.array([run.sem().test_loss[-1] for run in runs]),
            np.where([run.used.all() for run in runs], at, np.inf),
            runs[0],
        )
        shown = np.isfinite(expected)
        curves.append(Curve(label, rates[shown], expected[shown], points, look))
    return curves


def trained(problem: Problem, steps: int, p: Sizes, look: int, progress: Progress) -> Ensemble:
    """Networks of the curve that has this look: with seeds of its own."""
    seed = look * p.seeds
    return train(problem, steps, dim=p.dim, seeds=p.seeds, seed=seed, progress=progress)


def points_of(x: Array, mean: Array, error: Array, expected: Array, runs: Ensemble) -> Points:
    """Where theory and training are both finite."""
    good = np.isfinite(mean) & np.isfinite(expected)
    columns = (np.asarray(column, float)[good] for column in (x, mean, error, expected))
    return Points(*columns, networks=len(runs.seeds), dim=runs.dim)


def _in_time(
    solution: Solution,
    runs: Ensemble,
    name: str,
    extra: float,
    label: str,
    look: int,
    test: bool,
) -> Curve:
    at = thinned(len(runs.time))
    expected = solution.at(runs.time[at]) if solution.grid != "exact" else None
    y = getattr(solution, name) + extra
    points = points_of(
        runs.time[at],
        getattr(runs.mean(), name)[at] + extra,
        getattr(runs.sem(), name)[at],
        y[at] if expected is None else getattr(expected, name) + extra,
        runs,
    )
    shown = np.isfinite(y)
    return Curve(label, solution.time[shown], y[shown], points, look, test)


def _last(problem: Problem, rates: Array, steps: int, progress: Progress) -> Array:
    family = solve_many(problem.vary({"optimizer.lr": rates}), steps, progress=progress)
    return np.array([solution.test_loss[-1] for solution in family])
