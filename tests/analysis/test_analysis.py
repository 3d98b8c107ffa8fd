"""Theory compared with training: the numbers, and what is said of them."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
STEPS = 10


@pytest.fixture(scope="module")
def theory() -> lm.Solution:
    return lm.solve(PROBLEM, STEPS)


def networks(theory: lm.Solution, deviations: Any, **fields: Any) -> lm.Ensemble:
    """Networks whose losses are the theory's plus a constant each."""
    count = len(deviations)
    shift = np.asarray(deviations, float)[:, None]
    base = lm.train(PROBLEM, STEPS, dim=8, seeds=count)
    losses = {"test_loss": theory.test_loss + shift, "train_loss": theory.train_loss - shift}
    return dataclasses.replace(base, **losses, **fields)


def test_z_scores_and_errors_are_those_of_the_definition(theory: lm.Solution) -> None:
    deviations = np.array([0.01, 0.03, -0.01, 0.05])
    comparison = lm.compare(theory, networks(theory, deviations))
    error = deviations.std(ddof=1) / 2
    np.testing.assert_allclose(comparison.test_loss.z, 0.02 / error)
    np.testing.assert_allclose(comparison.train_loss.z, -0.02 / error)
    np.testing.assert_allclose(comparison.test_loss.relative_error, 0.02 / theory.test_loss)
    assert comparison.test_loss.rms_z == pytest.approx(0.02 / error)
    assert comparison.train_loss.largest_z == pytest.approx(-0.02 / error)
    assert comparison.networks == 4
    assert comparison.notes == ()


def test_the_worst_step_is_named(theory: lm.Solution) -> None:
    runs = networks(theory, [-0.01, 0.01, -0.01, 0.01])
    runs.test_loss[:, 7] += 0.2
    comparison = lm.compare(theory, runs)
    assert comparison.test_loss.worst_step == 7
    assert comparison.test_loss.largest_z == pytest.approx(np.abs(comparison.test_loss.z).max())
    assert comparison.test_loss.largest_error == pytest.approx(0.2 / theory.test_loss[7])
    assert comparison.verdict.startswith("Theory and training differ by up to ")
    assert "standard errors" in comparison.verdict
    lines = comparison.summary().splitlines()
    assert lines[0] == "theory against training: dim = 8, 4 networks, 10 steps"
    assert lines[2].split()[:2] == ["test", "loss"]
    assert lines[2].split()[3] == "7"


def test_networks_without_spread_are_compared_within_rounding(theory: lm.Solution) -> None:
    exact = lm.compare(theory, networks(theory, [0.0] * 4))
    assert np.abs(exact.test_loss.z).max() < 1
    off = lm.compare(theory, networks(theory, [1e-6] * 4))
    assert np.isfinite(off.test_loss.z).all()
    assert off.test_loss.largest_z > 100


def test_a_centered_start_agrees_within_rounding() -> None:
    problem = PROBLEM.replace(**{"network.centered": True, "data.noise": 0.0})
    comparison = lm.compare(lm.solve(problem, 3), lm.train(problem, 3, dim=64, seeds=4))
    assert abs(comparison.test_loss.z[0]) < 1


def test_few_networks_get_no_verdict(theory: lm.Solution) -> None:
    few = lm.compare(theory, networks(theory, [0.01, 0.02, 0.03]))
    assert few.verdict.startswith("No verdict: 3 networks are too few")
    assert any("not meaningful" in note for note in few.notes)
    assert np.isfinite(lm.compare(theory, networks(theory, [0.01])).test_loss.z).all()


def test_agreement_is_said(theory: lm.Solution) -> None:
    assert "agree" in lm.compare(theory, networks(theory, [-0.1, 0.1, 0.05, -0.08])).verdict


def test_steps_past_a_divergence_are_left_out(theory: lm.Solution) -> None:
    runs = networks(theory, [0.01, 0.02, -0.01, 0.01], diverged_at=(6,) * 4)
    runs.test_loss[:, 6:] = runs.train_loss[:, 6:] = np.inf
    comparison = lm.compare(theory, runs)
    assert len(comparison.time) == 6
    assert any("4 of 10 steps" in note for note in comparison.notes)
    assert "4 of 10 steps" in comparison.summary()


def test_lost_networks_are_noted(theory: lm.Solution) -> None:
    runs = networks(theory, [0.01, 0.02, -0.01, 0.01, 0.0], diverged_at=(None, 3, None, None, None))
    runs.test_loss[1, 3:] = runs.train_loss[1, 3:] = np.inf
    comparison = lm.compare(theory, runs)
    assert comparison.networks == 4
    assert len(comparison.time) == STEPS
    assert any("1 of 5 networks diverged" in note for note in comparison.notes)


def test_different_problems_and_lengths_are_refused_by_name(theory: lm.Solution) -> None:
    runs = networks(theory, [0.0, 0.1])
    for path, value in {
        "network.width": 2.0,
        "data.noise": 0.0,
        "optimizer.lr": 0.1,
        "data": lm.OnePass(alpha=2.0, noise=0.3),
        "optimizer.layer_lr": [1, 1, 1],
    }.items():
        other = dataclasses.replace(runs, problem=PROBLEM.replace(**{path: value}))
        with pytest.raises(ValueError, match=f"^{path}.* must be the same"):
            lm.compare(theory, other)
    with pytest.raises(ValueError, match="steps must be the same in theory and runs, got 5 and 10"):
        lm.compare(lm.solve(PROBLEM, 5), runs)


def test_theory_and_real_training_agree() -> None:
    comparison = lm.compare(lm.solve(PROBLEM, 40), lm.train(PROBLEM, 40, dim=400, seeds=16))
    assert abs(comparison.test_loss.largest_z) < 5
    assert abs(comparison.train_loss.largest_z) < 5
    wrong = PROBLEM.replace(**{"optimizer.lr": 0.06})
    other = dataclasses.replace(lm.solve(wrong, 40), problem=PROBLEM)
    runs = lm.train(PROBLEM, 40, dim=400, seeds=16)
    assert abs(lm.compare(other, runs).train_loss.largest_z) > 5


def test_replicas_are_not_an_ensemble() -> None:
    replicas: Any = lm.train_replicas(problem(), 5, dim=16, seeds=2)
    with pytest.raises(ValueError, match="^runs must be an Ensemble"):
        lm.compare(lm.solve(problem(), 5), replicas)
