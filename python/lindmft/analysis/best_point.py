"""The best point of a sweep: the smallest finite value of an observable, and where it lies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Mask, Number
from lindmft._internal.validation import (
    describe,
    instance,
    is_iterable,
    number,
    one_of,
    refuse,
    suggestion,
)
from lindmft.analysis.searches.accuracy import EQUAL_LOSSES

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["BestPoint", "best_point"]

SERIES = ("seed", "time")
"""Dimensions of an observable that are no axes: networks are averaged, and one time is taken."""
SHOWN = 12
"""Lines that a summary lists."""


@dataclass(frozen=True, eq=False)
class BestPoint:
    """The smallest finite value of an observable in a sweep, with its coordinates.

    Arrays have the axes of the sweep that were not searched, ``others``; without any they hold one
    number each.

    Attributes
    ----------
    observable
        Name of the array, such as "theory_test_loss".
    time
        The time of the values, or None if the dataset has no times.
    along
        The axes that were searched.
    others
        By axis that was not searched, its values.
    value
        The smallest finite value; nan where there is none.
    coordinates
        By name, the coordinates of the smallest value along the axes that were searched; nan, or
        "" for labels, where there is none.
    finite
        How many of the values along the axes are finite; ``count`` is the number of all.
    ties
        How many other points have the same value, up to rounding (a relative difference of 1e-9).
    at_edge
        By axis of numbers that was searched, whether the best point is at its first or last value,
        so that the minimum may lie beyond.
    count
        The number of points that were compared for each value.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> dataset = lm.sweep(problem, {"optimizer.lr": [0.1, 0.2, 0.4, 25]}, steps=10)
    >>> best = lm.best_point(dataset, "theory_test_loss")
    >>> float(best.coordinates["lr"]), f"{best.value:.4f}"
    (0.2, '0.1631')
    >>> print(best.summary())
    theory_test_loss at t = 9, smallest along lr:
    0.1631 at lr = 0.2
    >>> best.to_xarray().lr.item()
    0.2
    """

    observable: str
    time: float | None
    along: tuple[str, ...]
    others: Mapping[str, NDArray[Any]]
    value: Array
    coordinates: Mapping[str, NDArray[Any]]
    finite: NDArray[np.int_]
    ties: NDArray[np.int_]
    at_edge: Mapping[str, Mask]
    count: int

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def found(self) -> Mask:
        """Whether there is a finite value, for each combination of the axes not searched."""
        there: Mask = self.finite > 0
        return there

    def summary(self) -> str:
        """A line for each combination of the axes not searched: value, coordinates, cautions."""
        time = "" if self.time is None else f" at t = {self.time:g}"
        lines = [f"{self.observable}{time}, smallest along {', '.join(self.along)}:"]
        places = list(np.ndindex(self.value.shape))
        lines += [self._line(place) for place in places[:SHOWN]]
        if len(places) > SHOWN:
            lines.append(f"... and {len(places) - SHOWN} more: see to_xarray()")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def _line(self, place: tuple[int, ...]) -> str:
        where = [
            f"{axis} = {_text(values[i])}"
            for (axis, values), i in zip(self.others.items(), place, strict=True)
        ]
        start = f"{', '.join(where)}: " if where else ""
        if not self.found[place]:
            return f"{start}none of {self.count} values is finite (they diverged or are missing)"
        point = [f"{name} = {_text(values[place])}" for name, values in self.coordinates.items()]
        edges = [axis for axis, edge in self.at_edge.items() if edge[place]]
        said = []
        if edges:
            said.append(f"at the edge of {' and '.join(edges)}: the minimum may lie beyond")
        if self.ties[place]:
            said.append(f"{self.ties[place]} other points have the same value")
        note = f" ({'; '.join(said)})" if said else ""
        return f"{start}{self.value[place]:.4g} at {', '.join(point)}{note}"

    def to_xarray(self) -> "xr.Dataset":
        """The same as a dataset whose dimensions are the axes that were not searched."""
        dims = tuple(self.others)
        arrays = {
            self.observable: self.value,
            **self.coordinates,
            "finite": self.finite,
            "ties": self.ties,
            **{f"{axis}_at_edge": edge for axis, edge in self.at_edge.items()},
        }
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {name: (dims, values) for name, values in arrays.items()},
            dict(self.others),
            {"along": " ".join(self.along), "time": np.nan if self.time is None else self.time},
        )
        return dataset


def best_point(
    dataset: "xr.Dataset",
    observable: str,
    *,
    along: str | Sequence[str] | None = None,
    time: Number | None = None,
) -> BestPoint:
    """Find the smallest finite value of an observable in a sweep.

    Runs that diverged, failed or are missing have no finite value and are never the best, unlike
    with ``idxmin``, which has no answer where all values are infinite.

    Parameters
    ----------
    dataset
        What ``sweep`` or ``open_sweep`` returned, or a part of it (``dataset.sel(width=1)``).
    observable
        The name of an array with one number for each point and time, such as "theory_test_loss".
        Networks are averaged: a point of "training_test_loss" counts only if all its networks have
        a finite value.
    along
        The axis or axes to search; there is one best point for each combination of the others.
        None: all axes.
    time
        One of the times of the dataset; None: the last one.

    Returns
    -------
    BestPoint
        The value and its coordinates, with ``summary()``, which also says where there is no finite
        value, where the best point is at the edge of the grid, and where several are equal.

    Raises
    ------
    ValueError
        If a name or the time is not in the dataset, the observable has other dimensions, or no
        value at all is finite.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> axes = {"network.width": [0.5, 2], "optimizer.lr": [0.05, 0.1, 0.2, 0.4]}
    >>> dataset = lm.sweep(problem, axes, steps=20)
    >>> print(lm.best_point(dataset, "theory_test_loss", along="lr"))
    theory_test_loss at t = 19, smallest along lr:
    width = 0.5: 0.1314 at lr = 0.2
    width = 2: 0.02376 at lr = 0.2
    """
    values, at = _at_time(_observed(dataset, observable), time)
    axes = [str(dim) for dim in values.dims]
    searched = _searched(along, axes)
    kept = tuple(axis for axis in axes if axis not in searched)
    values = values.transpose(*kept, *searched)
    array = np.asarray(values.values, float)
    shape = array.shape[: len(kept)]
    flat = array.reshape(*shape, -1)
    finite = np.isfinite(flat).sum(axis=-1)
    if not finite.any():
        _refuse_infinite(observable, at, flat)
    chosen = np.where(np.isfinite(flat), flat, np.inf).argmin(axis=-1)
    value = np.take_along_axis(flat, chosen[..., None], axis=-1)[..., 0]
    value = np.where(finite > 0, value, np.nan)
    indices = dict(zip(searched, np.unravel_index(chosen, array.shape[len(kept) :]), strict=True))
    return BestPoint(
        observable=observable,
        time=at,
        along=searched,
        others={axis: np.asarray(values[axis].values) for axis in kept},
        value=value,
        coordinates=dict(_coordinates(values, indices, finite > 0)),
        finite=finite,
        ties=np.maximum(_equal(flat, value).sum(axis=-1) - 1, 0),
        at_edge=dict(_edges(values, indices, finite > 0)),
        count=flat.shape[-1],
    )


def _observed(dataset: Any, observable: Any) -> "xr.DataArray":
    """Return the array of the observable; refuse dimensions besides axes, seeds and times."""
    instance(dataset, "dataset", "an xarray.Dataset of a sweep", optional("xarray", "io").Dataset)
    names = [str(name) for name in dataset.data_vars]
    if not isinstance(observable, str) or observable not in names:
        hint = suggestion(observable, names)
        raise ValueError(f"observable must be {one_of(names)}, got {describe(observable)}{hint}")
    values: xr.DataArray = dataset[observable]
    status = f"{observable.partition('_')[0]}_status"
    if status in names:
        extra = [dim for dim in values.dims if dim not in (*dataset[status].dims, *SERIES)]
        if extra:
            raise ValueError(
                f"observable must have one number for each point and time, but {observable} has "
                f"the dimension {extra[0]}. Choose one: dataset.isel({extra[0]}=0)."
            )
    return values.mean("seed", skipna=False) if "seed" in values.dims else values


def _at_time(values: "xr.DataArray", time: Any) -> "tuple[xr.DataArray, float | None]":
    """The values at a time of the dataset, and that time."""
    if "time" not in values.dims:
        scalar = float(values["time"]) if "time" in values.coords else None
        if time is not None and number(time, "time") != scalar:
            refuse("time", f"None or the time of the dataset ({scalar})", time)
        return values, scalar
    times = np.asarray(values["time"].values, float)
    at = float(times[-1]) if time is None else number(time, "time")
    if at not in times:
        refuse("time", f"one of the times of the dataset, {times[0]:g} to {times[-1]:g}", time)
    return values.isel(time=int(np.flatnonzero(times == at)[0])), at


def _searched(along: Any, axes: list[str]) -> tuple[str, ...]:
    allowed = one_of(axes) if axes else "an axis of a sweep, of which the dataset has none"
    if along is not None and not (isinstance(along, str) or is_iterable(along)):
        refuse("along", allowed, along)
    named: Any = [along] if isinstance(along, str) else along
    given = axes if along is None else list(named)
    if not given or not all(isinstance(axis, str) and axis in axes for axis in given):
        refuse("along", allowed, along)
    return tuple(dict.fromkeys(given))


def _refuse_infinite(observable: str, time: float | None, flat: Array) -> NoReturn:
    diverged, missing = int(np.isinf(flat).sum()), int(np.isnan(flat).sum())
    when = "" if time is None else f" at t = {time:g}"
    raise ValueError(
        f"{observable} has no finite value{when}: of {flat.size} points {diverged} diverged and "
        f"{missing} are missing or failed. Choose smaller learning rates or an earlier time."
    )


def _coordinates(
    values: "xr.DataArray", indices: Mapping[str, NDArray[np.int_]], found: Mask
) -> Iterator[tuple[str, NDArray[Any]]]:
    """All coordinates along the searched axes, at the best points."""
    for name, coordinate in values.coords.items():
        if len(coordinate.dims) != 1 or _zipped(values, str(name)):
            continue
        if coordinate.dims[0] in indices:
            there = np.asarray(coordinate.values)[indices[str(coordinate.dims[0])]]
            absent: Any = np.nan if np.issubdtype(there.dtype, np.number) else ""
            yield str(name), np.where(found, there, absent)


def _equal(flat: Array, value: Array) -> Mask:
    """The values that are equal to the smallest one of their row."""
    least = value[..., None]
    near: Mask = np.isfinite(flat) & (np.abs(flat - least) <= EQUAL_LOSSES * np.abs(least))
    return near


def _edges(
    values: "xr.DataArray", indices: Mapping[str, NDArray[np.int_]], found: Mask
) -> Iterator[tuple[str, Mask]]:
    """Whether the best point is at an end of each searched axis of two or more numbers."""
    for axis, index in indices.items():
        size = values.sizes[axis]
        if size > 1 and np.issubdtype(values[axis].dtype, np.number) and not _zipped(values, axis):
            yield axis, found & ((index == 0) | (index == size - 1))


def _zipped(values: "xr.DataArray", axis: str) -> bool:
    """Whether an axis numbers points of paths that move together, which have other coordinates."""
    along = [name for name, coordinate in values.coords.items() if coordinate.dims == (axis,)]
    return len(along) > 1


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float | np.number) else str(value)
