"""Theory against training: residual networks, several outputs, ensembles, kernels."""

import math
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm

DIM, SEEDS, STEPS = 384, 32, 25
BOUND = 4.0  # see test_agreement.py

DEEP = {"kind": "resnet", "depth": 6, "gamma0": 1.0, "branch": 1.0}
CONSTANT = {"kind": "resnet", "depth": 4, "width": 0.7, "branch": 0.6, "branch_scaling": "constant"}
CENTERED = {"kind": "resnet", "depth": 5, "gamma0": 0.8, "branch": 1.2, "centered": True}
SLOW = {"lr": 0.04}
NETWORKS: dict[str, dict[str, Any]] = {
    "depth scaling": {"network": DEEP, "optimizer": SLOW},
    "constant branches": {"network": CONSTANT, "optimizer": SLOW},
    "centered": {"network": CENTERED, "optimizer": SLOW},
    "centered, one pass": {
        "network": CENTERED,
        "data": {"kind": "one_pass", "alpha": 1.0},
        "optimizer": SLOW,
    },
    "everything at once": {
        "network": CONSTANT | {"centered": True, "init_scale": 0.9},
        "data": {
            "kind": "multi_pass",
            "batch_fraction": 0.5,
            "spectrum": {
                "kind": "discrete",
                "eigenvalues": [2.0, 0.5],
                "target_power": [0.5, 1.5],
                "weights": [0.25, 0.75],
            },
        },
        "optimizer": {
            "lr": 0.03,
            "momentum": 0.5,
            "nesterov": True,
            "weight_decay": 0.1,
            "layer_lr": [1.0, 0.5, 1.0, 2.0, 1.5],
        },
    },
}


def setting(**changes: Any) -> dict[str, Any]:
    """The reference problem, with a residual network where one is asked for."""
    tables = problem(**{name: table for name, table in changes.items() if name != "network"})
    network = changes.get("network", {})
    tables["network"] = network if "kind" in network else tables["network"] | network
    return tables


def largest_z(seen: Any, expected: Any) -> float:
    """Return the largest z-score over the seeds of ``seen`` (seed, ..., n)."""
    sem = seen.std(axis=0, ddof=1) / math.sqrt(len(seen))
    off = np.abs(seen.mean(axis=0) - expected)
    # Where nothing is random (a centered start) the two agree to rounding.
    z = np.divide(off, sem, out=np.where(off < 1e-12, 0.0, np.inf), where=sem > 1e-14)
    return float(z.max())


def trained(tables: dict[str, Any], **options: Any) -> lm.Ensemble:
    return lm.train(tables, STEPS, dim=DIM, seeds=range(7, 7 + SEEDS), **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_theory_predicts_residual_networks(name: str) -> None:
    tables = setting(**NETWORKS[name])
    theory, runs = lm.solve(tables, STEPS), trained(tables)
    for series in ("test_loss", "train_loss", "feature_norm", "gradient_norm"):
        assert largest_z(getattr(runs, series), getattr(theory, series)) < BOUND, series


WRONG: dict[str, dict[str, Any]] = {
    "no branches": DEEP | {"branch": 0.0},
    "other scaling": DEEP | {"branch_scaling": "constant"},
    "one layer less": DEEP | {"depth": 5, "branch": math.sqrt(5 / 6)},
    "infinite depth": DEEP | {"depth": math.inf},
}


@pytest.mark.parametrize("name", WRONG)
def test_another_residual_network_is_noticed(name: str) -> None:
    runs = trained(setting(network=DEEP, optimizer=SLOW))
    wrong = lm.solve(setting(network=WRONG[name], optimizer=SLOW), STEPS)
    assert largest_z(runs.test_loss, wrong.test_loss) > 1.5 * BOUND


@pytest.mark.parametrize("network", [{"depth": 2}, {"kind": "resnet", "depth": 3}])
@pytest.mark.parametrize(
    "targets", [[1.0, 0.5, 1.5], [[1.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 2.0]]]
)
def test_theory_predicts_three_outputs(network: dict[str, Any], targets: Any) -> None:
    tables = setting(network=network, data={"targets": targets}, optimizer={"lr": 0.06})
    theory, runs = lm.solve(tables, STEPS), trained(tables)
    for series in ("test_loss", "train_loss", "feature_norm", "gradient_norm"):
        assert largest_z(getattr(runs, series), getattr(theory, series)) < BOUND, series
    for series in ("test_loss_by_output", "train_loss_by_output"):
        assert largest_z(getattr(runs, series), getattr(theory, series)) < BOUND, series
    other = theory.test_loss_by_output[::-1]
    assert largest_z(runs.test_loss_by_output, other) > 1.5 * BOUND


@pytest.mark.parametrize(
    "data",
    [
        {"alpha": 1.5, "noise": 0.5},
        {"kind": "multi_pass", "alpha": 1.5, "noise": 0.5, "batch_fraction": 0.4},
        {"kind": "one_pass", "alpha": 1.0, "noise": 0.5},
    ],
    ids=["full batch", "multi pass", "one pass"],
)
@pytest.mark.parametrize("network", [{"width": 0.7}, {"kind": "resnet", "depth": 4}])
def test_theory_predicts_ensembles(network: dict[str, Any], data: dict[str, Any]) -> None:
    """A 2 x 2 grid of averaged predictions, and every overlap that it is made of."""
    tables = setting(network=network, data=data, optimizer={"lr": 0.05})
    theory = lm.solve(tables, STEPS, replicas=True)
    runs = lm.train_replicas(tables, STEPS, dim=DIM, seeds=range(7, 7 + SEEDS), k_init=2, k_data=2)
    for name in ("test_loss", "shared_init", "shared_data", "independent"):
        assert largest_z(getattr(runs, name), getattr(theory.replicas, name)) < BOUND, name
    for k_init in (1, 2):
        for k_data in (1, 2):
            seen = runs.replicas.ensemble_loss(k_init, k_data)
            assert largest_z(seen, theory.ensemble_loss(k_init, k_data)) < BOUND
    assert largest_z(runs.averaged_loss, theory.ensemble_loss(2, 2)) < BOUND
    # Averaging over the other source would be something else, and is noticed.
    assert largest_z(runs.shared_init, theory.replicas.shared_data) > 1.5 * BOUND
    assert largest_z(runs.averaged_loss, theory.test_loss) > 1.5 * BOUND


KERNELS = {
    "perceptron": {"network": {"depth": 2, "gamma0": 1.5}},
    "unequal widths and rates": {
        "network": {"depth": 3, "width": [0.6, 1.4, 1.0]},
        "optimizer": {"lr": 0.05, "layer_lr": [1.0, 0.5, 1.5, 2.0], "weight_decay": 0.2},
    },
    "residual": {"network": CONSTANT, "optimizer": SLOW},
    "spectrum": {
        "data": NETWORKS["everything at once"]["data"],
        "optimizer": {"lr": 0.08},
    },
}


@pytest.mark.parametrize("name", KERNELS)
def test_theory_predicts_kernels(name: str) -> None:
    tables = setting(**KERNELS[name])
    theory, runs = lm.solve(tables, STEPS, kernels=True), trained(tables, kernels=True)
    for kernel in ("kernel_scale", "kernel_target", "kernel_gradient"):
        assert largest_z(getattr(runs, kernel), getattr(theory, kernel)) < BOUND, kernel
    assert largest_z(runs.kernel_target, theory.kernel_scale) > 1.5 * BOUND
