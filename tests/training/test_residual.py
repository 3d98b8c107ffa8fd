"""Training beyond one perceptron with one output: residual networks, outputs, replicas, kernels."""

import json
import math
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.results.replicas import Replicas

CASES = json.loads((Path(__file__).parents[1] / "data" / "cases.json").read_text())
RESIDUAL = {c["name"]: c for c in CASES if c["problem"]["network"]["kind"] == "resnet"}
BOUND = 4.0
DIM, SEEDS = 384, 16

RESNET = {"kind": "resnet", "depth": 3, "width": 0.75, "gamma0": 0.8, "branch": 1.2}
GRAM = [[1.0, 0.5], [0.5, 0.7]]
KERNELS = ("kernel_gradient", "kernel_target", "kernel_scale")
KINDS = ("test_loss", "shared_init", "shared_data", "independent")


def largest_z(seen: np.ndarray, expected: Any) -> float:
    """(seed, n) against (n,), in standard errors; where nothing is random, to rounding."""
    sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
    off = np.abs(seen.mean(axis=0) - np.array(expected))
    z = np.divide(off, sem, out=np.where(off < 1e-12, 0.0, np.inf), where=sem > 1e-14)
    return float(z.max())


# Residual networks


@pytest.mark.parametrize("name", RESIDUAL)
def test_residual_networks_do_what_theory_says(name: str) -> None:
    case = RESIDUAL[name]
    runs = lm.train(case["problem"], case["steps"], dim=DIM, seeds=range(7, 7 + SEEDS))
    for series in ("test_loss", "train_loss"):
        assert largest_z(getattr(runs, series), case[series]) < BOUND
    assert largest_z(runs.feature_norm[:, -1], case["feature_norm"]) < BOUND
    assert largest_z(runs.gradient_norm[:, 0], case["gradient_norm"]) < BOUND


def test_another_branch_is_noticed() -> None:
    case = RESIDUAL["resnet4 depth-scaled"]
    other = {**case["problem"], "network": {**case["problem"]["network"], "branch": 0.8}}
    runs = lm.train(other, case["steps"], dim=DIM, seeds=range(7, 7 + SEEDS))
    assert largest_z(runs.test_loss, case["test_loss"]) > 1.5 * BOUND


def test_depth_is_finite() -> None:
    with pytest.raises(ValueError, match="network.depth must be finite to train networks, got inf"):
        lm.train(problem(network={**RESNET, "depth": math.inf}), 5, dim=16)


# Several outputs


def test_shapes_of_several_outputs() -> None:
    runs = lm.train(problem(network=RESNET, data={"targets": GRAM}), 10, dim=32, seeds=3)
    assert runs.test_loss.shape == (3, 10)
    assert runs.test_loss_by_output.shape == runs.train_loss_by_output.shape == (3, 2, 10)
    np.testing.assert_allclose(runs.test_loss_by_output.sum(axis=1), runs.test_loss, rtol=1e-14)
    np.testing.assert_allclose(runs.train_loss_by_output.sum(axis=1), runs.train_loss, rtol=1e-14)
    assert runs.feature_norm.shape == (3, 3, 10)
    assert runs.mean().test_loss_by_output.shape == runs.sem().train_loss_by_output.shape == (2, 10)


def test_one_output_is_its_own_total() -> None:
    runs = lm.train(problem(), 10, dim=32, seeds=3)
    np.testing.assert_array_equal(runs.test_loss_by_output[:, 0], runs.test_loss)
    np.testing.assert_array_equal(runs.train_loss_by_output[:, 0], runs.train_loss)


def test_outputs_are_what_the_decoupled_channels_say() -> None:
    """Theory section 8: the loss is the sum over the eigenvectors of the Gram matrix."""
    setting = problem(network={"centered": True}, optimizer={"lr": 0.06})
    powers, rotation = np.linalg.eigh(np.array(GRAM))
    channels = []
    for power in powers:
        spectrum = {
            "kind": "discrete",
            "eigenvalues": [1.0],
            "target_power": [power],
            "weights": [1.0],
        }
        alone = {**setting, "data": setting["data"] | {"spectrum": spectrum}}
        channels.append(lm.solve(alone, 25))
    runs = lm.train(
        setting | {"data": setting["data"] | {"targets": GRAM}}, 25, dim=DIM, seeds=SEEDS
    )
    for name in ("test_loss", "train_loss"):
        terms = np.array([getattr(channel, name) for channel in channels])
        outputs = rotation**2 @ terms
        assert largest_z(getattr(runs, name), terms.sum(axis=0)) < BOUND
        for c in range(2):
            assert largest_z(getattr(runs, f"{name}_by_output")[:, c], outputs[c]) < BOUND


# The kernel


def test_kernels_are_recorded_when_asked_for() -> None:
    runs = lm.train(problem(network=RESNET), 10, dim=32, seeds=3, kernels=True)
    plain = lm.train(problem(network=RESNET), 10, dim=32, seeds=3)
    for name in KERNELS:
        assert getattr(runs, name).shape == (3, 10)
        assert getattr(runs.mean(), name).shape == (10,)
        assert not hasattr(plain, name)
        assert not hasattr(plain.mean(), name)
    np.testing.assert_array_equal(runs.test_loss, plain.test_loss)


def test_the_kernel_starts_at_one_a_weight_array() -> None:
    """Theory section 12 item 9 with b = 0: K = L + 1."""
    runs = lm.train(problem(network={"depth": 3}), 1, dim=64, seeds=200, kernels=True)
    assert largest_z(runs.kernel_scale, [4.0]) < BOUND
    assert runs.sem().kernel_scale < 0.1


def test_the_lazy_kernel_drives_the_loss() -> None:
    """The loss follows the kernel along the gradient: d v = -eta K v in the population."""
    setting = problem(
        network={"width": 40.0, "gamma0": 0.01, "centered": True},
        data={"kind": "population", "noise": 0.0},
        optimizer={"lr": 0.02},
    )
    runs = lm.train(setting, 10, dim=32, seeds=2, kernels=True)
    ratio = np.sqrt(runs.test_loss[:, 1:] / runs.test_loss[:, :-1])
    np.testing.assert_allclose(ratio, 1 - 0.02 * runs.kernel_gradient[:, :-1], rtol=1e-3)


def test_kernels_of_several_targets_are_refused() -> None:
    several = problem(data={"targets": [1.0, 0.5]})
    with pytest.raises(ValueError, match="kernels cannot be combined with several targets"):
        lm.train(several, 5, dim=16, kernels=True)
    with pytest.raises(ValueError, match="kernels must be true or false, got 'yes'"):
        lm.train(problem(), 5, dim=16, kernels="yes")  # type: ignore[arg-type]


# Replicas


@pytest.fixture(scope="module")
def replicas() -> Any:
    return lm.train_replicas(problem(), 12, dim=32, seeds=[3, 8, 5], k_init=3, k_data=2)


def test_shapes_of_replicas(replicas: lm.ReplicaEnsemble) -> None:
    assert (replicas.k_init, replicas.k_data, replicas.seeds) == (3, 2, (3, 8, 5))
    assert replicas.widths == (32, 32)
    assert (replicas.dim, replicas.samples) == (32, 64)
    for name in (*KINDS, "averaged_loss"):
        assert getattr(replicas, name).shape == (3, 12)
        assert getattr(replicas.mean(), name).shape == (12,)
        assert np.isfinite(getattr(replicas.sem(), name)).all()
    assert replicas.status == "Trained 3 groups of 3 x 2 networks for 12 steps."
    assert "ReplicaEnsemble of Problem" in repr(replicas)
    assert replicas.irreducible == pytest.approx(0.09)


def test_the_averaged_loss_follows_from_the_overlaps(
    replicas: lm.ReplicaEnsemble,
) -> None:
    expected = replicas.replicas.ensemble_loss(k_init=3, k_data=2)
    np.testing.assert_allclose(replicas.averaged_loss, expected, rtol=1e-12)


def test_one_of_each_is_what_train_trains() -> None:
    runs = lm.train(problem(), 12, dim=32, seeds=[3, 8])
    same = lm.train_replicas(problem(), 12, dim=32, seeds=[3, 8], k_init=1, k_data=1)
    np.testing.assert_array_equal(same.test_loss, runs.test_loss)
    np.testing.assert_array_equal(same.averaged_loss, runs.test_loss)
    for result in (same, same.mean(), same.sem()):
        assert not any(map(result.has, ("shared_init", "shared_data", "independent")))


def test_missing_overlaps_are_named() -> None:
    sets = lm.train_replicas(problem(), 3, dim=16, seeds=2, k_init=1, k_data=2)
    assert sets.has("shared_init")
    with pytest.raises(ValueError, match="k_init must be at least 2 for all four overlaps, got 1"):
        _ = sets.replicas
    inits = lm.train_replicas(problem(), 3, dim=16, seeds=2, k_init=2, k_data=1)
    assert inits.has("shared_data")
    with pytest.raises(ValueError, match="k_data must be at least 2"):
        _ = inits.replicas


def test_threads_do_not_matter(replicas: lm.ReplicaEnsemble) -> None:
    again = lm.train_replicas(problem(), 12, dim=32, seeds=[8], k_init=3, k_data=2, threads=1)
    np.testing.assert_array_equal(again.independent[0], replicas.independent[1])


def test_replicas_diverge_to_infinity_without_nan() -> None:
    runs = lm.train_replicas(problem(optimizer={"lr": 3.0}), 40, dim=32, seeds=2)
    first = max(step for step in runs.diverged_at if step is not None)
    assert "diverged" in runs.status
    overlaps = runs.replicas
    for series in (
        overlaps.variance_init,
        overlaps.variance_data,
        overlaps.variance_interaction,
        overlaps.bias,
        overlaps.ensemble_loss(k_init=math.inf),
    ):
        assert not np.isnan(series).any()
        assert np.isinf(series[:, first:]).all()


@pytest.mark.parametrize("k", [0, 257])
@pytest.mark.parametrize("name", ["k_init", "k_data"])
def test_counts_of_replicas(name: str, k: int) -> None:
    with pytest.raises(ValueError, match=f"{name} must be from 1 to 256, got {k}"):
        lm.train_replicas(problem(), 3, dim=16, **{name: k})


def test_progress_counts_steps_of_seeds() -> None:
    calls: list[tuple[int, int]] = []
    lm.train_replicas(
        problem(), 7, dim=16, seeds=3, threads=1, progress=lambda *call: calls.append(call)
    )
    assert calls[-1] == (21, 21)


def test_memory_is_estimated_before_it_is_taken() -> None:
    one = lm.estimate_train_memory(problem(), 10, dim=100, seeds=1)
    assert lm.estimate_train_memory(problem(), 10, dim=100, seeds=1, kernels=True) > one
    four = lm.estimate_train_memory(problem(), 10, dim=100, seeds=1, k_init=2)
    assert four > 2 * one  # four networks, on two data sets and two initializations
    assert lm.estimate_train_memory(problem(), 10, dim=100, seeds=1, k_init=2, k_data=2) == four
    several = problem(data={"targets": [1.0] * 40})
    assert lm.estimate_train_memory(several, 10, dim=100, seeds=1) > 1.5 * one
    with pytest.raises(MemoryError):
        lm.train_replicas(problem(), 10, dim=100, memory_limit=1e4)
    with pytest.raises(ValueError, match="kernels is not an option of train_replicas"):
        lm.estimate_train_memory(problem(), 10, kernels=True, k_init=2)


def example() -> Replicas:
    return Replicas(*(np.array([value, 2 * value]) for value in (0.47, 0.16, 0.26, 0.07)))


def test_ensemble_loss() -> None:
    r = example()
    np.testing.assert_array_equal(r.ensemble_loss(), r.test_loss)
    np.testing.assert_array_equal(r.ensemble_loss(k_init=math.inf), r.shared_data)
    np.testing.assert_array_equal(r.ensemble_loss(k_data=math.inf), r.shared_init)
    np.testing.assert_array_equal(r.ensemble_loss(math.inf, math.inf), r.bias)
    by_hand = (0.47 + 0.16 * 3 + 0.26 + 0.07 * 3) / 8
    np.testing.assert_allclose(r.ensemble_loss(k_init=2, k_data=4)[0], by_hand)


def test_variances_add_up() -> None:
    r = example()
    total = r.bias + r.variance_init + r.variance_data + r.variance_interaction
    np.testing.assert_allclose(total, r.test_loss)
    np.testing.assert_allclose(r.variance_init[0], 0.09)
    np.testing.assert_allclose(r.variance_data[0], 0.19)
    with pytest.raises(FrozenInstanceError):
        r.test_loss = r.bias  # type: ignore[misc]


@pytest.mark.parametrize("k", [0, -1, 1.5, math.nan, "2", True])
@pytest.mark.parametrize("name", ["k_init", "k_data"])
def test_ensembles_have_whole_sizes(name: str, k: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, or inf"):
        example().ensemble_loss(**{name: k})
