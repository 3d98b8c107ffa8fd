"""Comparison of inputs with Gaussian ones, which the theory takes in their place.

Gradient descent weighs directions by their variance, and so do these numbers. Leverages do not
depend on the scales of single columns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lindmft._internal.background import aside
from lindmft._internal.types import Array
from lindmft.problem.samples.factor import Factor, Rows

HEAVY_KURTOSIS = 9.0
"""Kurtosis, weighted by variance, above which losses were far from those of the theory."""
HEAVY_SPREAD = 10.0
"""Variance of |x|^2, in units of that of Gaussian inputs, above which the same was found."""


@dataclass(frozen=True)
class Tails:
    """Deviations of inputs from Gaussian ones; numbers in brackets are those of Gaussian inputs."""

    kurtosis: float
    """Mean of the fourth powers of whitened components, weighted by lambda_k (3)."""
    norm_spread: float
    """Variance of |x|^2 divided by 2 sum_k lambda_k^2 (1)."""
    leverage: float
    """Largest leverage divided by the mean (slightly above 1)."""

    @property
    def heavy(self) -> bool:
        """Whether networks trained on such inputs can differ far from the theory."""
        return self.kurtosis > HEAVY_KURTOSIS or self.norm_spread > HEAVY_SPREAD


def measured(rows: Rows, factor: Factor, also: Callable[[slice, Array], None]) -> Tails:
    """Return the tails of the inputs in one pass; ``also`` is called with every block."""
    size, deviations = rows.table.size, np.sqrt(factor.eigenvalues)
    back = factor.directions.T / deviations
    fourth, largest = np.zeros(factor.rank), 0.0
    squares = np.empty(rows.table.samples)
    for span, block in rows.blocks():
        whitened = aside(np.matmul, block[:, :size], back) ** 2
        largest = max(largest, float(whitened.sum(axis=1).max()))
        squares[span] = whitened @ factor.eigenvalues
        fourth += (whitened**2).sum(axis=0)
        also(span, block)
    kurtosis = fourth / rows.table.samples
    return Tails(
        kurtosis=float(factor.eigenvalues @ kurtosis / factor.eigenvalues.sum()),
        norm_spread=float(squares.var() / (2 * (factor.eigenvalues**2).sum())),
        leverage=largest / factor.rank,
    )
