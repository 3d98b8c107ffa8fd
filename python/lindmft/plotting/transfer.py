"""Transfer: best learning rates against size, and the losses with the rate of another size."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._axes import short
from lindmft._gate import refuse
from lindmft._optional import optional
from lindmft.plotting.losses import COLOURS, End, keys, label_ends
from lindmft.plotting.sweep import plain_ticks
from lindmft.transfer import Transfer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["transfer"]

MARKERS = "osD^v<"


def transfer(table: Transfer, axes: "tuple[Axes, Axes] | None" = None) -> "tuple[Axes, Axes]":
    """Draw a transfer table: best learning rates, and losses with the base's rate.

    Left: the best rate at every size (solid) and the largest that does not diverge (dotted). Right:
    the loss with the best rate (solid) and with that of the base size (dashed); a cross at the
    upper edge marks where the latter diverges.

    Parameters
    ----------
    table
        What ``transfer`` returns.
    axes
        Where to draw, a pair; None: a new figure.

    Returns
    -------
    pair of Axes
        The rates, and the losses.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> table = lm.transfer(problem, "network.width", [1, 2, 4], steps=20)
    >>> rates, losses = lm.plotting.transfer(table)
    >>> rates.get_ylabel(), losses.get_xlabel()
    ('learning rate', 'width')
    """
    if not isinstance(table, Transfer):
        refuse("table", "what transfer returns", type(table).__name__)
    left, right = axes or _new_pair()
    rates, losses = [], []
    for s, name in enumerate(table.scalings):
        look: dict[str, Any] = {"color": COLOURS[s % len(COLOURS)], "linewidth": 1.6}
        marked = look | {"marker": MARKERS[s % len(MARKERS)], "markersize": 4}
        left.plot(table.sizes, table.lr[s], "-", **marked)
        left.plot(table.sizes, table.edge[s], ":", **look)
        right.plot(table.sizes, table.loss[s], "-", **marked)
        carried = table.carried[s, table.base]
        shown = np.isfinite(carried)
        right.plot(table.sizes[shown], carried[shown], "--", **look)
        for size in table.sizes[~shown]:
            right.plot(
                [size],
                [1.0],
                "x",
                color=look["color"],
                markersize=4,
                transform=right.get_xaxis_transform(),
                clip_on=False,
            )
        rates.append(End(table.sizes[-1], table.lr[s, -1], name, str(look["color"])))
        losses.append(End(table.sizes[-1], table.loss[s, -1], name, str(look["color"])))
    _dress(table, left, right)
    label_ends(left, rates)
    label_ends(right, losses)
    return left, right


def _dress(table: Transfer, left: "Axes", right: "Axes") -> None:
    name = table.path.rpartition(".")[2]
    for ax in (left, right):
        ax.set(xscale="log", yscale="log", xlabel=name)
        ax.set_xticks(table.sizes, [short(size) for size in table.sizes], minor=False)
        ax.minorticks_off()
        ax.spines[["top", "right"]].set_visible(False)
    if table.edge.max() < 1e3 * table.lr.min():
        plain_ticks(left.yaxis)
    base = short(table.sizes[table.base])
    left.set_ylabel("learning rate")
    right.set_ylabel(f"{table.objective.replace('_', ' ')} after {table.steps} steps")
    keys(left, {"best": {"linestyle": "-"}, "largest that is stable": {"linestyle": ":"}})
    lost = {"diverges": {"linestyle": "", "marker": "x"}}
    entries = {
        "with the best rate": {"linestyle": "-"},
        f"with that of {name} {base}": {"linestyle": "--"},
    }
    diverges = not np.isfinite(table.carried[:, table.base]).all()
    keys(right, entries | (lost if diverges else {}))


def _new_pair() -> "tuple[Axes, Axes]":
    figure = optional("matplotlib.pyplot", "plot").figure(figsize=(10.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    return left, right
