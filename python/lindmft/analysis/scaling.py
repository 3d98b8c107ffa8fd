"""Tell whether a training loop of one's own is in the scaling of this package.

Wrong powers of the width and missing factors of two leave losses that look reasonable and do not
transfer. They all act as a wrong learning rate, which a curve of the loss gives away.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.validation import describe, real_array, refuse
from lindmft.problem.network import widths
from lindmft.problem.problem import Problem, as_problem
from lindmft.theory.solve import solve

__all__ = ["Scaling", "check_scaling"]

STEPS = 40
"""Steps that are compared: the first ones tell rates apart best."""
FACTORS = np.geomspace(1e-2, 1e2, 49)
CLOSE = 0.1
"""Root-mean-square relative difference below which two curves count as the same."""


@dataclass(frozen=True)
class Scaling:
    """What ``check_scaling`` found.

    Attributes
    ----------
    rate_factor
        Learning rate of the loop, in units of the problem's, that fits best (dimensionless).
    difference
        Root-mean-square relative difference from the theory as given.
    best_difference
        The same from the theory at ``rate_factor`` times the rate.
    agrees
        Whether the loop is in the scaling of the problem.
    verdict
        A sentence that says what to do.

    Notes
    -----
    Theory section 2: the learning rate's scale.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=1), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> lm.check_scaling(problem, lm.solve(problem, steps=20).test_loss).verdict
    'The loop is in the scaling of the problem.'
    """

    rate_factor: float
    difference: float
    best_difference: float
    agrees: bool
    verdict: str

    __repr__ = short_repr
    _repr_html_ = field_table


def check_scaling(problem: Problem | Mapping[str, Any], test_loss: ArrayLike) -> Scaling:
    """Compare the losses of a training loop of one's own with the theory, and name a wrong rate.

    Parameters
    ----------
    problem
        What the loop is meant to train.
    test_loss
        (n,) or (networks, n): the loop's excess test loss ``sum_k lambda_k v_k^2 / D`` before each
        step, the first before any (units of target power). Several networks are averaged.

    Returns
    -------
    Scaling
        The factor by which the loop's learning rate is off, and a sentence that says why.

    Raises
    ------
    ValueError
        If the losses are not finite and positive, or fewer than three; or if those of the theory
        are zero, or do not depend on the learning rate: then they say nothing about it.

    Notes
    -----
    The scales are those of theory section 2: raw learning rate ``lr gamma0^2 N_L`` on
    ``(1/2P) sum Delta^2``. ``lm.SGD`` has the table.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
    >>> twice = problem.replace(**{"optimizer.lr": 0.1})
    >>> mine = lm.train(twice, steps=30, dim=200, seeds=8).test_loss
    >>> lm.check_scaling(problem, mine).agrees
    False
    """
    problem = as_problem(problem)
    seen = _losses(test_loss)
    differences = np.array([_difference(problem, seen, factor) for factor in FACTORS])
    if np.ptp(differences) == 0 and np.isfinite(differences).all():
        raise ValueError(
            f"optimizer.lr must change the test loss, got {describe(problem.optimizer.lr)} and a "
            "loss that is the same at every multiple of it. Give a rate above 0, in a layer that "
            "is trained."
        )
    best = int(np.nanargmin(differences))
    factor, least = _refine(problem, seen, float(FACTORS[best]), float(differences[best]))
    given = _difference(problem, seen, 1.0)
    agrees = given < max(CLOSE, 1.5 * least) and least < CLOSE
    return Scaling(factor, given, least, agrees, _verdict(problem, factor, least, agrees))


def _losses(test_loss: ArrayLike) -> NDArray[np.float64]:
    values = np.atleast_2d(real_array(test_loss, "test_loss", "an array of numbers")).astype(float)
    if values.ndim > 2 or values.shape[1] < 3:
        refuse("test_loss", "of shape (n,) or (networks, n) with n >= 3", str(values.shape))
    if not (np.isfinite(values) & (values > 0)).all():
        refuse("test_loss", "finite and positive", "entries that are not")
    mean: NDArray[np.float64] = values.mean(axis=0)[:STEPS]
    return mean


def _difference(problem: Problem, seen: NDArray[np.float64], factor: float) -> float:
    """Root-mean-square difference of the logarithms after the first step; inf if diverged."""
    scaled = problem.replace(**{"optimizer.lr": np.multiply(problem.optimizer.lr, factor).tolist()})
    theory = solve(scaled, len(seen))
    if theory.diverged_at is not None:
        return math.inf
    if not (theory.test_loss[1:] > 0).all():
        raise ValueError(
            "problem must have a positive test loss after step 0, got one of 0: it has nothing to "
            "learn. Give it a target (data.spectrum) or, if its predictor is centered, label noise."
        )
    return float(np.sqrt(np.mean(np.log(theory.test_loss[1:] / seen[1:]) ** 2)))


def _refine(
    problem: Problem, seen: NDArray[np.float64], factor: float, least: float
) -> tuple[float, float]:
    """Halve the spacing of the factors around the best one until it is known to two percent."""
    ratio = float(FACTORS[1] / FACTORS[0])
    while ratio > 1.02:
        ratio = math.sqrt(ratio)
        tried = {_difference(problem, seen, f): f for f in (factor / ratio, factor * ratio)}
        if min(tried) < least:
            least = min(tried)
            factor = tried[least]
    return factor, least


def _verdict(problem: Problem, factor: float, least: float, agrees: bool) -> str:
    if agrees:
        return "The loop is in the scaling of the problem."
    if least > CLOSE:
        return (
            "No learning rate explains the losses: compare the initialization (the loss at "
            "step 0), the data and the architecture with the problem."
        )
    rate = f"The loop trains at {factor:.3g} times the learning rate of the problem"
    for value, reason in _reasons(problem):
        if abs(math.log(factor / value)) < 0.1:
            return f"{rate}: {reason}."
    return f"{rate}: multiply its raw learning rate by {1 / factor:.3g}."


def _reasons(problem: Problem) -> list[tuple[float, str]]:
    network = problem.network
    width = widths(network)[-1]
    reasons = [
        (2.0, "the loss lacks its factor 1/2"),
        (0.5, "the loss has a factor 1/2 too many"),
        (network.gamma0**2, "the rate has a factor gamma0^2 too many"),
        (network.gamma0**-2 if network.gamma0 else math.inf, "the rate lacks its factor gamma0^2"),
        (width, "the rate grows with the width once too often"),
        (1 / width, "the rate is not multiplied by the number of hidden units, but of inputs"),
    ]
    return [(value, reason) for value, reason in reasons if 0 < value < math.inf and value != 1]
