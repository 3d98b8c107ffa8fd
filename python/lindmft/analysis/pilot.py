"""Pilot networks: the combination of steps that shows a wrong learning rate best.

A wrong learning rate acts like a change of the unit of time: log losses differ from the theory's by
d log L / d log t times the relative error of the rate, at all steps of both losses. Which
combination of steps shows that best depends on how log losses of different steps vary together, and
the few networks of a comparison are too few to say. Many small separate networks, the pilots, say
it well enough. They share no random number with the networks that are compared, so that chances
remain exact for the combination that they determine. Poor weights only find less.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.types import Array, Mask
from lindmft.problem.data import OnePass
from lindmft.problem.problem import Problem
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.training.seeds import STREAM
from lindmft.training.train import train_many

__all__ = ["Weights", "affordable_pilots", "pilot_weights", "weights_of_pilots"]

Weights = tuple[Array, Array]
"""Weights of the log deviations of the test loss and of the train loss, (m,) each."""

Steps = NDArray[np.intp]

DIM = 32
"""Number of inputs of the pilots."""
LAST_STREAM = STREAM - 1
"""The random stream of the pilots: the last one, which other calls use only on request."""
MOST_PILOTS, FEWEST_PILOTS = 256, 64
MOST_COST, FREE_COST = 2.5e9, 5e8
"""Pilots may cost as many operations as the compared networks, but at most the first number (about
a second); the second number is always allowed."""
STEP_COST = 2000
"""Operations that take as long as the overhead of a step of a network."""
DRAWING = 10
"""Operations that take as long as drawing one number."""
RIDGE = 0.01
"""Fraction of the variance of every step that is added before the inverse is taken."""
FEWEST_STEPS = 3
"""A derivative in log t needs two steps after the start."""
VANISHED = 1e-12
"""Losses below this fraction of the theory's largest are rounding."""
SMALLEST_SPREAD = 1e-8
"""Standard deviation over pilots below which log losses vary by rounding only."""


def pilot_weights(theory: Solution, runs: Ensemble, valid: Mask) -> Weights | None:
    """Return weights of log deviations at the valid steps, or None without pilots.

    There are none where they would cost too much, fewer than half of them converge, 32 inputs are
    too few for the problem, fewer than three steps are left, or a compared network could be one of
    them.
    """
    times = np.flatnonzero(valid)
    if len(times) < FEWEST_STEPS or max(runs.seeds) >= STREAM * LAST_STREAM:
        return None
    count = affordable_pilots(runs, int(times[-1]) + 1)
    expected = theory.test_loss[times], theory.train_loss[times]
    return weights_of_pilots(theory.problem, times, expected, pilot_dim(runs), count)


def pilot_dim(runs: Ensemble) -> int:
    """Return the number of inputs of the pilots: few, or all modes of a trace-class spectrum."""
    return runs.dim if runs.problem.data.spectrum.trace_class else DIM


def affordable_pilots(runs: Ensemble, steps: int) -> int:
    """At most 256 networks; 0 if fewer than 64 cost as much as is allowed."""
    smaller = pilot_dim(runs) / runs.dim
    allowed = min(max(len(runs.seeds) * steps * _step_cost(runs, 1.0), FREE_COST), MOST_COST)
    count = int(min(allowed / (steps * _step_cost(runs, smaller)), MOST_PILOTS))
    return count if count >= FEWEST_PILOTS else 0


def weights_of_pilots(
    problem: Problem, times: Steps, expected: tuple[Array, Array], dim: int, count: int
) -> Weights | None:
    """Train pilots of the problem; ``expected`` has the theory's losses at the times, (m,) each."""
    if not count:
        return None
    try:  # one thread: results do not depend on it, and small networks need no more
        (runs,) = train_many(
            [problem], int(times[-1]) + 1, dim=dim, seeds=count, seed=LAST_STREAM, threads=1
        )
    except (ValueError, MemoryError):  # sizes round to zero, or there is no room for pilots
        return None
    kept = np.array([step is None for step in runs.diverged_at])
    if 2 * kept.sum() < count:
        return None
    trained = runs.test_loss[kept][:, times], runs.train_loss[kept][:, times]
    floors = [VANISHED * losses.max() for losses in expected]
    logs = [_log(*pair) for pair in zip(trained, floors, strict=True)]
    slopes = [_slope(_log(*pair), times) for pair in zip(expected, floors, strict=True)]
    test, train = np.split(_inverse_times(np.hstack(logs), np.concatenate(slopes)), 2)
    return (test, train) if test.any() or train.any() else None


def _step_cost(runs: Ensemble, scale: float) -> float:
    """Operations in a step of one network, with all its sizes scaled."""
    sizes = [scale * size for size in (runs.dim, *runs.widths)]
    weights = sum(a * b for a, b in pairwise(sizes))
    samples = scale * runs.samples * sizes[0]
    drawn = DRAWING * samples if isinstance(runs.problem.data, OnePass) else 0.0
    return float(STEP_COST + runs.test_loss_by_output.shape[1] * (weights + samples) + drawn)


def _log(losses: Array, floor: float) -> Array:
    """Logarithms of losses; those below the floor are at the floor."""
    logs: Array = np.log(np.maximum(losses, floor + np.finfo(float).tiny))
    return logs


def _slope(logs: Array, times: Steps) -> Array:
    """(m,), d log L / d log t by differences; zero at the start, before the first update."""
    moved = times > 0
    slope = np.zeros(len(times))
    slope[moved] = np.gradient(logs[moved], np.log(times[moved]))
    return slope


def _inverse_times(logs: Array, slope: Array) -> Array:
    """(S + ridge diag S)^-1 slope, S the covariance of the columns of (pilots, m).

    Columns are in units of their spread. The matrix over pilots is used, because it is smaller than
    that over many steps. Columns without spread get no weight.
    """
    spread = logs.std(axis=0, ddof=1)
    some = spread > SMALLEST_SPREAD
    z = (logs[:, some] - logs[:, some].mean(axis=0)) / (spread[some] * math.sqrt(len(logs) - 1))
    target = slope[some] / spread[some]
    among = z @ z.T + RIDGE * np.eye(len(z))
    weights = np.zeros(len(slope))
    weights[some] = (target - z.T @ np.linalg.solve(among, z @ target)) / RIDGE / spread[some]
    return weights
