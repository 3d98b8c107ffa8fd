"""Test loss against time for several widths, with marks where a wider network is worse."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.validation import instance
from lindmft.analysis.width_scan import WiderIsBetter
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.lines import lines_by_width
from lindmft.plotting.losses import keys, new_axes, symmetric_axis
from lindmft.plotting.style import hide_spines
from lindmft.plotting.ticks import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["wider_is_better"]

WORSE: dict[str, Any] = {"color": "0.7", "linewidth": 6}


def wider_is_better(found: WiderIsBetter, ax: "Axes | None" = None) -> "Axes":
    """Draw test losses against time for each width; thick grey where a wider network is worse.

    Parameters
    ----------
    found
        The result of ``wider_is_better``.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with a line for each width, and one for each width that is worse than a narrower one.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Bordelon and Pehlevan (2025), figure 1.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> ax = lm.plotting.wider_is_better(lm.wider_is_better(problem, [0.5, 1, 2], steps=20))
    >>> len(ax.get_lines())
    3
    """
    instance(found, "found", "what wider_is_better returns", WiderIsBetter)
    ax = given_axes(ax, new_axes)
    for losses, worse in zip(found.test_loss[1:], found.violations, strict=True):
        if worse.any():
            marked = np.ma.masked_where(~(worse & np.isfinite(losses)), losses)
            ax.plot(found.time, marked, zorder=1, **WORSE)
    logarithmic(ax, "y")
    symmetric_axis(ax, float(found.time[-1]))
    ax.set(xlabel="step t", ylabel="test loss")
    hide_spines(ax)
    lines_by_width(ax, found.problem, found.widths, found.time, found.test_loss)
    if any(worse.any() for worse in found.violations):
        keys(ax, {"worse than a narrower one": WORSE})
    return ax
