"""The edge of stability: the sharpness along training at several learning rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import (
    choice,
    flag,
    integer,
    number_or_numbers,
    positive,
    refuse,
    tuple_of_names,
    tuple_of_numbers,
)
from lindmft._internal.validation import times as read_times
from lindmft.analysis.edges.limit import SharpnessLimit, by_sharpness
from lindmft.analysis.edges.result import EdgeOfStability
from lindmft.analysis.edges.run import SharpnessRun, run_of, width_of
from lindmft.analysis.searches.search import Rates, checked_steps, run_searches
from lindmft.analysis.sizes.fixed_fields import cautions, width_path
from lindmft.analysis.stability import edge
from lindmft.problem.data import FullBatch, Population
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.results.ensemble import Ensemble
from lindmft.theory.many import solve_many
from lindmft.training.train import train

__all__ = ["EdgeOfStability", "SharpnessLimit", "SharpnessRun", "edge_of_stability"]

FRACTIONS = (0.25, 0.5, 0.9, 1.1)
"""Default learning rates, in units of the largest one by sharpness."""
TIMES = 25
"""Default number of times, of which there are more early ones."""
TRAINING = ("lanczos", "threads", "memory_limit", "progress")
"""Options of ``solve_many`` that ``train`` gets, too."""
LANCZOS = 8
"""Default steps of Lanczos' method: enough for the largest eigenvalue.

Each further step multiplies rounding errors, by about ten where the spectrum is a narrow interval.
"""
LONG = 500
"""Number of steps above which runs take the adaptive grid, where the data allow it."""


def edge_of_stability(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    lr: Number | Numbers | None = None,
    widths: Numbers | None = None,
    parameterizations: Sequence[str] | None = None,
    times: Number | Numbers | None = None,
    grid: str | None = None,
    limits: bool = True,
    rtol: float = 0.01,
    networks: int = 0,
    dim: int | None = None,
    **options: Any,
) -> EdgeOfStability:
    """Compute the sharpness along training at several learning rates, and the largest stable rate.

    The sharpness is the largest eigenvalue of the Hessian. A step amplifies small deviations if
    learning rate times sharpness exceeds ``stability_threshold``, which is 2 for plain gradient
    descent.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form. ``optimizer.lr`` is replaced, a schedule multiplied as
        a whole.
    steps
        n, the number of steps of every run.
    lr
        The learning rates, positive; None: 0.25, 0.5, 0.9 and 1.1 times the largest rate by
        sharpness of the problem as it is given.
    widths
        Widths to compare (with a trace-class spectrum, ``hidden``); None: that of the problem.
    parameterizations
        "mup", "ntk" or both; None: that of the problem.
    times
        Steps before whose updates to compute the sharpness; None: about 25 of them, the early ones
        closer together.
    grid
        "exact" or, except for random batches, "adaptive". None: exact up to 500 steps and for
        random batches, else adaptive.
    limits
        Also find the largest learning rate for each width and parameterization: by sharpness, and
        on the exact grid by losses, as ``largest_stable_lr`` does.
    rtol
        Relative accuracy of these rates.
    networks
        The number of networks to train for each run of finite width; 0: none.
    dim
        Their input dimension, as in ``train``.
    options
        Passed on to ``solve_many``: ``lanczos`` (8 by default), ``threads``, ``memory_limit``,
        ``progress`` and others; these four also to ``train``.

    Returns
    -------
    EdgeOfStability
        Runs, limits, ``table()`` and ``summary()``.

    Raises
    ------
    ValueError
        If an argument is not allowed (the message names the field), or no rate reaches the
        threshold.

    Warns
    -----
    ScalingWarning, SizeWarning
        If a field that usually follows the width stays fixed, or widths look like counts.

    Notes
    -----
    Theory section 15. The sharpness of a run depends on its learning rate only through the path of
    the weights, so that in lazy training the largest rate is the threshold over the sharpness at
    the start: 2 / (L + 1) for a perceptron of infinite width on infinite data. All runs are solved
    together, on all cores. The unstable rates that are tried give no ``StabilityWarning``: see
    ``SharpnessRun.until``.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> found = lm.edge_of_stability(problem, 100, lr=[0.05, 0.1, 0.2])
    >>> [run.passes_at is None for run in found.runs]
    [True, True, False]
    >>> print(f"{found.limits[0].lr:.3f}, by losses {found.limits[0].by_loss.lr:.2f}")
    0.115, by losses 0.27
    """
    problem, steps = as_problem(problem), checked_steps(steps)
    rates = None if lr is None else _rates(lr)
    plan = _Plan(steps, _times(times, steps), _options(options, grid, problem, steps))
    variants = _variants(problem, widths, parameterizations)
    if widths is not None:
        cautions(problem, width_path(problem), {"as given": ()})
        warn_of_widths(problem, sorted({width_of(one) for one in variants}))
    find, precision, count = flag(limits, "limits"), 1 + positive(rtol, "rtol"), _count(networks)
    found = _limits(variants, plan, precision) if find else []
    if rates is None:
        own = found[variants.index(problem)] if find and problem in variants else None
        largest = (own or _by_sharpness([problem], plan, precision)[0]).lr
        rates = tuple(largest * fraction for fraction in FRACTIONS)
    each = [(one, rate) for one in variants for rate in rates]
    problems = [Rates(one, steps).at(rate) for one, rate in each]
    trained = _trained(problems, plan, count, dim) if count else [None] * len(problems)
    solutions = solve_many(problems, steps, **plan.asked)
    runs = [
        run_of(solution, rate, plan.time, ensemble)
        for (_, rate), solution, ensemble in zip(each, solutions, trained, strict=True)
    ]
    dims = {ensemble.dim for ensemble in trained if ensemble is not None}
    return EdgeOfStability(
        problem, steps, plan.asked["grid"], tuple(runs), tuple(found), max(dims, default=None)
    )


@dataclass(frozen=True)
class _Plan:
    """The steps of all runs, the times of their spectra, and the options of ``solve_many``."""

    steps: int
    time: Array
    options: Mapping[str, Any]

    @property
    def asked(self) -> dict[str, Any]:
        """The options with the times, and the default of ``lanczos``."""
        return {"lanczos": LANCZOS, **self.options, "spectrum_at": self.time}


def _by_sharpness(
    problems: Sequence[Problem], plan: _Plan, precision: float
) -> list[SharpnessLimit]:
    """Return the limits of these problems; their searches advance together."""
    rates = [Rates(one, plan.steps) for one in problems]
    searches = [(one, by_sharpness(one, plan.time, precision)) for one in rates]
    return run_searches(searches, plan.asked, _names(problems))


def _names(problems: Sequence[Problem]) -> list[str]:
    """Return the names of searches for errors; a single one needs none."""
    several = problems if len(problems) > 1 else []
    return [f"{one.network.parameterization}, width {width_of(one):g}" for one in several]


def _limits(problems: Sequence[Problem], plan: _Plan, precision: float) -> list[SharpnessLimit]:
    """Return the limits by sharpness with, on the exact grid, those by losses."""
    found = _by_sharpness(problems, plan, precision)
    if plan.asked["grid"] != "exact":
        return found
    at = zip(problems, found, strict=True)
    rates = [Rates(Rates(one, plan.steps).at(limit.lr), plan.steps) for one, limit in at]
    searches = [(one, edge(one, "bounded", precision)) for one in rates]
    options = {name: value for name, value in plan.options.items() if name != "lanczos"}
    losses = run_searches(searches, options, _names(problems))
    return [replace(one, by_loss=loss) for one, loss in zip(found, losses, strict=True)]


def _trained(
    problems: Sequence[Problem], plan: _Plan, count: int, dim: int | None
) -> list[Ensemble | None]:
    """Return networks of each problem; None for those of infinite width."""
    passed = {k: v for k, v in plan.options.items() if k in TRAINING}
    asked: dict[str, Any] = {"dim": dim, "seeds": count, "spectrum_at": plan.time, **passed}
    return [
        train(one, plan.steps, **asked) if np.isfinite(width_of(one)) else None for one in problems
    ]


def _variants(problem: Problem, widths: Any, parameterizations: Any) -> list[Problem]:
    """Return the problem in each parameterization at each width."""
    names: tuple[str, ...] = (problem.network.parameterization,)
    if parameterizations is not None:
        names = tuple_of_names(parameterizations, "parameterizations")
        if not names:
            refuse("parameterizations", "'mup', 'ntk' or both", parameterizations)
        for name in names:
            choice("mup", "ntk")(name, "parameterizations")
    sizes: tuple[float, ...] = (width_of(problem),)
    path = width_path(problem)
    if widths is not None:
        sizes = tuple(sorted(set(tuple_of_numbers(widths, "widths"))))
        if not sizes:
            refuse("widths", "a list of at least one width", widths)
    return [
        problem.replace(**{"network.parameterization": name, path: size})
        for name in dict.fromkeys(names)
        for size in sizes
    ]


def _rates(given: Any) -> tuple[float, ...]:
    found = number_or_numbers(given, "lr")
    listed = found if isinstance(found, tuple) else (found,)
    if not listed or not all(0 < rate < np.inf for rate in listed):
        refuse("lr", "a positive learning rate, or a list of them", given)
    return tuple(sorted(set(listed)))


def _times(given: Any, steps: int) -> Array:
    if given is None:
        return np.unique(np.round((steps - 1) * np.linspace(0.0, 1.0, TIMES) ** 2))
    found = read_times(given, "times")
    if not found or not all(time.is_integer() and time < steps for time in found):
        refuse("times", f"whole numbers from 0 to {steps - 1}", given)
    return np.array(found)


def _options(options: Mapping[str, Any], grid: Any, problem: Problem, steps: int) -> dict[str, Any]:
    """Return the options of ``solve_many``; without ``lanczos`` if it is None."""
    found = {k: v for k, v in options.items() if not (k == "lanczos" and v is None)}
    return {**found, "grid": _grid(grid, problem, steps)}


def _grid(given: Any, problem: Problem, steps: int) -> str:
    if given is not None:
        if choice("exact", "adaptive")(given, "grid") == "adaptive" and problem.data.condensable:
            refuse("grid", "'exact' for random batches (the sharpness needs the whole past)", given)
        return str(given)
    smooth = isinstance(problem.data, FullBatch | Population)
    return "adaptive" if smooth and steps > LONG else "exact"


def _count(given: Any) -> int:
    count = integer(given, "networks")
    if count < 0:
        refuse("networks", "0 or more", given)
    return count
