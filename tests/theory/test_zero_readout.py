"""A readout that starts at zero: the source of the last layer's gradients vanishes (section 3)."""

import math
from typing import Any

import numpy as np
import oracle
import oracle_replicas
import oracle_residual
import pytest

import lindmft as lm

STEPS = 14
DATA = {"kind": "multi_pass", "alpha": 1.5, "batch_fraction": 0.5, "noise": 0.3}
HEAVY = {"lr": 0.04, "momentum": 0.5, "weight_decay": 0.3}
PERCEPTRON = {"kind": "mlp", "depth": 2, "width": [0.5, 1.5], "gamma0": 1.2, "zero_readout": True}
RESNET = {"kind": "resnet", "depth": 3, "gamma0": 1.1, "branch": 1.2, "zero_readout": True}
ENDLESS = RESNET | {"depth": math.inf}
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")


def problem(network: dict[str, Any]) -> dict[str, Any]:
    return {"network": network, "data": DATA, "optimizer": HEAVY}


@pytest.mark.parametrize("network", [PERCEPTRON, PERCEPTRON | {"centered": True}, RESNET])
def test_agrees_with_the_dense_oracle(network: dict[str, Any]) -> None:
    solution = lm.solve(problem(network), STEPS)
    assert solution.stats.chain_residual < 1e-10
    dense = oracle.solve if network["kind"] == "mlp" else oracle_residual.solve_residual
    expected = dense(problem(network), STEPS)
    for series in (*SERIES, "feature_norm", "gradient_norm"):
        np.testing.assert_allclose(
            getattr(solution, series), expected[series], rtol=1e-9, atol=1e-11, err_msg=series
        )


def test_infinite_depth_and_replicas_agree_with_the_dense_oracle() -> None:
    solution = lm.solve(problem(ENDLESS), 8, replicas=True, depth_nodes=14)
    expected = oracle_replicas.replica_losses(problem(ENDLESS), 8, nodes=14)
    for pattern, series in {
        (1, 1): "test_loss",
        (1, 0): "shared_init",
        (0, 1): "shared_data",
    }.items():
        mine = getattr(solution.replicas, series)
        np.testing.assert_allclose(mine, expected[pattern], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("network", [PERCEPTRON, RESNET])
def test_nothing_is_predicted_at_first_and_the_readout_learns_before_the_rest(
    network: dict[str, Any],
) -> None:
    zero = lm.solve(problem(network), STEPS)
    assert zero.test_loss[0] == 1.0
    assert zero.train_loss[0] == pytest.approx(1.09, rel=1e-14)
    assert (zero.gradient_norm[:, 0] == 0).all()
    assert (zero.gradient_norm[:, 1:] > 0).all()
    centered = lm.solve(problem(network | {"centered": True}), STEPS)
    np.testing.assert_allclose(centered.test_loss, zero.test_loss, rtol=1e-13)
    other = lm.solve(problem(network | {"zero_readout": False, "centered": True}), STEPS)
    assert np.abs(zero.test_loss[5] / other.test_loss[5] - 1) > 0.05


@pytest.mark.parametrize("network", [PERCEPTRON, RESNET])
def test_coarse_grids_agree_with_exact_steps(network: dict[str, Any]) -> None:
    data = {"kind": "full_batch", "alpha": 2.0, "noise": 0.3}
    setting = {"network": network, "data": data, "optimizer": {"lr": 0.02}}
    exact, coarse = lm.solve(setting, 200), lm.solve(setting, 200, grid="adaptive")
    np.testing.assert_allclose(
        coarse.test_loss, exact.test_loss[coarse.time.astype(int)], rtol=2e-6
    )
    assert lm.flow(setting, 2.0).test_loss[-1] == pytest.approx(exact.test_loss[100], rel=0.03)


def test_files_say_nothing_of_a_random_readout() -> None:
    assert (
        "zero_readout"
        not in lm.Problem(lm.MLP(), lm.Population(), lm.SGD(0.1)).to_dict()["network"]
    )
    given = lm.Problem.from_dict(problem(PERCEPTRON))
    assert given.to_dict()["network"]["zero_readout"] is True
    assert lm.Problem.from_dict(given.to_dict()) == given


@pytest.mark.parametrize("data", [lm.Population(), lm.FullBatch(alpha=2.0, noise=0.3)])
def test_pairs_of_networks_on_an_adaptive_grid(data: Any) -> None:
    """Functions of a pair that are zero at first do not look like divergence."""
    problem = lm.Problem(lm.MLP(depth=2, zero_readout=True), data, lm.SGD(lr=0.06))
    coarse = lm.solve(problem, 40, grid="adaptive", replicas=True)
    exact = lm.solve(problem, 40, replicas=True)
    at = coarse.time.astype(int)
    for name in ("shared_init", "shared_data", "independent"):
        found, wanted = getattr(coarse.replicas, name), getattr(exact.replicas, name)[at]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-10)
