"""The neural tangent kernel over time: its mean eigenvalue, and its alignment with the target."""

from typing import TYPE_CHECKING

import numpy as np

from lindmft._internal.validation import instance
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import points
from lindmft.plotting.losses import describe, drawable, keys, new_axes, thinned, time_axis
from lindmft.plotting.style import COLOURS, LINE_WIDTH
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["kernels"]

DIRECTIONS = {
    "kernel_scale": ("random direction", COLOURS[0], "-", "o"),
    "kernel_target": ("target", COLOURS[1], "--", "s"),
    "kernel_gradient": ("gradient", COLOURS[2], ":", "^"),
}


def kernels(theory: Solution, runs: Ensemble | None = None, ax: "Axes | None" = None) -> "Axes":
    """Draw x . K x / x . x of the neural tangent kernel K in three directions x against time.

    Parameters
    ----------
    theory
        A solution with ``kernels=True``, drawn as lines.
    runs
        Networks trained with ``kernels=True``, drawn as points with standard errors; or None.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with a line for a random direction, one for the direction of the target and one for
        that of the gradient, if these exist.

    Raises
    ------
    ValueError
        If a result has no kernels.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    The kernel moves w_hat by lr K u in a small step of theory section 2; the name is that of Jacot,
    Gabriel and Hongler (2018), arXiv 1806.07572.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=1.5), lm.SGD(lr=0.1))
    >>> len(lm.plotting.kernels(lm.solve(problem, 50, kernels=True)).get_lines())
    3
    """
    instance(theory, "theory", "a Solution", Solution)
    if runs is not None:
        instance(runs, "runs", "an Ensemble or None", Ensemble)
    for result in (theory, runs):
        if result is not None and not hasattr(result, "kernel_scale"):
            raise ValueError(
                "theory and runs must have kernels: call solve(..., kernels=True) and "
                "train(..., kernels=True). With several outputs, draw one of theory.channels"
            )
    ax = given_axes(ax, new_axes)
    valid = drawable(theory)
    ends = []
    for name, (text, colour, dashes, marker) in DIRECTIONS.items():
        values = getattr(theory, name)[:valid]
        known = np.flatnonzero(np.isfinite(values))
        if len(known):  # otherwise the direction does not exist
            ax.plot(theory.time[:valid], values, dashes, color=colour, linewidth=LINE_WIDTH)
            ends.append(End(theory.time[known[-1]], values[known[-1]], text, colour))
        if runs is not None:
            mean, error = getattr(runs.mean(), name), getattr(runs.sem(), name)
            existing = np.flatnonzero(np.isfinite(mean))
            shown = existing[thinned(len(existing))] if len(existing) else existing
            points(ax, runs.time[shown], mean[shown], error[shown], marker, colour)
    time_axis(ax, theory)
    ax.set_xlim(-0.15, max(theory.time[valid - 1], 1) * 1.05)
    ax.set_ylabel("kernel x·Kx / x·x, per unit of learning rate")
    label_ends(ax, ends)
    entries: dict[str, dict[str, str]] = {describe(theory): {"linestyle": "-"}}
    if runs is not None:
        entries[describe(runs)] = {"linestyle": "", "marker": "o"}
    keys(ax, entries)
    return ax
