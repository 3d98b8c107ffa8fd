"""Search for the largest learning rate at which the sharpness stays at or below the threshold."""

import math
from dataclasses import dataclass

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array
from lindmft.analysis.edges.run import over, sharpness_of, width_of
from lindmft.analysis.searches.search import Rates, Run, Search
from lindmft.analysis.stability import StableRate
from lindmft.problem.stability import rates_and_thresholds
from lindmft.results.solution import Solution

__all__ = ["SharpnessLimit", "by_sharpness"]

MOST_ROUNDS = 60
WIDEST = math.log(8.0)
"""Largest step of the logarithm of the rate in a round."""
SLOW = 3
"""Number of rounds after which the bracket is halved, whatever its ends suggest."""


@dataclass(frozen=True)
class SharpnessLimit:
    """The largest learning rate at which the sharpness stays at or below the threshold.

    It is a rate of local stability at all times: below it no step amplifies small deviations. Above
    it training need not diverge. Where deviations grow, they may move the run to a flatter region,
    and the loss may still fall in the end; ``by_loss`` says up to which rate.

    Attributes
    ----------
    parameterization, width
        The problem, as in ``SharpnessRun``.
    lr
        The rate, ``lower``; of a schedule, the largest that acts.
    lower, upper
        Rates whose largest ratio of learning rate times sharpness to the threshold is at most 1,
        and above 1.
    time
        The step at which the ratio at ``lower`` is largest.
    solves
        The number of runs of the search.
    by_loss
        The result of ``largest_stable_lr``, which judges losses; None where it was not computed: on
        coarse grids, which do not follow instabilities, losses say nothing about them.

    Notes
    -----
    Theory section 15.

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.MLP(depth=2, width=float("inf"), gamma0=0.0)
    >>> problem = lm.Problem(network, lm.Population(), lm.SGD(lr=0.1))
    >>> limit = lm.edge_of_stability(problem, 20).limits[0]
    >>> print(f"{limit.lr:.2f}")  # 2 / (L + 1)
    0.66
    """

    parameterization: str
    width: float
    lr: float
    lower: float
    upper: float
    time: float
    solves: int
    by_loss: StableRate | None = None

    __repr__ = short_repr
    _repr_html_ = field_table


def by_sharpness(rates: Rates, time: Array, precision: float) -> Search[SharpnessLimit]:
    """Search for the limit; runs must have spectra at these times.

    In lazy training the ratio is proportional to the rate. From this guess on, the logarithm of the
    ratio is interpolated in that of the rate; each round tries two rates that enclose the guess.
    """
    found: dict[float, tuple[float, float]] = {}
    x = math.log(rates.start)
    (run,) = yield (rates.start,)
    found[x] = _level(run, time)
    for count in range(1, MOST_ROUNDS):
        lower, upper = _bracket(found)
        if lower is not None and upper is not None and upper - lower <= math.log(precision):
            low, high, at = math.exp(lower), math.exp(upper), found[lower][1]
            name, width = rates.problem.network.parameterization, width_of(rates.problem)
            return SharpnessLimit(name, width, low, low, high, at, len(found))
        guess = _guess(found, lower, upper, halve=count % SLOW == 0)
        half = 0.45 * math.log(precision)
        pair = (guess - half, guess + half)
        runs = yield tuple(math.exp(x) for x in pair)
        found |= {x: _level(run, time) for x, run in zip(pair, runs, strict=True)}
    tried = sorted(math.exp(x) for x in found)
    raise ValueError(
        "optimizer.lr must have a rate at which the sharpness reaches the threshold, got none "
        f"from {tried[0]:.3g} to {tried[-1]:.3g}"
    )


def _level(run: Run, time: Array) -> tuple[float, float]:
    """Return the largest ratio of a run and its time; inf if it diverges or is not solved."""
    if not isinstance(run, Solution):
        return math.inf, 0.0
    sharpness, _ = sharpness_of(run)
    learning_rate, threshold = rates_and_thresholds(run.problem.optimizer, time)
    ratio = over(learning_rate * sharpness, threshold)
    most = int(np.argmax(ratio))
    return float(ratio[most]), float(time[most])


def _bracket(found: dict[float, tuple[float, float]]) -> tuple[float | None, float | None]:
    """Return the smallest rate above the limit, and the largest one below it, as logarithms."""
    upper = min((x for x, (level, _) in found.items() if level > 1), default=None)
    lower = max(
        (x for x, (level, _) in found.items() if level <= 1 and (upper is None or x < upper)),
        default=None,
    )
    return lower, upper


def _guess(
    found: dict[float, tuple[float, float]],
    lower: float | None,
    upper: float | None,
    halve: bool,
) -> float:
    known = {x: math.log(max(level, 1e-300)) for x, (level, _) in found.items()}
    if lower is None or upper is None:
        x = min(known) if lower is None else max(known)
        step = -known[x] if math.isfinite(known[x]) else -WIDEST / 3
        return x + min(max(step, -WIDEST), WIDEST)
    if halve or not math.isfinite(known[upper]):
        return 0.5 * (lower + upper)
    return lower + (upper - lower) * known[lower] / (known[lower] - known[upper])
