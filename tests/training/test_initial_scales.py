"""Networks with an initial scale for each weight array, against the theory."""

from typing import Any

import numpy as np
import pytest
from scores import largest_score

import lindmft as lm

STEPS = 30
BOUND = 4.0  # see test_agreement.py
DATA = lm.FullBatch(alpha=2.0, noise=0.3)
DECAY = lm.SGD(lr=0.06, weight_decay=0.2)
NETWORKS: dict[str, Any] = {
    "perceptron": lm.MLP(depth=2, init_scale=[0.6, 1.2, 0.9]),
    "hidden from zero": lm.MLP(depth=2, init_scale=[1.3, 0.0, 0.9]),
    "residual": lm.ResNet(depth=3, gamma0=0.8, branch=1.2, init_scale=[1.1, 0.0, 0.7, 0.5]),
}


def largest_z(trained: Any, theory: Any) -> float:
    problem = lm.Problem(trained, DATA, DECAY)
    solution = lm.solve(problem.replace(network=theory), STEPS)
    runs = lm.train(problem, STEPS, dim=384, seeds=range(7, 23))
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


def test_another_order_of_the_scales_is_another_start() -> None:
    given = NETWORKS["perceptron"]
    turned = lm.MLP(depth=2, init_scale=list(reversed(given.init_scale)))
    assert largest_z(given, turned) > 1.5 * BOUND


def test_every_method_has_separate_scales() -> None:
    scales: list[Any] = [1.0, [0.7, 1.2, 0.4], [1.0, 0.0, 1.0]]
    problems = [lm.Problem(lm.MLP(2, init_scale=s), DATA, DECAY) for s in scales]
    for dim, method in ((40, "in_place"), (900, "factored")):
        together = lm.train_many(problems, 12, dim=dim, seeds=1)
        for problem, run in zip(problems, together, strict=True):
            alone = lm.train(problem, 12, dim=dim, seeds=1)
            assert (run.stats.method, alone.stats.method) == ("shared", method)
            np.testing.assert_allclose(run.test_loss, alone.test_loss, rtol=1e-10)
