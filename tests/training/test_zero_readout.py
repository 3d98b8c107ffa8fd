"""Networks whose readout starts at zero, against the theory."""

from typing import Any

import numpy as np
import pytest
from scores import largest_score

import lindmft as lm

STEPS = 30
BOUND = 4.0  # see test_agreement.py
DATA = lm.FullBatch(alpha=2.0, noise=0.3)
NETWORKS: dict[str, Any] = {
    "perceptron": lm.MLP(depth=2, zero_readout=True),
    "residual": lm.ResNet(depth=3, gamma0=0.8, zero_readout=True),
}


def largest_z(network: Any, theory: Any) -> float:
    problem = lm.Problem(network, DATA, lm.SGD(lr=0.06))
    solution = lm.solve(problem.replace(network=theory), STEPS)
    runs = lm.train(problem, STEPS, dim=384, seeds=range(7, 23))
    assert (runs.gradient_norm[:, :, 0] == 0).all()
    largest = 0.0
    for expected, seen in [
        (solution.test_loss, runs.test_loss),
        (solution.train_loss, runs.train_loss),
        (solution.gradient_norm[0], runs.gradient_norm[:, 0]),
        (solution.feature_norm[-1], runs.feature_norm[:, -1]),
    ]:
        largest = max(largest, largest_score(seen, expected))
    return largest


@pytest.mark.parametrize("name", NETWORKS)
def test_theory_predicts_training(name: str) -> None:
    assert largest_z(NETWORKS[name], NETWORKS[name]) < BOUND


def test_centering_is_another_start() -> None:
    centered = lm.MLP(depth=2, centered=True)
    assert largest_z(NETWORKS["perceptron"], centered) > 1.5 * BOUND


def test_networks_with_and_without_a_readout_are_each_trained_alone() -> None:
    problems = [
        lm.Problem(n, DATA, lm.SGD(lr=0.06)) for n in (lm.MLP(2), lm.MLP(2, zero_readout=True))
    ]
    for problem, together in zip(
        problems, lm.train_many(problems, 12, dim=40, seeds=2), strict=True
    ):
        alone = lm.train(problem, 12, dim=40, seeds=2)
        np.testing.assert_allclose(together.test_loss, alone.test_loss, rtol=1e-10)
