"""Compute-optimal training: which width, and how many steps, at a fixed budget."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import (
    function_or_none,
    integer,
    positive,
    refuse,
    tuple_of_numbers,
)
from lindmft.analysis.fixed_fields import cautions
from lindmft.problem.data import MultiPass, Population
from lindmft.problem.network import widths as widths_of
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.schema import spell_inf
from lindmft.theory.many import solve_many
from lindmft.training.finite import default_dim

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ComputeOptimal", "compute_optimal", "step_cost"]

BUDGETS = 64
"""Of which the optimum is found, if none are given."""
OPERATIONS = 6
"""A weight and sample: two forward, two backward for the signals, two for the gradient."""


@dataclass(frozen=True, eq=False)
class ComputeOptimal:
    """The best width and number of steps for each budget of training compute.

    Attributes
    ----------
    problem
        As given.
    widths, costs
        (m,), increasing widths, and what a step costs at each.
    budgets
        (b,), increasing.
    losses
        (m, b), the test loss that each width reaches within each budget; inf where the budget is
        less than one step or more than all steps that were computed, and past a divergence.
    width, steps, loss
        (b,), the best width, its steps, and the loss: the compute-optimal frontier.

    Notes
    -----
    Losses: theory section 3. Budgets are not in the paper.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> found = lm.compute_optimal(problem, [0.25, 0.5, 1, 2], steps=40)
    >>> found.width.shape == found.loss.shape == found.budgets.shape
    True
    >>> print(found.summary().splitlines()[0])
          budget     width   steps   test loss
    >>> width, loss = found.exponents()
    >>> loss < 0, found.to_xarray().test_loss.dims
    (True, ('width', 'budget'))
    """

    problem: Problem
    widths: Array
    costs: Array
    budgets: Array
    losses: Array
    width: Array
    steps: NDArray[np.int_]
    loss: Array

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(b,), where the best width is neither the narrowest nor the widest that was tried."""
        inner: NDArray[np.bool_] = (self.width > self.widths[0]) & (self.width < self.widths[-1])
        return inner

    def exponents(self) -> tuple[float, float]:
        """Powers of the budget with which the best width grows and the loss falls.

        Fitted where the best width is inside the range; (inf, inf) with fewer than two budgets
        there.
        """
        chosen = self.inside & (self.loss > 0)
        if chosen.sum() < 2:
            return math.inf, math.inf
        x = np.log(self.budgets[chosen])
        slopes = [float(np.polyfit(x, np.log(y[chosen]), 1)[0]) for y in (self.width, self.loss)]
        return slopes[0], slopes[1]

    def summary(self) -> str:
        """A table of some budgets, and a sentence on the exponents."""
        lines = [f"{'budget':>12}{'width':>10}{'steps':>8}{'test loss':>12}"]
        lines += [
            f"{self.budgets[i]:>12.4g}{self.width[i]:>10.4g}{self.steps[i]:>8}{self.loss[i]:>12.4g}"
            for i in np.unique(np.linspace(0, len(self.budgets) - 1, 8).round().astype(int))
        ]
        width, loss = self.exponents()
        if math.isfinite(width):
            text = f"Best width ~ budget^{width:.2f}, loss ~ budget^{loss:.2f}"
            lines.append(f"{text}, where the best width is inside the range tried.")
        else:
            lines.append("The best width is at the end of the range tried: give other widths.")
        return "\n".join(lines)

    def to_xarray(self) -> "xr.Dataset":
        """The same as a dataset of dimensions ``width`` and ``budget``."""
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {
                "test_loss": (("width", "budget"), self.losses),
                "cost": (("width",), self.costs),
                "best_width": (("budget",), self.width),
                "best_steps": (("budget",), self.steps),
                "best_loss": (("budget",), self.loss),
            },
            {"width": self.widths, "budget": self.budgets},
            {"problem": json.dumps(spell_inf(self.problem.to_dict()))},
        )
        return dataset


def compute_optimal(
    problem: Problem | Mapping[str, Any],
    widths: Numbers,
    steps: int,
    *,
    budgets: Numbers | None = None,
    cost: Callable[[Problem], float] | None = None,
    **options: Any,
) -> ComputeOptimal:
    """The width and the number of steps with the smallest test loss at each budget of compute.

    One solve a width gives the losses at all budgets: within a budget C a network of cost c a step
    takes floor(C / c) steps.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, at a learning rate that suits all widths (in muP it
        is nearly the same); its width is replaced (with a trace-class spectrum, ``hidden``).
    widths
        At least two, increasing and finite.
    steps
        n of every run: budgets that a width can spend only on more steps than that are not its.
    budgets
        In units of ``cost``; None: 64, from what one step of the narrowest costs to what all steps
        of the narrowest cost, the largest budget at which all widths can be compared.
    cost
        What a step of a problem costs; None: ``step_cost``.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    ComputeOptimal
        The frontier, the losses behind it, and exponents.

    Raises
    ------
    ValueError
        Bad input, with the field.

    Warns
    -----
    ScalingWarning
        A field that most training loops choose by the width, such as ``layer_lr``, stays fixed.

    Notes
    -----
    Losses: theory section 3. Budgets are not in the paper.

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
    steps = integer(steps, "steps")
    if steps < 2:
        refuse("steps", "at least 2", steps)
    increasing = all(a < b for a, b in pairwise(values))
    if len(values) < 2 or not increasing or math.inf in values:
        refuse("widths", "at least two, increasing and finite", widths)
    path = "network.width" if problem.network.hidden is None else "network.hidden"
    cautions(problem, path, {"as given": ()})
    problems = problem.vary({path: values})
    price = function_or_none(cost, "cost") or step_cost
    costs = np.array([positive(price(one), "cost") for one in problems])
    spent = _budgets(budgets, costs, steps)
    runs = solve_many(problems, steps, **options)
    counts = np.floor(spent / costs[:, None] * (1 + 1e-12)).astype(int)  # (m, b)
    last = steps - 1
    losses = np.array([_losses(run, count, last) for run, count in zip(runs, counts, strict=True)])
    best = losses.argmin(axis=0)
    chosen = np.arange(len(spent))
    return ComputeOptimal(
        problem=problem,
        widths=np.array(values),
        costs=costs,
        budgets=spent,
        losses=losses,
        width=np.array(values)[best],
        steps=counts[best, chosen],
        loss=losses[best, chosen],
    )


def step_cost(problem: Problem | Mapping[str, Any]) -> float:
    """Operations of a step of an ordinary training loop: 6 for every weight and sample.

    Weights are those of all arrays but the readout's and, between inputs and first hidden layer,
    nu D^2. With widths in units of the input dimension D, costs are in units of D^3 operations:
    6 alpha (nu + (L - 1) nu^2); with actual counts, as with trace-class spectra, they are
    operations. Population data have no samples: the cost is then that of the weights alone.

    Parameters
    ----------
    problem
        A ``Problem`` of finite depth, or its dictionary form.

    Returns
    -------
    float
        In those units.

    Raises
    ------
    ValueError
        At infinite depth, or for what is no problem.

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
    counts = (getattr(problem.data, name, None) for name in ("alpha", "samples", "batch"))
    samples = next((float(count) for count in counts if count is not None), 1.0)
    if isinstance(problem.data, Population):
        samples = 1.0
    if isinstance(problem.data, MultiPass):
        samples *= problem.data.batch_fraction
    return OPERATIONS * samples * weights


def _budgets(given: Any, costs: Array, steps: int) -> Array:
    if given is None:
        return np.geomspace(costs[0], costs[0] * (steps - 1), BUDGETS)
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
    """After so many steps; inf where that is none, or more than were computed."""
    possible = (counts >= 1) & (counts <= last)
    losses = np.full(len(counts), np.inf)
    if possible.any():
        times, back = np.unique(counts[possible], return_inverse=True)
        losses[possible] = run.at(times.astype(float)).test_loss[back]
    return losses
