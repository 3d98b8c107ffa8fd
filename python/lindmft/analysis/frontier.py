"""The frontier of a compute scan: the best width and number of steps at each budget.

A budget is covered if no width that may have the smallest loss there is missing. A narrow width is
missing if its computed steps end below the budget, a wide one if its first step costs more.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Mask
from lindmft.analysis.curves import FEWEST_POINTS
from lindmft.analysis.log_fits import fit_line, local_slopes
from lindmft.problem.problem import Problem
from lindmft.problem.schema import to_json_line

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ComputeOptimal", "below_first_step", "ends_of", "missing_steps"]

NO_POWER = 0.1
"""Relative variation of a local exponent above which a loss follows no power law."""
SPAN = 0.25 * np.log(10)
"""Radius of the local fits in log budget, as in ``fit_exponent``."""
SAMPLES = 64
"""Steps of the later half of a run, among which its fastest decay is found."""


@dataclass(frozen=True, eq=False)
class ComputeOptimal:
    """The best width and number of steps for each budget of training compute.

    Attributes
    ----------
    problem
        The problem as given.
    widths, costs
        (m,), the widths in increasing order, and the cost of a step at each.
    budgets
        (b,), the budgets in increasing order.
    losses
        (m, b), the test loss that each width reaches within each budget, no less than
        ``accuracy``; inf where the budget is less than one step or more than all computed steps,
        and past a divergence.
    width, steps, loss
        (b,), the best width, its steps, and the loss: the compute-optimal frontier.
    covered
        (b,), False where a width that may be the best one is missing: a narrow one whose computed
        steps end too early, or a wide one whose first step costs more than the budget though it
        reaches a lower loss. There, the best width is only the best of the others.
    accuracy
        Losses up to this one are rounding (on coarse grids: the tolerance), and rank no widths.
    needed
        The ``steps`` that would cover these budgets for all widths; 0 if the computed steps are
        enough.

    Notes
    -----
    Theory section 3 has the losses. Budgets are not in the paper. A width whose computed steps end
    early does not matter where its loss stays above the frontier even if it falls as fast as it
    ever did in the later half of its steps.

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
        """(b,), whether the best width is neither the narrowest nor the widest that was tried."""
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
        """Uncertainties of the two exponents; (inf, inf) without exponents.

        That of the width comes from the spacing of the widths that were tried. That of the loss is
        the variation of its local exponent over the budgets. It is large for a frontier that is no
        power law, whose exponent depends on the budgets. Neither has a probability.
        """
        chosen = self.fitted
        if chosen.sum() < 2:
            return math.inf, math.inf
        x = self.budgets[chosen]
        return grid_error(x, self.width[chosen], self.widths), power(x, self.loss[chosen])[1]

    def summary(self) -> str:
        """A table of some budgets, and sentences on the exponents and on budgets not covered."""
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
            f"was not computed that far (steps={self.needed} are enough), or costs more for "
            "its first step."
        )

    def to_xarray(self) -> "xr.Dataset":
        """Return the same as a dataset with the dimensions ``width`` and ``budget``."""
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


class Ends(NamedTuple):
    """Lower bound on the loss of a run beyond its last step: ``loss exp(-rate further steps)``.

    It holds if the loss decays no faster than it ever did in the later half of the run. The loss of
    a run that diverged is infinite, so that it is never the best one again.
    """

    first: float
    loss: float
    rate: float


def ends_of(run: Any, last: int, accuracy: float) -> Ends:
    """Return the loss after one step and after the last one, and the fastest decay."""
    first = float(run.at([1.0]).test_loss[0])
    times = np.unique(np.linspace(last // 2, last, SAMPLES).round())
    losses = run.at(times).test_loss
    if not np.isfinite(losses).all():
        return Ends(first, np.inf, 0.0)
    logs = np.log(np.maximum(losses, max(accuracy, np.finfo(float).tiny)))
    rates = -np.diff(logs) / np.diff(times)
    return Ends(first, float(np.exp(logs[-1])), max(0.0, float(rates.max(initial=0.0))))


def missing_steps(
    ends: list[Ends], counts: NDArray[np.int_], last: int, frontier: Array, accuracy: float
) -> NDArray[np.int_]:
    """Return (m, b) the steps that each run would need at each budget; 0 if none is missing."""
    further = np.maximum(counts - last, 0)
    rate = np.array([end.rate for end in ends])[:, None]
    bound = np.array([end.loss for end in ends])[:, None] * np.exp(-rate * further)
    return np.where((further > 0) & (np.maximum(bound, accuracy) < frontier), counts, 0)


def below_first_step(ends: list[Ends], counts: NDArray[np.int_], frontier: Array) -> Mask:
    """Return (b,) whether some width is better after one step that the budget does not pay."""
    first = np.array([end.first for end in ends])[:, None]
    coarse: Mask = ((counts == 0) & (first < frontier)).any(axis=0)
    return coarse


def power(x: Array, y: Array) -> tuple[float, float]:
    """Return the slope of log y against log x, and its variation (inf below five points)."""
    logs = np.log(x), np.log(y)
    slope = fit_line(*logs).slope
    if len(x) < FEWEST_POINTS:
        return slope, np.inf
    local = local_slopes(*logs, SPAN)
    return slope, float(max(np.ptp(local) / 2, np.abs(local - slope).max()))


def grid_error(budgets: Array, best: Array, widths: Array) -> float:
    """Return the uncertainty of the slope of the best width, since only some widths were tried.

    The best one is known to half of the spacing at each end of the range of budgets.
    """
    indices = np.searchsorted(widths, best)
    gaps = np.diff(np.log(widths))
    spacing = max(gaps[min(i, len(gaps) - 1)] for i in indices)
    spacing = max(spacing, *(gaps[max(i - 1, 0)] for i in indices))
    return float(spacing / np.log(budgets[-1] / budgets[0]))
