"""Fields of an ``Ensemble`` from losses that another program computed.

Observables that the program did not record are nan, as are all of their means.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lindmft._internal.provenance import provenance
from lindmft._internal.types import Array
from lindmft._internal.validation import missing, real_array, refuse
from lindmft.problem.frameworks.finite import samples_of, sizes_of
from lindmft.problem.frameworks.modes import number_of_inputs
from lindmft.problem.problem import Problem, as_problem
from lindmft.results.statistics import TrainStats

__all__ = ["EXTERNAL", "ensemble_fields"]

EXTERNAL = "external"
"""Method of the statistics of such an ensemble."""


def ensemble_fields(
    problem: Problem | Mapping[str, Any],
    test_loss: ArrayLike,
    train_loss: ArrayLike | None,
    dim: Any,
) -> dict[str, Any]:
    """Return the fields of an ``Ensemble`` with these losses, (networks, n) or (n,)."""
    problem = as_problem(problem)
    trace_class = problem.data.spectrum.trace_class
    if dim is None and problem.data.inputs is None and not trace_class:
        missing("dim", "it is the number of inputs of the networks, unless data.inputs has it")
    sizes = sizes_of(problem, number_of_inputs(problem.data, dim, field="dim"))
    test, lost = _cut_at_divergence(_losses(test_loss, "test_loss"))
    train = np.full(test.shape, np.nan)
    if train_loss is not None:
        train = _losses(train_loss, "train_loss")
        if train.shape != test.shape:
            refuse("train_loss", f"of the same shape as test_loss, {test.shape}", train)
        train[~np.isfinite(test)] = np.inf
    networks, steps = test.shape
    outputs, depth = problem.data.outputs, len(sizes.hidden)
    unknown = np.full((networks, depth, steps), np.nan)
    one = outputs == 1
    by_output = np.full((networks, outputs, steps), np.nan)
    return {
        "problem": problem,
        "dim": sizes.inputs,
        "widths": sizes.hidden,
        "samples": samples_of(problem.data, sizes),
        "seeds": tuple(range(networks)),
        "time": np.arange(steps, dtype=float),
        "test_loss": test,
        "train_loss": train,
        "test_loss_by_output": test[:, None] if one else by_output,
        "train_loss_by_output": train[:, None] if one else by_output,
        "feature_norm": unknown,
        "gradient_norm": unknown,
        "chain_residual": np.full((networks, steps), np.nan),
        "diverged_at": lost,
        "stats": TrainStats(0.0, 0, "", EXTERNAL),
        "provenance": {**provenance(0), "losses": EXTERNAL},
    }


def _losses(value: ArrayLike, field: str) -> Array:
    """Return a copy (networks, n) of losses that are not negative where they are numbers."""
    allowed = "of shape (networks, n), or (n,) for one network"
    array = np.array(real_array(value, field, allowed), dtype=float, ndmin=2)
    if array.ndim != 2 or 0 in array.shape:
        refuse(field, allowed, array)
    if (array < 0).any():
        network, step = np.argwhere(array < 0)[0].tolist()
        refuse(f"{field}[{network}][{step}]", "not negative", float(array[network, step]))
    return array


def _cut_at_divergence(losses: Array) -> tuple[Array, tuple[int | None, ...]]:
    """Return the losses, inf from the first one of a network that is no number, and that step."""
    lost = []
    for row in losses:
        bad = np.flatnonzero(~np.isfinite(row))
        lost.append(int(bad[0]) if len(bad) else None)
        if len(bad):
            row[bad[0] :] = np.inf
    return losses, tuple(lost)
