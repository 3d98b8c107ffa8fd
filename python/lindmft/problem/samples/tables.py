"""Inputs in the forms that users have: arrays, tables with named columns, sparse matrices.

Rows are converted to doubles block by block, so that large inputs of a short type are never copied
as a whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lindmft._internal.memory import require_memory
from lindmft._internal.refusals import BadInput
from lindmft._internal.types import Array
from lindmft._internal.validation import describe, real_array, refuse

LARGEST = 1e150
"""Largest number whose sums of squares do not overflow."""
ALLOWED = "a matrix of numbers, one sample in each row"


@dataclass(frozen=True)
class Table:
    """Inputs (samples, size), of which any rows can be read as doubles."""

    samples: int
    size: int
    rows: Callable[[slice], Array]
    """Return the rows of a slice (rows, size)."""


def read_inputs(X: Any) -> Table:
    """Return inputs that can be read by rows; anything but finite real numbers is refused."""
    if is_sparse(X):
        return _from_sparse(X)
    if is_frame(X):
        if X.shape[1] and all(_fill(dtype) == 0 for dtype in X.dtypes):
            _refuse_columns(X, "X")
            return _from_sparse(X.sparse.to_coo())
        return _from_array(frame_array(X, "X"))
    return _from_array(finite_array(X, "X", 2, ALLOWED, short=True))


def is_sparse(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of SciPy."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


def is_frame(value: Any) -> bool:
    """Whether a value is a data frame of pandas."""
    return hasattr(value, "iloc") and hasattr(value, "columns")


def frame_array(frame: Any, field: str) -> Array:
    """Return the columns of a data frame as doubles; columns that are no numbers are named."""
    _refuse_columns(frame, field)
    require_memory(8.0 * frame.size, f"{field} as an array of doubles")
    array = np.empty(frame.shape)
    for j in range(frame.shape[1]):
        array[:, j] = frame.iloc[:, j].to_numpy(dtype=float)
    return finite_array(array, field, 2, ALLOWED)


def refuse_missing(column: Any, field: str) -> None:
    """Refuse a column of pandas with missing values, and name the first row that has one."""
    absent = np.asarray(column.isna(), dtype=bool)
    if absent.any():
        row = column.index[int(np.argmax(absent))]
        allowed, got = "without missing values", f"one in row {describe(row)}"
        raise BadInput(f"{field} must be {allowed}, got {got}", field=field, allowed=allowed)


def finite_array(
    value: ArrayLike, field: str, dimensions: int, allowed: str, *, short: bool = False
) -> Array:
    """Return a finite array of doubles; with ``short`` also of shorter types of numbers."""
    array = real_array(value, field, allowed)
    if array.ndim != dimensions:
        refuse(field, allowed, array if array.ndim else value)
    if not short or array.dtype.itemsize > 8:
        with np.errstate(over="ignore"):  # numbers of longer types than doubles can become inf
            array = array.astype(float)
    _check_numbers(array, field)
    return array


def _from_array(array: Array) -> Table:
    samples, size = array.shape
    return Table(samples, size, lambda rows: array[rows].astype(float))


def _from_sparse(matrix: Any) -> Table:
    if len(matrix.shape) != 2 or matrix.dtype.kind not in "biuf":
        refuse("X", ALLOWED, f"a sparse array of shape {matrix.shape} and type {matrix.dtype}")
    compressed = matrix.tocsr()
    finite_array(compressed.data.astype(float), "X.data", 1, ALLOWED)
    samples, size = matrix.shape
    return Table(samples, size, lambda rows: compressed[rows].toarray().astype(float))


def _fill(dtype: Any) -> Any:
    """Return the value that a sparse column does not store, or None for a dense column."""
    return getattr(dtype, "fill_value", None)


def _refuse_columns(frame: Any, field: str) -> None:
    for j, name in enumerate(frame.columns):
        column, label = frame.iloc[:, j], f"{field}[{name!r}]"
        refuse_missing(column, label)
        if getattr(column.dtype, "kind", "O") not in "biuf":
            refuse(label, "a column of numbers", f"type {column.dtype}")


def _check_numbers(array: Array, field: str) -> None:
    if not array.size:
        return
    largest = max(float(array.max()), -float(array.min()))  # nan if one entry is
    if largest <= LARGEST:
        return
    if not np.isfinite(array).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        index = "".join(f"[{i}]" for i in first)
        raise BadInput(f"{field}{index} must be finite, got {describe(array[first])}", field=field)
    refuse(field, f"numbers of size {LARGEST:g} at most, whose squares are doubles", largest)
