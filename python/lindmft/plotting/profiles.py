"""Norms of features and gradients against depth, at a few times."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.validation import choice, instance, refuse, tuple_of_numbers
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.losses import drawable, new_axes
from lindmft.plotting.style import COLOURS, DASHES, MARKER_SIZE, hide_spines
from lindmft.plotting.ticks import logarithmic
from lindmft.results.observables import NORMS
from lindmft.results.solution import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["profile"]

POINTS = 101


def profile(
    theory: Solution,
    name: str = "feature_norm",
    steps: Sequence[float] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a norm against depth: curves in tau = l/L at infinite depth, otherwise joined points.

    Parameters
    ----------
    theory
        A solution.
    name
        "feature_norm" or "gradient_norm".
    steps
        Times to draw (gradient flow: learning rate times steps); None: start, end and two between.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with one line for each time.

    Raises
    ------
    ValueError
        If the solution has no such norm or time.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory sections 4 and 5.

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.ResNet(depth=float("inf"))
    >>> theory = lm.solve(lm.Problem(network, lm.Population(), lm.SGD(lr=0.02)), 50)
    >>> lm.plotting.profile(theory, "gradient_norm").get_xlabel()
    'depth l/L'
    """
    instance(theory, "theory", "a Solution", Solution)
    choice(*NORMS)(name, "name")
    valid = drawable(theory)
    if steps is None:
        few = np.geomspace(1, valid, 4).round().astype(int)
        shown: list[int] = (np.unique(few) - 1).tolist()
    else:
        theory, shown = _at(theory, tuple_of_numbers(steps, "steps"))
    ax = given_axes(ax, new_axes)
    endless = theory.problem.network.depth == np.inf
    depth = np.linspace(0, 1, POINTS) if endless else theory.depth
    values = theory.profile(name, depth) if endless else getattr(theory, name)
    ends = []
    for i, step in enumerate(shown):
        colour = COLOURS[i % len(COLOURS)]
        dashes = DASHES[i % len(DASHES)] if endless else f"o{DASHES[i % len(DASHES)]}"
        ax.plot(depth, values[:, step], dashes, color=colour, markersize=MARKER_SIZE)
        ends.append(End(depth[-1], values[-1, step], f"t = {theory.time[step]:g}", colour))
    ax.set_xlabel("depth l/L" if endless else "layer l")
    ax.set_ylabel(f"{name.replace('_', ' ')} per hidden unit")
    drawn = values[:, shown]
    if drawn.max() > 10 * drawn.min() > 0:
        logarithmic(ax, "y")
    else:
        ax.set_ylim(bottom=0)
    if not endless:
        ax.xaxis.set_major_locator(optional("matplotlib.ticker", "plot").MaxNLocator(integer=True))
    hide_spines(ax)
    label_ends(ax, ends)
    return ax


def _at(theory: Solution, times: Sequence[float]) -> tuple[Solution, list[int]]:
    """Return the solution at these times, and the index of each of them."""
    if not times:
        refuse("steps", "a list of at least one time", times)
    end = theory.time[theory.valid - 1]
    for time in times:
        if not 0 <= time <= end:
            refuse("steps", f"times from 0 to {end:g}", time)
    points = sorted(set(times))
    return theory.at(points), [points.index(time) for time in times]
