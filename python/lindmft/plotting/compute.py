"""Loss against training compute: a line a width, the frontier, and the best widths."""

from typing import TYPE_CHECKING

import numpy as np

from lindmft._gate import refuse
from lindmft.compute import ComputeOptimal
from lindmft.plotting.losses import End, label_ends, new_axes
from lindmft.plotting.sweep import colours_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["compute_optimal"]


def compute_optimal(
    found: ComputeOptimal, ax: "Axes | None" = None, *, unit: str | None = None
) -> "Axes":
    """Draw the test loss of every width against the budget, and the compute-optimal frontier.

    Parameters
    ----------
    found
        What ``compute_optimal`` returns.
    ax
        Where to draw; None: a new figure.
    unit
        Of the budget, for the axis; None: that of ``step_cost``.

    Returns
    -------
    Axes
        With a line for each width, the frontier below them, and a dot where the best width changes.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> ax = lm.plotting.compute_optimal(lm.compute_optimal(problem, [0.5, 1, 2], steps=30))
    >>> len(ax.get_lines())
    5
    """
    if not isinstance(found, ComputeOptimal):
        refuse("found", "what compute_optimal returns", type(found).__name__)
    ax = new_axes() if ax is None else ax
    ends = []
    for width, losses, colour in zip(
        found.widths, found.losses, colours_of(len(found.widths)), strict=True
    ):
        shown = np.isfinite(losses) & (losses > 0)
        ax.plot(found.budgets[shown], losses[shown], color=colour, linewidth=1.3, zorder=2)
        if shown.any():
            last = np.flatnonzero(shown)[-1]
            ends.append(End(found.budgets[last], losses[last], f"{width:.3g}", colour))
    shown = np.isfinite(found.loss) & (found.loss > 0)
    ax.plot(
        found.budgets[shown], found.loss[shown], color="0.15", linewidth=4, alpha=0.25, zorder=1
    )
    changes = shown & np.append(False, np.diff(found.width) != 0)
    ax.plot(found.budgets[changes], found.loss[changes], "o", color="0.15", markersize=3, zorder=3)
    units = found.problem.network.hidden is None
    unit = unit or ("operations / dim$^3$" if units else "operations")
    ax.set(xscale="log", yscale="log", xlabel=f"training compute, {unit}", ylabel="test loss")
    ax.spines[["top", "right"]].set_visible(False)
    label_ends(ax, ends)
    name = "width" if units else "hidden units"
    ax.text(1.02, 1.0, name, transform=ax.transAxes, ha="left", va="bottom")
    return ax
