"""Dense output: a solution at other times than its nodes.

On a coarse grid every function of time is, within a panel, the polynomial through the panel's nodes
and the last node of the panel before; correlations are so in both of their times. Exact grids have
every step, and nothing between them.

Losses are accurate to ``rtol`` of themselves. The test loss's terms are quadratic forms of such
polynomials, of twice their degree: they are accurate to ``rtol`` of the test loss that they add up
to, which counts for a term that is much smaller than the loss (docs/accuracy.md).

A solution is any object with the fields of ``Solution``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal import interpolation
from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import increasing, number_or_numbers, refuse
from lindmft.results.layers import Layers
from lindmft.results.observables import RESPONSE, SOLUTION, SQUARES, value_of
from lindmft.results.state import State

__all__ = ["extended", "requested_times", "sample"]


def requested_times(times: Number | Numbers, end: float, *, whole: bool, field: str) -> Array:
    """Return the times as an array; they must increase within [0, end], in whole steps if asked."""
    points = np.atleast_1d(np.asarray(number_or_numbers(times, field), float))
    if not len(points) or not increasing(points):
        refuse(field, "increasing, and at least one", times)
    if not (points[0] >= 0 and points[-1] <= end):
        refuse(field, f"within [0, {end:g}], the times of the solution", times)
    if whole and not (points == np.floor(points)).all():
        refuse(field, "whole steps", times)
    return points


def sample(solution: Any, times: Number | Numbers) -> Any:
    """Return the solution at these times; see ``Solution.at``."""
    whole = solution.grid != "flow"
    points = requested_times(times, float(solution.time[-1]), whole=whole, field="times")
    sampling = _sampling(solution, points)
    return replace(
        solution,
        **_series(solution, sampling.series, sampling.squares),
        **_two_time(solution, sampling),
        time=points,
        panels=np.array([], int),
        state=State(),
        channels=tuple(sample(channel, times) for channel in solution.channels),
    )


def extended(solution: Any, times: Array) -> Any:
    """Return a diverged solution with these later times added, at which all series are inf."""
    time = np.append(solution.time, times)

    def longer(values: Array) -> Array:
        return _inf_up_to(values, len(time))

    return replace(solution, **_series(solution, longer, longer), time=time)


def _series(
    solution: Any, change: Callable[[Array], Array], squares: Callable[[Array], Array]
) -> dict[str, Any]:
    """Return the fields of a solution that hold series, changed in this way; squares in another."""
    fields: dict[str, Any] = {
        one.name: (squares if one.kind == SQUARES else change)(value)
        for one in SOLUTION.values()
        if not (one.two_time or one.part) and (value := value_of(solution, one)) is not None
    }
    if hasattr(solution, "replicas"):
        overlaps = {name: squares(values) for name, values in vars(solution.replicas).items()}
        fields["replicas"] = replace(solution.replicas, **overlaps)
    return fields


def _inf_up_to(values: Array, points: int) -> Array:
    """Extend the last axis by inf to this number of points."""
    rest = [(0, 0)] * (values.ndim - 1) + [(0, points - values.shape[-1])]
    return np.pad(values, rest, constant_values=np.inf)


@dataclass(frozen=True)
class _Sampling:
    """Weights of the nodes: point i is sum_j weights[i, j] times node index[i, j], (m, k) each.

    There are ``points`` points. Those after the first m are past a divergence.
    """

    index: NDArray[np.int_]
    weights: Array
    points: int

    def series(self, values: Array) -> Array:
        """Return (..., points) of (..., n)."""
        return _inf_up_to(self._inside(values), self.points)

    def squares(self, values: Array) -> Array:
        """Return (..., points) of (..., n). Squares that polynomials make negative become 0."""
        found = self._inside(values)
        if self.index.shape[1] > 1:
            found = np.maximum(found, 0.0)
        return _inf_up_to(found, self.points)

    def _inside(self, values: Array) -> Array:
        found: Array = (values[..., self.index] * self.weights).sum(axis=-1)
        return found

    def two_time(self, values: Array) -> Array:
        """Return (m, m), the valid points, of (n, n)."""
        matrix = np.zeros((len(self.index), len(values)))
        np.add.at(matrix, (np.arange(len(self.index))[:, None], self.index), self.weights)
        result: Array = matrix @ values @ matrix.T
        return result

    def selected(self, values: Array) -> Array:
        """Return (m, m) of (n, n) where all points are nodes: the values, also of responses."""
        nodes = self.index[:, 0]
        return values[np.ix_(nodes, nodes)]


def _sampling(solution: Any, points: Array) -> _Sampling:
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
    """Return the nodes through which each panel's polynomials go."""
    for first, end in pairwise(panels):
        yield np.arange(max(first - 1, 0), end)


def _at_nodes(solution: Any, points: Array) -> _Sampling:
    """Select among the times of a solution on an exact grid, or of one that was itself sampled."""
    nodes = np.searchsorted(solution.time, points)
    if not np.array_equal(solution.time[nodes], points):
        refuse("times", "among the times of the solution, which at() has sampled", points)
    valid = nodes[nodes < solution.valid]
    return _Sampling(valid[:, None], np.ones((len(valid), 1)), len(points))


def _two_time(solution: Any, sampling: _Sampling) -> dict[str, Any]:
    """Return correlations, and on exact grids responses, at the points.

    On a coarse grid, a response is an operator on functions of time: its columns carry the weights
    of the grid's quadrature, and belong to the nodes.
    """
    apply = sampling.two_time if len(solution.panels) else sampling.selected
    fields: dict[str, Any] = {}
    for one in SOLUTION.values():
        if not one.two_time:
            continue
        dropped = solution.grid != "exact" and one.kind == RESPONSE
        if one.layered:
            layers: Layers = getattr(solution, one.name)
            arrays = [] if dropped else [apply(layers[layer]) for layer in sorted(layers)]
            fields[one.name] = Layers(one.name, arrays, in_channels=layers.in_channels)
        elif (value := value_of(solution, one)) is not None:
            fields[one.name] = None if dropped else apply(value)
    return fields
