"""Largest stable learning rates against richness, width or any other positive parameter."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import (
    is_list,
    mapping,
    number,
    refuse,
    text,
    tuple_of_numbers,
)
from lindmft.analysis.predictions import labelled
from lindmft.analysis.stability import StableRate
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.losses import new_axes
from lindmft.plotting.style import COLOURS, LINE_WIDTH, MARKER_SIZE, guide, hide_spines
from lindmft.plotting.ticks import logarithmic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["stability"]

LOOKS = ("-o", "--s", "-.^", ":D")


def stability(
    rates: "Mapping[str, tuple[Numbers, Numbers | Sequence[StableRate]]]",
    slopes: Mapping[str, Number] | None = None,
    ax: "Axes | None" = None,
    *,
    xlabel: str = "richness gamma0",
) -> "Axes":
    """Draw largest stable learning rates against a parameter in log-log, with guides.

    Parameters
    ----------
    rates
        Pairs of parameter values (m,) and rates (m,), by label; rates are numbers or results of
        ``largest_stable_lr``. Each pair is a curve.
    slopes
        Power of the parameter for a guide through the last point of a curve, by label.
    ax
        Where to draw; None: a new figure.
    xlabel
        Name of the parameter.

    Returns
    -------
    Axes
        Axes with a curve for each label, and the guides.

    Raises
    ------
    ValueError
        If values are not positive, the lengths in a pair differ, or a slope has no curve.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 12, item 10; Bordelon and Pehlevan (2025), figure 8.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(width=float("inf")), lm.Population(), lm.SGD(lr=0.1))
    >>> gammas = [3, 10, 30]
    >>> runs = [problem.replace(**{"network.gamma0": gamma}) for gamma in gammas]
    >>> edges = [lm.largest_stable_lr(run, 40) for run in runs]
    >>> len(lm.plotting.stability({"L = 1": (gammas, edges)}, {"L = 1": -1}).get_lines())
    2
    """
    curves = {label: _pair(label, pair) for label, pair in labelled(rates, "rates").items()}
    powers = {} if slopes is None else mapping(slopes, "slopes")
    guides = {k: number(v, f"slopes[{k!r}]") for k, v in powers.items()}
    text(xlabel, "xlabel")
    for label in guides:
        if label not in curves:
            refuse("slopes", f"given for labels of rates, {sorted(curves)}", label)
    ax = given_axes(ax, new_axes)
    ends = []
    for i, (label, (x, y)) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        look: dict[str, Any] = {
            "color": colour,
            "linewidth": LINE_WIDTH,
            "markersize": MARKER_SIZE,
        }
        ax.plot(x, y, LOOKS[i % len(LOOKS)], **look)
        name = label
        if label in guides:
            guide(ax, x, y[-1] * (x / x[-1]) ** guides[label])
            name = f"{label}, slope ${guides[label]:.3g}$"
        ends.append(End(x[-1], y[-1], name, colour))
    ax.set(xlabel=xlabel, ylabel="largest stable lr")
    logarithmic(ax, "xy")
    hide_spines(ax)
    label_ends(ax, ends)
    return ax


def _pair(label: str, pair: Any) -> tuple[Array, Array]:
    field = f"rates[{label!r}]"
    whole = isinstance(pair, tuple) and len(pair) == 2
    if not whole or not all(map(is_list, pair)):
        refuse(field, "a pair of parameter values and rates", pair)
    given = [edge.lr if isinstance(edge, StableRate) else edge for edge in pair[1]]
    x, y = (np.array(tuple_of_numbers(list(values), field)) for values in (pair[0], given))
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"{field} must be two lists of the same length of at least 1, "
            f"got lengths {len(x)} and {len(y)}"
        )
    if not (np.concatenate([x, y]) > 0).all():
        refuse(field, "positive numbers", pair)
    return x, y
