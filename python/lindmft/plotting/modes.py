"""Learning curves of the first modes of a spectrum: theory as lines, networks as points."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import choice, instance, integer, refuse
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import colours_of, points
from lindmft.plotting.losses import (
    describe,
    drawable,
    keys,
    loss_unit,
    new_axes,
    thinned,
    time_axis,
)
from lindmft.plotting.style import LINE_WIDTH
from lindmft.plotting.ticks import logarithmic
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mode_curves"]

LABELS = {
    "mode_learned": "learned part of the target",
    "mode_loss": "contribution to the test loss",
}


def mode_curves(
    theory: Solution,
    runs: Ensemble | None = None,
    name: str = "mode_learned",
    count: int = 4,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the learning curves of the first modes against time.

    Parameters
    ----------
    theory
        A solution with ``modes=True``, drawn as lines.
    runs
        Networks trained with ``modes=True``, drawn as points with standard errors; or None.
    name
        "mode_learned": the part of the target that is learned. "mode_loss": the contribution to the
        test loss, on a logarithmic axis.
    count
        The number of modes, in the order of the spectrum; fewer if it has fewer.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with a line for each mode.

    Raises
    ------
    ValueError
        If a result has no learning curves of modes.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 6.

    Examples
    --------
    >>> import lindmft as lm
    >>> data = lm.FullBatch(samples=200, spectrum=lm.PowerLaw(1.5, 0.5, modes=1000))
    >>> problem = lm.Problem(lm.MLP(hidden=200), data, lm.SGD(lr=0.1))
    >>> len(lm.plotting.mode_curves(lm.solve(problem, 50, modes=True), count=3).get_lines())
    3
    """
    instance(theory, "theory", "a Solution", Solution)
    if runs is not None:
        instance(runs, "runs", "an Ensemble or None", Ensemble)
    choice(*LABELS)(name, "name")
    count = integer(count, "count")
    if count < 1:
        refuse("count", "at least 1", count)
    for result in (theory, runs):
        if result is not None and not result.has(name):
            raise ValueError(
                "theory and runs must have learning curves of modes: call solve(..., modes=True) "
                "and train(..., modes=True)"
            )
    ax = given_axes(ax, new_axes)
    valid = drawable(theory)
    curves = getattr(theory, name)[:count, :valid]
    colours = colours_of(len(curves))
    ends = []
    for k, (values, colour) in enumerate(zip(curves, colours, strict=True)):
        shown = _drawable(values, name)
        ax.plot(theory.time[:valid][shown], values[shown], color=colour, linewidth=LINE_WIDTH)
        if shown.any():
            last = np.flatnonzero(shown)[-1]
            ends.append(End(theory.time[last], values[last], f"mode {k + 1}", colour))
    entries: dict[str, dict[str, str]] = {describe(theory): {"linestyle": "-"}}
    if runs is not None:
        _draw_networks(ax, runs, name, colours)
        entries[describe(runs)] = {"linestyle": "", "marker": "o"}
    _dress(ax, theory, name)
    label_ends(ax, ends)
    keys(ax, entries)
    return ax


def _drawable(values: Array, name: str) -> Any:
    """Return which values have a place on the axis; zero has no logarithm."""
    return np.isfinite(values) & ((values > 0) | (name != "mode_loss"))


def _draw_networks(ax: "Axes", runs: Ensemble, name: str, colours: list[Any]) -> None:
    means, errors = getattr(runs.mean(), name), getattr(runs.sem(), name)
    for mean, error, colour in zip(means, errors, colours, strict=False):
        known = np.flatnonzero(_drawable(mean, name))
        shown = known[thinned(len(known))] if len(known) else known
        points(ax, runs.time[shown], mean[shown], error[shown], "o", colour)


def _dress(ax: "Axes", theory: Solution, name: str) -> None:
    time_axis(ax, theory)
    if name == "mode_loss":
        logarithmic(ax, "y")
        ax.set_ylabel(f"{LABELS[name]}, units of {loss_unit(theory)}")
    else:
        ax.set_ylabel(LABELS[name])
