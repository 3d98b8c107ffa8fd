"""Spectra of real data: from a covariance and a target, or from the samples themselves.

All are trace-class: nothing is rescaled, y = w . x + sigma eps holds for the inputs x that were
given, and sizes are actual numbers (``samples=``, ``batch=``, ``hidden=``).
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lindmft._internal.background import aside
from lindmft._internal.callers import level_of_the_user
from lindmft._internal.memory import require_memory
from lindmft._internal.types import Array, Callback
from lindmft._internal.validation import check_progress, number, refuse
from lindmft.problem.grouping import grouped
from lindmft.problem.samples.fit import fit, noise, read_estimator, read_samples
from lindmft.problem.samples.fitted import DataWarning, FittedData, described
from lindmft.problem.samples.tables import finite_array
from lindmft.problem.spectrum import Discrete
from lindmft.progress import reporting

__all__ = ["estimate_noise", "from_covariance", "from_data"]

ASYMMETRY = 1e-10
"""Largest relative asymmetry of a covariance that is taken for rounding."""


def from_covariance(
    matrix: ArrayLike, target: ArrayLike, *, tolerance: float | None = None
) -> Discrete:
    """Return the spectrum of inputs with a given covariance, with a linear target on them.

    Parameters
    ----------
    matrix
        (D, D), the second moments <x x^T> of the inputs; symmetric, positive semidefinite. In the
        units of the inputs: neither the matrix nor the target is normalized.
    target
        (D,), w in y = w . x + sigma eps.
    tolerance
        None: each eigenvalue is a mode. Otherwise modes are grouped to fewer nodes, because the
        cost of the theory is linear in their number. From 1e-12 to 0.1: the largest relative error
        of the sums over modes of lambda_k (w*_k)^2, lambda_k and lambda_k^2, each times
        exp(-lambda_k s), at every s while the sum is above 1e-9 of its start. It is no bound on the
        errors of losses: these stayed within 1.4 times the tolerance in 172 random problems, and
        were larger only in sensitive problems, such as rich learning near the edge of stability
        (docs/accuracy.md). Grouped spectra are for the theory alone; networks are trained on
        spectra that are not grouped.

    Returns
    -------
    Discrete
        Trace-class, with falling eigenvalues. It has no directions in which the inputs do not vary
        (eigenvalues that are zero up to rounding, D times 2e-16 of the largest): these contribute
        to no loss.

    Raises
    ------
    ValueError
        If the matrix is not square, symmetric, positive semidefinite and finite, or zero; if the
        target does not fit it.

    Notes
    -----
    Theory section 6. The power of the target, sum_k lambda_k (w*_k)^2, multiplies gamma0^2; results
    have a note on this if it is far from 1. The unit of lr is 1 / lambda, as for ``lm.Discrete``:
    gradient descent on a lazy perceptron of depth L is stable for lr below
    2 / ((L + 1) lambda_1).

    Examples
    --------
    >>> import lindmft as lm
    >>> spectrum = lm.from_covariance([[2.0, 1.0], [1.0, 2.0]], target=[1.0, 1.0])
    >>> [round(x, 12) for x in spectrum.eigenvalues], [round(x, 12) for x in spectrum.target_power]
    ([3.0, 1.0], [2.0, 0.0])
    >>> lm.FullBatch(samples=100, noise=0.1, spectrum=spectrum).samples
    100
    """
    bound = _tolerance(tolerance)
    moments = finite_array(matrix, "matrix", 2, "a square matrix of numbers")
    size = len(moments)
    if moments.shape[1] != size or size == 0:
        refuse("matrix", "a square matrix of numbers", moments)
    coefficients = finite_array(target, "target", 1, "a list of numbers")
    if len(coefficients) != size:
        refuse("target", f"of length {size}, one number for each row of matrix", coefficients)
    _check_symmetry(moments)
    require_memory(8.0 * 6 * size**2, "the eigenvalues of matrix")
    eigenvalues, vectors = aside(np.linalg.eigh, (moments + moments.T) / 2)
    rounding = _rounding(eigenvalues[-1], size)
    if eigenvalues[0] < -rounding:
        raise ValueError(
            f"matrix must be positive semidefinite, got one with the eigenvalue {eigenvalues[0]:g}"
        )
    if not eigenvalues[-1] > 0:
        refuse("matrix", "different from zero", "zeros")
    seen = eigenvalues > rounding
    along = vectors.T @ coefficients
    return _spectrum(eigenvalues[seen][::-1], along[seen][::-1, None], bound)


def from_data(
    X: Any,
    y: Any,
    *,
    tolerance: float | None = None,
    classes: bool | str | Sequence[Any] | None = None,
    center: bool | None = None,
    estimator: str = "least_squares",
    progress: bool | Callback | None = None,
) -> FittedData:
    """Return the theory's description of a data set: spectrum, linear target and label noise.

    In the theory and in ``train``, samples are Gaussian inputs with the same second moments.

    Parameters
    ----------
    X
        (P, D), one sample in each row: an array, a data frame of pandas, or a sparse matrix of
        SciPy. Columns that are constant or zero are allowed.
    y
        Labels: (P,) numbers, (P, C) for C outputs, or names of classes.
    tolerance
        As for ``from_covariance``.
    classes
        None or False: labels are values. True: they are names of classes (texts, truth values,
        numbers); "auto": they are if they are texts or truth values, or whole numbers of which at
        most sqrt(P) differ. A list of names: these classes, in this order. Two classes become one
        output, -1 and 1, and more become one output each, 0 and 1 (one-hot).
    center
        Subtract the means from inputs and labels. None: for classes and one-hot labels, whose mean
        depends on their coding, but not for other labels, which are then taken as they are.
        Networks have no biases. Those that are to be compared with the theory must be trained on
        the same differences, and ``mean`` and ``label_mean`` of the result are what to subtract.
    estimator
        "least_squares": unbiased, for P well above the rank of X. "ridge": random targets whose
        strength maximizes the likelihood; also for few samples. "held_out": ridge regression whose
        penalty and noise are determined by a fifth of the samples; it makes no assumptions on
        labels, and counts what the fit does not learn as noise. "population": the samples are the
        whole population, as where networks train on random parts of them; nothing is corrected.
    progress
        As for ``solve``; counts samples, in all passes together.

    Returns
    -------
    FittedData
        Its methods ``full_batch``, ``epochs``, ... return the data of a problem, and it can be
        given as ``spectrum=``. ``print`` shows what was done.

    Raises
    ------
    ValueError
        If an array has the wrong shape, missing values or entries that are not finite, or X is
        zero; if labels are names and ``classes`` does not say so.
    MemoryError
        If the fit needs more than four fifths of the free memory.

    Warns
    -----
    DataWarning
        If the samples are too few for the estimate, the inputs have much heavier tails than
        Gaussian ones, or a large mean that is not subtracted.

    Notes
    -----
    Theory section 6. The spectrum is that of X^T X / P, without directions in which the inputs do
    not vary. The fitted target contains noise, Sigma / (P lambda_k) in the Gram matrix of mode k,
    and this is subtracted: the total has no bias, sums over the first modes have little. The part
    of the labels that is not linear in X counts as noise.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 20)) / np.arange(1, 21)
    >>> y = X @ np.ones(20) + 0.1 * rng.standard_normal(400)
    >>> data = lm.from_data(X, y)
    >>> data.full_batch(samples=100).samples, round(data.noise, 2), data.rank
    (100, 0.1, 20)
    >>> kinds = lm.from_data(X, np.where(y > 0, "up", "down"), classes=True)
    >>> kinds.classes, kinds.outputs, kinds.centered
    (('down', 'up'), 1, True)
    """
    name, bound = read_estimator(estimator), _tolerance(tolerance)
    check_progress(progress)
    samples = read_samples(X, y, classes, center)
    with reporting(progress, "from_data", "sample") as callback:
        result = fit(samples, name, callback)
    data = described(
        result, name, _spectrum(result.factor.eigenvalues, result.estimate.targets, bound)
    )
    if data.cautions:
        warnings.warn(" ".join(data.cautions), DataWarning, stacklevel=level_of_the_user())
    return data


def estimate_noise(
    X: Any,
    y: Any,
    *,
    classes: bool | str | Sequence[Any] | None = None,
    center: bool | None = None,
) -> float:
    """Return sigma, the standard deviation of the residuals of the best linear fit of the labels.

    Parameters
    ----------
    X, y, classes, center
        As for ``from_data``.

    Returns
    -------
    float
        sqrt(|y - X w|^2 / (P - rank X)) in the units of y; its square is unbiased. Subtracted means
        take one more degree of freedom. The part of the labels that is not linear in X counts as
        noise. For several outputs the root of the mean variance, as in ``noise`` of
        ``from_data``; its ``noise_covariance`` has more.

    Raises
    ------
    ValueError
        For the reasons of ``from_data``, and if P is not greater than the rank of X: a fit without
        residuals cannot separate noise from the target.

    Notes
    -----
    Theory section 1: y = w . x + sigma eps, where sigma eps are the residuals.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> X = np.array([[1.0], [1.0], [1.0], [1.0], [1.0]])
    >>> round(lm.estimate_noise(X, [3.0, 5.0, 3.0, 5.0, 4.0]), 12)
    1.0
    """
    factor, covariance = noise(read_samples(X, y, classes, center))
    if covariance is None:
        taken = factor.rank + factor.lost
        raise ValueError(
            f"X must have more samples than directions ({taken}) to separate noise from the "
            f"target, got {factor.samples}"
        )
    return float(np.sqrt(np.trace(covariance) / len(covariance)))


def _spectrum(eigenvalues: Array, targets: Array, tolerance: float | None) -> Discrete:
    """Return the modes, or fewer nodes for them; ``targets`` are (K, C)."""
    weights = None
    if tolerance is not None:
        eigenvalues, targets, weights = grouped(eigenvalues, targets, tolerance)
    if targets.shape[1] == 1:
        return Discrete(eigenvalues, targets[:, 0] ** 2, weights, trace_class=True)
    return Discrete(eigenvalues, weights=weights, targets=targets, trace_class=True)


def _tolerance(value: float | None) -> float | None:
    if value is None:
        return None
    bound = number(value, "tolerance", "a number or None")
    if not 1e-12 <= bound <= 0.1:
        refuse("tolerance", "from 1e-12 to 0.1", value)
    return bound


def _rounding(largest: float, size: int) -> float:
    return float(size * np.finfo(float).eps * largest)


def _check_symmetry(matrix: Array) -> None:
    off = np.abs(matrix - matrix.T)
    if off.size and off.max() > ASYMMETRY * np.abs(matrix).max():
        a, b = (int(i) for i in np.unravel_index(np.argmax(off), off.shape))
        raise ValueError(
            f"matrix must be symmetric, got {matrix[a, b]:g} at [{a}][{b}] "
            f"and {matrix[b, a]:g} at [{b}][{a}]"
        )
