"""Fits of hypotheses to the losses of a training loop, with error bars over its networks.

Everything is on the scale of log losses. Means of finite networks deviate by order 1 / D (theory.md
section 3), and D is not known here. The variance over networks is of the same order. Half of it,
the difference between the logarithms of the arithmetic and the geometric mean, is allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lindmft._internal.types import Array
from lindmft.analysis.loops import student
from lindmft.analysis.loops.hypotheses import Hypothesis
from lindmft.analysis.searches.accuracy import START_FRACTION
from lindmft.problem.problem import Problem
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many

__all__ = ["CONFIDENCE", "FLOOR", "Fit", "Losses", "as_given", "excluded_by", "fit_all"]

CONFIDENCE = 0.99
"""Confidence of the intervals."""
FLOOR = 1e-3
"""Relative difference of losses that never counts."""
POOLED = 3
"""Degrees of freedom that the mean variance over steps adds to the variance of every step.

The variances of few networks are so uncertain that steps with a small one by chance would dominate
a fit.
"""
CLOSE = 0.15
"""Difference of logarithms below which a first fit is refined."""
PARTS = 16
"""Points of the interpolation between two solved values."""
ROUNDS = 2
"""Number of refinements of a fit."""
RESAMPLED = 400
"""Bootstrap samples of the networks."""


@dataclass(frozen=True, eq=False)
class Losses:
    """The losses of a loop, (networks, n), with the mean over networks and its uncertainty."""

    by_network: Array
    smallest: float = field(init=False)
    mean: Array = field(init=False)
    variance: Array = field(init=False)
    sigma: Array = field(init=False)

    def __post_init__(self) -> None:
        mean = self.by_network.mean(axis=0)
        smallest = START_FRACTION * float(mean.max())
        values = {"smallest": smallest, "mean": np.log(np.maximum(mean, smallest))}
        if self.alone:
            values |= {"variance": np.zeros_like(mean), "sigma": np.ones_like(mean)}
        else:
            variance = (self.by_network / mean).var(axis=0, ddof=1)
            freedom = self.networks - 1
            variance = (freedom * variance + POOLED * variance.mean()) / (freedom + POOLED)
            # Besides chance, a mean may deviate by half the variance, at the confidence.
            off = (variance / 2 + FLOOR) / self.critical
            sigma = np.hypot(np.sqrt(variance / self.networks), off)
            values |= {"variance": variance, "sigma": sigma}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def networks(self) -> int:
        """The number of networks."""
        return len(self.by_network)

    @property
    def alone(self) -> bool:
        """Whether there is a single curve, which has no error bar; copies count as one."""
        return bool((np.ptp(self.by_network, axis=0) <= 1e-12 * self.by_network[0]).all())

    @property
    def critical(self) -> float:
        """Student's t at the confidence."""
        return student.quantile(CONFIDENCE, self.networks - 1)

    def log(self, losses: Array) -> Array:
        """Return log losses of the theory, no smaller than the rounding of the loop's losses."""
        return np.log(np.maximum(losses[: len(self.mean)], self.smallest))

    def misfit(self, logs: Array) -> Array:
        """Return the mean square difference of curves (..., n) in units of sigma (1 if alone)."""
        misfit: Array = np.mean(((logs - self.mean) / self.sigma) ** 2, axis=-1)
        return misfit


@dataclass(frozen=True, eq=False)
class Fit:
    """A hypothesis at the value that fits best.

    Attributes
    ----------
    hypothesis
        The hypothesis.
    value
        The value that fits best.
    logs
        (n,), logarithms of its losses.
    difference
        Root mean square difference of the logarithms.
    misfit
        The same in units of the standard error; for a single curve the same as ``difference``.
    interval
        Interval of the value at the confidence; None for a single curve or if nothing is fitted.
    """

    hypothesis: Hypothesis
    value: float
    logs: Array
    difference: float
    misfit: float
    interval: tuple[float, float] | None = None


@dataclass(eq=False)
class _Curve:
    """Log losses as a function of the logarithm of the value, from the solved values."""

    hypothesis: Hypothesis
    x: Array = field(default_factory=lambda: np.empty(0))
    logs: Array = field(default_factory=lambda: np.empty((0, 0)))

    def add(self, values: Sequence[float], solutions: list[Solution | None], seen: Losses) -> None:
        """Add the solutions that exist and do not diverge within the compared steps."""
        for value, solution in zip(values, solutions, strict=True):
            if solution is None:
                continue
            logs = seen.log(self.hypothesis.read(solution, value))
            if np.isfinite(logs).all():
                self.logs = np.vstack([*self.logs, logs])
                self.x = np.append(self.x, np.log(value))
        # Rounding removes values that differ in their last bits only.
        self.x, keep = np.unique(np.round(self.x, 9), return_index=True)
        self.logs = self.logs[keep]

    def fine(self) -> tuple[Array, Array]:
        """Return the cubic Hermite interpolation between the values."""
        if len(self.x) < 3:
            return self.x, self.logs
        slopes = np.gradient(self.logs, self.x, axis=0)
        u = (np.arange(PARTS) / PARTS)[None, :, None]
        gap = np.diff(self.x)[:, None, None]
        y, dy = self.logs[:, None], slopes[:, None]
        bend = u * (1 - u) ** 2 * dy[:-1] - u**2 * (1 - u) * dy[1:]
        curve = y[:-1] + u**2 * (3 - 2 * u) * (y[1:] - y[:-1]) + gap * bend
        x = self.x[:-1, None] + gap[..., 0] * u[..., 0]
        return np.append(x, self.x[-1]), np.vstack([*curve, self.logs[-1:]])


def fit_all(
    candidates: list[Hypothesis],
    problem: Problem,
    theory: Solution,
    seen: Losses,
    threads: int | None,
) -> list[Fit]:
    """Fit every hypothesis that has a curve; refine those that come near the losses."""
    curves = [_Curve(hypothesis) for hypothesis in candidates]
    values = [hypothesis.values for hypothesis in candidates]
    _solve(curves, values, problem, theory, seen, threads)
    for level in range(1, ROUNDS + 1):
        fits = [_fit(curve, seen) for curve in curves]
        close = CLOSE + 3 * min((fit.difference for fit in fits if fit), default=0)
        chosen = [
            (curve, _nearby(curve, fit.value, level))
            for curve, fit in zip(curves, fits, strict=True)
            if fit and len(curve.x) >= 3 and fit.difference < close
        ]
        _solve([c for c, _ in chosen], [v for _, v in chosen], problem, theory, seen, threads)
    return [fit for curve in curves if (fit := _fit(curve, seen))]


def _solve(
    curves: list[_Curve],
    values: list[tuple[float, ...]],
    problem: Problem,
    theory: Solution,
    seen: Losses,
    threads: int | None,
) -> None:
    """Add the solutions at all values, from one call; that of the problem itself is known."""
    steps = len(seen.mean)
    made = [
        [_made(curve.hypothesis, value) for value in some]
        for curve, some in zip(curves, values, strict=True)
    ]
    new = [other for row in made for other in row if other and other is not problem]
    solved = iter(solve_many(new, steps, threads=threads, errors="return"))
    for curve, some, row in zip(curves, values, made, strict=True):
        solutions = [theory if p is problem else next(solved) if p else None for p in row]
        curve.add(some, [s if isinstance(s, Solution) else None for s in solutions], seen)


def _made(hypothesis: Hypothesis, value: float) -> Problem | None:
    """The problem, or None if the value is not allowed (as a schedule of too large rates)."""
    try:
        return hypothesis.problem(value)
    except ValueError:
        return None


def _nearby(curve: _Curve, value: float, level: int) -> tuple[float, ...]:
    """Values around the best one, at smaller distances at every level."""
    spacing = float(np.median(np.diff(np.log(np.sort(curve.hypothesis.values))))) * 8.0**-level
    near = (np.round(np.log(value) / spacing) + np.array([-4, -2, -1, 0, 1, 2, 4])) * spacing
    return tuple(np.exp(near[(near >= curve.x[0]) & (near <= curve.x[-1])]).tolist())


def _fit(curve: _Curve, seen: Losses) -> Fit | None:
    if not len(curve.x):
        return None
    x, logs = curve.fine()
    misfits = seen.misfit(logs)
    best = int(np.argmin(misfits))
    return Fit(
        hypothesis=curve.hypothesis,
        value=float(np.exp(x[best])),
        logs=logs[best],
        difference=float(np.sqrt(np.mean((logs[best] - seen.mean) ** 2))),
        misfit=float(np.sqrt(misfits[best])),
        interval=None if seen.alone or len(x) < 3 else _interval(x, logs, best, seen),
    )


def as_given(problem: Problem, theory: Solution, seen: Losses) -> Fit:
    """Return the fit of the problem itself: infinitely far if it diverges where losses do not."""
    same = Hypothesis("as given", "the problem as given", (1.0,), lambda _: problem)
    logs = seen.log(theory.test_loss)
    difference = float(np.sqrt(np.mean((logs - seen.mean) ** 2)))
    return Fit(same, 1.0, logs, difference, float(np.sqrt(seen.misfit(logs))))


def _interval(x: Array, logs: Array, best: int, seen: Losses) -> tuple[float, float]:
    """Interval from the bootstrapped standard error and the deviation of finite networks."""
    weights = seen.sigma**-2
    draws = np.random.default_rng(0).multinomial(
        seen.networks, np.full(seen.networks, 1 / seen.networks), size=RESAMPLED
    )
    means = np.log(np.maximum(draws @ seen.by_network / seen.networks, seen.smallest))
    # Squared distances of means and curves, without the term that all curves share.
    distance = (weights * logs**2).sum(axis=1) - 2 * (means * weights) @ logs.T
    found = x[np.argmin(distance, axis=1)]
    error = found.std() * np.sqrt(seen.networks / (seen.networks - 1))
    slope = np.gradient(logs[max(best - 1, 0) : best + 2], x[max(best - 1, 0) : best + 2], axis=0)
    slope = slope[min(best, 1)]
    # The change of the value if every log loss is wrong by half the variance.
    bias = (weights * abs(slope) * (seen.variance / 2 + FLOOR)).sum() / max(
        (weights * slope**2).sum(), 1e-300
    )
    half = np.hypot(seen.critical * error, bias)
    low, high = x[best] - half, x[best] + half
    # Values outside of the range tried are not excluded.
    return (
        float(np.exp(low)) if low > x[0] else 0.0,
        float(np.exp(high)) if high < x[-1] else np.inf,
    )


def excluded_by(best: Fit, other: Fit, seen: Losses) -> bool:
    """Return whether the networks exclude ``other``, in the direction of the better fit.

    The losses are projected onto the difference of the two curves. If ``other`` were true, this
    number would have mean zero, up to the deviation of finite networks.
    """
    direction = (best.logs - other.logs) * seen.sigma**-2
    toward = float(direction @ (seen.mean - other.logs))
    each = seen.by_network / seen.by_network.mean(axis=0) @ direction
    error = np.sqrt(each.var(ddof=1) / seen.networks)
    bias = float(abs(direction) @ (seen.variance / 2 + FLOOR))
    return bool(toward > np.hypot(seen.critical * error, bias))
