"""Compute-optimal training: the best width and number of steps at a fixed budget."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import (
    function_or_none,
    positive,
    refuse,
    tuple_of_numbers,
)
from lindmft.analysis.frontier import ComputeOptimal, below_first_step, ends_of, missing_steps
from lindmft.analysis.searches.accuracy import resolution
from lindmft.analysis.searches.search import checked_steps
from lindmft.analysis.sizes.fixed_fields import cautions, width_path
from lindmft.problem.data import Epochs, MultiPass, Population
from lindmft.problem.network import widths as widths_of
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.problem.sizes import amount
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many
from lindmft.training.finite import default_dim

__all__ = ["ComputeOptimal", "compute_optimal", "step_cost"]

BUDGETS = 64
"""Number of budgets if none are given."""
OPERATIONS = 6
"""Operations for each weight and sample: two forward, two for signals, two for gradients."""


def compute_optimal(
    problem: Problem | Mapping[str, Any],
    widths: Numbers,
    steps: int,
    *,
    budgets: Numbers | None = None,
    cost: Callable[[Problem], float] | None = None,
    **options: Any,
) -> ComputeOptimal:
    """Find the width and number of steps with the smallest test loss at each compute budget.

    Each width is solved once for all budgets: with a budget C, a network whose steps cost c takes
    floor(C / c) steps.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, at a learning rate that suits all widths (in muP it
        is nearly the same); its width is replaced (with a trace-class spectrum, ``hidden``).
    widths
        At least two, increasing and finite. They are ratios also with ``data.inputs``.
    steps
        n, the number of steps of every run. A budget that pays for more steps of some width is not
        covered, unless that width cannot be the best one; the result says how many are needed.
    budgets
        Budgets in units of ``cost``; None: 64 budgets, from the cost of one step of the cheapest
        width to that of all its steps, the largest budget at which all widths can be compared.
    cost
        A function from a problem to the cost of a step; None: ``step_cost``.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    ComputeOptimal
        The frontier, the losses from which it follows, and exponents.

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
    Theory section 3 has the losses. Budgets are not in the paper.

    Examples
    --------
    >>> import lindmft as lm
    >>> data = lm.OnePass(batch=64, spectrum=lm.PowerLaw(capacity=2, source=1, modes=10**4))
    >>> problem = lm.Problem(lm.MLP(depth=1, hidden=64, centered=True), data, lm.SGD(lr=0.2))
    >>> found = lm.compute_optimal(problem, [8, 16, 32, 64, 128], steps=200)
    >>> bool((np.diff(found.width) >= 0).all())  # more compute, wider networks
    True
    """
    problem, values = as_problem(problem), tuple_of_numbers(widths, "widths")
    steps = checked_steps(steps)
    increasing = all(a < b for a, b in pairwise(values))
    if len(values) < 2 or not increasing or math.inf in values:
        refuse("widths", "at least two, increasing and finite", widths)
    path = width_path(problem)
    cautions(problem, path, {"as given": ()})
    warn_of_widths(problem, values)
    problems = problem.vary({path: values})
    price = function_or_none(cost, "cost") or step_cost
    costs = np.array([positive(price(one), "cost") for one in problems])
    spent = _budgets(budgets, costs, steps)
    runs = solve_many(problems, steps, **options)
    counts = np.floor(spent / costs[:, None] * (1 + 1e-12)).astype(int)  # (m, b)
    return ComputeOptimal(
        problem=problem,
        widths=np.array(values),
        costs=costs,
        budgets=spent,
        **_frontier(runs, counts, np.array(values), steps - 1),
    )


def _frontier(
    runs: Sequence[Solution], counts: NDArray[np.int_], widths: Array, last: int
) -> dict[str, Any]:
    """The fields of the result that come from the runs."""
    accuracy = max(resolution(run, "test_loss") for run in runs)
    losses = np.array([_losses(run, count, last) for run, count in zip(runs, counts, strict=True)])
    losses = np.maximum(losses, accuracy)
    best, chosen = losses.argmin(axis=0), np.arange(counts.shape[1])
    loss = losses[best, chosen]
    ends = [ends_of(run, last, accuracy) for run in runs]
    missing = missing_steps(ends, counts, last, loss, accuracy)
    return {
        "losses": losses,
        "width": widths[best],
        "steps": counts[best, chosen],
        "loss": loss,
        "covered": ~((missing > 0).any(axis=0) | below_first_step(ends, counts, loss)),
        "accuracy": accuracy,
        "needed": int(missing.max()) + 1 if missing.any() else 0,
    }


def step_cost(problem: Problem | Mapping[str, Any]) -> float:
    """Return the operations in a step of an ordinary training loop: 6 for each weight and sample.

    The readout is not counted; the weights between inputs and first hidden layer are nu D^2. With
    widths in units of the input dimension D, costs are in units of D^3 operations:
    6 alpha (nu + (L - 1) nu^2); with actual counts, as with trace-class spectra, they are
    operations. Population data have no samples: the cost is then that of the weights alone.

    Parameters
    ----------
    problem
        A ``Problem`` of finite depth, or its dictionary form.

    Returns
    -------
    float
        The cost in these units.

    Raises
    ------
    ValueError
        At infinite depth, or if ``problem`` is not a problem.

    Notes
    -----
    Two operations forward, two backward for the signals, two for the gradient, as in Kaplan et al.
    (2020), arXiv 2001.08361. Theory section 2 trains the same networks with less.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, width=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> lm.analysis.compute.step_cost(problem)  # 6 * 4 * (2 + 2 * 2**2)
    240.0
    """
    problem = as_problem(problem)
    if problem.network.depth == math.inf:
        refuse("network.depth", "finite to count operations", problem.network.depth)
    sizes = widths_of(problem.network)
    depth = int(problem.network.depth)
    sizes = sizes if len(sizes) > 1 else sizes * depth
    inputs = 1.0 if problem.network.hidden is None else float(default_dim(problem, all_modes=True))
    weights = inputs * sizes[0] + sum(a * b for a, b in pairwise(sizes))
    samples = amount(problem.data)
    if isinstance(problem.data, Population):
        samples = 1.0
    if isinstance(problem.data, MultiPass):
        samples *= problem.data.batch_fraction
    if isinstance(problem.data, Epochs):
        samples /= problem.data.batches or 1
    return OPERATIONS * samples * weights


def _budgets(given: Any, costs: Array, steps: int) -> Array:
    if given is None:
        return np.geomspace(costs.min(), costs.min() * (steps - 1), BUDGETS)
    values = tuple_of_numbers(given, "budgets")
    if not values or not values[0] > 0 or not all(a < b for a, b in pairwise(values)):
        refuse("budgets", "positive numbers, increasing", given)
    if values[0] < costs.min():
        refuse("budgets", f"at least one step of the narrowest network ({costs.min():g})", given)
    if values[-1] >= costs.max() * steps:
        most = costs.max() * (steps - 1)
        refuse("budgets", f"at most all steps of the widest network ({most:g})", given)
    return np.array(values)


def _losses(run: Any, counts: NDArray[np.int_], last: int) -> Array:
    """The losses after some numbers of steps; inf for zero and for more than were computed."""
    possible = (counts >= 1) & (counts <= last)
    losses = np.full(len(counts), np.inf)
    if possible.any():
        times, back = np.unique(counts[possible], return_inverse=True)
        losses[possible] = run.at(times.astype(float)).test_loss[back]
    return losses
