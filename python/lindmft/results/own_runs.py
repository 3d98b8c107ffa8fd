"""Losses of a user's training loop, in the forms that ``compare`` takes."""

from collections.abc import Mapping
from typing import Any

from lindmft._internal.validation import missing, one_of, real_array, refuse, suggestion
from lindmft.problem.problem import Problem
from lindmft.results.ensemble import Ensemble

__all__ = ["own_runs"]

NAMES = ("test_loss", "train_loss")
ALLOWED = "an Ensemble, an array of test losses, or a dictionary with 'test_loss' and 'train_loss'"


def own_runs(problem: Problem, runs: Any, dim: int | None) -> Ensemble:
    """Return the ensemble of losses that are given as an array or as a dictionary of arrays."""
    if not isinstance(runs, Mapping):
        losses = real_array(runs, "runs", ALLOWED)
        if losses.ndim == 0:
            refuse("runs", ALLOWED, runs)
        return Ensemble.from_arrays(problem, test_loss=losses, dim=dim)
    for name in runs:
        if name not in NAMES:
            hint = suggestion(name, NAMES)
            refuse("runs", f"a dictionary with the keys {one_of(NAMES)}{hint}", name)
    if "test_loss" not in runs:
        missing("runs['test_loss']", "it is the loss that is compared")
    return Ensemble.from_arrays(problem, **runs, dim=dim)
