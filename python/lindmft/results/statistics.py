"""Common parts of the results of training: their work, means over networks, standard errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.types import Array, Mask
from lindmft._internal.validation import choice
from lindmft.problem.problem import Problem
from lindmft.problem.scales import divergence_remedy

DOUBLE, SINGLE = "float64", "float32"

Statistic: TypeAlias = Callable[[Array], Array]


@dataclass(frozen=True)
class TrainStats:
    """Work of a call of ``train``, ``train_many`` or ``train_replicas``.

    Attributes
    ----------
    seconds, threads
        Wall-clock time of the whole call, and its number of threads.
    instruction_set
        Instruction set of the compiled loops that were used.
    method
        How weights were kept. "shared": networks with the same initial weights multiply them in one
        product, and the later changes of each network are kept as factors; "factored": each network
        has the weights of some steps ago, and factors for the changes since; "in_place": weights
        are updated every step. The method is chosen by counted operations and bytes; results agree
        to rounding.
    operations
        Counted floating-point operations of this problem's networks, without random numbers.
    bytes_moved
        Bytes that move to and from memory, if no array stays in a cache.

    Notes
    -----
    Theory section 11.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> stats = lm.train(problem, steps=20, dim=64, seeds=4, threads=1).stats
    >>> stats.threads, stats.method in {"shared", "factored", "in_place"}
    (1, True)
    """

    seconds: float
    threads: int
    instruction_set: str
    method: str = "in_place"
    operations: float = 0.0
    bytes_moved: float = 0.0


def common_fields(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a result of the compiled module in the form of Python's classes."""
    return {
        **{name: value for name, value in result.items() if name not in {"state", "series"}},
        **{name: _by_seed(values) for name, values in result["series"].items()},
        "widths": tuple(result["widths"]),
        "seeds": tuple(result["seeds"]),
        "diverged_at": tuple(step if step >= 0 else None for step in result["diverged_at"]),
        "stats": TrainStats(**result["stats"]),
    }


def _by_seed(values: Array | list[Array]) -> Array:
    """Return (seed, n); lists over outputs or layers become (seed, outputs or layers, n)."""
    return np.stack(values, axis=1) if isinstance(values, list) else values


def checked_dtype(dtype: Any) -> str:
    """Return "float64" or "float32", also where NumPy's or torch's type of this name is given."""
    named = (
        dtype
        if isinstance(dtype, str)
        else getattr(dtype, "__name__", getattr(dtype, "name", dtype))
    )
    checked: str = choice(DOUBLE, SINGLE)(named, "dtype")
    return checked


def used(diverged_at: Sequence[int | None]) -> Mask:
    """Return a mask (seed,) of the networks that did not diverge, or of all if all did."""
    stable = np.array([step is None for step in diverged_at])
    return stable if stable.any() else ~stable


def status(diverged_at: Sequence[int | None], steps: int, what: str, problem: Problem) -> str:
    """Return a sentence about the outcome, with a remedy if networks diverged."""
    lost = [step for step in diverged_at if step is not None]
    count, total = len(lost), len(diverged_at)
    if not lost:
        return f"Trained {total} {what} for {steps} steps."
    treated = "means are over all of them" if count == total else "means leave them out"
    return (
        f"{count} of {total} {what} diverged, the first at step {min(lost)}: their entries "
        f"are inf from there on and {treated}. {divergence_remedy(problem)}"
    )


def mean(values: Array) -> Array:
    """Return the mean over axis 0 of the values that are not nan; nan where all are."""
    missing = np.isnan(values)
    if not missing.any():
        average: Array = values.mean(axis=0)
        return average
    count = (~missing).sum(axis=0)
    total = np.where(missing, 0.0, values).sum(axis=0)
    some: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return some


def standard_error(values: Array) -> Array:
    """Return the standard error of ``mean``.

    It is inf (unknown) for a single value and where a value is infinite, and nan where all are nan.
    """
    if np.isnan(values).any():
        return _standard_error_of_some(values)
    count = len(values)
    finite = np.isfinite(values).all(axis=0)
    if count < 2:
        return np.full(values.shape[1:], np.inf)
    spread = np.where(finite, values, 0.0).std(axis=0, ddof=1)
    return np.where(finite, spread / np.sqrt(count), np.inf)


def _standard_error_of_some(values: Array) -> Array:
    """Return the standard error of ``mean`` where some values are nan."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    enough = (count > 1) & ~np.isinf(values).any(axis=0)
    used_ones = known & enough
    some = np.where(used_ones, values, 0.0)
    deviation = np.where(used_ones, some - some.sum(axis=0) / np.maximum(count, 1), 0.0)
    variance = (deviation**2).sum(axis=0) / np.maximum(count - 1, 1)
    error = np.where(enough, np.sqrt(variance / np.maximum(count, 1)), np.inf)
    return np.where(count > 0, error, np.nan)


def reduced(result: Any, series: Any, statistic: Statistic) -> Any:
    """Return the statistic over the seeds that count, as an instance of the class ``series``."""
    chosen = used(result.diverged_at)
    found = {one.name: vars(result).get(one.name) for one in fields(series)}
    return series(**{name: statistic(x[chosen]) for name, x in found.items() if x is not None})
