"""Power laws: losses in log-log with the predicted slopes as guides, and the local exponents below.

Curves differ in colour, dashes and their labels; predictions are thin grey lines with their names.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Number
from lindmft.analysis.curves import Trajectory, as_curve
from lindmft.analysis.exponents import local_exponent
from lindmft.analysis.predictions import (
    PredictedExponents,
    labelled,
    network_depth,
    predicted_exponents,
    spectrum_source,
)
from lindmft.plotting.arguments import given_pair
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.style import COLOURS, DASHES, GUIDE, LINE_WIDTH, guide, hide_spines
from lindmft.plotting.ticks import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["exponents"]


def exponents(
    curves: Mapping[str, Trajectory],
    source: Number | None = None,
    axes: "tuple[Axes, Axes] | None" = None,
    *,
    floor: float = 0.0,
    span: float = 0.25,
    observable: str = "test_loss",
    depth: Number | None = None,
) -> "tuple[Axes, Axes]":
    """Draw losses against time, and below them their local exponents d log L / d log t.

    Parameters
    ----------
    curves
        Solutions, ensembles (whose mean is drawn), or pairs (time, loss), by label.
    source
        b of power-law data, for guides of the lazy and the rich slope; None: that of the first
        result with a power-law spectrum, otherwise no guides.
    axes
        Where to draw, losses and exponents; None: a new figure.
    floor, span, observable
        As for ``local_exponent``.
    depth
        L, for the rich slope; None: the depths of the results' networks, each drawn once among
        the exponents, or 1 if no result has a network.

    Returns
    -------
    tuple
        The axes of the losses, and those of the exponents.

    Raises
    ------
    ValueError
        If the input is refused, as in ``local_exponent``.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Guides are those of theory section 12, item 11; Bordelon and Pehlevan (2025), figures 6 and 10.

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
    predicted = _predictions(items, source, depth)
    read = {k: as_curve(v, observable=observable, floor=floor) for k, v in items.items()}
    found = [local_exponent((c.time, c.loss), span=span).exponent for c in read.values()]
    upper, lower = given_pair(axes, _new_axes)
    ends = []
    for i, ((label, curve), slopes) in enumerate(zip(read.items(), found, strict=True)):
        colour, dashes = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        look: dict[str, Any] = {"color": colour, "linewidth": LINE_WIDTH, "zorder": 3}
        upper.plot(curve.time, curve.loss, dashes, **look)
        lower.plot(curve.time, slopes, dashes, **look)
        ends.append(End(curve.time[-1], curve.loss[-1], label, colour))
    _dress(upper, lower, floor)
    if predicted:
        _draw_predictions(upper, lower, predicted)
    label_ends(upper, ends)
    return upper, lower


def _predictions(items: Mapping[str, Any], source: Any, depth: Any) -> list[PredictedExponents]:
    """Return predictions by increasing depth; none without a source exponent."""
    found = (spectrum_source(curve) for curve in items.values())
    b = next((b for b in found if b is not None), None) if source is None else source
    depths = {each for each in map(network_depth, items.values()) if each is not None}
    layers = (sorted(depths) or [1]) if depth is None else [depth]
    if b is None:
        predicted_exponents(1, layers[0])  # for its check of the depth
        return []
    return [predicted_exponents(b, each) for each in layers]


def _draw_predictions(upper: "Axes", lower: "Axes", found: list[PredictedExponents]) -> None:
    """Draw the lazy slope above all losses, the rich one below them, and both as levels.

    The rich slopes of several depths are close to each other: they are drawn as levels only.
    """
    predicted = found[0]
    same = predicted.lazy == predicted.rich
    times = [np.asarray(line.get_xdata(), float) for line in upper.get_lines()]
    losses = [np.asarray(line.get_ydata(), float) for line in upper.get_lines()]
    first, last = min(t[0] for t in times), max(t[-1] for t in times)
    ends = first * (last / first) ** np.array([0.5, 0.8])
    lines = [_interpolated(ends[0], t, x) for t, x in zip(times, losses, strict=True)]
    _draw_guide(upper, ends, 1.8 * max(lines), predicted.lazy, above=True)
    levels = {"lazy and rich" if same else "lazy": predicted.lazy}
    if not same:
        if len(found) == 1:
            _draw_guide(upper, ends, min(lines) / 1.8, predicted.rich, above=False)
        levels |= {_rich_name(each, len(found)): each.rich for each in found}
    lower.hlines(list(levels.values()), first, last, colors=GUIDE, linewidth=0.9, zorder=1)
    lower.autoscale_view()
    named = [End(last, value, f"{name} ${value:.3g}$", GUIDE) for name, value in levels.items()]
    label_ends(lower, named)


def _rich_name(predicted: PredictedExponents, count: int) -> str:
    return "rich" if count == 1 else f"rich, $L$ = {predicted.depth:g}"


def _interpolated(time: float, times: Array, losses: Array) -> float:
    return float(np.exp(np.interp(np.log(time), np.log(times), np.log(losses))))


def _draw_guide(ax: "Axes", times: Array, start: float, slope: float, *, above: bool) -> None:
    """Draw a straight segment, with its slope written on the side away from the curves."""
    values = start * (times / times[0]) ** slope
    guide(ax, times, values, zorder=2)
    ax.annotate(
        f"$t^{{{slope:.3g}}}$",
        (np.sqrt(times.prod()), np.sqrt(values.prod())),
        xytext=(5, 3) if above else (-5, -3),
        textcoords="offset points",
        color=GUIDE,
        ha="left" if above else "right",
        va="bottom" if above else "top",
    )


def _dress(upper: "Axes", lower: "Axes", floor: float) -> None:
    for ax in (upper, lower):
        logarithmic(ax, "x")
        hide_spines(ax)
    logarithmic(upper, "y")
    upper.set_ylabel("loss L" if floor == 0 else f"loss L less {floor:.3g}")
    lower.set_ylabel("d log L / d log t")
    lower.set_xlabel("time t")


def _new_axes() -> "tuple[Axes, Axes]":
    """Return two axes that share their times; the losses get more room."""
    figure = optional("matplotlib.pyplot", "plot").figure(figsize=(5.6, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    return upper, lower
