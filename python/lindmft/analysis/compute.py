"""Compute-optimal training: which width, and how many steps, at a fixed budget."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import (
    function_or_none,
    integer,
    positive,
    refuse,
    tuple_of_numbers,
)
from lindmft.analysis.frontier import (
    below_first_step,
    ends_of,
    grid_error,
    missing_steps,
    power,
)
from lindmft.analysis.searches.accuracy import resolution
from lindmft.analysis.sizes.fixed_fields import cautions
from lindmft.problem.data import MultiPass, Population
from lindmft.problem.network import widths as widths_of
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.problem.schema import to_json_line
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many
from lindmft.training.finite import default_dim

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ComputeOptimal", "compute_optimal", "step_cost"]

BUDGETS = 64
"""Of which the optimum is found, if none are given."""
NO_POWER = 0.1
"""A loss whose local exponent varies by more than this fraction follows no power."""
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
        (m, b), the test loss that each width reaches within each budget, no less than
        ``accuracy``; inf where the budget is less than one step or more than all steps that were
        computed, and past a divergence.
    width, steps, loss
        (b,), the best width, its steps, and the loss: the compute-optimal frontier.
    covered
        (b,), False where a width that may be the best one is missing: a narrow one whose computed
        steps end before, or a wide one whose first step costs more than the budget though it
        reaches a lower loss. There, the best width is only the best of those that are left.
    accuracy
        Losses that are not above it are rounding (on coarse grids: the tolerance), and rank no
        widths.
    needed
        The ``steps`` with which the computed steps of no width end too early at these budgets; 0 if
        those that were computed are enough.

    Notes
    -----
    Losses: theory section 3. Budgets are not in the paper. A width whose computed steps end early
    does not matter where its loss stays above the frontier even if it falls as fast as it ever did
    in the later half of its steps.

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
    >>> width_error, loss_error = found.exponent_errors()
    >>> loss_error > 0.1 * abs(loss)  # the loss falls exponentially: no power law
    True
    >>> print(found.summary().splitlines()[-1].partition(":")[0])
    24 of 64 budgets are not covered
    """

    problem: Problem
    widths: Array
    costs: Array
    budgets: Array
    losses: Array
    width: Array
    steps: NDArray[np.int_]
    loss: Array
    covered: NDArray[np.bool_]
    accuracy: float = 0.0
    needed: int = 0

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(b,), where the best width is neither the narrowest nor the widest that was tried."""
        inner: NDArray[np.bool_] = (self.width > self.widths[0]) & (self.width < self.widths[-1])
        return inner

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """(b,), the budgets of ``exponents``: covered, inside, and with a loss above rounding."""
        chosen: NDArray[np.bool_] = self.inside & self.covered & (self.loss > self.accuracy)
        return chosen

    def exponents(self) -> tuple[float, float]:
        """Powers of the budget with which the best width grows and the loss falls.

        Fitted at the budgets ``fitted``; (inf, inf) if there are fewer than two.
        """
        chosen = self.fitted
        if chosen.sum() < 2:
            return math.inf, math.inf
        x = self.budgets[chosen]
        return power(x, self.width[chosen])[0], power(x, self.loss[chosen])[0]

    def exponent_errors(self) -> tuple[float, float]:
        """How far the two exponents are uncertain; (inf, inf) without exponents.

        Of the width, by the spacing of the widths that were tried. Of the loss, by how far its
        local exponent varies over the budgets: a frontier that is no power law has a large one,
        and its exponent depends on the budgets. No probability goes with either.
        """
        chosen = self.fitted
        if chosen.sum() < 2:
            return math.inf, math.inf
        x = self.budgets[chosen]
        return grid_error(x, self.width[chosen], self.widths), power(x, self.loss[chosen])[1]

    def summary(self) -> str:
        """A table of some budgets, and sentences on the exponents and on what is not covered."""
        lines = [f"{'budget':>12}{'width':>10}{'steps':>8}{'test loss':>12}"]
        lines += [
            f"{self.budgets[i]:>12.4g}{self.width[i]:>10.4g}{self.steps[i]:>8}{self.loss[i]:>12.4g}"
            f"{self._mark(i)}"
            for i in np.unique(np.linspace(0, len(self.budgets) - 1, 8).round().astype(int))
        ]
        lines.append(self._exponents_in_words())
        if not self.covered.all():
            lines.append(self._uncovered_in_words())
        return "\n".join(lines)

    def _mark(self, i: int) -> str:
        if not self.covered[i]:
            return "  not covered"
        return "" if self.loss[i] > self.accuracy else "  rounding"

    def _exponents_in_words(self) -> str:
        width, loss = self.exponents()
        if not math.isfinite(width):
            return self._why_no_exponents()
        width_error, loss_error = self.exponent_errors()
        budgets = self.budgets[self.fitted]
        text = (
            f"Best width ~ budget^{round(width, 2) + 0.0:.2f} (± {width_error:.2f}), loss ~ "
            f"budget^{loss:.2f} (± {loss_error:.2f}), for budgets from {budgets[0]:.4g} to "
            f"{budgets[-1]:.4g}, where the best width is inside the range tried."
        )
        if loss_error > NO_POWER * abs(loss):
            text += " The loss is no power law there: other budgets have other exponents."
        return text

    def _why_no_exponents(self) -> str:
        if (self.inside & (self.loss > self.accuracy)).sum() >= 2:
            return "No exponents: at fewer than two budgets all widths that matter are compared."
        if self.inside.sum() >= 2:
            return f"No exponents: losses are at the solver's accuracy ({self.accuracy:.1g})."
        return "The best width is at the end of the range tried: give other widths."

    def _uncovered_in_words(self) -> str:
        count, total = int(np.count_nonzero(~self.covered)), len(self.covered)
        text = f"{count} of {total} budgets are not covered: a width that may be better there "
        if not self.needed:
            return text + "costs more for its first step."
        return text + (
            f"was not computed that far (steps={self.needed} would do), or costs more for its "
            "first step."
        )

    def to_xarray(self) -> "xr.Dataset":
        """The same as a dataset of dimensions ``width`` and ``budget``."""
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {
                "test_loss": (("width", "budget"), self.losses),
                "cost": (("width",), self.costs),
                "best_width": (("budget",), self.width),
                "best_steps": (("budget",), self.steps),
                "best_loss": (("budget",), self.loss),
                "covered": (("budget",), self.covered),
            },
            {"width": self.widths, "budget": self.budgets},
            {"problem": to_json_line(self.problem)},
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
        At least two, increasing and finite. With ``data.inputs``, ratios as well.
    steps
        n of every run. A budget that a width can spend only on more steps is not covered, unless
        that width cannot be the best one there; the result says how many steps would be needed.
    budgets
        In units of ``cost``; None: 64, from what one step of the cheapest width costs to what all
        its steps cost, the largest budget at which all widths can be compared.
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
    SizeWarning
        Widths look like numbers of hidden units where ratios are meant.

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
    """The loss after a number of steps; inf for none, and for more than were computed."""
    possible = (counts >= 1) & (counts <= last)
    losses = np.full(len(counts), np.inf)
    if possible.any():
        times, back = np.unique(counts[possible], return_inverse=True)
        losses[possible] = run.at(times.astype(float)).test_loss[back]
    return losses
