"""Networks that share initial weights or data: ensembling, and the exact bias-variance split.

Four overlaps (1/D) sum_k lambda_k v_k^a v_k^b of the discrepancies of two networks a and b
determine both. They differ by what a and b share: everything (this is the test loss), the initial
weights, the data set, or nothing.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array
from lindmft._internal.validation import number, real_array, refuse, settle

__all__ = ["Replicas"]


@dataclass(frozen=True, eq=False)
class Replicas:
    """The four overlaps of the discrepancies of two networks, which differ by what these share.

    Parameters
    ----------
    test_loss
        (..., n), the two are one network: its test loss, excess over the irreducible sigma^2.
    shared_init
        (..., n), the same initial weights; the data sets are independent.
    shared_data
        (..., n), the same data set, noise and batches; the initial weights are independent.
    independent
        (..., n), independent weights and data; the target is the same.

    Raises
    ------
    ValueError
        If one of them is not an array of numbers; the message names it.

    Notes
    -----
    Theory section 3, replicas (beyond the paper). Where a series is inf (past a divergence), all
    quantities computed from it are inf too.

    Overlaps of the theory are never negative. Their differences, the variances, may be below zero
    by rounding (1e-12 of the loss at the start) where they vanish. For trained networks, overlaps
    of two different networks and all differences are estimates: they fluctuate around zero where
    the exact value is small, and so does ``ensemble_loss`` of more networks than were trained.

    Examples
    --------
    >>> import numpy as np
    >>> from lindmft.results.replicas import Replicas
    >>> overlaps = (np.array([x]) for x in (0.47, 0.16, 0.26, 0.07))
    >>> replicas = Replicas(*overlaps)
    >>> replicas.ensemble_loss(k_init=10).round(3)
    array([0.281])
    >>> replicas.variance_data.round(3)
    array([0.19])
    """

    test_loss: Array
    shared_init: Array
    shared_data: Array
    independent: Array

    __repr__ = short_repr
    _repr_html_ = field_table

    def __post_init__(self) -> None:
        names = ("test_loss", "shared_init", "shared_data", "independent")
        settle(self, "", **dict.fromkeys(names, _series))

    def ensemble_loss(self, k_init: float = 1, k_data: float = 1) -> Array:
        """Return the test loss (..., n) of the prediction averaged over k_init x k_data networks.

        Parameters
        ----------
        k_init, k_data
            Numbers of initializations and data sets; every pair is trained. ``inf`` is allowed.

        Raises
        ------
        ValueError
            If one of them is neither a whole number of at least 1 nor inf.
        """
        init = 1.0 / _count(k_init, "k_init")
        data = 1.0 / _count(k_data, "k_data")
        pairs = {
            "test_loss": init * data,
            "shared_init": init * (1.0 - data),
            "shared_data": (1.0 - init) * data,
            "independent": (1.0 - init) * (1.0 - data),
        }
        # Without the terms of weight zero, since 0 times inf is not 0.
        terms = [share * getattr(self, name) for name, share in pairs.items() if share > 0.0]
        total: Array = sum(terms[1:], start=terms[0])
        return total

    @property
    def bias(self) -> Array:
        """(..., n), the test loss of the prediction averaged over all networks and data sets."""
        return self.independent

    @property
    def variance_init(self) -> Array:
        """(..., n), the variance due to the initial weights alone."""
        return _or_inf(self.shared_init, -self.independent)

    @property
    def variance_data(self) -> Array:
        """(..., n), the variance due to the data alone."""
        return _or_inf(self.shared_data, -self.independent)

    @property
    def variance_interaction(self) -> Array:
        """(..., n), the variance due to initial weights and data together: the remaining part."""
        return _or_inf(self.test_loss, -self.shared_init, -self.shared_data, self.independent)


def _series(value: Any, field: str) -> Array:
    return real_array(value, field, "an array of numbers")


def _count(value: float, field: str) -> float:
    allowed = "a whole number of at least 1, or inf"
    result = number(value, field, allowed)
    if not result >= 1 or (math.isfinite(result) and not result.is_integer()):
        refuse(field, allowed, value)
    return result


def _or_inf(*terms: Array) -> Array:
    """Return the sum of the terms; inf where a term is infinite."""
    with np.errstate(invalid="ignore"):
        total: Array = np.sum(np.broadcast_arrays(*terms), axis=0)
    return np.where(np.isfinite(total), total, np.inf)
