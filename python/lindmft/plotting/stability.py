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
from lindmft.plotting.style import COLOURS
from lindmft.plotting.ticks import plain_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["stability"]

LOOKS = ("-o", "--s", "-.^", ":D")
GUIDE = "0.4"


def stability(
    rates: "Mapping[str, tuple[Numbers, Numbers | Sequence[StableRate]]]",
    slopes: Mapping[str, Number] | None = None,
    ax: "Axes | None" = None,
    *,
    xlabel: str = "richness gamma0",
) -> "Axes":
    """Draw largest stable learning rates in log-log, one curve a label, with guides of given slope.

    Parameters
    ----------
    rates
        By label, pairs of parameter values (m,) and of rates (m,): numbers, or what
        ``largest_stable_lr`` returns.
    slopes
        By label, the power of the parameter that a guide through the curve's last point has.
    ax
        Where to draw; None: a new figure.
    xlabel
        What the parameter is.

    Returns
    -------
    Axes
        With a curve for each label, and the guides.

    Raises
    ------
    ValueError
        If values are not positive, pairs of different lengths, or a slope has no curve.
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
            refuse("slopes", f"for labels of rates, {sorted(curves)}", label)
    ax = given_axes(ax, new_axes)
    ends = []
    for i, (label, (x, y)) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(x, y, LOOKS[i % len(LOOKS)], color=colour, linewidth=1.6, markersize=3.6)
        name = label
        if label in guides:
            ax.plot(x, y[-1] * (x / x[-1]) ** guides[label], color=GUIDE, linewidth=0.9, zorder=1)
            name = f"{label}, slope ${guides[label]:.3g}$"
        ends.append(End(x[-1], y[-1], name, colour))
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="largest stable lr")
    plain_ticks(ax.xaxis)
    plain_ticks(ax.yaxis)
    ax.spines[["top", "right"]].set_visible(False)
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
        raise ValueError(f"{field} must be of one length above 0, got {len(x)} and {len(y)}")
    if not (np.concatenate([x, y]) > 0).all():
        refuse(field, "positive numbers", pair)
    return x, y
