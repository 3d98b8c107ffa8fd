"""An initial scale for each weight array: D_w of array l is s_l d (section 17)."""

import math
from typing import Any

import numpy as np
import oracle
import oracle_residual
import pytest

import lindmft as lm

STEPS = 14
DATA = {"kind": "multi_pass", "alpha": 1.5, "batch_fraction": 0.5, "noise": 0.3}
HEAVY = {"lr": 0.04, "momentum": 0.5, "weight_decay": 0.3}
MLP = {"kind": "mlp", "depth": 2, "width": [0.5, 1.5], "gamma0": 1.2}
RESNET = {"kind": "resnet", "depth": 3, "gamma0": 1.1, "branch": 1.2}
NETWORKS: dict[str, dict[str, Any]] = {
    "perceptron": MLP | {"init_scale": [0.7, 1.3, 0.4]},
    "input from zero": MLP | {"init_scale": [0.0, 1.3, 0.9]},
    "hidden from zero": MLP | {"init_scale": [1.1, 0.0, 0.9], "centered": True},
    "readout from zero": MLP | {"init_scale": [1.1, 0.8, 0.0]},
    "residual": RESNET | {"init_scale": [0.8, 1.2, 0.3, 1.1]},
    "branches from zero": RESNET | {"init_scale": [0.8, 0.0, 0.0, 1.1]},
    "infinite depth": RESNET | {"depth": math.inf, "init_scale": [0.8, 0.6, 1.1]},
}
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")


def problem(network: dict[str, Any]) -> dict[str, Any]:
    return {"network": network, "data": DATA, "optimizer": HEAVY}


@pytest.mark.parametrize("name", NETWORKS)
def test_agrees_with_the_dense_oracle(name: str) -> None:
    setting = problem(NETWORKS[name])
    if name == "infinite depth":
        solution = lm.solve(setting, 8, depth_nodes=14)
        expected = oracle_residual.solve_infinite(setting, 8, 14)
    else:
        solution = lm.solve(setting, STEPS, save=["R_hr", "R_gu"])
        dense = oracle.solve if name in list(NETWORKS)[:4] else oracle_residual.solve_residual
        expected = dense(setting, STEPS)
        for function in ("R_hr", "R_gu"):
            shift = 0 if function == "R_hr" else 1  # the index of the first layer
            for layer, found in getattr(solution, function).items():
                wanted = expected[function][layer - shift]
                np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)
        for series in ("feature_norm", "gradient_norm"):
            np.testing.assert_allclose(
                getattr(solution, series), expected[series], rtol=1e-9, atol=1e-11
            )
    assert solution.stats.chain_residual < 1e-10
    for series in SERIES:
        np.testing.assert_allclose(
            getattr(solution, series), expected[series], rtol=1e-9, atol=1e-11, err_msg=series
        )


def test_scales_are_the_same_as_learning_rates_of_layers() -> None:
    """Arrays W^l / a_l, the product of all a_l being 1, have the multipliers c_l / a_l^2."""
    scales, common = np.array([0.5, 1.6, 1.1]), (0.5 * 1.6 * 1.1) ** (1 / 3)
    data = lm.FullBatch(alpha=1.5, noise=0.3)
    given = lm.Problem(lm.MLP(2, [0.5, 1.5], init_scale=scales), data, lm.SGD(0.05))
    rates = lm.SGD(0.05, layer_lr=(common / scales) ** 2)
    same = lm.Problem(lm.MLP(2, [0.5, 1.5], init_scale=common), data, rates)
    one, two = (lm.solve(each, 40, kernels=True) for each in (given, same))
    for name in (*SERIES, "kernel_target"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-11)
    nets = lm.train_many([given, same], 40, dim=40, seeds=2)
    np.testing.assert_allclose(nets[0].test_loss, nets[1].test_loss, rtol=1e-10)
    flows = [lm.flow(each, 1.0, rtol=1e-9).test_loss[-1] for each in (given, same)]
    assert flows[0] == pytest.approx(flows[1], rel=1e-8)


@pytest.mark.parametrize("name", ["perceptron", "hidden from zero", "residual"])
def test_coarse_grids_agree_with_exact_steps(name: str) -> None:
    data = {"kind": "full_batch", "alpha": 2.0, "noise": 0.3}
    decay = {"lr": 0.02, "weight_decay": 0.1}
    setting = {"network": NETWORKS[name], "data": data, "optimizer": decay}
    exact, coarse = lm.solve(setting, 200), lm.solve(setting, 200, grid="adaptive")
    np.testing.assert_allclose(
        coarse.test_loss, exact.test_loss[coarse.time.astype(int)], rtol=2e-6
    )


def test_equal_scales_are_one_scale() -> None:
    one = lm.solve(problem(MLP | {"init_scale": 0.7}), STEPS)
    listed = lm.solve(problem(MLP | {"init_scale": [0.7] * 3}), STEPS)
    np.testing.assert_array_equal(one.test_loss, listed.test_loss)
    last = lm.solve(problem(MLP | {"init_scale": [0.7, 0.7, 0]}), STEPS)
    zero = lm.solve(problem(MLP | {"init_scale": 0.7, "zero_readout": True}), STEPS)
    np.testing.assert_array_equal(zero.test_loss, last.test_loss)


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        (lm.MLP, {"init_scale": [1, 1]}, r"a number, or a list of depth \+ 1 \(3\) numbers"),
        (lm.MLP, {"init_scale": [1, 0, 0]}, "zero for at most one array .* got 2 zeros"),
        (lm.MLP, {"init_scale": [1, -1, 1]}, r"init_scale\[1\] must be finite and not negative"),
        (lm.MLP, {"init_scale": [1, 1, 1], "zero_readout": True}, "give 0 as the last entry"),
        (lm.ResNet, {"init_scale": [0, 1, 0]}, "positive for the input or the readout"),
    ],
)
def test_scales_that_cannot_learn_are_refused(network: Any, changes: Any, message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        network(depth=2, **changes)


def test_dictionaries_and_loops_keep_the_scales() -> None:
    for name in ("perceptron", "readout from zero", "hidden from zero"):
        data = {"kind": "full_batch", "alpha": 2.0}
        setting = {"network": NETWORKS[name], "data": data, "optimizer": {"lr": 0.05}}
        given = lm.Problem.from_dict(setting)
        assert lm.Problem.from_dict(given.to_dict()) == given
        loop = lm.to_pytorch(given, inputs=40)
        back = lm.from_pytorch(**loop.arguments())
        np.testing.assert_allclose(
            lm.solve(back, STEPS).test_loss, lm.solve(given, STEPS).test_loss, rtol=1e-10
        )
