"""Transfer tables: whether the learning rate that is best at one size serves at another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import number, refuse, tuple_of_numbers
from lindmft.analysis.rates import Goal, OptimalRate, optimum
from lindmft.analysis.searches.accuracy import resolved
from lindmft.analysis.searches.search import Rates, checked_steps, run_searches
from lindmft.analysis.sizes.fixed_fields import cautions
from lindmft.analysis.sizes.parameterizations import common_factor
from lindmft.analysis.sizes.scalings import (
    AS_GIVEN,
    BRANCHES,
    PARAMETERIZATIONS,
    Rule,
    Scalings,
    read_scalings,
)
from lindmft.analysis.stability import edge
from lindmft.analysis.transfer_table import Transfer
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many

__all__ = ["Transfer", "transfer"]


def transfer(
    problem: Problem | Mapping[str, Any],
    path: str,
    sizes: Numbers,
    steps: int,
    *,
    scalings: Scalings | None = None,
    base: float | None = None,
    rtol: float = 0.01,
    objective: str = "test_loss",
    max_solves: int = 25,
    **options: Any,
) -> Transfer:
    """Compute how the best learning rate depends on a size, and the cost of carrying it over.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form; searches start at its learning rate.
    path
        The size to vary: "network.width", "network.hidden", "network.depth" or any other number.
    sizes
        Its values, at least two.
    steps
        n, the number of steps of every run; losses are those at t = n - 1.
    scalings
        The scalings to compare. A list of built-in names: "muP", "NTK", "PyTorch", "standard", "one
        raw lr", "1/sqrt(depth)", "constant"; see Notes. Or a dictionary whose keys are names, and
        whose values are built-in names, changes of the problem (paths and values as in
        ``Problem.replace``), or functions from the size (an int if it is whole) to such changes.
        None: "muP" and "NTK" for widths; "1/sqrt(depth)" and "constant" for the depth of a residual
        network; otherwise the problem as it is.
    base
        The size at which one would tune; None: the first.
    rtol, objective, max_solves
        As in ``optimal_lr``, for every search.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    Transfer
        Best and largest rates, the table of losses, a score for each scaling, and ``summary()``.

    Raises
    ------
    ValueError
        If an argument is not allowed (the message names the field), or there is no minimum, as in
        ``optimal_lr``.

    Warns
    -----
    ScalingWarning, SizeWarning
        If a field that usually follows the size stays fixed, or widths look like counts.

    Notes
    -----
    Bordelon and Pehlevan (2025), section 4 and figures 2, 5 and 8. All searches advance together,
    on all cores.

    "muP" and "NTK" set the parameterization, "1/sqrt(depth)" and "constant" the scaling of
    branches. "PyTorch" is the default initialization of ``nn.Linear`` (variance 1 / (3 fan-in))
    with one raw learning rate for all layers, "standard" the same with variance 1 / fan-in, and
    "one raw lr" with variance ``init_scale ** 2`` / fan-in, the scale of the problem. There lr is
    that raw rate for the loss ``0.5 * mse``, and ``layer_lr`` follows the widths (theory sections 2
    and 8). What is carried over to other sizes is lr.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
    >>> table = lm.transfer(problem, "network.width", [1, 2, 8], steps=40)
    >>> table.lr.round(3)
    array([[0.04 , 0.04 , 0.04 ],
           [0.04 , 0.06 , 0.114]])
    >>> table.drift.round(1)
    array([1. , 2.9])
    >>> table = lm.transfer(problem, "network.width", [1, 4], steps=40, scalings=["PyTorch"])
    >>> table.raw_lr["PyTorch"].round(2)  # wider networks need smaller raw rates
    array([0.39, 0.3 ])
    """
    problem, values = as_problem(problem), _sizes(sizes)
    chosen = _scalings(problem, path, scalings)
    grid = [[rule.at(problem, {path: size}) for size in values] for rule in chosen.values()]
    at = _base(base, values)
    goal, steps = Goal.checked(objective, rtol, max_solves), checked_steps(steps)
    changed = {name: rule.changes(problem, {path: values[0]}) for name, rule in chosen.items()}
    fixed = cautions(problem, path, changed)
    if path == "network.width":
        warn_of_widths(problem, values)
    rates = [Rates(one, steps) for row in grid for one in row]
    names = [f"{name}, {path} = {short(size)}" for name in chosen for size in values]
    best = run_searches([(one, optimum(one, goal)) for one in rates], options, names)
    # Each search for an edge starts at the optimum, below which runs are stable.
    tuned = [Rates(one.at(found.lr), steps) for one, found in zip(rates, best, strict=True)]
    precision = 1 + goal.rtol
    edges = run_searches([(one, edge(one, "bounded", precision)) for one in tuned], options, names)
    shape = (len(chosen), len(values))
    lr = np.reshape([found.lr for found in best], shape)
    return Transfer(
        problem=problem,
        path=path,
        steps=steps,
        objective=objective,
        scalings=tuple(chosen),
        sizes=np.array(values),
        lr=lr,
        loss=np.reshape([found.loss for found in best], shape),
        edge=np.reshape([found.lr for found in edges], shape),
        carried=_carried(rates, best, goal, shape, options),
        base=at,
        solves=sum(found.solves for found in best) + sum(found.solves for found in edges),
        plateau=np.reshape([found.plateau for found in best], (*shape, 2)),
        raw_lr=_raw(tuple(chosen), grid, lr),
        cautions=fixed,
    )


def _raw(names: Sequence[str], grid: Sequence[Sequence[Problem]], lr: Array) -> dict[str, Array]:
    """Best raw rates in the scalings in which one rate serves all layers at every size."""
    found = {}
    for name, row, rates in zip(names, grid, lr, strict=True):
        factors = [common_factor(one) for one in row]
        known = [factor for factor in factors if factor is not None]
        if len(known) == len(row):
            found[name] = rates * np.array(known)
    return found


def _carried(
    rates: Sequence[Rates],
    best: Sequence[OptimalRate],
    goal: Goal,
    shape: tuple[int, int],
    options: Mapping[str, Any],
) -> Array:
    """Losses with the rates of other sizes; those with the rate of the same size are known."""
    scalings, sizes = shape
    losses = np.empty((scalings, sizes, sizes))
    where, problems = [], []
    for s, i, j in np.ndindex(losses.shape):
        tuned = best[s * sizes + i]
        if i == j:
            losses[s, i, j] = tuned.loss
        else:
            where.append((s, i, j))
            problems.append(rates[s * sizes + j].at(tuned.lr))
    runs = solve_many(problems, rates[0].steps, errors="return", **options)
    for index, run in zip(where, runs, strict=True):
        # A run that does not converge in the solver is far beyond the edge of stability.
        losses[index] = resolved(run, goal.objective) if isinstance(run, Solution) else np.inf
    return losses


def _sizes(given: Any) -> tuple[float, ...]:
    values = tuple_of_numbers(given, "sizes")
    if len(values) < 2 or len(set(values)) < len(values):
        refuse("sizes", "at least two numbers that differ", given)
    return values


def _base(given: Any, values: tuple[float, ...]) -> int:
    if given is None:
        return 0
    base = number(given, "base")
    if base not in values:
        refuse("base", f"one of the sizes {values}", given)
    return values.index(base)


def _scalings(problem: Problem, path: Any, given: Any) -> dict[str, Rule]:
    if not isinstance(path, str) or path == "optimizer.lr":
        refuse("path", "the path of a number in the problem, and not optimizer.lr", path)
    if given is None:
        given = AS_GIVEN
        if path in ("network.width", "network.hidden"):
            given = PARAMETERIZATIONS
        elif path == "network.depth" and problem.network.kind == "resnet":
            given = BRANCHES
    return read_scalings(given, path)
