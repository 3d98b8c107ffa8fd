"""Transfer: best learning rates against size, and the losses with the rate of another size."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.validation import instance
from lindmft.analysis.transfer import Transfer
from lindmft.plotting.arguments import given_axes, given_pair
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import cross, new_pair, size_axis
from lindmft.plotting.losses import keys, new_axes
from lindmft.plotting.style import COLOURS, LINE_WIDTH, MARKERS
from lindmft.plotting.ticks import logarithmic
from lindmft.problem.axes import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["transfer", "transfer_rates"]


def transfer(table: Transfer, axes: "tuple[Axes, Axes] | None" = None) -> "tuple[Axes, Axes]":
    """Draw a transfer table: best learning rates, and losses with the base's rate.

    Left: the best rate at every size (solid) and the largest stable one (dotted), at which the
    training loss stays bounded. Where several rates reach the accuracy of the solver, the best one
    is not determined; a bar shows their range. Right: the loss with the best rate (solid) and with
    the best rate of the base size (dashed). A cross at the upper edge marks where the latter
    diverges.

    Parameters
    ----------
    table
        The result of ``transfer``.
    axes
        Where to draw, a pair; None: a new figure.

    Returns
    -------
    pair of Axes
        The axes of the rates, and those of the losses.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5, in one table each.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> table = lm.transfer(problem, "network.width", [1, 2, 4], steps=20)
    >>> rates, losses = lm.plotting.transfer(table)
    >>> rates.get_ylabel(), losses.get_xlabel()
    ('learning rate', 'width')
    """
    instance(table, "table", "what transfer returns", Transfer)
    left, right = given_pair(axes, new_pair)
    transfer_rates(table, left)
    _losses(table, right)
    return left, right


def transfer_rates(table: Transfer, ax: "Axes | None" = None) -> "Axes":
    """Draw the left half of ``transfer``: best and largest learning rates against size.

    Parameters
    ----------
    table
        The result of ``lindmft.transfer``.
    ax
        Where to draw; None: a new figure.

    Returns
    -------
    Axes
        Axes with two lines for each scaling.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: the positions of the smallest losses.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> table = lm.transfer(problem, "network.width", [1, 2, 4], steps=20)
    >>> len(lm.plotting.transfer_rates(table).get_lines())
    4
    """
    instance(table, "table", "what transfer returns", Transfer)
    ax = given_axes(ax, new_axes)
    ends = []
    for s, name in enumerate(table.scalings):
        line, points = _looks(s)
        ax.plot(table.sizes, table.lr[s], "-", **line, **points)
        ax.plot(table.sizes, table.edge[s], ":", **line)
        vague = ~table.determined[s]
        ax.vlines(
            table.sizes[vague],
            *table.plateau[s, vague].T,
            color=line["color"],
            linewidth=5,
            alpha=0.3,
        )
        ends.append(End(table.sizes[-1], table.lr[s, -1], name, line["color"]))
    size_axis(ax, table.sizes.tolist(), table.path.rpartition(".")[2])
    logarithmic(ax, "y")
    ax.set_ylabel("learning rate")
    entries: dict[str, dict[str, Any]] = {
        "best": {"linestyle": "-"},
        "largest stable (bounded)": {"linestyle": ":"},
    }
    if not table.determined.all():
        entries["best, not determined"] = {"linestyle": "-", "linewidth": 5, "alpha": 0.3}
    keys(ax, entries)
    label_ends(ax, ends)
    return ax


def _losses(table: Transfer, ax: "Axes") -> None:
    """Draw the right half: losses with the best rate of every size, and with that of the base."""
    ends = []
    carried = table.carried[:, table.base]
    for s, name in enumerate(table.scalings):
        line, points = _looks(s)
        ax.plot(table.sizes, table.loss[s], "-", **line, **points)
        shown = np.isfinite(carried[s])
        ax.plot(table.sizes[shown], carried[s, shown], "--", **line)
        for size in table.sizes[~shown]:
            cross(ax, size, line["color"])
        ends.append(End(table.sizes[-1], table.loss[s, -1], name, line["color"]))
    size_axis(ax, table.sizes.tolist(), table.path.rpartition(".")[2])
    logarithmic(ax, "y")
    name, base = table.path.rpartition(".")[2], short(table.sizes[table.base])
    ax.set_ylabel(f"{table.objective.replace('_', ' ')} after {table.steps} steps")
    entries: dict[str, dict[str, Any]] = {
        "with the best rate": {"linestyle": "-"},
        f"with that of {name} {base}": {"linestyle": "--"},
    }
    if not np.isfinite(carried).all():
        entries["diverges"] = {"linestyle": "", "marker": "x"}
    keys(ax, entries)
    label_ends(ax, ends)


def _looks(scaling: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the look of the lines of a scaling, and of the points on the lines of its optima."""
    line = {"color": COLOURS[scaling % len(COLOURS)], "linewidth": LINE_WIDTH}
    return line, {"marker": MARKERS[scaling % len(MARKERS)], "markersize": 4}
