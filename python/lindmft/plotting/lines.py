"""Elements that several pictures share: pairs of axes, lines by width, points, axes of sizes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.style import COLOURS, MARKER_SIZE, hide_spines
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LOST", "colours_of", "cross", "lines_by_width", "new_pair", "points", "size_axis"]

FEW = len(COLOURS)
LOST = "diverges"


def new_pair() -> "tuple[Axes, Axes]":
    """Return two axes of a new figure, side by side."""
    figure = optional("matplotlib.pyplot", "plot").figure(figsize=(10.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    return left, right


def lines_by_width(ax: "Axes", problem: Problem, widths: Array, x: Array, rows: Array) -> None:
    """Draw ``rows`` (width, x) where they are positive and finite, each labelled by its width."""
    ends = []
    for width, row, colour in zip(widths, rows, colours_of(len(widths)), strict=True):
        shown = np.isfinite(row) & (row > 0)
        ax.plot(x[shown], row[shown], color=colour, linewidth=1.5, zorder=2)
        if shown.any():
            last = np.flatnonzero(shown)[-1]
            ends.append(End(x[last], row[last], f"{width:.3g}", colour))
    ax.autoscale_view()  # labels are placed by the limits of the axes
    label_ends(ax, ends)
    name = "width" if problem.network.hidden is None else "hidden units"
    ax.text(1.02, 1.0, name, transform=ax.transAxes, ha="left", va="bottom")


def points(
    ax: "Axes", x: Array, mean: Array, error: Array, marker: str, colour: Any, **look: Any
) -> None:
    """Draw means with error bars; an error that is not known (inf) has no bar."""
    known = np.where(np.isfinite(error), error, 0.0)
    look = {"markersize": MARKER_SIZE, "elinewidth": 1.2, "zorder": 3, **look}
    ax.errorbar(x, mean, yerr=known, fmt=marker, color=colour, **look)


def size_axis(ax: "Axes", sizes: Sequence[float], name: str) -> None:
    """Make the x axis logarithmic, with a tick at each size."""
    ax.set(xscale="log", xlabel=name)
    ax.set_xticks(sizes, [short(float(size)) for size in sizes], minor=False)
    ax.minorticks_off()
    hide_spines(ax)


def cross(ax: "Axes", place: float, colour: Any) -> None:
    """Draw a cross at the upper edge: the value at this place is beyond it."""
    look = {"color": colour, "marker": "x", "markersize": 4, "clip_on": False, "linestyle": ""}
    ax.plot([place], [1.0], transform=ax.get_xaxis_transform(), label=LOST, **look)


def colours_of(count: int) -> list[Any]:
    """Return the colours of all pictures for a few lines; from dark to light for more of them."""
    if count <= FEW:
        return list(COLOURS[:count])
    colormap = optional("matplotlib", "plot").colormaps["viridis"]
    return [colormap(0.9 * i / (count - 1)) for i in range(count)]
