"""The work behind ``from_data``: from samples and labels to a factor, estimates and tails."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.types import Array, Callback
from lindmft._internal.validation import choice, flag, refuse
from lindmft.problem.samples import estimators, tails
from lindmft.problem.samples.estimators import Estimate
from lindmft.problem.samples.factor import Factor, Rows, decomposed, joined, triangle
from lindmft.problem.samples.labels import Labels, read_labels
from lindmft.problem.samples.tables import Table, read_inputs

FROM_FACTOR = {
    "least_squares": estimators.least_squares,
    "ridge": estimators.ridge,
    "population": estimators.population,
}
ESTIMATORS = (*FROM_FACTOR, "held_out")
HELD_OUT = 0.2
"""Fraction of the samples that are held out."""
LEAST_SAMPLES = 10
"""Smallest number of samples of which some can be held out."""


@dataclass(frozen=True)
class Samples:
    """Inputs and labels that were read, and whether means are to be subtracted."""

    table: Table
    labels: Labels
    center: bool

    @property
    def count(self) -> int:
        """P."""
        return self.table.samples


@dataclass(frozen=True)
class Fit:
    """A fit of samples."""

    samples: Samples
    rows: Rows
    factor: Factor
    estimate: Estimate
    tails: tails.Tails
    input_mean: Array
    """Mean of the inputs (D,) as they were fitted: zeros if it was subtracted."""


def read_samples(X: Any, y: Any, classes: Any, center: Any) -> Samples:
    """Return what was given, converted and checked."""
    table = read_inputs(X)
    labels = read_labels(y, classes, table.samples)
    if table.samples == 0 or table.size == 0:
        refuse("X", "different from zero", f"an array of shape {(table.samples, table.size)}")
    coded = labels.one_hot if center is None else flag(center, "center")
    return Samples(table, labels, coded)


def fit(samples: Samples, estimator: str, callback: Callback | None) -> Fit:
    """Return the estimates and the tails, in two passes after that for the means."""
    _check_estimator(samples, estimator)
    rows = _rows(samples, callback, passes=2)
    held = _split(samples.count) if estimator == "held_out" else None
    train, rest = triangle(rows, held)
    outputs = samples.labels.values.shape[1]
    factor = decomposed(joined(train, rest), outputs, samples.count, samples.center)
    unseen: list[Array] = []
    total = np.zeros(rows.columns)

    def also(span: slice, block: Array) -> None:
        total[:] += block.sum(axis=0)
        if held is not None:
            unseen.append(block[held[span]])

    found = tails.measured(rows, factor, also)
    if held is None:
        estimate = FROM_FACTOR[estimator](factor)
    else:
        part = decomposed(train, outputs, int((~held).sum()), samples.center)
        estimate = _held_out(factor, part, np.concatenate(unseen))
    mean = total[:-outputs] / samples.count
    return Fit(samples, rows, factor, estimate, found, mean)


def _held_out(factor: Factor, train: Factor, unseen: Array) -> Estimate:
    outputs = factor.components.shape[1]
    x, y = unseen[:, :-outputs], unseen[:, -outputs:]
    return estimators.held_out(factor, train, lambda w: y - x @ w, y)


def noise(samples: Samples) -> tuple[Factor, Array | None]:
    """Return the factor and the covariance of the noise by least squares, in one pass."""
    rows = _rows(samples, None, passes=1)
    factor = decomposed(
        triangle(rows)[0], samples.labels.values.shape[1], samples.count, samples.center
    )
    return factor, estimators.least_squares(factor).noise


def read_estimator(value: Any) -> str:
    """Return the name of an estimator."""
    name: str = choice(*ESTIMATORS)(value, "estimator")
    return name


def _rows(samples: Samples, callback: Callback | None, passes: int) -> Rows:
    return Rows(
        samples.table,
        samples.labels.values,
        center=samples.center,
        callback=callback,
        passes=passes,
    )


def _check_estimator(samples: Samples, estimator: str) -> None:
    if estimator == "held_out" and samples.count < LEAST_SAMPLES:
        refuse("X", f"at least {LEAST_SAMPLES} samples to hold some out", f"{samples.count}")


def _split(count: int) -> Any:
    """Return which samples are held out; the choice depends on their number alone."""
    held = np.zeros(count, dtype=bool)
    held[np.random.default_rng(0).permutation(count)[: round(HELD_OUT * count)]] = True
    return held
