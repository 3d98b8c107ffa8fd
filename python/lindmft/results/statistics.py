"""What ensembles of all kinds have in common: statistics of the work, means and standard errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.types import Array, Mask
from lindmft._internal.validation import choice

DOUBLE, SINGLE = "float64", "float32"

Statistic: TypeAlias = Callable[[Array], Array]


@dataclass(frozen=True)
class TrainStats:
    """The work of a call.

    Attributes
    ----------
    seconds, threads
        Wall-clock time of the whole call, on so many threads.
    instruction_set
        Of the compiled loops that was used.
    method
        How weights were kept. "shared": networks with the same initial weights multiply them in one
        product, and what each learned is kept as factors; "factored": each network's own, as of
        some steps ago, and factors of what came since; "in_place": updated every step. Chosen by
        counted operations and bytes; results agree to rounding.
    operations
        Counted floating-point operations of this problem's networks, random numbers left out.
    bytes_moved
        To and from memory, if no array stays in a cache.

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
    """The compiled module's fields, as Python's: tuples, and None for what did not diverge."""
    return {
        **{name: value for name, value in result.items() if name != "state"},
        "widths": tuple(result["widths"]),
        "seeds": tuple(result["seeds"]),
        "diverged_at": tuple(step if step >= 0 else None for step in result["diverged_at"]),
        "stats": TrainStats(**result["stats"]),
    }


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
    """(seed,), those that did not diverge, or all if all did."""
    stable = np.array([step is None for step in diverged_at])
    return stable if stable.any() else ~stable


def status(diverged_at: Sequence[int | None], steps: int, what: str) -> str:
    """One sentence: what came out, and what to do about it if it is not what was wanted."""
    lost = [step for step in diverged_at if step is not None]
    count, total = len(lost), len(diverged_at)
    if not lost:
        return f"Trained {total} {what} for {steps} steps."
    treated = "means are over all of them" if count == total else "means leave them out"
    return (
        f"{count} of {total} {what} diverged, the first at step {min(lost)}: their entries "
        f"are inf from there on and {treated}. Lower optimizer.lr to train all stably."
    )


def mean(values: Array) -> Array:
    """Over the first axis, of the values that exist; nan where none does."""
    missing = np.isnan(values)
    if not missing.any():
        average: Array = values.mean(axis=0)
        return average
    count = (~missing).sum(axis=0)
    total = np.where(missing, 0.0, values).sum(axis=0)
    some: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return some


def standard_error(values: Array) -> Array:
    """Of ``mean``; inf where there is one value alone, or an infinite one, and nan where none."""
    if np.isnan(values).any():
        return _standard_error_of_some(values)
    count = len(values)
    finite = np.isfinite(values).all(axis=0)
    if count < 2:
        return np.full(values.shape[1:], np.inf)
    spread = np.where(finite, values, 0.0).std(axis=0, ddof=1)
    return np.where(finite, spread / np.sqrt(count), np.inf)


def _standard_error_of_some(values: Array) -> Array:
    """The same where some values do not exist."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    enough = (count > 1) & ~np.isinf(values).any(axis=0)
    used_ones = known & enough
    some = np.where(used_ones, values, 0.0)
    deviation = np.where(used_ones, some - some.sum(axis=0) / np.maximum(count, 1), 0.0)
    variance = (deviation**2).sum(axis=0) / np.maximum(count - 1, 1)
    error = np.where(enough, np.sqrt(variance / np.maximum(count, 1)), np.inf)
    return np.where(count > 0, error, np.nan)


def reduced(result: Any, names: Sequence[str], statistic: Statistic) -> dict[str, Any]:
    """The statistic of these series of an ensemble, over the seeds that count; None stays None."""
    chosen = used(result.diverged_at)
    series = {name: getattr(result, name) for name in names}
    return {name: x if x is None else statistic(x[chosen]) for name, x in series.items()}
