"""Labels in the forms that users have: numbers for one or several outputs, or names of classes.

Two classes become one output, -1 and 1. More become one output for each class, 1 or 0 (one-hot).
Whole numbers are classes only on request, because they can be values as well.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.refusals import BadInput
from lindmft._internal.types import Array
from lindmft._internal.validation import describe, is_list, refuse
from lindmft.problem.samples.tables import finite_array, frame_array, is_frame, refuse_missing

ALLOWED = "a list of numbers, or a matrix with one column for each output"
ASK = "for names of classes give classes=True"


@dataclass(frozen=True)
class Labels:
    """Labels as numbers."""

    values: Array
    """(P, C)."""
    classes: tuple[Any, ...] = ()
    """Names of the classes; empty if the labels are values."""

    @property
    def one_hot(self) -> bool:
        """Whether the labels are coded classes, so that their mean depends on the coding."""
        if self.classes:
            return True
        if self.values.shape[1] < 2:
            return False
        coded = np.isin(self.values, (0.0, 1.0)).all() and (self.values.sum(axis=1) == 1.0).all()
        return bool(coded)


def read_labels(y: Any, classes: Any, samples: int) -> Labels:
    """Return labels for this number of samples; ``classes`` says whether they name classes."""
    wanted = _read_classes(classes)
    if is_frame(y) and y.shape[1] == 1:
        y = y.iloc[:, 0]
    if is_frame(y):
        found = _columns(frame_array(y, "y"), tuple(y.columns), wanted)
    else:
        listed = _as_array(y)
        if listed.ndim == 2:
            found = _columns(_numbers(listed), tuple(range(listed.shape[1])), wanted)
        else:
            names = _names(listed, y, wanted)
            found = Labels(_numbers(listed)) if names is None else _coded(listed, names)
    if len(found.values) != samples:
        refuse("y", f"of length {samples}, one label for each row of X", found.values)
    if not found.values.shape[1]:
        refuse("y", ALLOWED, found.values)
    return found


def _columns(values: Array, names: tuple[Any, ...], wanted: Any) -> Labels:
    """Return labels with a column for each output; one-hot columns can be classes."""
    found = Labels(values)
    if wanted is False or (wanted == "auto" and not found.one_hot):
        return found
    if isinstance(wanted, tuple):
        names = wanted
    if not found.one_hot or len(names) != values.shape[1]:
        allowed = "a list with the name of one class for each sample, or one-hot columns"
        refuse("y", allowed, values)
    return Labels(values, names)


def _read_classes(classes: Any) -> Any:
    """Return False, True, "auto", or the names of the classes in order."""
    if classes is None or isinstance(classes, bool):
        return bool(classes)
    if isinstance(classes, str) and classes == "auto":
        return "auto"
    allowed = "None, True, False, 'auto' or a list of at least two different names"
    if not is_list(classes):
        refuse("classes", allowed, classes)
    names = tuple(name.item() if isinstance(name, np.generic) else name for name in classes)
    hashable = all(isinstance(name, Hashable) for name in names)
    if not hashable or len(names) < 2 or len(set(names)) < len(names):
        refuse("classes", allowed, classes)
    return names


def _as_array(y: Any) -> Any:
    """Return labels as an array; columns of pandas without missing values."""
    if hasattr(y, "isna") and hasattr(y, "index"):
        refuse_missing(y, "y")
        kind = getattr(y.dtype, "kind", "O")
        return y.to_numpy(dtype={"b": bool, "i": int, "u": int, "f": float}.get(kind, object))
    if isinstance(y, np.ma.MaskedArray):
        refuse("y", f"{ALLOWED}, none of them masked", y)
    try:
        array = np.asarray(y)
    except (TypeError, ValueError, RuntimeError):
        refuse("y", ALLOWED, y)
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    return array


def _names(listed: Any, y: Any, wanted: Any) -> tuple[Any, ...] | None:
    """Return the names of the classes, or None if the labels are values."""
    if wanted is False:
        return None
    if listed.ndim != 1:
        refuse("y", "a list with the name of one class for each sample", y)
    if isinstance(wanted, tuple):
        return wanted
    if wanted == "auto" and listed.dtype.kind not in "biuOUST":
        return None
    found = _distinct(listed, y)
    if wanted == "auto" and listed.dtype.kind in "iu" and len(found) ** 2 > len(listed):
        return None
    if len(found) < 2:
        refuse("y", "labels of at least two classes", f"only {describe(found)}")
    if len(found) > max(2, len(listed) // 2):
        got = f"{len(found)} different values in {len(listed)} samples"
        raise BadInput(
            f"y must be names of classes with classes=True, got {got}: leave out classes if they "
            "are values",
            field="y",
        )
    return found


def _distinct(listed: Any, y: Any) -> tuple[Any, ...]:
    """Return the different labels in order."""
    if listed.dtype.kind == "O" and any(entry is None or entry != entry for entry in listed):
        refuse("y", "without missing values", y)
    if listed.dtype.kind not in "biufOUST" or (
        listed.dtype.kind == "f" and not np.isfinite(listed).all()
    ):
        refuse("y", "names of classes, or numbers that stand for them", y)
    try:
        return tuple(np.unique(listed).tolist())
    except TypeError:
        refuse("y", "names of classes of one type, which can be sorted", y)


def _numbers(listed: Any) -> Array:
    """Return values (P, C)."""
    if listed.dtype.kind in "OUST" or (listed.dtype.kind == "b" and listed.ndim < 2):
        refuse("y", f"{ALLOWED} ({ASK})", listed)
    if listed.dtype.kind == "b":
        listed = listed.astype(float)
    if listed.ndim == 2:
        return finite_array(listed, "y", 2, ALLOWED)
    return finite_array(listed, "y", 1, ALLOWED)[:, None]


def _coded(listed: Any, names: tuple[Any, ...]) -> Labels:
    """Return -1 and 1 for two classes, and one-hot rows for more."""
    number = {name: i for i, name in enumerate(names)}
    index = np.empty(len(listed), dtype=int)
    for i, name in enumerate(listed.tolist()):
        if not isinstance(name, Hashable) or name not in number:
            refuse("y", f"labels from classes ({', '.join(map(repr, names))})", name)
        index[i] = number[name]
    if len(names) == 2:
        return Labels(2.0 * index[:, None] - 1.0, names)
    return Labels(np.eye(len(names))[index], names)
