"""Learning rate times sharpness over time, and the threshold of stability."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lindmft._internal.types import Array, Number
from lindmft._internal.validation import instance, number, refuse
from lindmft.analysis.edges.result import NAMES, EdgeOfStability
from lindmft.analysis.edges.run import SharpnessRun
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.labels import End, label_ends
from lindmft.plotting.lines import points
from lindmft.plotting.losses import keys, new_axes, symmetric_axis
from lindmft.plotting.style import GUIDE, LINE_WIDTH, MARKERS, hide_spines, ordered_colours
from lindmft.problem.axes import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["edge_of_stability"]

HIGHEST = 2.0
"""Upper limit of the axis in units of the threshold, for runs that go far beyond it."""
MOST = 6
"""Largest number of lines."""


def edge_of_stability(
    found: EdgeOfStability, ax: "Axes | None" = None, *, lr: Number | None = None
) -> "Axes":
    """Draw learning rate times sharpness over time, with a line at the threshold of stability.

    Lines are solid as long as they are the prediction, and dotted after ``SharpnessRun.until``.
    Points are means over trained networks with standard errors, open where the line is dotted.

    Parameters
    ----------
    found
        The result of ``lindmft.edge_of_stability``.
    ax
        Where to draw; None: a new figure.
    lr
        Draw the runs of all widths and parameterizations at this learning rate, one of those of
        ``found``. None: draw all learning rates, at the first width and parameterization.

    Returns
    -------
    Axes
        Axes with a line for each run, up to six of them.

    Raises
    ------
    ValueError
        If there are no runs at this learning rate.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 15.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> found = lm.edge_of_stability(problem, 50, lr=[0.1, 0.2, 0.3])
    >>> ax = lm.plotting.edge_of_stability(found)
    >>> len(ax.get_lines()), ax.get_ylabel()
    (4, 'learning rate times sharpness')
    """
    instance(found, "found", "what edge_of_stability returns", EdgeOfStability)
    runs = _chosen(found, lr)
    ax = given_axes(ax, new_axes)
    threshold = _threshold(runs)
    looks = _looks(runs, lr is not None)
    ends = [_draw(ax, run, look, threshold) for run, look in zip(runs, looks, strict=True)]
    level = threshold or 1.0
    symmetric_axis(ax, max(run.time[-1] for run in runs))
    ax.axhline(level, color=GUIDE, linewidth=0.9, zorder=1)
    _limit_height(ax, runs, threshold, level)
    product = "learning rate times sharpness"
    ax.set(xlabel="step t", ylabel=product if threshold else f"{product} over threshold")
    hide_spines(ax)
    bottom, top = ax.get_ylim()
    shown = [end for end in ends if end is not None and bottom <= end.value <= top]
    label_ends(ax, [*shown, End(ax.get_xlim()[1], level, "threshold", GUIDE)])
    _explain(ax, runs, found.dim)
    return ax


def _chosen(found: EdgeOfStability, lr: Any) -> list[SharpnessRun]:
    if lr is None:
        first = found.runs[0]
        group = (first.parameterization, first.width)
        chosen = [run for run in found.runs if (run.parameterization, run.width) == group]
    else:
        rate = number(lr, "lr")
        chosen = [run for run in found.runs if np.isclose(run.lr, rate)]
        if not chosen:
            rates = ", ".join(f"{one:.4g}" for one in sorted({run.lr for run in found.runs}))
            refuse("lr", f"a learning rate of these runs ({rates})", lr)
    values = sorted({_value(run, lr is not None) for run in chosen})
    kept = {values[i] for i in np.linspace(0, len(values) - 1, MOST).round().astype(int)}
    return [run for run in chosen if _value(run, lr is not None) in kept]


def _value(run: SharpnessRun, sizes: bool) -> float:
    """Return the number that the colour of a run stands for."""
    return run.width if sizes else run.lr


class _Look(NamedTuple):
    """The look of a run: its label, colour, marker and dashes."""

    label: str
    colour: Any
    marker: str
    dashes: str


def _looks(runs: Sequence[SharpnessRun], sizes: bool) -> list[_Look]:
    values = sorted({_value(run, sizes) for run in runs})
    names = list(dict.fromkeys(run.parameterization for run in runs))
    colours = ordered_colours(len(values))
    looks = []
    for run in runs:
        i = values.index(_value(run, sizes))
        label = f"{'width' if sizes else 'lr'} {short(float(f'{values[i]:.3g}'))}"
        dashes = "-" if run.parameterization == names[0] else "--"
        looks.append(_Look(label, colours[i], MARKERS[i % len(MARKERS)], dashes))
    return looks


def _threshold(runs: Sequence[SharpnessRun]) -> float | None:
    """Return the threshold if it is the same for all steps of these runs, else None."""
    values = np.unique([run.threshold for run in runs])
    return float(values[0]) if len(values) == 1 and values[0] > 0 else None


def _draw(ax: "Axes", run: SharpnessRun, look: _Look, threshold: float | None) -> End | None:
    """Draw a run, and return the end of its line with its label; None if nothing is finite."""
    y = run.product if threshold else run.ratio
    line = {"color": look.colour, "linewidth": LINE_WIDTH, "zorder": 2}
    if run.networks is not None:
        _networks(ax, run, look, threshold)
    shown = np.flatnonzero(run.predicted)
    if not len(shown):
        return None
    ax.plot(run.time[shown], y[shown], look.dashes, **line)
    last = shown[-1]
    later = np.flatnonzero(np.isfinite(y) & (np.arange(len(y)) >= last))
    if len(later) > 1:
        ax.plot(run.time[later], y[later], ":", **line)
    return End(run.time[last], y[last], look.label, look.colour)


def _networks(ax: "Axes", run: SharpnessRun, look: _Look, threshold: float | None) -> None:
    """Draw means over networks with standard errors, in the unit of the line."""
    factor = run.learning_rate if threshold else run.learning_rate / run.threshold
    mean, error = run.network_mean, run.network_error
    finite = np.isfinite(mean)
    for at, face in ((finite & run.predicted, look.colour), (finite & ~run.predicted, "white")):
        if at.any():
            y, bar = factor[at] * mean[at], factor[at] * error[at]
            points(ax, run.time[at], y, bar, look.marker, look.colour, markerfacecolor=face)


def _limit_height(
    ax: "Axes", runs: Sequence[SharpnessRun], threshold: float | None, level: float
) -> None:
    values: list[Array] = [(run.product if threshold else run.ratio) for run in runs]
    finite = np.concatenate([one[np.isfinite(one)] for one in values])
    ax.set_ylim(0.0, min(HIGHEST * level, max(1.12 * level, 1.06 * float(finite.max(initial=0)))))


def _explain(ax: "Axes", runs: Sequence[SharpnessRun], dim: int | None) -> None:
    """Draw a legend of the styles that are drawn."""
    names = list(dict.fromkeys(run.parameterization for run in runs))
    entries: dict[str, dict[str, Any]] = {
        (NAMES.get(name, name) if len(names) > 1 else "theory"): {"linestyle": dashes}
        for name, dashes in zip(names, ("-", "--"), strict=False)
    }
    if any(run.until is not None for run in runs):
        entries["no prediction any more"] = {"linestyle": ":"}
    trained = [run.networks for run in runs if run.networks is not None]
    if trained:
        text = f"mean of {len(trained[0])} networks, D = {dim}"
        entries[text] = {"linestyle": "", "marker": "o"}
    if len(entries) > 1:
        keys(ax, entries)
