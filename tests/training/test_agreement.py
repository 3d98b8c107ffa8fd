"""Theory against training: the test that the mathematics is right."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm

CASES = json.loads((Path(__file__).parents[1] / "data" / "cases.json").read_text())
PERCEPTRONS = {c["name"]: c["problem"] for c in CASES if c["problem"]["network"]["kind"] == "mlp"}
DIM, SEEDS = 384, 16
# Under a right theory z is nearly Gaussian plus a bias of order 1/D; neighbouring steps are
# correlated, so about a hundred comparisons have far fewer independent ones. 4 is rarely passed by
# chance and passed by every dropped term below.
BOUND = 4.0


def largest_z(theory: dict[str, Any], experiment: dict[str, Any], steps: int) -> float:
    solution = lm.solve(theory, steps)
    runs = lm.train(experiment, steps, dim=DIM, seeds=range(7, 7 + SEEDS))
    largest = 0.0
    for expected, seen in [
        (solution.test_loss, runs.test_loss),
        (solution.train_loss, runs.train_loss),
        (solution.gradient_norm[0], runs.gradient_norm[:, 0]),
        (solution.feature_norm[-1], runs.feature_norm[:, -1]),
    ]:
        sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
        off = np.abs(seen.mean(axis=0) - expected)
        # Where nothing is random (a centered start) the two agree to rounding.
        z = np.divide(off, sem, out=np.where(off < 1e-12, 0.0, np.inf), where=sem > 1e-14)
        largest = max(largest, float(z.max()))
    return largest


@pytest.mark.parametrize("name", PERCEPTRONS)
def test_theory_predicts_training(name: str) -> None:
    assert largest_z(PERCEPTRONS[name], PERCEPTRONS[name], 30) < BOUND


def test_theory_predicts_everything_at_once() -> None:
    """Every optimizer option, unequal widths, a spectrum, SGD noise and centering together."""
    setting = {
        "network": {
            "kind": "mlp",
            "depth": 3,
            "width": [0.5, 1.5, 1.0],
            "gamma0": 0.8,
            "centered": True,
        },
        "data": {
            "kind": "multi_pass",
            "alpha": 1.5,
            "batch_fraction": 0.5,
            "noise": 0.4,
            "spectrum": {
                "kind": "discrete",
                "eigenvalues": [2.0, 0.5],
                "target_power": [0.5, 1.5],
                "weights": [0.25, 0.75],
            },
        },
        "optimizer": {
            "lr": np.linspace(0.03, 0.01, 30).tolist(),
            "momentum": 0.5,
            "nesterov": True,
            "weight_decay": 0.1,
            "layer_lr": [1.0, 0.5, 1.0, 1.5],
        },
    }
    assert largest_z(setting, setting, 30) < BOUND


# What a theory without one of its terms would predict: the bound must notice each.
WRONG = {
    "no finite width": {"network": {"width": float("inf")}},
    "no finite data": {"data": {"alpha": float("inf")}},
    "no reuse of data": {"data": {"kind": "one_pass"}},
    "no feature learning": {"network": {"gamma0": 0.1, "width": 100.0}},
    "no label noise": {"data": {"noise": 0.0}},
    "one layer less": {"network": {"depth": 1}},
    "twice the rate (a loss without its 1/2)": {"optimizer": {"lr": 0.2}},
}


@pytest.mark.filterwarnings("ignore::lindmft.SizeWarning")
@pytest.mark.parametrize("term", WRONG)
def test_a_missing_term_is_noticed(term: str) -> None:
    assert largest_z(problem(**WRONG[term]), problem(), 30) > 1.5 * BOUND


def test_the_deviation_falls_with_size() -> None:
    """Bias of the mean test loss over many small networks, four times larger at dim/4."""
    setting = problem(
        network={"width": 0.5}, data={"alpha": 1.5, "noise": 0.5}, optimizer={"lr": 0.08}
    )
    expected = lm.solve(setting, 20).test_loss
    biases = []
    for dim, seeds in [(24, 6000), (96, 1500)]:
        runs = lm.train(setting, 20, dim=dim, seeds=seeds)
        off = runs.test_loss.mean(axis=0) - expected
        biases.append(float(np.abs(off[3:]).mean()))
    assert biases[0] > 0.005  # seen at all
    assert 2.0 < biases[0] / biases[1] < 8.0
