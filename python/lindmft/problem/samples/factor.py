"""One triangular factor of inputs and labels, which has all that linear fits need.

Blocks of rows are added to the factor one after the other, so that no copy of the inputs is made.
Unlike the eigenvalues of X^T X, the squares of the factor's singular values are accurate down to
rounding errors of order 1e-32 of the largest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lindmft._internal.background import aside
from lindmft._internal.memory import require_memory
from lindmft._internal.types import Array, Callback, Mask
from lindmft._internal.validation import refuse
from lindmft.problem.samples.tables import Table

LEAST_ROWS = 2048
"""Smallest number of rows of a block, below which the cost of single calls would count."""


@dataclass(frozen=True)
class Factor:
    """Inputs and labels in the directions in which the inputs vary, largest variance first."""

    samples: int
    lost: int
    """1 if means were subtracted, which takes a degree of freedom, else 0."""
    eigenvalues: Array
    """lambda_k (r,), of X^T X / P."""
    components: Array
    """U^T Y (r, C), for X = U diag(sqrt(P lambda)) V^T."""
    directions: Array
    """V^T (r, D)."""
    residual: Array
    """Sums over samples of products of residuals (C, C) of the least-squares fit."""

    @property
    def rank(self) -> int:
        """The number of directions in which the inputs vary."""
        return len(self.eigenvalues)

    @property
    def free(self) -> int:
        """The degrees of freedom of the residuals."""
        return self.samples - self.lost - self.rank

    @property
    def targets(self) -> Array:
        """The least-squares target (r, C) of smallest norm."""
        scale = np.sqrt(self.samples * self.eigenvalues)
        targets: Array = self.components / scale[:, None]
        return targets

    @property
    def label_moments(self) -> Array:
        """Second moments of the labels (C, C)."""
        moments: Array = (self.components.T @ self.components + self.residual) / self.samples
        return moments


class Rows:
    """Inputs and labels without their means, block by block, with progress."""

    def __init__(
        self, table: Table, labels: Array, *, center: bool, callback: Callback | None, passes: int
    ) -> None:
        self.table, self.labels = table, labels
        self.mean, self.label_mean = np.zeros(table.size), np.zeros(labels.shape[1])
        self._callback, self._done = callback, 0
        self._total = (passes + center) * table.samples
        if center:
            self._subtract_means()

    @property
    def columns(self) -> int:
        """D + C."""
        return self.table.size + int(self.labels.shape[1])

    @property
    def block(self) -> int:
        """The number of rows of a block."""
        return max(LEAST_ROWS, 2 * min(self.columns, self.table.samples))

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Yield slices of samples, and inputs and labels side by side (rows, D + C)."""
        for start in range(0, self.table.samples, self.block):
            rows = slice(start, min(start + self.block, self.table.samples))
            inputs = self.table.rows(rows) - self.mean
            yield rows, np.column_stack([inputs, self.labels[rows] - self.label_mean])
            self._done += rows.stop - rows.start
            if self._callback:
                self._callback(self._done, self._total)

    def _subtract_means(self) -> None:
        """Find means relative to the first row, so that constant columns become exact zeros."""
        first = self.table.rows(slice(0, 1))[0]
        total = np.zeros(self.table.size)
        for _, block in self.blocks():
            total += (block[:, : self.table.size] - first).sum(axis=0)
        self.mean = first + total / self.table.samples
        self.label_mean = self.labels.mean(axis=0)


def triangle(rows: Rows, held: Mask | None = None) -> tuple[Array, Array]:
    """Return the triangular factors of all rows but those held out, and of those (empty if none).

    The factors have D + C columns.
    """
    _require(rows)
    parts = [np.empty((0, rows.columns))] * 2
    for span, block in rows.blocks():
        out = np.zeros(len(block), dtype=bool) if held is None else held[span]
        for i, chosen in enumerate((~out, out)):
            if chosen.any():
                parts[i] = joined(parts[i], block[chosen])
    return parts[0], parts[1]


def joined(first: Array, second: Array) -> Array:
    """Return the triangular factor of two sets of rows together."""
    if not len(second):
        return first
    stacked = np.vstack([first, second])
    factor: Array = aside(lambda: np.asarray(np.linalg.qr(stacked, mode="r")))
    return factor


def decomposed(triangle: Array, outputs: int, samples: int, center: bool) -> Factor:
    """Return the directions in which inputs vary, and what the labels are along them."""
    inputs, labels = triangle[:, :-outputs], triangle[:, -outputs:]
    if not inputs.any():
        varying = ": no column varies, and the means are subtracted" if center else ""
        refuse("X", f"different from zero{varying}", inputs)
    left, singular, directions = aside(np.linalg.svd, inputs, full_matrices=False)
    rounding = max(samples, inputs.shape[1]) * np.finfo(float).eps * singular[0]
    seen = singular > rounding
    components = left[:, seen].T @ labels
    residual = labels - left[:, seen] @ components
    return Factor(
        samples=samples,
        lost=int(center),
        eigenvalues=singular[seen] ** 2 / samples,
        components=components,
        directions=directions[seen],
        residual=residual.T @ residual,
    )


def _require(rows: Rows) -> None:
    samples, columns = rows.table.samples, rows.columns
    small = min(samples, columns)
    stacked = min(samples, rows.block) + small
    require_memory(8.0 * (4 * stacked * columns + 8 * small * columns), "the fit of X and y")
