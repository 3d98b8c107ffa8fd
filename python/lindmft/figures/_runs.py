"""The two kinds of curves of most panels: losses over time, and losses over learning rates.

Every curve has separate networks, so that the deviations of different curves are independent. The
points of one curve belong to the same networks, and deviate together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from lindmft._internal.types import Array, Callback, Mask
from lindmft.figures._panel import Curve, Panel, Points
from lindmft.plotting.losses import thinned
from lindmft.problem.optimizer import has_momentum
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import PowerLaw
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.results.statistics import standard_error
from lindmft.theory.many import solve_many
from lindmft.training.train import train, train_many

__all__ = [
    "PARAMETERIZATIONS",
    "Progress",
    "Sizes",
    "by_parameterization",
    "from_one",
    "leading_modes",
    "over_rates",
    "over_time",
    "points_of",
    "slope",
    "theory_over_rates",
    "trained",
]

PARAMETERIZATIONS = {"ntk": "NTK parameterization", "mup": "muP"}
"""Titles of the two panels that compare the parameterizations."""
FLOOR = 1e-13
"""Smallest loss in units of the target's power: smaller ones are rounding errors, not drawn."""
NEGLIGIBLE = 1e-10
"""Rise of a training loss that is ignored."""
SUMS = 1e-9
"""Tolerance of a sum over modes."""
RISE = 0.02
"""Relative rise in a step, above the lowest training loss, that ends the smooth descent."""

Progress = bool | Callback | None


class Sizes(Protocol):
    """The part of a figure's parameters that describes its networks."""

    @property
    def dim(self) -> int:
        """The input dimension D; of a trace-class spectrum, the number of modes."""

    @property
    def seeds(self) -> int:
        """Number of networks for each curve."""


class Rates(Sizes, Protocol):
    """The parameters of a panel of losses over learning rates."""

    @property
    def rates(self) -> tuple[float, float]:
        """The smallest and the largest learning rate."""

    @property
    def points(self) -> int:
        """Number of learning rates of the theory."""

    @property
    def trained_points(self) -> int:
        """Number of learning rates at which networks are trained."""

    @property
    def steps(self) -> int:
        """Number of steps."""


Trained = Callable[[Problem], tuple[Problem, float]]
"""Returns the problem that networks are trained on, and a constant to add to their losses."""


def by_parameterization(build: Callable[..., Panel]) -> dict[str, Callable[..., Panel]]:
    """Return panels a and b: ``build`` with NTK parameterization, and with muP."""
    names = zip("ab", PARAMETERIZATIONS, strict=True)
    return {panel: partial(build, parameterization=name) for panel, name in names}


def over_time(
    problems: Mapping[str, Problem],
    steps: int,
    p: Sizes,
    *,
    progress: Progress = None,
    losses: Sequence[str] = ("test_loss",),
    noise: bool = False,
    grid: str = "exact",
    rtol: float | None = None,
    trained_steps: int | None = None,
    finite: Trained | None = None,
) -> list[Curve]:
    """Return losses over time, a curve for each problem and loss.

    ``grid`` and ``rtol`` are those of ``solve``. With ``noise`` test losses include sigma^2.
    Networks are trained for ``trained_steps`` (None: all) steps, on the problem itself or on the
    one that ``finite`` returns for it.
    """
    short = steps if trained_steps is None else trained_steps
    lines = solve_many(problems.values(), steps, grid=grid, rtol=rtol, progress=progress)
    finite_ones = [finite(problem) if finite else (problem, 0.0) for problem in problems.values()]
    expected = lines
    if finite:
        cut = [problem for problem, _ in finite_ones]
        expected = solve_many(cut, short, grid=grid, rtol=rtol, progress=progress)
    curves = []
    for look, (label, line) in enumerate(zip(problems, lines, strict=True)):
        problem, tail = finite_ones[look]
        runs = trained(problem, short, p, look, progress)
        for name in losses:
            test = name == "test_loss"
            extra = line.problem.data.irreducible if noise and test else 0.0
            points = _in_time(expected[look], runs, name, extra + tail)
            y = getattr(line, name) + extra
            shown = _drawable(y)
            curves.append(Curve(label, line.time[shown], y[shown], points, look, test))
    return curves


def over_rates(
    problems: Mapping[str, Problem],
    p: Rates,
    title: str,
    key: str,
    *,
    progress: Progress = None,
    finite: Trained | None = None,
) -> Panel:
    """Return a panel of final test losses against learning rates, a curve for each problem.

    Rates that diverge are not drawn, nor are trained ones at which any network diverges.
    """
    rates = np.geomspace(*p.rates, p.points)
    trained_rates, steps = np.geomspace(*p.rates, p.trained_points), p.steps
    curves = []
    for look, (label, problem) in enumerate(problems.items()):
        x, y = theory_over_rates(problem, rates, steps, progress)
        cut, tail = finite(problem) if finite else (problem, 0.0)
        at, smooth = _last(cut, trained_rates, steps, progress)
        family = cut.vary({"optimizer.lr": trained_rates})
        runs = train_many(family, steps, dim=p.dim, seeds=p.seeds, seed=look, progress=progress)
        points = points_of(
            trained_rates,
            np.array([run.test_loss[:, -1].mean() for run in runs]) + tail,
            np.array([float(standard_error(run.test_loss[:, -1])) for run in runs]),
            at + tail,
            runs[0],
            smooth & np.array([_steady(run)[-1] for run in runs]),
        )
        curves.append(Curve(label, x, y, points, look))
    loss = f"test loss after {steps} steps"
    return Panel(title, "learning rate η", loss, curves, "log", key=key, legend=True)


def theory_over_rates(
    problem: Problem, rates: Array, steps: int, progress: Progress
) -> tuple[Array, Array]:
    """Return the rates that do not diverge, and the test losses after ``steps`` steps."""
    y, _ = _last(problem, rates, steps, progress)
    shown = _drawable(y)
    return rates[shown], y[shown]


def trained(problem: Problem, steps: int, p: Sizes, look: int, progress: Progress) -> Ensemble:
    """Train the networks of the curve with this look, independent of those of other curves."""
    return train(problem, steps, dim=p.dim, seeds=p.seeds, seed=look, progress=progress)


def from_one(curve: Curve) -> Curve:
    """Return the curve without t = 0, which a logarithmic axis cannot show."""
    points = curve.points
    if points is not None:
        at = points.x >= 1
        names = ("x", "mean", "error", "expected", "smooth")
        points = replace(points, **{name: getattr(points, name)[at] for name in names})
    at = curve.x >= 1
    return replace(curve, x=curve.x[at], y=curve.y[at], points=points)


def leading_modes(count: int) -> Trained:
    """Return a function that restricts training to the first ``count`` modes of a power law.

    The other modes are hardly learned in the time of a figure. Their contribution to the labels
    acts as noise, and their loss is added.
    """

    def cut(problem: Problem) -> tuple[Problem, float]:
        data = problem.data
        spectrum = data.spectrum
        if not isinstance(spectrum, PowerLaw):
            raise TypeError("leading_modes needs data with a power-law spectrum")
        tail = max(0.0, _power(spectrum) - _power(replace(spectrum, modes=count)))
        changes: dict[str, Any] = {"spectrum": replace(spectrum, modes=count)}
        if hasattr(data, "noise"):
            changes["noise"] = float(np.sqrt(data.noise**2 + tail))
        return problem.replace(data=replace(data, **changes)), tail

    return cut


def slope(x: Array, y: Array) -> float:
    """Return the slope of log y against log x; every point has the same weight."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def points_of(
    x: Array, mean: Array, error: Array, expected: Array, runs: Ensemble, smooth: Mask | None = None
) -> Points:
    """Return the points where theory and training are finite and above rounding.

    The other points are counted.
    """
    good = _drawable(mean) & _drawable(expected)
    compared = np.ones(len(x), bool) if smooth is None else smooth
    return Points(
        x=np.asarray(x, float)[good],
        mean=mean[good],
        error=error[good],
        expected=expected[good],
        networks=len(runs.seeds),
        dim=runs.dim,
        smooth=compared[good],
        left_out=int(np.sum(_drawable(expected) & compared & ~good)),
    )


def _drawable(y: Array) -> Mask:
    return np.isfinite(y) & (y > FLOOR)


def _in_time(solution: Solution, runs: Ensemble, name: str, extra: float) -> Points:
    at = thinned(len(runs.time))
    every = solution.every_step
    y = getattr(solution, name)[at] if every else getattr(solution.at(runs.time[at]), name)
    losses = getattr(runs, name)[:, at]  # all networks: the mean is inf once one diverges
    return points_of(
        runs.time[at],
        losses.mean(axis=0) + extra,
        standard_error(losses),
        y + extra,
        runs,
        (_descent(solution) & _steady(runs))[at] if every else None,
    )


def _last(problem: Problem, rates: Array, steps: int, progress: Progress) -> tuple[Array, Mask]:
    """Return the final test losses, and whether the loss fell smoothly."""
    family = solve_many(problem.vary({"optimizer.lr": rates}), steps, progress=progress)
    # Random batches may raise the loss slightly from step to step, but not above its start.
    smooth = np.array([_descent(run)[-1] and _stays_below(run.test_loss) for run in family])
    return np.array([solution.test_loss[-1] for solution in family]), smooth


def _descent(run: Solution | Ensemble) -> Mask:
    """Return (..., n), whether the training loss has only fallen up to each step.

    Random batches, momentum and weight decay may raise the loss of stable training; with them only
    a divergence ends the descent.
    """
    loss = np.maximum(run.train_loss, 0.0)  # the loss on the population may be below 0 by rounding
    data, optimizer = run.problem.data, run.problem.optimizer
    if data.random_batches or has_momentum(optimizer) or optimizer.weight_decay > 0:
        return np.isfinite(loss)
    lowest = np.minimum.accumulate(loss, axis=-1)
    falls = loss[..., 1:] <= (1 + RISE) * lowest[..., :-1] + NEGLIGIBLE
    falls = np.concatenate(
        [np.isfinite(loss[..., :1]), falls & np.isfinite(loss[..., 1:])], axis=-1
    )
    return np.asarray(np.logical_and.accumulate(falls, axis=-1))


def _stays_below(loss: Array) -> bool:
    return bool(loss.max() <= (1 + RISE) * loss[0])


def _steady(runs: Ensemble) -> Mask:
    """Return (n,), whether the losses of all networks have only fallen up to each step."""
    return np.asarray(_descent(runs).all(axis=0))


def _power(spectrum: PowerLaw) -> float:
    nodes = replace(spectrum, tolerance=SUMS).binned()
    columns = (nodes.eigenvalues, nodes.target_power, nodes.weights)
    return float(np.prod([np.asarray(column) for column in columns], axis=0).sum())
