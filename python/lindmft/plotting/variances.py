"""The test loss as a stack of its sources: bias, initial weights, data, and both together."""

from typing import TYPE_CHECKING

import numpy as np

from lindmft.plotting.losses import COLOURS, End, label_ends, new_axes, time_axis
from lindmft.theory import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["variances"]

SOURCES = {
    "bias": ("bias", COLOURS[0]),
    "variance_init": ("initial weights", COLOURS[1]),
    "variance_data": ("data", COLOURS[2]),
    "variance_interaction": ("both together", COLOURS[4]),
}


def variances(theory: Solution, ax: "Axes | None" = None) -> "Axes":
    """Draw the bias and the three variances of the test loss, stacked: the top is the test loss.

    Parameters
    ----------
    theory
        Solved with ``replicas=True``.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        With one band a source, bias at the bottom.

    Raises
    ------
    ValueError
        If replicas were not solved for.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=1.5, noise=0.5), lm.SGD(lr=0.1))
    >>> ax = lm.plotting.variances(lm.solve(problem, 50, replicas=True))
    >>> len(ax.collections)
    4
    """
    if theory.replicas is None:
        raise ValueError("variances needs the overlaps of replicas: solve(..., replicas=True)")
    ax = new_axes() if ax is None else ax
    valid = len(theory.time) if theory.diverged_at is None else theory.diverged_at
    time = theory.time[:valid]
    layers = [getattr(theory.replicas, name)[:valid] for name in SOURCES]
    below = np.cumsum([np.zeros(valid), *layers[:-1]], axis=0)
    ends = []
    for (text, colour), low, layer in zip(SOURCES.values(), below, layers, strict=True):
        ax.fill_between(time, low, low + layer, color=colour, alpha=0.75, linewidth=0)
        ends.append(End(time[-1], low[-1] + layer[-1] / 2, text, colour))
    ax.plot(time, theory.test_loss[:valid], color="0.15", linewidth=1.2)
    time_axis(ax, theory)
    ax.set_ylim(0, 1.05 * theory.test_loss[:valid].max())
    ax.set_ylabel("test loss, by source")
    label_ends(ax, ends)
    return ax
