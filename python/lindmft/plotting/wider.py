"""Test loss against time by width, and where a wider network is worse."""

from typing import TYPE_CHECKING

import numpy as np

from lindmft._axes import short
from lindmft._gate import refuse
from lindmft.plotting.losses import End, label_ends, new_axes, symmetric_axis
from lindmft.plotting.sweep import colours_of
from lindmft.wider import WiderIsBetter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["wider_is_better"]


def wider_is_better(found: WiderIsBetter, ax: "Axes | None" = None) -> "Axes":
    """Draw test losses against time, a line a width; thick grey where a wider network is worse.

    Parameters
    ----------
    found
        What ``wider_is_better`` returns.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        With a line for each width, and one for each width that is worse than a narrower one.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> ax = lm.plotting.wider_is_better(lm.wider_is_better(problem, [0.5, 1, 2], steps=20))
    >>> len(ax.get_lines())
    3
    """
    if not isinstance(found, WiderIsBetter):
        refuse("found", "what wider_is_better returns", type(found).__name__)
    ax = new_axes() if ax is None else ax
    ends = []
    worse = np.vstack([np.zeros((1, len(found.time)), bool), found.violations])
    for i, colour in enumerate(colours_of(len(found.widths))):
        losses = found.test_loss[i]
        shown = np.isfinite(losses) & (losses > 0)
        ax.plot(found.time[shown], losses[shown], color=colour, linewidth=1.6, zorder=2)
        if shown.any():
            last = np.flatnonzero(shown)[-1]
            text = short(float(found.widths[i]))
            ends.append(End(found.time[last], losses[last], text, colour))
        if worse[i].any():
            marked = np.where(worse[i] & shown, losses, np.inf)
            ax.plot(found.time, np.ma.masked_invalid(marked), color="0.7", linewidth=6, zorder=1)
    ax.set(yscale="log", ylabel="test loss")
    symmetric_axis(ax, float(found.time[-1]))
    ax.set_xlabel("step t")
    ax.spines[["top", "right"]].set_visible(False)
    label_ends(ax, ends)
    ax.text(1.02, 1.0, "width", transform=ax.transAxes, ha="left", va="bottom")
    return ax
