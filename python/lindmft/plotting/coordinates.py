"""The coordinate check: sizes and updates of features and gradients against width.

Each scaling has a row of panels and each quantity a column. All panels of a column have the same
range of values, which shows a quantity that falls with width in one row and is constant in another.
Each line is one step, with a separate colour and dashes, and a label at its end. Points are trained
networks.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft._internal.validation import instance, integer, refuse
from lindmft.analysis.coordinate_checks.result import QUANTITIES, CoordinateCheck
from lindmft.plotting.arguments import given_grid
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import points
from lindmft.plotting.style import COLOURS, DASHES, GUIDE, LINE_WIDTH, guide, hide_spines
from lindmft.plotting.ticks import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["coordinates"]

LOOKS: tuple[Any, ...] = (*DASHES, (0, (5, 1, 1, 1, 1, 1)))
MOST = len(LOOKS)
"""Largest number of lines in a panel: more are hard to distinguish."""
NAMES = {"features": "features $h$", "gradients": "gradients $g$"}
AXIS = {"network.width": "width $N / D$", "network.hidden": "width $N$"}


def coordinates(
    check: CoordinateCheck, axes: "NDArray[Any] | None" = None, *, layer: int | None = None
) -> "NDArray[Any]":
    """Draw rms sizes and updates against width, theory as lines and training as points.

    Parameters
    ----------
    check
        The result of ``coordinate_check``. Of more than five steps, the first, the last and three
        between them are drawn.
    axes
        Where to draw, (scaling, 4); None: a new figure.
    layer
        1 .. L; None: features of the last layer and gradients of the first, which have passed all
        weights between.

    Returns
    -------
    ndarray of Axes
        (scaling, 4): features, their updates, gradients, their updates.

    Raises
    ------
    ValueError
        If the layer does not exist, or ``axes`` has another shape.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 3; the picture is the "coord check" of Yang et al. (2022), arXiv 2203.03466.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
    >>> check = lm.coordinate_check(problem, widths=[1, 2, 4, 8, 16], steps=20)
    >>> lm.plotting.coordinates(check).shape
    (2, 4)
    """
    instance(check, "check", "what coordinate_check returns", CoordinateCheck)
    layers = _layers(check, layer)
    shape = (len(check.scalings), len(QUANTITIES))
    given = given_grid(axes, shape)
    panels = _new_axes(*shape, _key(check)) if given is None else given
    ends = {
        (row, column): _draw(panels[row, column], check, row, name, layers[name])
        for row in range(shape[0])
        for column, name in enumerate(QUANTITIES)
    }
    for row, scaling in enumerate(check.scalings):
        panels[row, 0].set_ylabel(f"{scaling}\nrms of an entry")
        _draw_guide(panels[row, -1], check, row, layers["gradient_updates"])
        for column, name in enumerate(QUANTITIES):
            _dress(panels[row, column], check, bottom=row == shape[0] - 1)
            if row == 0:
                panels[row, column].set_title(_title(name, layers[name] + 1), fontsize="medium")
    for panel, found in ends.items():  # last, as labels are placed by the limits of the axes
        label_ends(panels[panel], found)
    return panels


def _layers(check: CoordinateCheck, layer: Any) -> dict[str, int]:
    """Return the index of the layer to draw, by quantity."""
    depth = check.theory.features.shape[2]
    if layer is None:
        return {name: depth - 1 if name.startswith("feature") else 0 for name in QUANTITIES}
    number = integer(layer, "layer")
    if not 1 <= number <= depth:
        refuse("layer", f"a whole number from 1 to {depth}", layer)
    return dict.fromkeys(QUANTITIES, number - 1)


def _positions(check: CoordinateCheck) -> Array:
    """Return the position of every width on the axis: infinity is to the right of the others."""
    widths = np.array(check.widths)
    return np.where(np.isfinite(widths), widths, 3 * widths[np.isfinite(widths)].max())


def _shown(check: CoordinateCheck, name: str) -> NDArray[np.int_]:
    """Return the indices of the times to draw, at most ``MOST``; updates are zero at the first."""
    few = np.linspace(0, len(check.time) - 1, min(MOST, len(check.time))).round().astype(int)
    chosen = np.unique(few)
    return chosen[check.time[chosen] > 0] if name.endswith("updates") else chosen


def _draw(ax: "Axes", check: CoordinateCheck, row: int, name: str, layer: int) -> list[End]:
    x, ends = _positions(check), []
    every = _shown(check, "features")
    for t in _shown(check, name):
        style = int(np.flatnonzero(every == t)[0])
        colour = COLOURS[style % len(COLOURS)]
        y = getattr(check.theory, name)[row, :, layer, t]
        good = np.isfinite(y) & (y > 0)
        within = good & np.isfinite(check.widths)
        ax.plot(x[within], y[within], linestyle=LOOKS[style], color=colour, linewidth=LINE_WIDTH)
        ax.plot(x[good & ~within], y[good & ~within], "_", color=colour, markersize=9)
        if check.training is not None:
            _draw_training(ax, check, (row, slice(None), layer, t), name, colour)
        if good.any():
            last = np.flatnonzero(good)[-1]
            ends.append(End(x[last], y[last], f"t = {check.time[t]}", colour))
    return ends


def _draw_training(
    ax: "Axes", check: CoordinateCheck, where: tuple[Any, ...], name: str, colour: str
) -> None:
    y = getattr(check.training, name)[where]
    error = getattr(check.errors, name)[where]
    good = np.isfinite(y) & (y > 0)
    points(ax, _positions(check)[good], y[good], error[good], "o", colour)


def _draw_guide(ax: "Axes", check: CoordinateCheck, row: int, layer: int) -> None:
    """Draw the power of lazy networks, below the curves."""
    x = np.array([w for w in check.widths if np.isfinite(w)])
    starts = check.theory.gradient_updates[row, 0, layer, _shown(check, "gradient_updates")]
    starts = starts[np.isfinite(starts) & (starts > 0)]
    if not len(starts):
        return
    y = 0.6 * starts.min() * (x / x[0]) ** -0.5
    guide(ax, x, y)
    middle = len(x) // 2
    ax.annotate(
        "width$^{-1/2}$",
        (x[middle], y[middle]),
        xytext=(-3, -3),
        textcoords="offset points",
        color=GUIDE,
        ha="right",
        va="top",
    )


def _dress(ax: "Axes", check: CoordinateCheck, *, bottom: bool) -> None:
    """Put ticks at the widths, infinity included."""
    ticker = optional("matplotlib.ticker", "plot")
    x = _positions(check)
    logarithmic(ax, "y")
    ax.set(xscale="log", xlim=(x[0] / 1.2, x[-1] * 1.2))
    labels = [f"{w:g}" if np.isfinite(w) else r"$\infty$" for w in check.widths]
    ax.xaxis.set_major_locator(ticker.FixedLocator(x))
    ax.xaxis.set_major_formatter(ticker.FixedFormatter(labels))
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    hide_spines(ax)
    if bottom:
        ax.set_xlabel(AXIS[check.size])


def _title(name: str, layer: int) -> str:
    kind, _, update = name.partition("_")
    text = NAMES[kind if kind.endswith("s") else f"{kind}s"]
    symbol = text[-2]
    if not update:
        return f"{text[:-3]}${symbol}^{{{layer}}}$"
    return f"updates ${symbol}^{{{layer}}}(t) - {symbol}^{{{layer}}}(0)$"


def _key(check: CoordinateCheck) -> str:
    """Return the meaning of lines and points in words: there is no room for a legend."""
    if check.training is None:
        return "theory"
    return f"lines: theory; points: {check.networks} networks of D = {check.dim} at each width"


def _new_axes(rows: int, columns: int, key: str) -> "NDArray[Any]":
    figure = optional("matplotlib.pyplot", "plot").figure(
        figsize=(2.9 * columns, 2.4 * rows + 0.8), layout="constrained"
    )
    figure.supxlabel(key, fontsize="medium")
    axes: NDArray[Any] = figure.subplots(rows, columns, sharex=True, sharey="col", squeeze=False)
    return axes
