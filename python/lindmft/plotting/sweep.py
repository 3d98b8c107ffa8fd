"""The loss of a sweep against one of its axes: a line for each value of another axis."""

import json
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft._internal.validation import (
    choice,
    conflict,
    mapping,
    missing,
    number,
    one_of,
    refuse,
    text,
)
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.lines import LOST, colours_of, cross, points
from lindmft.plotting.losses import new_axes
from lindmft.plotting.style import BLACK, LINE_WIDTH, MARKER_SIZE, hide_spines
from lindmft.plotting.ticks import logarithmic
from lindmft.problem.axes import short
from lindmft.results import statistics
from lindmft.results.dataset import check_sweep

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["sweep"]

MARKERS = "osD^v<>pP"
WIDE = 5.0
"""Ratio of the largest to the smallest value above which an axis is logarithmic."""
TALL = 1e3
"""Largest drawn ratio of a loss to the smallest one on its line: above it training fails."""
UNLIKE = "scatter above the mean"
WORDS = {"lr": "learning rate (lr)", "width": "width (hidden units per input dimension)"}
"""Labels of axes whose names need an explanation."""


def sweep(
    dataset: "xr.Dataset",
    x: str | None = None,
    lines: str | None = None,
    ax: "Axes | None" = None,
    *,
    observable: str = "test_loss",
    time: float | None = None,
    select: Mapping[str, Any] | None = None,
) -> "Axes":
    """Draw an observable of a sweep at one time against one axis, a line for each value of another.

    Theory is drawn as lines, training as the mean over networks with its standard error. Points are
    open where the networks scatter by more than their mean: beyond the edge of stability. A cross
    at the upper edge marks where the theory, or more than half of the networks, has diverged.

    Parameters
    ----------
    dataset
        The result of ``sweep``; points that are missing or failed are not drawn.
    x
        The axis along the picture; None: the last one.
    lines
        The axis with a line for each value; None: another axis, if there is one.
    ax
        Where to draw; None: a new figure.
    observable
        An observable without layers, such as "test_loss".
    time
        The time; None: the last one.
    select
        Values of the other axes, by name: ``{"depth": 3}``.

    Returns
    -------
    Axes
        Axes with a line for each value.

    Raises
    ------
    ValueError
        If an axis or an observable does not exist, or an axis is neither drawn nor selected.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2, 5 and 7: loss against learning rate.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> axes = {"network.width": [0.5, 2], "optimizer.lr": [0.05, 0.1, 0.2]}
    >>> ax = lm.plotting.sweep(lm.sweep(problem, axes, steps=20))
    >>> ax.get_xlabel(), len(ax.get_lines())
    ('learning rate (lr)', 2)
    """
    check_sweep(dataset)
    at = None if time is None else number(time, "time")
    fixed = {} if select is None else mapping(select, "select")
    chosen, x, lines = _chosen(dataset, x, lines, text(observable, "observable"), at, fixed)
    ax = given_axes(ax, new_axes)
    values = [None] if lines is None else list(range(chosen.sizes[lines]))
    colours, ends = colours_of(len(values)), []
    for i, value in enumerate(values):
        one = chosen if value is None else chosen.isel({lines: value})
        ends.append(_draw(ax, one, x, observable, colours[i], MARKERS[i % len(MARKERS)]))
    _dress(ax, chosen, x, observable, max(ends))
    _explain(ax, chosen, lines, observable, colours)
    return ax


def _chosen(
    dataset: "xr.Dataset",
    x: str | None,
    lines: str | None,
    observable: str,
    time: float | None,
    select: Mapping[str, Any],
) -> tuple["xr.Dataset", str, str | None]:
    """Return the drawn part of the dataset, with at most the two drawn dimensions, and these."""
    order = [str(dim) for dim in json.loads(dataset.attrs["configuration"])["order"]]
    order = [name for name in order if name in dataset.dims]
    if not order:
        refuse("dataset", "a sweep with at least one axis", dict(dataset.sizes))
    present = [name for name in _arrays(observable) if name in dataset]
    if not present:
        known = sorted({str(name).partition("_")[2] for name in dataset.data_vars})
        refuse("observable", one_of(known), observable)
    if any("layer" in dataset[name].dims for name in present):
        refuse(
            "observable", "one without layers (or select one: dataset.isel(layer=0))", observable
        )
    axis = choice(*order)
    for field, name in (("x", x), ("lines", lines)):
        if name is not None:
            axis(name, field)
    for name in select:
        axis(name, "a key of select")
    free = [name for name in order if name not in select]
    x = (free[-1] if free else order[-1]) if x is None else x
    rest = [name for name in free if name != x]
    lines = (rest[-1] if rest else None) if lines is None else lines
    left = [name for name in rest if name != lines]
    if x not in free:
        why = "the drawn axis keeps all its values"
        conflict(f"x={x!r}", f"select={dict(select)!r}", why, f"Leave {x!r} out of select")
    if left:
        name = left[0]
        missing(f"select[{name!r}]", f"{name} is not drawn (x={x!r}, lines={lines!r})")
    point = dataset.isel(time=-1) if time is None else _at(dataset, "time", time)
    for name, value in select.items():
        point = _at(point, name, value)
    states = [f"{name.partition('_')[0]}_status" for name in present]
    return point[[*present, *states]], x, lines


def _at(dataset: "xr.Dataset", name: str, value: Any) -> "xr.Dataset":
    values = dataset[name].values
    found = [i for i, entry in enumerate(values.tolist()) if _same(entry, value)]
    if not found:
        known = ", ".join(short(entry) for entry in values)
        refuse(name, f"one of {known}", value)
    return dataset.isel({name: found[0]})


def _same(entry: Any, value: Any) -> bool:
    """Return whether a value is that of a coordinate; True is not the number 1."""
    if not isinstance(value, str | np.bool_ | numbers.Real):
        return False
    return isinstance(value, bool | np.bool_) == isinstance(entry, bool) and bool(value == entry)


def _arrays(observable: str) -> tuple[str, str]:
    return f"theory_{observable}", f"training_{observable}"


def _draw(
    ax: "Axes", one: "xr.Dataset", x: str, observable: str, colour: Any, marker: str
) -> float:
    """Draw a line and its points; return the largest x of them."""
    along, _ = _positions(one[x].values)
    theory, training = _arrays(observable)
    far, lost = [along[0]], np.zeros(len(along), bool)
    if training in one:
        mean, error, lost = _over_seeds(one[training].transpose(x, "seed").values)
        shown = np.isfinite(mean)
        alike = _alike(mean, error, one.sizes["seed"])
        for at, face, label in ((alike, colour, "_"), (shown & ~alike, "white", UNLIKE)):
            if at.any():
                look = {"markerfacecolor": face, "label": label}
                points(ax, along[at], mean[at], error[at], marker, colour, **look)
        far += list(along[shown][-1:])
    if theory in one:
        y = one[theory].values
        shown, lost = np.isfinite(y), np.isinf(y)
        ax.plot(along[shown], y[shown], color=colour, linewidth=LINE_WIDTH, zorder=2)
        far += list(along[shown][-1:])
    if lost.any():  # a cross at the first of them only: training fails at larger values, too
        cross(ax, along[lost][0], colour)
        far.append(along[lost][0])
    return float(max(far))


def _over_seeds(values: Array) -> tuple[Array, Array, Any]:
    """Return mean and standard error of the finite ``values``, and where most have diverged."""
    finite = np.where(np.isfinite(values), values, np.nan).T
    lost = np.isinf(values).sum(axis=1) * 2 > values.shape[1]
    mean, error = statistics.mean(finite), statistics.standard_error(finite)
    return (
        np.where(lost | np.isnan(mean), np.inf, mean),
        np.where(np.isfinite(error), error, 0.0),
        lost,
    )


def _alike(mean: Array, error: Array, networks: int) -> Any:
    """Return where networks scatter by less than their mean, so that the mean describes them."""
    return np.isfinite(mean) & (error * np.sqrt(networks) < mean)


def _positions(values: "np.ndarray[Any, Any]") -> tuple[Array, bool]:
    """Return positions on the axis, and whether they are the values; text is spaced evenly."""
    numeric = values.dtype.kind in "iuf" and bool(np.isfinite(values).all())
    return (values.astype(float), True) if numeric else (np.arange(len(values), dtype=float), False)


def _dress(ax: "Axes", chosen: "xr.Dataset", x: str, observable: str, far: float) -> None:
    along, numeric = _positions(chosen[x].values)
    if numeric and along.min() > 0 and along.max() > WIDE * along.min():
        logarithmic(ax, "x")
        ax.set_xlim(along.min() / 1.1, far * 1.1)
    elif not numeric:
        ax.set_xticks(along, [short(value) for value in chosen[x].values])
    logarithmic(ax, "y")
    ax.set_ylim(*_limits(chosen, x, observable))
    time = float(chosen.time)
    ax.set(xlabel=WORDS.get(x, x), ylabel=f"{observable.replace('_', ' ')} at t = {time:g}")
    hide_spines(ax)


def _limits(chosen: "xr.Dataset", x: str, observable: str) -> tuple[float, float]:
    """Return the limits of the losses, without those of runs that are about to diverge."""
    found = [chosen[name].values for name in _arrays(observable) if name in chosen]
    flat = np.concatenate([array.reshape(-1) for array in found])
    flat = flat[np.isfinite(flat) & (flat > 0)]
    if not len(flat):
        return 0.1, 10.0
    theory = _arrays(observable)[0]
    lowest = flat.min()
    if theory in chosen:
        best = chosen[theory].where(np.isfinite(chosen[theory])).min(x).values
        highest = min(flat.max(), TALL * float(np.nanmax(best)) if np.isfinite(best).any() else 1.0)
    else:
        highest = min(flat.max(), TALL * lowest)
    return lowest / 1.5, max(highest, 2 * lowest) * 1.5


def _explain(
    ax: "Axes", chosen: "xr.Dataset", lines: str | None, observable: str, colours: list[Any]
) -> None:
    """Draw the legend beside the picture: the values of the lines, then lines, points, crosses."""
    line = optional("matplotlib.lines", "plot").Line2D
    theory, training = (name in chosen for name in _arrays(observable))
    handles = []
    if lines is not None:
        for i, (value, colour) in enumerate(zip(chosen[lines].values, colours, strict=True)):
            look = {"linestyle": "-" if theory else "", "markersize": MARKER_SIZE}
            look |= {"marker": MARKERS[i % len(MARKERS)]} if training else {}
            handles.append(line([], [], color=colour, label=short(value), **look))
    if theory:
        handles.append(line([], [], color=BLACK, linewidth=LINE_WIDTH, label="theory"))
    alone = {"color": BLACK, "linestyle": ""}
    dot = {**alone, "marker": "o", "markersize": MARKER_SIZE}
    if training:
        handles.append(line([], [], **dot, label=f"mean of {chosen.sizes['seed']} networks"))
    if any(found.get_label() == UNLIKE for found in ax.containers):
        handles.append(line([], [], **dot, markerfacecolor="white", label=UNLIKE))
    if any(found.get_label() == LOST for found in ax.get_lines()):
        handles.append(line([], [], **alone, marker="x", markersize=4, label=LOST))
    ax.legend(
        handles=handles,
        title=lines,
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
    )
