"""Power laws: losses in log-log with the predicted slopes as guides, and the local exponents below.

Curves differ in colour, dashes and their labels; predictions are thin grey lines with their names.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._curves import Trajectory, as_curve
from lindmft._optional import optional
from lindmft._types import Array, Number
from lindmft.exponents import local_exponent
from lindmft.plotting.losses import COLOURS, End, label_ends
from lindmft.predictions import labelled, predicted_exponents, spectrum_source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["exponents"]

DASHES = ("-", "--", "-.", ":")
GUIDE = "0.45"


def exponents(
    curves: Mapping[str, Trajectory],
    source: Number | None = None,
    axes: "tuple[Axes, Axes] | None" = None,
    *,
    floor: float = 0.0,
    span: float = 0.25,
    observable: str = "test_loss",
) -> "tuple[Axes, Axes]":
    """Draw losses against time, and below them their local exponents d log L / d log t.

    Parameters
    ----------
    curves
        By label: solutions, ensembles (of which the mean is drawn), or pairs (time, loss).
    source
        b of power-law data, for guides of the lazy and the rich slope; None: that of the first
        result with a power-law spectrum, else no guides.
    axes
        Where to draw, losses and exponents; None: a new figure.
    floor, span, observable
        As for ``local_exponent``.

    Returns
    -------
    tuple
        The axes of the losses, and those of the exponents.

    Raises
    ------
    ValueError
        Bad input, as in ``local_exponent``.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.MLP(width=float("inf"), gamma0=0)
    >>> problem = lm.Problem(network, lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1))
    >>> upper, lower = lm.plotting.exponents({"lazy": lm.solve(problem, 300)}, source=0.5)
    >>> lower.get_ylabel()
    'd log L / d log t'
    """
    items = labelled(curves)
    upper, lower = _new_axes() if axes is None else axes
    ends: tuple[list[End], list[End]] = ([], [])
    for i, (label, curve) in enumerate(items.items()):
        read = as_curve(curve, observable=observable, floor=floor)
        slopes = local_exponent((read.time, read.loss), span=span).exponent
        look = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        for ax, values, found in zip((upper, lower), (read.loss, slopes), ends, strict=True):
            found.append(_draw(ax, read.time, values, label, *look))
    _dress(upper, lower, floor)
    _guide(upper, lower, _source(items, source))
    for ax, found in zip((upper, lower), ends, strict=True):
        label_ends(ax, found)
    return upper, lower


def _draw(ax: "Axes", time: Array, values: Array, label: str, colour: str, dashes: str) -> End:
    ax.plot(time, values, dashes, color=colour, linewidth=1.6, zorder=3)
    return End(time[-1], values[-1], label, colour)


def _source(items: Mapping[str, Any], source: Any) -> float | None:
    if source is not None:
        return predicted_exponents(source).source
    found = (spectrum_source(curve) for curve in items.values())
    return next((b for b in found if b is not None), None)


def _guide(upper: "Axes", lower: "Axes", source: float | None) -> None:
    """Predicted slopes: lines through the first curve's middle above, levels below."""
    if source is None:
        return
    predicted = predicted_exponents(source)
    names = {"lazy": predicted.lazy, "rich": predicted.rich}
    if predicted.lazy == predicted.rich:
        names = {"lazy and rich": predicted.lazy}
    for i, (name, slope) in enumerate(names.items()):
        _guide_line(upper, slope, i)
        lower.axhline(slope, color=GUIDE, linewidth=0.9, zorder=1)
        lower.annotate(
            f"{name} {slope:.3g}",
            (0.0, slope),
            xycoords=("axes fraction", "data"),
            xytext=(4, 2.5),
            textcoords="offset points",
            color=GUIDE,
            fontsize="small",
        )


def _guide_line(ax: "Axes", slope: float, place: int) -> None:
    """A stretch of t^slope beside the curve ``place``, so that no guide hides it."""
    curves = ax.get_lines()
    line = curves[min(place, len(curves) - 1)]
    time, loss = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    reach = np.log(time[-1] / time[0])
    t = time[0] * np.exp(reach * np.array([0.5, 0.8]))
    # Above the upper curve and below the lower one.
    offset = 1.8 if loss[-1] >= curves[1 - place if len(curves) > 1 else 0].get_ydata()[-1] else 0.5
    start = offset * np.exp(np.interp(np.log(t[0]), np.log(time), np.log(loss)))
    ax.plot(t, start * (t / t[0]) ** slope, color=GUIDE, linewidth=0.9, zorder=2)
    ax.annotate(
        f"$t^{{{slope:.3g}}}$",
        (t[1], start * (t[1] / t[0]) ** slope),
        xytext=(4, 0),
        textcoords="offset points",
        color=GUIDE,
        fontsize="small",
        va="center",
    )


def _dress(upper: "Axes", lower: "Axes", floor: float) -> None:
    for ax in (upper, lower):
        ax.set_xscale("log")
        ax.spines[["top", "right"]].set_visible(False)
    upper.set_yscale("log")
    upper.set_ylabel("loss L" if floor == 0 else f"loss L less {floor:.3g}")
    lower.set_ylabel("d log L / d log t")
    lower.set_xlabel("time t")


def _new_axes() -> "tuple[Axes, Axes]":
    """Two axes that share their times; the losses get more room."""
    figure = optional("matplotlib.pyplot", "plot").figure(figsize=(5.6, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    return upper, lower
