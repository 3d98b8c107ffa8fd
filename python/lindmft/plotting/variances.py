"""The test loss as a stack of its sources: bias, initial weights, data, and both together."""

from typing import TYPE_CHECKING

import numpy as np

from lindmft._internal.validation import instance
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.losses import (
    drawable,
    loss_unit,
    new_axes,
    time_axis,
)
from lindmft.plotting.style import BLACK
from lindmft.results.solution import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["variances"]

SOURCES = {  # from dark to light, so that the bands differ in grey
    "bias": ("bias", "#003B5C"),
    "variance_init": ("initial weights", "#C04F00"),
    "variance_data": ("data", "#3DB892"),
    "variance_interaction": ("both together", "#F6DC8A"),
}


def variances(theory: Solution, ax: "Axes | None" = None) -> "Axes":
    """Draw the bias and the three variances of the test loss, stacked: the sum is the test loss.

    Parameters
    ----------
    theory
        A solution with ``replicas=True``.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with one band for each source, bias at the bottom.

    Raises
    ------
    ValueError
        If the solution has no replicas.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 3, replicas (beyond the paper).

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=1.5, noise=0.5), lm.SGD(lr=0.1))
    >>> ax = lm.plotting.variances(lm.solve(problem, 50, replicas=True))
    >>> len(ax.collections)
    4
    """
    instance(theory, "theory", "a Solution", Solution)
    if not theory.has("replicas"):
        raise ValueError("variances needs the overlaps of replicas: solve(..., replicas=True)")
    ax = given_axes(ax, new_axes)
    valid = drawable(theory)
    time = theory.time[:valid]
    layers = [getattr(theory.replicas, name)[:valid] for name in SOURCES]
    below = np.cumsum([np.zeros(valid), *layers[:-1]], axis=0)
    for (text, colour), low, layer in zip(SOURCES.values(), below, layers, strict=True):
        ax.fill_between(
            time, low, low + layer, color=colour, edgecolor="white", linewidth=1.2, label=text
        )
    ax.plot(time, theory.test_loss[:valid], color=BLACK, linewidth=1.2)
    time_axis(ax, theory)
    ax.set_ylim(0, 1.05 * theory.test_loss[:valid].max() or 1.0)
    ax.set_ylabel(f"test loss by source, units of {loss_unit(theory)}")
    ax.legend(reverse=True, frameon=False, loc="best")
    return ax
