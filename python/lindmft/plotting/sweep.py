"""A sweep's loss against one of its axes: a line for each value of another, training as points."""

import json
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft._internal.validation import choice, mapping, number, one_of, refuse, text
from lindmft.plotting.arguments import given_axes
from lindmft.plotting.lines import LOST, colours_of, cross
from lindmft.plotting.losses import new_axes
from lindmft.plotting.ticks import plain_ticks
from lindmft.problem.axes import short
from lindmft.results.dataset import check_sweep

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["sweep"]

MARKERS = "osD^v<>pP"
WIDE = 5.0
"""Positive values whose ratio is larger are drawn on a logarithmic axis."""
TALL = 1e3
"""Losses further above the smallest one on a line than this say only that training fails."""
UNLIKE = "scatter above the mean"
WORDS = {"lr": "learning rate (lr)", "width": "width (hidden units per input dimension)"}
"""Of axes that one would have to look up."""


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
    """Draw an observable of a sweep at one time against one axis, a line a value of another.

    Theory is drawn as lines, training as the mean over networks with its standard error, open where
    the networks differ by more than their mean: beyond the edge of stability. A cross at the upper
    edge marks where the theory, or half of the networks, has diverged.

    Parameters
    ----------
    dataset
        What ``sweep`` returns; points that are missing or failed are left out.
    x
        The axis along the picture; None: the last one.
    lines
        The axis whose values get a line each; None: the other one, if there is another.
    ax
        Where to draw; None: a new figure.
    observable
        Without layers, such as "test_loss".
    time
        At which time; None: the last.
    select
        Values of the other axes, by name: ``{"depth": 3}``.

    Returns
    -------
    Axes
        With a line for each value.

    Raises
    ------
    ValueError
        If a name is not there, or an axis is neither drawn nor selected.
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
    """The part that is drawn, with at most the two dimensions that it is drawn along."""
    order = [str(dim) for dim in json.loads(dataset.attrs["configuration"])["order"]]
    order = [name for name in order if name in dataset.dims]
    if not order:
        refuse("dataset", "of at least one axis", dict(dataset.sizes))
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
    if x not in free or left:
        allowed = f"a value for each axis but {x} and {lines}" if left else "without the axis drawn"
        refuse("select", allowed, dict(select))
    point = dataset.isel(time=-1) if time is None else _at(dataset, "time", time)
    for name, value in select.items():
        point = _at(point, name, value)
    states = [f"{name.partition('_')[0]}_status" for name in present]
    return point[[*present, *states]], x, lines


def _at(dataset: "xr.Dataset", name: str, value: Any) -> "xr.Dataset":
    values = dataset[name].values
    places = [i for i, entry in enumerate(values.tolist()) if _same(entry, value)]
    if not places:
        known = ", ".join(short(entry) for entry in values)
        refuse(name, f"one of {known}", value)
    return dataset.isel({name: places[0]})


def _same(entry: Any, value: Any) -> bool:
    """Whether a value is that of a coordinate: True is not the number 1."""
    if not isinstance(value, str | np.bool_ | numbers.Real):
        return False
    return isinstance(value, bool | np.bool_) == isinstance(entry, bool) and bool(value == entry)


def _arrays(observable: str) -> tuple[str, str]:
    return f"theory_{observable}", f"training_{observable}"


def _draw(
    ax: "Axes", one: "xr.Dataset", x: str, observable: str, colour: Any, marker: str
) -> float:
    """A line and its points; how far they go."""
    along, _ = _positions(one[x].values)
    theory, training = _arrays(observable)
    far, lost = [along[0]], np.zeros(len(along), bool)
    if training in one:
        mean, error, lost = _over_seeds(one[training].transpose(x, "seed").values)
        shown = np.isfinite(mean)
        alike = _alike(mean, error, one.sizes["seed"])
        look = {"color": colour, "markersize": 3.6, "elinewidth": 1.2, "zorder": 3}
        for at, face, label in ((alike, colour, ""), (shown & ~alike, "white", UNLIKE)):
            if at.any():
                look |= {"markerfacecolor": face, "label": label or "_"}
                ax.errorbar(along[at], mean[at], yerr=error[at], fmt=marker, **look)
        far += list(along[shown][-1:])
    if theory in one:
        y = one[theory].values
        shown, lost = np.isfinite(y), np.isinf(y)
        ax.plot(along[shown], y[shown], color=colour, linewidth=1.6, zorder=2)
        far += list(along[shown][-1:])
    if lost.any():  # the first of them: beyond it, nothing trains
        cross(ax, along[lost][0], colour)
        far.append(along[lost][0])
    return float(max(far))


def _over_seeds(values: Array) -> tuple[Array, Array, Any]:
    """Mean and standard error over the networks that did not diverge; where most of them did."""
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    lost = np.isinf(values).sum(axis=1) * 2 > values.shape[1]
    some = np.where(finite, values, 0.0)
    mean = np.divide(some.sum(axis=1), count, out=np.full(len(count), np.inf), where=count > 0)
    spread = np.where(finite, values - np.where(count > 0, mean, 0.0)[:, None], 0.0)
    variance = (spread**2).sum(axis=1) / np.maximum(count - 1, 1)
    return np.where(lost, np.inf, mean), np.sqrt(variance / np.maximum(count, 1)), lost


def _alike(mean: Array, error: Array, networks: int) -> Any:
    """Where networks differ from each other by less than their mean, which then says something."""
    return np.isfinite(mean) & (error * np.sqrt(networks) < mean)


def _positions(values: "np.ndarray[Any, Any]") -> tuple[Array, bool]:
    """Where values stand, and whether they are numbers; others stand side by side."""
    numeric = values.dtype.kind in "iuf" and bool(np.isfinite(values).all())
    return (values.astype(float), True) if numeric else (np.arange(len(values), dtype=float), False)


def _dress(ax: "Axes", chosen: "xr.Dataset", x: str, observable: str, far: float) -> None:
    along, numeric = _positions(chosen[x].values)
    if numeric and along.min() > 0 and along.max() > WIDE * along.min():
        ax.set_xscale("log")
        plain_ticks(ax.xaxis)
        ax.set_xlim(along.min() / 1.1, far * 1.1)
    elif not numeric:
        ax.set_xticks(along, [short(value) for value in chosen[x].values])
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)
    ax.set_ylim(*_limits(chosen, x, observable))
    time = float(chosen.time)
    ax.set(xlabel=WORDS.get(x, x), ylabel=f"{observable.replace('_', ' ')} at t = {time:g}")
    ax.spines[["top", "right"]].set_visible(False)


def _limits(chosen: "xr.Dataset", x: str, observable: str) -> tuple[float, float]:
    """From below the smallest value; not up to those of runs that are about to diverge."""
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
    """Beside the picture: the values of the lines, and what is a line and what a point."""
    line = optional("matplotlib.lines", "plot").Line2D
    theory, training = (name in chosen for name in _arrays(observable))
    handles = []
    if lines is not None:
        for i, (value, colour) in enumerate(zip(chosen[lines].values, colours, strict=True)):
            look = {"linestyle": "-" if theory else "", "markersize": 3.6}
            look |= {"marker": MARKERS[i % len(MARKERS)]} if training else {}
            handles.append(line([], [], color=colour, label=short(value), **look))
    if theory:
        handles.append(line([], [], color="0.15", linewidth=1.6, label="theory"))
    if training:
        text = f"mean of {chosen.sizes['seed']} networks"
        handles.append(
            line([], [], color="0.15", linestyle="", marker="o", markersize=3.6, label=text)
        )
    if any(found.get_label() == UNLIKE for found in ax.containers):
        look = {"color": "0.15", "markerfacecolor": "white", "markersize": 3.6, "marker": "o"}
        handles.append(line([], [], linestyle="", **look, label=UNLIKE))
    if any(found.get_label() == LOST for found in ax.get_lines()):
        handles.append(
            line([], [], color="0.15", linestyle="", marker="x", markersize=4, label=LOST)
        )
    ax.legend(
        handles=handles,
        title=lines,
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
    )
