"""Pilot networks: how a wrong learning rate would show, weighed by how log losses fluctuate.

A wrong learning rate acts like a change of the unit of time: log losses differ from the theory's by
d log L / d log t times the relative error of the rate, at all steps of both losses. Which
combination of steps shows that best depends on how log losses of different steps vary together, and
the few networks of a comparison are too few to say. Many small separate networks, the pilots, say
it well enough. They share no random number with the networks that are compared, so that a
combination that they choose leaves chances exact; poor weights only find less.
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
LAST_STREAM = STREAM - 1
"""The stream of the pilots: the last one, which no other call has unless it is asked for."""
MOST_PILOTS, FEWEST_PILOTS = 256, 64
MOST_COST, FREE_COST = 2.5e9, 5e8
"""Pilots may cost as much as the networks that are compared, but not more than the first number of
operations (about a second), and in any case the second."""
STEP_COST = 2000
"""Operations that take as long as the overhead of a network's step."""
DRAWING = 10
"""Operations that take as long as drawing one number."""
RIDGE = 0.01
"""Fraction of the variance of every step that is added before the inverse is taken."""
FEWEST_STEPS = 3
"""A derivative in log t needs two steps after the start."""
VANISHED = 1e-12
"""Losses below this fraction of the theory's largest are rounding."""
SMALLEST_SPREAD = 1e-8
"""Log losses that vary less over pilots vary by rounding."""


def pilot_weights(theory: Solution, runs: Ensemble, valid: Mask) -> Weights | None:
    """Weights of log deviations at the valid steps, or None where pilots cannot be used.

    That is where they would cost too much, fewer than half of them converge, sizes of 32 inputs are
    too small for the problem, fewer than three steps are left, or a compared network could be one
    of them.
    """
    times = np.flatnonzero(valid)
    if len(times) < FEWEST_STEPS or max(runs.seeds) >= STREAM * LAST_STREAM:
        return None
    count = affordable_pilots(runs, int(times[-1]) + 1)
    expected = theory.test_loss[times], theory.train_loss[times]
    return weights_of_pilots(theory.problem, times, expected, pilot_dim(runs), count)


def pilot_dim(runs: Ensemble) -> int:
    """Inputs of the pilots: few, but all modes of a trace-class spectrum."""
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
    """Logarithms; what has vanished is at the floor."""
    logs: Array = np.log(np.maximum(losses, floor + np.finfo(float).tiny))
    return logs


def _slope(logs: Array, times: Steps) -> Array:
    """(m,), d log L / d log t by differences; zero at the start, where no rate has acted."""
    moved = times > 0
    slope = np.zeros(len(times))
    slope[moved] = np.gradient(logs[moved], np.log(times[moved]))
    return slope


def _inverse_times(logs: Array, slope: Array) -> Array:
    """(S + ridge diag S)^-1 slope, S the covariance of the columns of (pilots, m).

    In units of each column's spread, and by the matrix of pilots, which is smaller than that of
    many steps. Columns without spread get no weight.
    """
    spread = logs.std(axis=0, ddof=1)
    some = spread > SMALLEST_SPREAD
    z = (logs[:, some] - logs[:, some].mean(axis=0)) / (spread[some] * math.sqrt(len(logs) - 1))
    target = slope[some] / spread[some]
    among = z @ z.T + RIDGE * np.eye(len(z))
    weights = np.zeros(len(slope))
    weights[some] = (target - z.T @ np.linalg.solve(among, z @ target)) / RIDGE / spread[some]
    return weights
