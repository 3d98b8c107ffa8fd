"""Dense output: a solution at other times than its nodes.

On a coarse grid every function of time is, within a panel, the polynomial through the panel's nodes
and the last node of the panel before; correlations are so in both of their times. Exact grids have
every step, and nothing between them.

Losses are accurate to ``rtol`` of themselves. The test loss's terms are quadratic forms of such
polynomials, of twice their degree: they are accurate to ``rtol`` of the test loss that they add up
to, which counts for a term that is much smaller than the loss (docs/accuracy.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal import interpolation
from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import increasing, number_or_numbers, refuse
from lindmft.results.layers import Layers
from lindmft.results.observables import BY_OUTPUT, KERNELS, LAYERED, LOSSES, NORMS, OVERLAPS, SINGLE
from lindmft.results.replicas import Replicas
from lindmft.results.state import State

if TYPE_CHECKING:
    from lindmft.results.solution import Solution

__all__ = ["requested_times", "sample"]


def requested_times(times: Number | Numbers, end: float, *, whole: bool, field: str) -> Array:
    """The times as an array: increasing, within [0, end], and whole steps where there are steps."""
    points = np.atleast_1d(np.asarray(number_or_numbers(times, field), float))
    if not len(points) or not increasing(points):
        refuse(field, "increasing, and at least one", times)
    if not (points[0] >= 0 and points[-1] <= end):
        refuse(field, f"within [0, {end:g}], the times of the solution", times)
    if whole and not (points == np.floor(points)).all():
        refuse(field, "whole steps", times)
    return points


def sample(solution: "Solution", times: Number | Numbers) -> "Solution":
    """The solution at these times; see ``Solution.at``."""
    whole = solution.grid != "flow"
    points = requested_times(times, float(solution.time[-1]), whole=whole, field="times")
    sampling = _sampling(solution, points)
    series = (*LOSSES, *NORMS, *BY_OUTPUT, *KERNELS)
    found = {name: getattr(solution, name) for name in series}
    fields: dict[str, Any] = {
        name: sampling.series(array) for name, array in found.items() if array is not None
    }
    return replace(
        solution,
        **fields,
        **_two_time(solution, sampling),
        time=points,
        panels=np.array([], int),
        state=State(),
        replicas=_replicas(solution.replicas, sampling),
        channels=tuple(sample(channel, times) for channel in solution.channels),
    )


@dataclass(frozen=True)
class _Sampling:
    """What the nodes count: point i is sum_j weights[i, j] times node index[i, j], (m, k) each.

    Points past the first m are past a divergence, of ``points`` in all.
    """

    index: NDArray[np.int_]
    weights: Array
    points: int

    def series(self, values: Array) -> Array:
        """(..., n) to (..., points), of variances: polynomials fall below 0 by their errors."""
        found = (values[..., self.index] * self.weights).sum(axis=-1)
        if self.index.shape[1] > 1:
            found = np.maximum(found, 0.0)
        rest = [(0, 0)] * (found.ndim - 1) + [(0, self.points - found.shape[-1])]
        return np.pad(found, rest, constant_values=np.inf)

    def two_time(self, values: Array) -> Array:
        """(n, n) to (m, m), the valid points."""
        matrix = np.zeros((len(self.index), len(values)))
        np.add.at(matrix, (np.arange(len(self.index))[:, None], self.index), self.weights)
        result: Array = matrix @ values @ matrix.T
        return result

    def selected(self, values: Array) -> Array:
        """(n, n) to (m, m), where points are nodes: bit for bit, responses too."""
        nodes = self.index[:, 0]
        return values[np.ix_(nodes, nodes)]


def _sampling(solution: "Solution", points: Array) -> _Sampling:
    if not len(solution.panels):
        return _at_nodes(solution, points)
    last = solution.time[solution.valid - 1] if solution.valid else -np.inf
    inside = points[points <= last]
    size = max((len(nodes) for nodes in _panels(solution.panels)), default=1)
    index = np.zeros((len(inside), size), int)
    weights = np.zeros((len(inside), size))
    start = -np.inf
    for panel in _panels(solution.panels):
        nodes = panel[panel < solution.valid]  # past a divergence, values are inf
        if not len(nodes):
            break
        time = solution.time[nodes]
        mine = (inside > start) & (inside <= time[-1])
        index[mine, : len(nodes)] = nodes
        weights[mine, : len(nodes)] = interpolation.weights(time, inside[mine])
        start = time[-1]
    return _Sampling(index, weights, len(points))


def _panels(panels: NDArray[np.int_]) -> Iterator[NDArray[np.int_]]:
    """The nodes through which each panel's polynomials go."""
    for first, end in pairwise(panels):
        yield np.arange(max(first - 1, 0), end)


def _at_nodes(solution: "Solution", points: Array) -> _Sampling:
    """Times that the solution has: of exact grids, and where it is itself a sample."""
    places = np.searchsorted(solution.time, points)
    if not np.array_equal(solution.time[places], points):
        refuse("times", "among the times of a solution that was itself sampled", points)
    valid = places[places < solution.valid]
    return _Sampling(valid[:, None], np.ones((len(valid), 1)), len(points))


def _two_time(solution: "Solution", sampling: _Sampling) -> dict[str, Any]:
    """Correlations anywhere, responses where every step has its own.

    On a coarse grid, a response is an operator on functions of time: its columns carry the weights
    of the grid's quadrature, and belong to the nodes.
    """
    coarse = solution.grid != "exact"
    apply = sampling.two_time if len(solution.panels) else sampling.selected
    fields: dict[str, Any] = {}
    for name in LAYERED:
        layers: Layers = getattr(solution, name)
        kept = {} if coarse and name.startswith("R") else layers
        arrays = [apply(kept[layer]) for layer in sorted(kept)]
        fields[name] = Layers(name, arrays, in_channels=layers.in_channels)
    for name in SINGLE:
        array = getattr(solution, name)
        dropped = array is None or (coarse and name.startswith("R"))
        fields[name] = None if dropped else apply(array)
    return fields


def _replicas(replicas: Replicas | None, sampling: _Sampling) -> Replicas | None:
    if replicas is None:
        return None
    return Replicas(*(sampling.series(getattr(replicas, name)) for name in OVERLAPS))
