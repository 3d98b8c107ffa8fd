"""Losses against time: theory as lines, training as points with error bars over a band.

Test loss is a solid line with filled circles, training loss a dashed line with open squares, so
that a picture can be read without colour. Colour-blind readers can distinguish the colours, which
are those of Okabe and Ito. The band is one standard deviation of a single network. Times are on a
symmetric logarithmic axis, which includes t = 0; those of coarse grids are on a logarithmic one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft._internal.validation import flag, instance
from lindmft.analysis.comparison import check_same
from lindmft.plotting.arguments import colour_or_none, given_axes
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import points
from lindmft.plotting.style import BLACK, COLOURS, LINE_WIDTH, hide_spines
from lindmft.plotting.ticks import logarithmic
from lindmft.problem.spectrum import Isotropic
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "End",
    "compare",
    "label_ends",
    "losses",
    "new_axes",
    "symmetric_axis",
    "time_axis",
]

MARKERS = 24
"""Approximate number of drawn points of an ensemble, evenly spaced on the logarithmic axis."""


class Look(NamedTuple):
    """The look of one loss: its label, colour, dashes and marker."""

    name: str
    colour: str
    dashes: str
    marker: str
    filled: bool


TRAIN = "training loss"
BAND = "one network: standard deviation"
POINTS = 300
"""Number of points of a curve on a coarse grid, in addition to its nodes."""
LOOKS = {
    "test_loss": Look("test", COLOURS[0], "-", "o", True),
    "train_loss": Look("train", COLOURS[1], "--", "s", False),
}
_KEYS: dict[type, dict[str, str]] = {
    Solution: {"linestyle": "-"},
    Ensemble: {"linestyle": "", "marker": "o"},
}


def compare(theory: Solution, runs: Ensemble, ax: "Axes | None" = None) -> "Axes":
    """Draw the losses of a solution as lines and those of an ensemble as points over bands.

    A point is the mean with its standard error, a band one standard deviation of a single network.

    Parameters
    ----------
    theory, runs
        Theory and networks of the same problem and number of steps.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with both losses; the test loss is the excess over the irreducible noise.

    Raises
    ------
    ValueError
        If problem or number of steps of ``theory`` and ``runs`` differ.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> theory, runs = lm.solve(problem, 50), lm.train(problem, 50, dim=200)
    >>> ax = lm.plotting.compare(theory, runs)
    >>> ax.get_xlabel()
    'step t'
    """
    check_same(theory, runs)
    ax = losses(runs, losses(theory, ax), labels=False)
    keys(ax, {describe(result): _KEYS[type(result)] for result in (theory, runs)}, runs)
    return ax


def losses(
    result: Solution | Ensemble,
    ax: "Axes | None" = None,
    *,
    colour: str | None = None,
    labels: bool = True,
) -> "Axes":
    """Draw the test and the training loss against time.

    Parameters
    ----------
    result
        A solution, drawn as lines, or an ensemble, drawn as points with standard errors.
    ax
        Where to draw; None: a new figure.
    colour
        One colour for both losses; None: a colour for each.
    labels
        Write "test" and "train" at the last points, and draw a legend.

    Returns
    -------
    Axes
        Axes with both losses; the test loss is the excess over the irreducible noise.

    Raises
    ------
    ValueError
        If an argument is refused; the message names it.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5), lm.SGD(lr=0.1))
    >>> lm.plotting.losses(lm.solve(problem, 50)).get_yscale()
    'log'
    """
    instance(result, "result", "a Solution or an Ensemble", Solution, Ensemble)
    chosen, named = colour_or_none(colour, "colour"), flag(labels, "labels")
    ax = given_axes(ax, new_axes)
    colours = {name: chosen or look.colour for name, look in LOOKS.items()}
    if isinstance(result, Solution):
        ends = [_draw_theory(ax, result, *item) for item in colours.items()]
    else:
        ends = [_draw_training(ax, result, *item) for item in colours.items()]
    _dress(ax, result)
    if named:
        label_ends(ax, [end for end in ends if end is not None])
        keys(ax, {describe(result): _KEYS[type(result)]}, result)
    return ax


def keys(
    ax: "Axes",
    entries: Mapping[str, Mapping[str, Any]],
    result: Solution | Ensemble | None = None,
) -> None:
    """Draw a legend of line and marker styles in black: they have a meaning beside the colours.

    With a result it also explains the style of the training loss (with a marker only if points are
    drawn), and the bands.
    """
    line = optional("matplotlib.lines", "plot").Line2D
    black = {"color": BLACK, "markersize": 4}
    handles = [line([], [], **{**black, **look}, label=text) for text, look in entries.items()]
    if result is not None:
        drawn = {look.get("linestyle") for look in entries.values()}
        train = {"linestyle": "--" if "-" in drawn else "", "markerfacecolor": "white"}
        marker = LOOKS["train_loss"].marker if isinstance(result, Ensemble) else ""
        handles.append(line([], [], marker=marker, **train, **black, label=TRAIN))
    if isinstance(result, Ensemble) and result.used.sum() > 1:
        patch = optional("matplotlib.patches", "plot").Patch
        handles.append(patch(color=BLACK, alpha=0.18, linewidth=0, label=BAND))
    ax.legend(handles=handles, frameon=False, loc="best", handlelength=2.2)


def describe(result: Solution | Ensemble) -> str:
    """Return the name of a result in a legend: "theory", or "mean of 16 networks, D = 512"."""
    if isinstance(result, Solution):
        return "theory"
    return f"mean of {result.used.sum()} networks, D = {result.dim}"


def _curve(theory: Solution, name: str) -> tuple[Array, Array]:
    """Return times and values of a loss; on coarse grids also between nodes, where curves bend."""
    valid = drawable(theory)
    time, values = theory.time[:valid], getattr(theory, name)[:valid]
    if theory.every_step:
        return time, values
    if not theory.sampled and time[-1] > 0:
        between = np.geomspace(time[time > 0][0], time[-1], POINTS)[1:-1]
        whole = between.round() if theory.grid == "adaptive" else between
        time = np.unique(np.concatenate([time, whole]))
        values = getattr(theory.at(time), name)
    # A loss that vanishes may be zero by rounding, and zero has no logarithm.
    return time[values > 0], values[values > 0]


def _draw_theory(ax: "Axes", theory: Solution, name: str, colour: str) -> End | None:
    """Draw a loss and return its end; None for a loss that is zero at all times."""
    look = LOOKS[name]
    time, values = _curve(theory, name)
    if not (values > 0).any():
        return None
    ax.plot(time, values, look.dashes, color=colour, linewidth=LINE_WIDTH, zorder=2)
    text = look.name if theory.diverged_at is None else f"{look.name}, diverges"
    return End(time[-1], values[-1], text, colour)


def _draw_training(ax: "Axes", runs: Ensemble, name: str, colour: str) -> End | None:
    look = LOOKS[name]
    mean, error = getattr(runs.mean(), name), getattr(runs.sem(), name)
    finite = int(np.isfinite(mean).sum())
    if not (mean[:finite] > 0).any():
        return None
    _draw_spread(ax, runs, name, colour, finite)
    shown = thinned(finite)
    face = colour if look.filled else "white"
    at = runs.time[shown]
    points(ax, at, mean[shown], error[shown], look.marker, colour, markerfacecolor=face)
    return End(runs.time[shown[-1]], mean[shown[-1]], look.name, colour)


def _draw_spread(ax: "Axes", runs: Ensemble, name: str, colour: str, finite: int) -> None:
    """Draw one standard deviation of a single network around the mean, as a band."""
    values = getattr(runs, name)[runs.used, :finite]
    mean, spread = values.mean(axis=0), values.std(axis=0)
    low = np.maximum(mean - spread, 0.1 * mean)  # a logarithmic axis has no zero
    ax.fill_between(
        runs.time[:finite], low, mean + spread, color=colour, alpha=0.18, linewidth=0, zorder=1
    )


def drawable(theory: Solution) -> int:
    """Return the number of valid steps; raise a ``ValueError`` if there is none."""
    if theory.valid == 0:
        raise ValueError("theory must have a valid step to draw, got one that diverges at step 0")
    return theory.valid


def thinned(steps: int) -> NDArray[np.int_]:
    """Return step 0 and about ``MARKERS`` later ones, evenly spaced on a logarithmic axis."""
    later = np.geomspace(1, max(steps - 1, 1), MARKERS).round().astype(int)
    return np.unique(np.append(0, later[later < steps]))


def time_axis(ax: "Axes", result: Solution | Ensemble) -> None:
    """Make the time axis symmetric logarithmic, which includes 0; logarithmic on coarse grids."""
    coarse = isinstance(result, Solution) and result.grid != "exact" and result.time[-1] > 0
    if coarse:
        _logarithmic(ax, result)
    else:
        symmetric_axis(ax, result.time[-1])
    flow = isinstance(result, Solution) and result.grid == "flow"
    ax.set_xlabel("time t, learning rate times steps" if flow else "step t")
    hide_spines(ax)


def symmetric_axis(ax: "Axes", last: float) -> None:
    """Make the time axis logarithmic from step 1 on; it also includes step 0."""
    ticker = optional("matplotlib.ticker", "plot")
    ax.set_xscale("symlog", linthresh=1, linscale=0.3)
    ax.set_xlim(-0.15, max(last, 1) * 1.05)
    ax.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(
        ticker.SymmetricalLogLocator(base=10, linthresh=1, subs=range(2, 10))
    )


def _logarithmic(ax: "Axes", result: Solution | Ensemble) -> None:
    """Make the time axis logarithmic from the first positive time on, for coarse grids."""
    first = result.time[result.time > 0][0]
    ax.set_xscale("log")
    ax.set_xlim(first / 1.05, max(result.time[-1], 2 * first) * 1.05)


def _dress(ax: "Axes", result: Solution | Ensemble) -> None:
    time_axis(ax, result)
    logarithmic(ax, "y")
    ax.set_ylabel(f"loss, units of {loss_unit(result)} (test: excess)")


def loss_unit(result: Solution | Ensemble) -> str:
    """Return the unit of losses, for labels."""
    isotropic = isinstance(result.problem.data.spectrum, Isotropic)
    return "target power" if isotropic else "$y^2$"


def new_axes() -> "Axes":
    """Return the axes of a new figure."""
    axes: Axes = optional("matplotlib.pyplot", "plot").subplots(
        figsize=(5.6, 3.8), layout="constrained"
    )[1]
    return axes
