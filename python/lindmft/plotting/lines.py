"""What pictures of results by size, schedule or width have in common: axes, lines, colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.style import COLOURS
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LOST", "colours_of", "cross", "lines_by_width", "new_pair", "size_axis"]

FEW = len(COLOURS)
LOST = "diverges"


def new_pair() -> "tuple[Axes, Axes]":
    """Two axes of a new figure, side by side."""
    figure = optional("matplotlib.pyplot", "plot").figure(figsize=(10.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    return left, right


def lines_by_width(ax: "Axes", problem: Problem, widths: Array, x: Array, rows: Array) -> None:
    """A line a width, (width, x), where values are positive and finite; its width at its end."""
    ends = []
    for width, row, colour in zip(widths, rows, colours_of(len(widths)), strict=True):
        shown = np.isfinite(row) & (row > 0)
        ax.plot(x[shown], row[shown], color=colour, linewidth=1.5, zorder=2)
        if shown.any():
            last = np.flatnonzero(shown)[-1]
            ends.append(End(x[last], row[last], f"{width:.3g}", colour))
    ax.autoscale_view()  # labels are placed by the limits as they are then
    label_ends(ax, ends)
    name = "width" if problem.network.hidden is None else "hidden units"
    ax.text(1.02, 1.0, name, transform=ax.transAxes, ha="left", va="bottom")


def size_axis(ax: "Axes", sizes: Sequence[float], name: str) -> None:
    """Logarithmic, with a tick at each of these."""
    ax.set(xscale="log", xlabel=name)
    ax.set_xticks(sizes, [short(float(size)) for size in sizes], minor=False)
    ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)


def cross(ax: "Axes", place: float, colour: Any) -> None:
    """At the upper edge, for something beyond it."""
    look = {"color": colour, "marker": "x", "markersize": 4, "clip_on": False, "linestyle": ""}
    ax.plot([place], [1.0], transform=ax.get_xaxis_transform(), label=LOST, **look)


def colours_of(count: int) -> list[Any]:
    """Those of all pictures for a few lines; for many, from dark to light as values go."""
    if count <= FEW:
        return list(COLOURS[:count])
    colormap = optional("matplotlib", "plot").colormaps["viridis"]
    return [colormap(0.9 * i / (count - 1)) for i in range(count)]
