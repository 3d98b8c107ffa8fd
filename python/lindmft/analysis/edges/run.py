"""The sharpness along one run, in units of what is stable."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table
from lindmft._internal.types import Array, Mask
from lindmft.analysis.edges.crossings import first_above_one
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem
from lindmft.problem.stability import rates_and_thresholds
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.results.statistics import standard_error

__all__ = ["SharpnessRun", "over", "run_of", "sharpness_of", "width_of"]

GROWS = 0.02
"""Relative increase of the sharpness from which on a run counts as sharpening."""


@dataclass(frozen=True, eq=False)
class SharpnessRun:
    """The sharpness of the theory along one run, and what its steps do.

    Attributes
    ----------
    parameterization, width, lr
        What distinguishes the run: "mup" or "ntk", the width (the number of hidden units where the
        problem has that), and the learning rate (of a schedule, the largest that acts).
    time
        (k,), the steps before whose updates the sharpness was computed.
    sharpness, sharpness_error
        (k,), the largest eigenvalue and its estimated error, as in ``HessianSpectrum``.
    learning_rate, threshold
        (k,), the rate of each of these steps, and its ``stability_threshold``.
    grid
        "exact" or "adaptive".
    unstable_at, predictable_until, diverged_at
        As in ``Solution``.
    networks
        (seeds, k), the sharpness of trained networks; None without them. Inf past a divergence.

    Notes
    -----
    Theory section 15.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> run = lm.edge_of_stability(problem, 50, lr=[0.2]).runs[0]
    >>> run.passes_at is None, bool(run.ratio.max() < 1)
    (True, True)
    >>> run.fate()
    'no divergence'
    """

    parameterization: str
    width: float
    lr: float
    time: Array
    sharpness: Array
    sharpness_error: Array
    learning_rate: Array
    threshold: Array
    grid: str
    unstable_at: float | None
    predictable_until: float | None
    diverged_at: int | None
    networks: Array | None = None

    _repr_html_ = field_table

    @property
    def product(self) -> Array:
        """(k,), learning rate times sharpness."""
        product: Array = self.learning_rate * self.sharpness
        return product

    @property
    def ratio(self) -> Array:
        """(k,), learning rate times sharpness over the threshold: steps are stable below 1."""
        return over(self.product, self.threshold)

    @property
    def ratio_error(self) -> Array:
        """(k,), the estimated error of ``ratio``; inf where the ratio is."""
        return over(self.learning_rate * self.sharpness_error, self.threshold)

    @property
    def until(self) -> float | None:
        """The time up to which the run is the prediction; None if it is at all times.

        It is ``predictable_until`` of exact steps, and ``unstable_at`` of coarse grids.
        """
        return self.predictable_until if self.grid == "exact" else self.unstable_at

    @property
    def predicted(self) -> Mask:
        """(k,), the times before a divergence and up to ``until``."""
        finite: Mask = np.isfinite(self.ratio)
        return finite if self.until is None else finite & (self.time <= self.until)

    @property
    def passes_at(self) -> float | None:
        """The first step at which ``ratio`` passes 1, interpolated between times; None if none."""
        return self._first_above(self.ratio)

    @property
    def passes_between(self) -> tuple[float | None, float | None]:
        """``passes_at`` if the ratio is larger, and if it is smaller, by its error."""
        finite = np.isfinite(self.ratio)
        shift = np.where(finite, self.ratio_error, 0.0)
        tiny = np.finfo(float).tiny
        low = np.maximum(self.ratio - shift, tiny)
        return self._first_above(self.ratio + shift), self._first_above(low)

    @property
    def certain(self) -> bool:
        """Whether the ratio passes 1, or does not, whatever its error within the estimate is."""
        early, late = self.passes_between
        return (early is None) == (late is None)

    @property
    def growth(self) -> float:
        """The largest sharpness at the ``predicted`` times over the first one.

        It is 1 if training only flattens, or if no time is predicted.
        """
        values = self.sharpness[self.predicted]
        return float(values.max() / values[0]) if len(values) else 1.0

    @property
    def sharpens(self) -> bool:
        """Whether there is progressive sharpening: the sharpness rises by more than 2 percent."""
        return self.growth > 1.0 + GROWS

    @property
    def network_mean(self) -> Array:
        """(k,), the mean sharpness of the networks: inf once one of them has diverged."""
        mean: Array = self._trained().mean(axis=0)
        return mean

    @property
    def network_error(self) -> Array:
        """(k,), the standard error of ``network_mean``; inf for one network and past divergence."""
        trained = self._trained()
        finite = np.isfinite(trained).all(axis=0)
        error = np.full(len(self.time), np.inf)
        error[finite] = standard_error(trained[:, finite])
        return error

    def fate(self) -> str:
        """Return what becomes of the run, in a few words."""
        said = []
        if self.unstable_at is not None:
            said.append(f"unstable from {short(self.unstable_at)}")
        if self.predictable_until is not None:
            said.append(f"predictable until {short(self.predictable_until)}")
        if self.diverged_at is not None:
            said.append(f"diverges at {self.diverged_at}")
        return ", ".join(said) or "no divergence"

    def _first_above(self, ratio: Array) -> float | None:
        found = first_above_one(self.time, ratio)
        if self.diverged_at is None:
            return found
        return float(self.diverged_at) if found is None else min(found, float(self.diverged_at))

    def _trained(self) -> Array:
        if self.networks is None:
            raise ValueError("networks are missing: call edge_of_stability with networks=8, say")
        return self.networks


def over(product: Array, threshold: Array) -> Array:
    """Return a product over the threshold; inf where weight decay alone makes steps unstable."""
    found = np.full(len(product), np.inf)
    np.divide(product, threshold, out=found, where=threshold > 0)
    return found


def sharpness_of(solution: Solution) -> tuple[Array, Array]:
    """Return the sharpness and its error; with several outputs, of the sharpest channel."""
    parts = [channel.spectrum for channel in solution.channels] or [solution.spectrum]
    values = np.array([part.sharpness for part in parts])
    errors = np.array([part.sharpness_error for part in parts])
    most = values.argmax(axis=0)[None]
    return (
        np.take_along_axis(values, most, axis=0)[0],
        np.take_along_axis(errors, most, axis=0)[0],
    )


def run_of(solution: Solution, lr: float, time: Array, trained: Ensemble | None) -> SharpnessRun:
    """Return the run of a solution, and of networks of the same problem if there are some."""
    sharpness, error = sharpness_of(solution)
    rates, threshold = rates_and_thresholds(solution.problem.optimizer, time)
    return SharpnessRun(
        parameterization=solution.problem.network.parameterization,
        width=width_of(solution.problem),
        lr=lr,
        time=time,
        sharpness=sharpness,
        sharpness_error=error,
        learning_rate=rates,
        threshold=threshold,
        grid=solution.grid,
        unstable_at=solution.unstable_at,
        predictable_until=solution.predictable_until,
        diverged_at=solution.diverged_at,
        networks=None if trained is None else trained.spectrum.sharpness,
    )


def width_of(problem: Problem) -> float:
    """Return the width, or the number of hidden units where the problem has that."""
    network: Any = problem.network
    return float(network.width if network.hidden is None else network.hidden)
