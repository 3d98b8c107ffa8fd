"""Spectra of real data: from a covariance and a target, or from the samples themselves.

All are trace-class: nothing is rescaled, y = w . x + sigma eps holds for the inputs x that were
given, and sizes are actual numbers (``samples=``, ``batch=``, ``hidden=``).
"""

import numpy as np
from numpy.typing import ArrayLike

from lindmft._internal.background import aside
from lindmft._internal.memory import require_memory
from lindmft._internal.types import Array
from lindmft._internal.validation import describe, number, real_array, refuse
from lindmft.problem.grouping import grouped
from lindmft.problem.spectrum import Discrete

__all__ = ["estimate_noise", "from_covariance", "from_data"]

ASYMMETRY = 1e-10
"""Largest relative asymmetry of a covariance that is taken for rounding."""
LARGEST = 1e150
"""Largest number whose sums of squares do not overflow."""


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
    moments = _array(matrix, "matrix", 2, "a square matrix of numbers")
    size = len(moments)
    if moments.shape[1] != size or size == 0:
        refuse("matrix", "a square matrix of numbers", moments)
    coefficients = _array(target, "target", 1, "a list of numbers")
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
    power = (vectors.T @ coefficients) ** 2
    return _spectrum(eigenvalues[seen][::-1], power[seen][::-1], tolerance)


def from_data(X: ArrayLike, y: ArrayLike, *, tolerance: float | None = None) -> Discrete:
    """Return the spectrum of a data set: its second moments and the best linear fit of its labels.

    The data set is taken for the whole population: in the theory and in ``train``, samples are
    Gaussian inputs with the same second moments.

    Parameters
    ----------
    X
        (P, D), one sample in each row. They are taken as they are: subtract means or standardize
        first if networks are to be trained on such inputs.
    y
        (P,), the labels. For several outputs, call this function once for each.
    tolerance
        As for ``from_covariance``.

    Returns
    -------
    Discrete
        Trace-class: the eigenvalues of X^T X / P, and the squared components of the least-squares w
        (of smallest norm) along its eigenvectors. It has no directions in which the inputs do not
        vary.

    Raises
    ------
    ValueError
        If an array has the wrong shape or entries that are not finite, or is zero.

    Notes
    -----
    The label noise belongs to the data, not to the spectrum: ``noise=lm.estimate_noise(X, y)``,
    which needs more samples than dimensions. With few samples a part of the noise is fitted, which
    adds sigma^2 / (P lambda_k) to the power of the target in mode k. Theory section 6.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 20)) / np.arange(1, 21)
    >>> y = X @ np.ones(20) + 0.1 * rng.standard_normal(400)
    >>> data = lm.FullBatch(
    ...     samples=100, noise=lm.estimate_noise(X, y), spectrum=lm.from_data(X, y)
    ... )
    >>> round(data.noise, 2)
    0.1
    """
    eigenvalues, power, _ = _fit(X, y)
    return _spectrum(eigenvalues, power, tolerance)


def estimate_noise(X: ArrayLike, y: ArrayLike) -> float:
    """Return sigma, the standard deviation of the residuals of the best linear fit of the labels.

    Parameters
    ----------
    X
        (P, D), one sample in each row.
    y
        (P,), the labels.

    Returns
    -------
    float
        sqrt(|y - X w|^2 / (P - rank X)) in the units of y; its square is unbiased. The part of the
        labels that is not linear in X counts as noise.

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
    eigenvalues, _, residual = _fit(X, y)
    samples, rank = len(np.asarray(X)), len(eigenvalues)
    if samples <= rank:
        raise ValueError(
            f"X must have more samples than directions ({rank}) to separate noise from the target, "
            f"got {samples}"
        )
    return float(np.sqrt(residual / (samples - rank)))


def _fit(X: ArrayLike, y: ArrayLike) -> tuple[Array, Array, float]:
    """Return falling eigenvalues, powers of the least-squares target, and |y - X w|^2."""
    inputs = _array(X, "X", 2, "a matrix of numbers, one sample in each row")
    labels = _array(y, "y", 1, "a list of numbers, one for each sample")
    if len(labels) != len(inputs):
        refuse("y", f"of length {len(inputs)}, one label for each row of X", labels)
    if inputs.size == 0 or not inputs.any():
        refuse("X", "different from zero", inputs)
    # One triangular factor has all information that is needed about X and y.
    samples, size = inputs.shape
    small = min(samples, size + 1)
    require_memory(8.0 * (2 * samples * (size + 1) + 8 * small * size), "the fit of X and y")
    table = np.column_stack([inputs, labels])
    factor: Array = aside(lambda: np.asarray(np.linalg.qr(table, mode="r")))
    left, singular, _ = aside(np.linalg.svd, factor[:, :-1], full_matrices=False)
    seen = singular > _rounding(singular[0], max(inputs.shape))
    components = left[:, seen].T @ factor[:, -1]
    residual = factor[:, -1] - left[:, seen] @ components
    eigenvalues = singular[seen] ** 2 / len(inputs)
    return eigenvalues, (components / singular[seen]) ** 2, float(residual @ residual)


def _spectrum(eigenvalues: Array, power: Array, tolerance: float | None) -> Discrete:
    if tolerance is None:
        return Discrete(eigenvalues, power, trace_class=True)
    bound = number(tolerance, "tolerance", "a number or None")
    if not 1e-12 <= bound <= 0.1:
        refuse("tolerance", "from 1e-12 to 0.1", tolerance)
    return Discrete(*grouped(eigenvalues, power, bound), trace_class=True)


def _rounding(largest: float, size: int) -> float:
    return float(size * np.finfo(float).eps * largest)


def _array(value: ArrayLike, field: str, dimensions: int, allowed: str) -> Array:
    array = real_array(value, field, allowed)
    if array.ndim != dimensions:
        refuse(field, allowed, array if array.ndim else value)
    with np.errstate(over="ignore"):  # numbers of longer types than doubles can become inf
        array = array.astype(float)
    if not np.isfinite(array).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        index = "".join(f"[{i}]" for i in first)
        raise ValueError(f"{field}{index} must be finite, got {describe(array[first])}")
    if array.size and (largest := np.abs(array).max()) > LARGEST:
        refuse(field, f"numbers of size {LARGEST:g} at most, whose squares are doubles", largest)
    return array


def _check_symmetry(matrix: Array) -> None:
    off = np.abs(matrix - matrix.T)
    if off.size and off.max() > ASYMMETRY * np.abs(matrix).max():
        a, b = (int(i) for i in np.unravel_index(np.argmax(off), off.shape))
        raise ValueError(
            f"matrix must be symmetric, got {matrix[a, b]:g} at [{a}][{b}] "
            f"and {matrix[b, a]:g} at [{b}][{a}]"
        )
