"""The best learning rate, and the loss that it reaches, against training time, by schedule."""

from typing import TYPE_CHECKING

from lindmft._internal.validation import instance
from lindmft.analysis.training_time import OptimumOverTime
from lindmft.plotting.arguments import given_pair
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import new_pair, size_axis
from lindmft.plotting.style import COLOURS
from lindmft.plotting.ticks import plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["optimum_over_time"]

NARROW, WIDE = 3.0, 100.0
"""Ratios of the largest to the smallest value: above the first an axis is logarithmic, and between
the two it has plain ticks."""
LOOKS = ("-o", "--s", "-.D", ":^", "-v", "--<")


def optimum_over_time(
    found: OptimumOverTime, axes: "tuple[Axes, Axes] | None" = None
) -> "tuple[Axes, Axes]":
    """Draw best learning rates and losses against the number of steps, a line for each schedule.

    Parameters
    ----------
    found
        The result of ``optimum_over_time``.
    axes
        Where to draw, a pair; None: a new figure.

    Returns
    -------
    pair of Axes
        The axes of the rates (the peak of each schedule), and those of the losses.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 7 (beyond the paper).

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=4.0, noise=0.5), lm.SGD(lr=0.1))
    >>> found = lm.optimum_over_time(problem, [10, 20], schedules=["constant", "linear decay"])
    >>> rates, losses = lm.plotting.optimum_over_time(found)
    >>> len(rates.get_lines())
    2
    """
    instance(found, "found", "what optimum_over_time returns", OptimumOverTime)
    left, right = given_pair(axes, new_pair)
    for ax, table in ((left, found.lr), (right, found.loss)):
        ends = []
        for s, name in enumerate(found.schedules):
            colour = COLOURS[s % len(COLOURS)]
            ax.plot(found.steps, table[s], LOOKS[s % len(LOOKS)], color=colour, markersize=4)
            ends.append(End(float(found.steps[-1]), table[s, -1], name, colour))
        size_axis(ax, found.steps.tolist(), "steps of the run")
        if table.max() > NARROW * table.min():
            ax.set_yscale("log")
        if NARROW < table.max() / table.min() < WIDE:
            plain_ticks(ax.yaxis)
        label_ends(ax, ends)
    left.set_ylabel("best learning rate (peak)")
    right.set_ylabel(f"{found.objective.replace('_', ' ')} at the last step")
    return left, right
