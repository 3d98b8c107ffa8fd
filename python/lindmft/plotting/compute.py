"""Loss against training compute: a line for each width, the frontier, and the best widths."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.validation import instance, text
from lindmft.analysis.compute import ComputeOptimal
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.lines import lines_by_width
from lindmft.plotting.losses import keys, new_axes
from lindmft.plotting.style import BLACK, hide_spines
from lindmft.plotting.ticks import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["compute_optimal"]

FRONTIER: dict[str, Any] = {"color": BLACK, "linewidth": 4, "alpha": 0.25}
CHANGE: dict[str, Any] = {"color": BLACK, "linestyle": "", "marker": "o", "markersize": 3}


def compute_optimal(
    found: ComputeOptimal, ax: "Axes | None" = None, *, unit: str | None = None
) -> "Axes":
    """Draw the test loss of every width against the budget, and the compute-optimal frontier.

    Parameters
    ----------
    found
        The result of ``compute_optimal``.
    ax
        Where to draw; None: a new figure.
    unit
        Unit of the budget, for the label of the axis; None: that of ``step_cost``.

    Returns
    -------
    Axes
        Axes with a line for each width, the frontier below them, and a dot where the best width
        changes. Grey marks budgets that are not covered: a width that may be better is missing.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Losses are those of theory section 3. Budgets are not in the paper.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> ax = lm.plotting.compute_optimal(lm.compute_optimal(problem, [0.5, 1, 2], steps=30))
    >>> len(ax.get_lines())
    5
    """
    instance(found, "found", "what compute_optimal returns", ComputeOptimal)
    if unit is not None:
        text(unit, "unit")
    ax = given_axes(ax, new_axes)
    shown = np.isfinite(found.loss) & (found.loss > 0)
    ax.plot(found.budgets[shown], found.loss[shown], zorder=1, **FRONTIER)
    changes = shown & np.append(False, np.diff(found.width) != 0)
    ax.plot(found.budgets[changes], found.loss[changes], zorder=3, **CHANGE)
    dimless = found.problem.network.hidden is None
    label = ("operations / dim$^3$" if dimless else "operations") if unit is None else unit
    ax.set(xlabel=f"training compute, {label}", ylabel="test loss")
    logarithmic(ax, "xy")
    hide_spines(ax)
    _shade_uncovered(ax, found)
    lines_by_width(ax, found.problem, found.widths, found.budgets, found.losses)
    keys(ax, {"best width": FRONTIER, "the best width changes": CHANGE})
    return ax


def _shade_uncovered(ax: "Axes", found: ComputeOptimal) -> None:
    """Draw grey bands up to halfway to the next covered budget, and name one of them."""
    logs = np.log(found.budgets)
    middles = np.exp((logs[:-1] + logs[1:]) / 2)
    edges = np.concatenate([found.budgets[:1], middles, found.budgets[-1:]])
    changes = np.flatnonzero(np.diff(np.concatenate([[False], ~found.covered, [False]])))
    bands = [(edges[first], edges[last]) for first, last in changes.reshape(-1, 2)]
    for start, end in bands:
        ax.axvspan(start, end, color="0.93", linewidth=0, zorder=0)
    if bands:
        start, end = max(bands, key=lambda band: band[1] / band[0])
        middle, top = np.sqrt(start * end), ax.get_xaxis_transform()
        look: dict[str, Any] = {"color": "0.4", "fontsize": "small", "ha": "center", "va": "bottom"}
        ax.text(middle, 0.02, "not covered", transform=top, **look)
