"""Pictures of panels: theory as lines, training as points with error bars, guides in grey."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft.figures._panel import Curve, Panel, Points
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import points as draw_points
from lindmft.plotting.losses import symmetric_axis
from lindmft.plotting.style import BLACK, COLOURS, MARKERS, STYLE, ordered_colours, style
from lindmft.plotting.ticks import plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["draw"]

PANEL = (4.7, 3.6)
ALONE = 5.6
KEYS = 0.35
"""Height in inches of the line below the panels that explains lines and points."""
GUIDE = "0.45"
GUIDE_LOOK: dict[str, Any] = {"color": GUIDE, "linewidth": 1.0, "linestyle": (0, (4, 2))}


def draw(panels: Mapping[str, Panel]) -> "Figure":
    """Draw panels as a new figure, without pyplot, which would keep it open."""
    columns, rows = min(len(panels), 2), -(-len(panels) // 2)
    width = ALONE if len(panels) == 1 else PANEL[0]
    size = (width * columns, PANEL[1] * rows + KEYS)
    with style():
        layout = optional("matplotlib.layout_engine", "plot").ConstrainedLayoutEngine(w_pad=0.08)
        figure: Figure = optional("matplotlib.figure", "plot").Figure(figsize=size, layout=layout)
        axes = np.ravel(figure.subplots(rows, columns, squeeze=False))
        axes, spare = axes[: len(panels)], axes[len(panels) :]
        for ax, (name, panel) in zip(axes, panels.items(), strict=True):
            _panel(ax, name if len(panels) > 1 else "", panel)
        _place_keys(figure, spare, _keys(panels))
        # Labels at ends are placed by pixels: this is done after the layout.
        figure.draw_without_rendering()
        for ax, panel in zip(axes, panels.values(), strict=True):
            _label(ax, panel)
    return figure


def _panel(ax: "Axes", name: str, panel: Panel) -> None:
    colours = _colours(panel)
    for curve in panel.curves:
        _draw_curve(ax, curve, colours)
    ax.set(yscale=panel.yscale, xlabel=panel.xlabel, ylabel=panel.ylabel)
    ax.set_ylim(panel.lower, panel.upper)
    _scale_x(ax, panel)
    ax.set_title(f"{name}   {panel.title}" if name else panel.title)
    if panel.yscale == "log":
        plain_ticks(ax.yaxis)
    if panel.legend:
        handles, labels = _in_order(ax, panel)
        ax.legend(handles, labels, title=panel.key or None, alignment="left", handlelength=1.8)
    elif panel.key:
        place: dict[str, Any] = {
            "transform": ax.transAxes,
            "ha": "left",
            "va": "bottom",
            "fontsize": 9,
        }
        ax.text(1.02, 1.01, panel.key, **place)


def _in_order(ax: "Axes", panel: Panel) -> tuple[list[Any], list[str]]:
    """Return the legend's entries in the order of the curves; matplotlib puts lines first."""
    ranks = {curve.label: i for i, curve in enumerate(panel.curves)}
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: ranks.get(labels[i], -1))
    return [handles[i] for i in order], [labels[i] for i in order]


def _draw_curve(ax: "Axes", curve: Curve, colours: list[Any]) -> None:
    if curve.guide:
        ax.plot(curve.x, curve.y, **GUIDE_LOOK, zorder=1)
        return
    colour = BLACK if curve.neutral else colours[curve.look]
    dashes = "-" if curve.test else "--"
    marker = MARKERS[curve.look % len(MARKERS)]
    points = curve.points
    alone = points is None or not len(points.x)
    label = curve.label if curve.test else "_"
    ax.plot(
        curve.x,
        curve.y,
        dashes,
        color=colour,
        zorder=2,
        label=label if alone else "_",
    )
    if points is not None and not alone:
        _points(ax, points, colour, marker, curve.test, label)


def _points(ax: "Axes", points: Points, colour: Any, marker: str, filled: bool, label: str) -> None:
    for at, face in ((points.smooth, colour if filled else "white"), (~points.smooth, "white")):
        if not at.any():
            continue
        draw_points(
            ax,
            points.x[at],
            points.mean[at],
            points.error[at],
            marker,
            colour,
            markerfacecolor=face,
            markeredgewidth=0.8,
            markersize=STYLE["lines.markersize"],
            elinewidth=1.0,
            label=label if at is points.smooth or not points.smooth.any() else "_",
        )


def _scale_x(ax: "Axes", panel: Panel) -> None:
    ends = [curve.x[[0, -1]] for curve in panel.curves if len(curve.x)]
    if not ends or np.min(ends) == np.max(ends):
        return  # no points, or only one: there is no range to show
    first, last = float(np.min(ends)), float(np.max(ends))
    if panel.xscale == "symlog":
        symmetric_axis(ax, last)
    elif panel.xscale == "log":
        ax.set_xscale("log")
        ax.set_xlim(first / 1.05, last * 1.05)
        plain_ticks(ax.xaxis)
    else:
        ax.set_xlim(first - 0.02 * last, last * 1.01)


def _label(ax: "Axes", panel: Panel) -> None:
    colours = _colours(panel)
    low, high = ax.get_ylim()
    ends = []
    for curve in panel.curves:
        in_legend = panel.legend and not curve.guide
        if in_legend or not curve.label or not curve.test or not len(curve.x):
            continue
        inside = np.flatnonzero((curve.y <= high) & (curve.y >= low))
        last = inside[-1] if len(inside) else len(curve.x) - 1
        colour = GUIDE if curve.guide else colours[curve.look]
        ends.append(End(curve.x[last], curve.y[last], curve.label, colour))
    label_ends(ax, ends)


def _colours(panel: Panel) -> list[Any]:
    if panel.ordered:
        return ordered_colours(panel.looks)
    return [COLOURS[look % len(COLOURS)] for look in range(panel.looks)]


def _keys(named: Mapping[str, Panel]) -> list[Any]:
    """Return the entries of the legend that explains lines and points."""
    panels = list(named.values())
    line = optional("matplotlib.lines", "plot").Line2D
    black = {"color": "0.2"}
    point = {"linestyle": "", "marker": "o", **black}
    trained = [points for panel in panels for points in panel.trained]
    handles = []
    if trained:
        handles.append(line([], [], label="theory", **black))
        networks, dim = trained[0].networks, trained[0].dim
        same = all((points.networks, points.dim) == (networks, dim) for points in trained)
        several = f"mean of {networks} networks" if networks > 1 else "one network"
        text = f"{several}, D = {dim}" if same else "mean over trained networks"
        handles.append(line([], [], label=text, **point))
    if any(not points.smooth.all() for points in trained):
        text = "open: beyond the edge of stability"
        handles.append(line([], [], markerfacecolor="white", label=text, **point))
    dashed = {
        name: panel.dashed
        for name, panel in named.items()
        if any(not curve.test for curve in panel.curves)
    }
    open_points = any(curve.points for panel in panels for curve in panel.curves if not curve.test)
    second = {"marker": "o" if open_points else "", "markerfacecolor": "white"}
    grey = {name: panel.grey for name, panel in named.items() if panel.grey}
    handles += [
        line([], [], linestyle="--", label=text, **second, **black) for text in _distinct(dashed)
    ]
    return handles + [line([], [], label=text, **GUIDE_LOOK) for text in _distinct(grey)]


def _distinct(meanings: Mapping[str, str]) -> list[str]:
    """Return each meaning once, with the names of its panels if there are several meanings."""
    different = sorted(set(meanings.values()))
    if len(different) < 2:
        return different
    return [
        f"{', '.join(name for name, one in meanings.items() if one == text)}: {text}"
        for text in different
    ]


def _place_keys(figure: "Figure", spare: "NDArray[Any]", handles: list[Any]) -> None:
    """Draw the legend where a panel is missing in the last row, or in a line below all panels."""
    for ax in spare:
        ax.set_axis_off()
    if not handles:
        return
    if len(spare):
        spare[0].legend(handles=handles, loc="center left", labelspacing=0.9)
        return
    columns = min(len(handles), 2) if figure.get_figwidth() < 2 * PANEL[0] else len(handles)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=9)
