"""Axes of a grid of problems: paths into the problem, with the values that they take.

A key with one path is one axis. Several paths in one key are zipped: their values change together.
``vary`` and ``sweep`` take axes, and the dimensions of datasets are named after them.
"""

import itertools
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.validation import is_iterable, refuse
from lindmft.problem.schema import as_plain, spell_inf

Values: TypeAlias = Iterable[Any] | Mapping[str, Any]
Axes: TypeAlias = (
    Mapping[str, Values] | Mapping[tuple[str, ...], Values] | Mapping[str | tuple[str, ...], Values]
)
"""Paths with their values, or tuples of paths with tuples of values. Values may have labels."""

MEANINGS = {
    "optimizer.lr": "learning rate eta, scaled: of order one at every size",
    "network.width": "hidden units per input dimension nu",
    "network.hidden": "hidden units N",
    "network.depth": "hidden layers L",
    "network.gamma0": "richness gamma0",
    "network.branch": "branch strength beta0",
    "data.alpha": "samples per input dimension alpha",
    "data.samples": "samples P",
    "data.batch": "samples a batch",
    "data.batches": "batches of an epoch",
    "data.noise": "standard deviation of the label noise sigma",
    "data.switch_at": "first step of the second target",
    "data.switch_overlap": "cosine of the angle between the two targets",
    "data.switch_strength": "size of the second target in units of the first",
    "optimizer.momentum": "momentum",
    "optimizer.weight_decay": "weight decay",
}
FORM = "a dictionary of paths, each with its values"
EXACT = 2**53
"""Whole numbers below this one are exact as floats."""
TAKEN = ("time", "layer", "seed", "output", "status")
"""Names that an axis cannot have, because datasets use them for other things."""


@dataclass(frozen=True)
class Axis:
    """One dimension of a grid.

    Attributes
    ----------
    name
        The name of the dimension: the last part of the path if no other axis has it.
    paths
        Paths into the problem; several change together.
    values
        For each point a tuple with one value for each path: plain values, as in the problem's
        dictionary form.
    labels
        For each point its label, if the user gave labels.
    names
        Short names of the paths, different from those of all other axes.
    """

    name: str
    paths: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    labels: tuple[str, ...] | None
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def changes(self, point: int) -> dict[str, Any]:
        """Return the values of a point by path, as ``Problem.replace`` takes them."""
        return dict(zip(self.paths, self.values[point], strict=True))

    def label(self, point: int) -> str:
        """Return a short text for people: "lr=0.1"."""
        if self.labels is not None:
            return f"{self.name}={self.labels[point]}"
        found = self.coordinates()
        shown = [f"{name}={short(values[point])}" for name, (values, _) in found.items()]
        return ", ".join(shown[1:] if len(shown) > 1 else shown)

    def coordinates(self) -> dict[str, tuple[np.ndarray[Any, Any], str]]:
        """Return arrays along the dimension with their meanings; the first indexes the dimension.

        Its values are the labels if there are any, else the values of a single path. If those are
        no numbers or strings, or several paths are zipped, they are the positions 0, 1, 2, ...
        """
        columns = [_column(entries) for entries in zip(*self.values, strict=True)]
        own = columns[0] if len(self.paths) == 1 else None
        if self.labels is not None:
            own = np.array(self.labels)
        meaning = MEANINGS.get(self.paths[0], self.paths[0]) if len(self.paths) == 1 else ""
        if own is None:
            own, meaning = np.arange(len(self)), f"position among the values of {self.paths}"
        found = {self.name: (own, meaning or " and ".join(self.paths))}
        if len(self.paths) > 1 or self.labels is not None:
            named = zip(self.names, self.paths, columns, strict=True)
            found |= {
                name: (column, MEANINGS.get(path, path))
                for name, path, column in named
                if column is not None and name != self.name
            }
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as files keep them."""
        return {
            "paths": list(self.paths),
            "values": spell_inf([list(entry) for entry in self.values]),
            "labels": None if self.labels is None else list(self.labels),
        }


def read_axes(axes: Any) -> tuple[Axis, ...]:
    """Return the axes that a user gave (see ``Axes``); anything else is a ``ValueError``."""
    if not isinstance(axes, Mapping):
        refuse("axes", FORM, axes)
    paths = [_paths(key) for key in axes]
    repeated = [path for path, n in Counter(itertools.chain(*paths)).items() if n > 1]
    if repeated:
        raise ValueError(f"axes must have every path once, got {repeated[0]!r} more than once")
    flat = [path for group in paths for path in group]
    _refuse_replaced(flat)
    names = dict(zip(flat, _short_names(flat), strict=True))
    return tuple(
        _axis(tuple(names[path] for path in group), group, key, entries)
        for group, (key, entries) in zip(paths, axes.items(), strict=True)
    )


def points(axes: tuple[Axis, ...]) -> Iterable[tuple[int, ...]]:
    """Return the positions of all combinations, the last axis fastest."""
    return itertools.product(*(range(len(axis)) for axis in axes))


def changes(axes: tuple[Axis, ...], point: tuple[int, ...]) -> dict[str, Any]:
    """Return the values of a combination by path."""
    found: dict[str, Any] = {}
    for axis, at in zip(axes, point, strict=True):
        found |= axis.changes(at)
    return found


def label(axes: tuple[Axis, ...], point: tuple[int, ...]) -> str:
    """Return a short text for people: "width=2.0, lr=0.1"."""
    return ", ".join(axis.label(at) for axis, at in zip(axes, point, strict=True))


def short(value: Any) -> str:
    """Return a coordinate's value as a text for people, numbers with six digits."""
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _paths(key: Any) -> tuple[str, ...]:
    """Return the paths of a key: one, several in a tuple, or several in a string with commas."""
    parts = tuple(part.strip() for part in key.split(",")) if isinstance(key, str) else key
    if (
        not isinstance(parts, tuple)
        or not parts
        or not all(isinstance(p, str) and p for p in parts)
    ):
        refuse("axes", FORM, key)
    return parts


def _axis(names: tuple[str, ...], paths: tuple[str, ...], key: Any, entries: Any) -> Axis:
    field, labels = f"axes[{key!r}]", None
    if isinstance(entries, Mapping):
        labels, entries = tuple(entries), list(entries.values())
        if not all(isinstance(label, str) for label in labels):
            refuse(field, "a list of values, or values by label", labels)
    if not is_iterable(entries):
        refuse(field, "a list of values", entries)
    values = [_entry(entry, paths, field) for entry in entries]
    if not values:
        refuse(field, "a list of at least one value", values)
    _refuse_repeated(values, field)
    return Axis("_".join(names), paths, tuple(values), labels, names)


def _entry(entry: Any, paths: tuple[str, ...], field: str) -> tuple[Any, ...]:
    """Return one value for each path."""
    if len(paths) == 1:
        return (as_plain(entry, field),)
    together = as_plain(entry, field)
    if not isinstance(together, list) or len(together) != len(paths):
        refuse(field, f"a list of {len(paths)} values at a time, one for each path", entry)
    return tuple(together)


def _refuse_replaced(paths: list[str]) -> None:
    """Refuse a whole part after values within it, which it would undo: they are set in order."""
    for i, path in enumerate(paths):
        within = [earlier for earlier in paths[:i] if earlier.startswith(f"{path}.")]
        if within:
            raise ValueError(
                f"axes must have {path!r} before {within[0]!r}, which is within it, got it later"
            )


def _refuse_repeated(values: list[tuple[Any, ...]], field: str) -> None:
    """Refuse a point that is listed twice: it is a mistake, and would be computed twice."""
    seen: set[str] = set()
    for entry in values:
        text = json.dumps(spell_inf(_floats(list(entry))), sort_keys=True)
        if text in seen:
            refuse(field, "values that differ", entry[0] if len(entry) == 1 else entry)
        seen.add(text)


def _floats(value: Any) -> Any:
    """Return whole numbers as floats: 1 and 1.0 are the same value."""
    if isinstance(value, dict):
        return {key: _floats(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_floats(entry) for entry in value]
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and abs(value) < EXACT else value


def _short_names(paths: Iterable[str]) -> list[str]:
    """Return the last part of each path, or the whole path if another one ends the same."""
    paths = list(paths)
    last = Counter(path.rpartition(".")[2] for path in paths)
    names = [path.rpartition(".")[2] for path in paths]
    return [
        path if last[name] > 1 or name in TAKEN else name
        for path, name in zip(paths, names, strict=True)
    ]


def _column(values: tuple[Any, ...]) -> np.ndarray[Any, Any] | None:
    """Return an array if all values are numbers, all are strings or all are bools; else None."""
    found = [math.inf if value == "inf" else value for value in values]
    for kinds in ((bool,), (int,), (int, float), (str,)):
        if all(type(value) in kinds for value in found):
            array = np.array(found)
            return array.astype(float) if array.dtype == object else array  # beyond 64 bits
    return None
