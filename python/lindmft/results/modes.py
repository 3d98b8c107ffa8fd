"""Learning curves of modes: one for each mode of a problem, in the place of the core's nodes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lindmft.problem.mode_targets import split_targets
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Discrete

__all__ = ["by_mode"]


def by_mode(problem: Problem, series: Mapping[str, Any]) -> dict[str, Any]:
    """Return the series with one learning curve for each mode of the problem.

    ``series`` has (..., nodes, n) arrays, or lists of the nodes' arrays. The compiled module
    divides a mode with a Gram matrix of targets into nodes with one vector each (theory section
    16): their losses add up, and their learned parts count by the power of their targets.
    """
    spectrum = problem.data.spectrum
    table = np.array(spectrum.targets) if isinstance(spectrum, Discrete) else np.empty(0)
    if "mode_loss" not in series or table.ndim != 3:
        return dict(series)
    nodes, rows, share = split_targets(table)
    count = len(series["mode_loss"])
    of_mode = np.array(nodes[:count])
    power = (np.array(share) * (rows**2).sum(axis=1))[:count]
    merged = dict(series)
    for name in ("mode_loss", "mode_learned"):
        weights = np.ones(count) if name == "mode_loss" else _parts(power, of_mode)
        merged[name] = [
            sum(weights[j] * series[name][j] for j in np.flatnonzero(of_mode == k))
            for k in range(of_mode[-1] + 1)
        ]
        if isinstance(series[name], np.ndarray):
            merged[name] = np.stack(merged[name])
    return merged


def _parts(power: Any, of_mode: Any) -> Any:
    """Return the fraction of each node in the power of its mode; equal ones without a target."""
    total = np.bincount(of_mode, power)[of_mode]
    equal = 1.0 / np.bincount(of_mode)[of_mode]
    return np.divide(power, total, out=equal, where=total > 0)
