"""Losses, their terms and norms at rounding: zero where they are below it, never negative."""

from pathlib import Path

import numpy as np
import pytest

import lindmft as lm
from lindmft.results.observables import SOLUTION, names

FAST = {
    "population": lm.Problem(lm.MLP(2), lm.Population(), lm.SGD(0.15)),
    "full batch": lm.Problem(lm.MLP(1, 2.0, 0.5), lm.FullBatch(alpha=20.0), lm.SGD(0.3)),
    "one pass": lm.Problem(lm.MLP(1, 4.0), lm.OnePass(alpha=10.0), lm.SGD(0.2)),
    "multi-pass": lm.Problem(
        lm.MLP(1, 4.0), lm.MultiPass(alpha=8.0, batch_fraction=0.5), lm.SGD(0.3)
    ),
    "momentum": lm.Problem(lm.MLP(2), lm.FullBatch(alpha=50.0), lm.SGD(0.1, momentum=0.3)),
    "outputs": lm.Problem(
        lm.MLP(1), lm.FullBatch(alpha=20.0, targets=[[2.0, 0.5], [0.5, 1.0]]), lm.SGD(0.2)
    ),
    "modes": lm.Problem(
        lm.MLP(1), lm.Population(spectrum=lm.Discrete([1.0, 2.0], [1.0, 1.0])), lm.SGD(0.15)
    ),
}
"""Problems that learn to rounding within the steps."""
STEPS = 150


def smallest(solution: lm.Solution) -> float:
    found = [getattr(solution, name).min() for name in names(SOLUTION, asked="")]
    if solution.has("replicas"):
        found += [overlap.min() for overlap in vars(solution.replicas).values()]
        found.append(solution.ensemble_loss(k_init=4, k_data=np.inf).min())
    return float(min(found))


@pytest.mark.parametrize("name", FAST)
def test_nothing_is_negative(name: str) -> None:
    run = lm.solve(FAST[name], STEPS, replicas=True)
    assert run.test_loss[-1] < 1e-10 * run.test_loss[0], "the case is one that learns all"
    assert smallest(run) == 0.0
    assert all(smallest(channel) >= 0 for channel in run.channels)


@pytest.mark.parametrize("name", ["population", "full batch", "outputs"])
def test_nothing_is_negative_between_nodes(name: str) -> None:
    run = lm.solve(FAST[name], 400, grid="adaptive", replicas=True)
    assert smallest(run) >= 0
    assert smallest(run.at(np.arange(400))) >= 0
    flow = lm.flow(FAST[name], 40.0)
    assert smallest(flow.at(np.linspace(0, 40, 500))) >= 0


def test_files_of_earlier_versions_are_lifted(tmp_path: Path) -> None:
    run = lm.solve(FAST["population"], STEPS)
    run.test_loss[-1] = run.feature_norm[0, -1] = -8e-14  # as they were written
    run.save(tmp_path / "old.nc")
    assert smallest(lm.Solution.load(tmp_path / "old.nc")) == 0.0


def test_coordinates_of_what_has_vanished_are_finite() -> None:
    """The root of a norm that came out below zero."""
    check = lm.coordinate_check(FAST["population"], [1, 2, 4], STEPS)
    assert not np.isnan(check.theory.features).any()
