"""Check whether a user's training loop is in the scaling of this package.

Wrong powers of the width and missing factors of two leave losses that look reasonable, but
hyperparameters do not transfer. They act like a wrong learning rate, as do other mistakes. A curve
of the loss identifies the mistake only if one hypothesis explains it and the others do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lindmft._internal.display import field_table
from lindmft._internal.types import Array
from lindmft._internal.validation import describe, real_array, refuse, threads_or_default
from lindmft.analysis.loops.fits import Fit, Losses, as_given, fit_all
from lindmft.analysis.loops.hypotheses import hypotheses, with_rate
from lindmft.analysis.loops.offsets import offset_advice
from lindmft.analysis.loops.verdict import Explanation, agreement, explanation, judge, judge_curve
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.schedules import has_schedule
from lindmft.results.solution import Solution
from lindmft.theory.solve import solve

__all__ = ["Explanation", "Scaling", "check_scaling"]

STEPS = 40
"""Largest number of steps that are compared: the first ones distinguish hypotheses best."""


@dataclass(frozen=True, repr=False)
class Scaling:
    """Result of ``check_scaling``: whether a loop agrees with a problem, or what explains it.

    Attributes
    ----------
    rate_factor
        Learning rate of the loop, in units of the problem's, that fits best (dimensionless).
    interval
        99 % interval of ``rate_factor``; None for a single curve, which has no error bar.
    difference
        Root mean square difference of the log losses from the theory as given: 0.1 is about 10 %.
    best_difference
        The same from the theory at ``rate_factor`` times the rate.
    agrees
        Whether the losses are compatible with the problem: the mean square z-score is below the
        square of Student's t at 99 %, and ``interval`` contains 1. For a single curve: whether they
        differ by less than 10 %, and no explanation fits ten times better.
    explained_by
        The explanations that fit, equally well if there are several; empty if the loop agrees or
        none fits.
    explanations
        All explanations that were tried, the best fit first. If several networks agree with the
        problem, only the learning rate.
    z
        Root mean square, over steps, of the theory's difference in standard errors; None for a
        single curve. Because steps are correlated, values from about 1 to a few are usual.
    networks, steps
        The numbers of networks and steps that were compared.
    verdict
        A few sentences on what follows.

    Notes
    -----
    Theory section 2: the learning rate's scale.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=1), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> found = lm.check_scaling(problem, lm.train(problem, 30, dim=200, seeds=8).test_loss)
    >>> found.agrees, found.interval[0] < 1 < found.interval[1]
    (True, True)
    >>> print(found.summary().splitlines()[0])
    training loop against the theory: 8 networks, 30 steps
    """

    rate_factor: float
    interval: tuple[float, float] | None
    difference: float
    best_difference: float
    z: float | None
    agrees: bool
    explained_by: tuple[Explanation, ...]
    explanations: tuple[Explanation, ...]
    networks: int
    steps: int
    verdict: str

    _repr_html_ = field_table

    def __repr__(self) -> str:
        within = f" ({self.interval[0]:.3g} to {self.interval[1]:.3g})" if self.interval else ""
        names = [explanation.name for explanation in self.explained_by]
        return (
            f"<Scaling: agrees={self.agrees}, rate_factor={self.rate_factor:.3g}{within}, "
            f"explained_by={names}>"
        )

    def summary(self) -> str:
        """The verdict, and a table of the explanations with their fits."""
        networks = "1 network" if self.networks == 1 else f"{self.networks} networks"
        return "\n".join(
            [
                f"training loop against the theory: {networks}, {self.steps} steps",
                self.verdict,
                "",
                f"{'rms difference':>14}{'rms z':>8}  explanation",
                _row(self.difference, self.z, "the problem as given"),
                *(
                    _row(e.difference, e.z, f"{e.text}{' (fits)' if e.fits else ''}")
                    for e in self.explanations
                ),
            ]
        )


def _row(difference: float, z: float | None, text: str) -> str:
    return f"{difference:>14.2g}{'' if z is None else f'{z:.2f}':>8}  {text}"


def check_scaling(
    problem: Problem | Mapping[str, Any], test_loss: ArrayLike, *, threads: int | None = None
) -> Scaling:
    """Compare the losses of a training loop with the theory, and explain differences.

    Parameters
    ----------
    problem
        The problem that the loop is meant to train.
    test_loss
        (n,) or (networks, n), the loop's excess test loss ``sum_k lambda_k v_k^2 / D`` before each
        step (units of target power); the first entry is the loss before training. It is the loss
        against noiseless labels: noisy test labels add their variance, which the verdict names.
        Every network has its own weights and data. Give at least 8 networks: with 4, Student's t
        makes the error bars more than twice as long. A single curve has no error bars.
    threads
        Threads to use; None: the allowed physical cores.

    Returns
    -------
    Scaling
        Whether the loop agrees with the problem, the factor by which its learning rate is off with
        an interval, and the explanations that fit its losses.

    Raises
    ------
    ValueError
        If the losses are not finite and positive, or fewer than three; or if the losses of the
        theory are zero or do not depend on the learning rate, so that they cannot determine it.

    Notes
    -----
    The first 40 steps are compared, on the scale of log losses. The explanations are: another
    learning rate (a factor 1/2 in the loss or powers of gamma0 and of the width are among these),
    momentum, label noise, initial scale, richness, width, depth, the amount of data, its order
    (shuffled epochs, random batches or fresh samples), and losses that are reported with a factor,
    an offset, a step late, or on training samples. Each has at most one number to fit. Two mistakes
    at once are often "none of these", but may look like a single other one: init_scale 1.3 with 0.4
    times the rate looks like half the gamma0.

    Differences count if they exceed the scatter over networks at 99 %, plus half of the scatter's
    variance: means of finite networks deviate by order 1 / D (theory section 3), and the variance,
    which is of order 1 / D as well, measures this deviation. Standard errors of fitted values come
    from a bootstrap over networks, with Student's t. Differences below 0.1 % never count. About one
    correct loop in a hundred is called wrong (``bench/README.md`` has measured rates).

    The scales are those of theory section 2: raw learning rate ``lr gamma0^2 N_L`` on
    ``(1/2P) sum Delta^2``. ``lm.SGD`` has the table.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
    >>> twice = problem.replace(**{"optimizer.lr": 0.1})
    >>> mine = lm.train(twice, steps=30, dim=200, seeds=16).test_loss
    >>> found = lm.check_scaling(problem, mine)
    >>> found.agrees, found.explained_by[0].name
    (False, 'learning rate')
    """
    problem = as_problem(problem)
    threads = threads_or_default(threads)
    seen = Losses(_losses(test_loss))
    steps = len(seen.mean)
    theory = _theory(problem, steps, threads)
    given = as_given(problem, theory, seen)
    first, *others = hypotheses(problem, theory, steps)
    fits = fit_all([first], problem, theory, seen, threads)
    if not fits:
        raise ValueError(
            "optimizer.lr must leave the theory finite over the steps of test_loss, got "
            f"{describe(problem.optimizer.lr)}: it diverges at 0.01 to 100 times this rate."
        )
    rate = fits[0]
    agrees, fitting = True, list[Fit]()
    verdict = None if seen.alone else agreement(seen, given, rate)
    if verdict is None:
        fits = sorted(
            fits + fit_all(others, problem, theory, seen, threads), key=lambda fit: fit.misfit
        )
        agrees, fitting, verdict = _judged(problem, seen, given, fits)
    verdict += offset_advice(problem, theory, seen, given, fitting)
    explanations = [explanation(f, f in fitting, seen.alone) for f in fits]
    return Scaling(
        rate_factor=rate.value,
        interval=rate.interval,
        difference=given.difference,
        best_difference=rate.difference,
        z=None if seen.alone else given.misfit,
        agrees=agrees,
        explained_by=tuple(e for e in explanations if e.fits),
        explanations=tuple(explanations),
        networks=seen.networks,
        steps=steps,
        verdict=verdict,
    )


def _losses(test_loss: ArrayLike) -> Array:
    values = np.atleast_2d(real_array(test_loss, "test_loss", "an array of numbers")).astype(float)
    if values.ndim > 2 or values.shape[1] < 3 or not len(values):
        refuse("test_loss", "of shape (n,) or (networks, n) with n >= 3", values)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        network, step = (int(i) for i in np.argwhere(bad)[0])
        where = f" of network {network}" if len(values) > 1 else ""
        raise ValueError(
            f"test_loss must be finite and positive, got {values[network, step]:g} at step "
            f"{step}{where}: leave out networks that diverged, and steps from there on."
        )
    return values[:, :STEPS]


def _judged(
    problem: Problem, seen: Losses, given: Fit, ranked: list[Fit]
) -> tuple[bool, list[Fit], str]:
    if seen.alone:
        return judge_curve(problem, given, ranked)
    return False, *judge(problem, seen, given, ranked)


def _theory(problem: Problem, steps: int, threads: int) -> Solution:
    """Solve the problem, one step further than needed unless schedules end before it."""
    scheduled = has_schedule(problem)
    theory = solve(problem, steps if scheduled else steps + 1, threads=threads)
    if not theory.test_loss[1:].any():
        raise ValueError(
            "problem must have a positive test loss after step 0, got one of 0: it has nothing to "
            "learn. Give it a target (data.spectrum) or, if its predictor is centered, label noise."
        )
    still = solve(with_rate(problem, 0.5), steps, threads=threads)
    known = np.isfinite(theory.test_loss[:steps]).all()
    if known and np.array_equal(still.test_loss, theory.test_loss[:steps]):
        raise ValueError(
            f"optimizer.lr must change the test loss, got {describe(problem.optimizer.lr)} and a "
            "loss that is the same at every multiple of it. Give a rate above 0, in a layer that "
            "is trained."
        )
    return theory
