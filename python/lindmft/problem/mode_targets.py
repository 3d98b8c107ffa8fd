"""Targets of several outputs that share modes: a vector, or a Gram matrix, for each mode.

Sums over modes are linear in the Gram matrix w*_k w*_k^T (theory section 16), so a class of modes
with a Gram matrix of rank r is the same as r classes with one vector each.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import real_array, refuse
from lindmft.problem.targets import ROUNDING

ModeTargets: TypeAlias = Sequence[Sequence[float]] | Sequence[Sequence[Sequence[float]]] | Array
ALLOWED = "a table (modes, outputs) of target vectors, or one Gram matrix for each mode"


def read_mode_targets(value: Any, field: str) -> tuple[Any, ...]:
    """Return the rows w*_k, or the Gram matrices of classes of modes, as nested tuples."""
    table = real_array(value, field, ALLOWED).astype(float)
    if table.ndim not in {2, 3} or 0 in table.shape:
        refuse(field, ALLOWED, value)
    if not np.isfinite(table).all():
        refuse(field, "finite", value)
    if table.ndim == 2:
        return tuple(map(tuple, table.tolist()))
    for k, gram in enumerate(table):
        scale = max(np.abs(gram).max(), np.finfo(float).tiny)
        if gram.shape[0] != gram.shape[1] or np.abs(gram - gram.T).max() > ROUNDING * scale:
            refuse(f"{field}[{k}]", "a symmetric Gram matrix", gram)
        if (smallest := np.linalg.eigvalsh(gram).min()) < -ROUNDING * len(gram) * scale:
            allowed = "a positive semidefinite Gram matrix"
            refuse(f"{field}[{k}]", allowed, f"one with the eigenvalue {smallest:g}")
    return tuple(tuple(map(tuple, gram)) for gram in table.tolist())


def powers(targets: ModeTargets) -> Array:
    """Return |w*_k|^2 (K,), the power of each mode in all outputs."""
    table = np.array(targets, dtype=float)
    power: Array = np.trace(grams(table), axis1=1, axis2=2)
    return power


def grams(targets: ModeTargets) -> Array:
    """Return the Gram matrix of each mode (K, C, C)."""
    table = np.array(targets, dtype=float)
    if table.ndim == 2:
        table = table[:, :, None] * table[:, None, :]
    return table


def split_targets(targets: ModeTargets) -> tuple[list[int], Array, list[float]]:
    """Return the mode of each node, its target vector (nodes, C) and its share of the mode."""
    table = np.array(targets, dtype=float)
    if table.ndim == 2:
        return list(range(len(table))), table, [1.0] * len(table)
    of_mode: list[int] = []
    rows: list[Array] = []
    share: list[float] = []
    for k, gram in enumerate(table):
        power, vectors = np.linalg.eigh(gram)
        kept = np.flatnonzero(power > ROUNDING * len(gram) * max(power[-1], 0.0))
        rank = max(1, len(kept))
        for j in kept if len(kept) else [len(gram) - 1]:
            of_mode.append(k)
            rows.append(np.sqrt(rank * max(power[j], 0.0)) * vectors[:, j])
            share.append(1.0 / rank)
    return of_mode, np.array(rows), share
