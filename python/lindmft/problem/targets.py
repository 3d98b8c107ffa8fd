"""Targets of several outputs, as norms or as a Gram matrix, and their independent channels."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.refusals import BadInput
from lindmft._internal.types import Array
from lindmft._internal.validation import refuse, tuple_of_numbers

Gram: TypeAlias = tuple[tuple[float, ...], ...]
Targets: TypeAlias = Sequence[float] | Sequence[Sequence[float]] | Array

ALLOWED = "a list of norms, or a square matrix of inner products"
ROUNDING = 1e-12  # relative; smaller asymmetries and negative eigenvalues are rounding


def read_targets(value: Any, field: str) -> tuple[float, ...] | Gram:
    """Return norms s_1 .. s_C, or the rows of the Gram matrix w*_a . w*_b / D."""
    rows = _rows(value)
    if rows is None:
        return tuple_of_numbers(value, field, ALLOWED)
    gram = tuple(tuple_of_numbers(row, f"{field}[{i}]", ALLOWED) for i, row in enumerate(rows))
    _check_gram(gram, field)
    return gram


def read_gram(value: Any, field: str) -> Gram:
    """Return the rows of a symmetric, positive semidefinite matrix."""
    rows = _rows(value)
    if rows is None:
        refuse(field, "a square matrix", value)
    gram = tuple(tuple_of_numbers(row, f"{field}[{i}]", ALLOWED) for i, row in enumerate(rows))
    _check_gram(gram, field)
    return gram


def channels(targets: Targets) -> tuple[Array, Array]:
    """Return norms (C,) of the orthogonal channels, and the rotation (C, C) to the outputs.

    For targets that are given by norms, outputs are channels. For a Gram matrix the channels are
    its eigenvectors: output a is sum_j rotation[a, j] channel j (theory section 8).
    """
    array = np.array(targets, dtype=float)
    if array.ndim == 1:
        return array, np.eye(len(array))
    power, rotation = np.linalg.eigh(array / 2 + array.T / 2)
    return np.sqrt(np.maximum(power, 0.0)), rotation


def _rows(value: Any) -> list[Any] | None:
    """Return the rows of a matrix, or None for values without rows."""
    if getattr(value, "ndim", None) == 2:
        return list(value)
    nested = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if nested and any(isinstance(row, Sequence) or getattr(row, "ndim", 0) for row in value):
        return list(value)
    return None


def _check_gram(gram: Gram, field: str) -> None:
    size = len(gram)
    if any(len(row) != size for row in gram):
        lengths = ", ".join(str(len(row)) for row in gram)
        got = f"{size} rows of lengths {lengths}"
        raise BadInput(f"{field} must be {ALLOWED}, got {got}", field=field, got=got)
    matrix = np.array(gram)
    if not np.isfinite(matrix).all():
        refuse(field, "a Gram matrix of finite numbers", gram)
    scale = np.abs(matrix).max()
    if np.abs(matrix - matrix.T).max() > ROUNDING * scale:
        a, b = np.unravel_index(np.argmax(np.abs(matrix - matrix.T)), matrix.shape)
        raise BadInput(
            f"{field} must be a symmetric Gram matrix, got {matrix[a, b]:g} at [{a}][{b}] "
            f"and {matrix[b, a]:g} at [{b}][{a}]",
            field=field,
        )
    smallest = np.linalg.eigvalsh(matrix).min()
    if smallest < -ROUNDING * size * scale:
        raise BadInput(
            f"{field} must be a positive semidefinite Gram matrix, "
            f"got one with the eigenvalue {smallest:g}",
            field=field,
        )
