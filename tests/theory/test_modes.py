"""Learning curves of modes (theory section 6): the oracle, closed forms, sums and refusals."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import networks, optimizers, problems, sharing

import lindmft as lm

STEPS = 10
SPECTRUM = lm.Discrete([2.0, 1.0, 0.3], target_power=[1.0, 0.5, 2.0], weights=[0.2, 0.3, 0.5])
PROBLEM = lm.Problem(
    lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.4, spectrum=SPECTRUM), lm.SGD(lr=0.05)
)
GRAMS = [[[4.0, 1.5], [1.5, 1.0]], [[0.5, -0.4], [-0.4, 2.0]]]
SEVERAL: dict[str, Any] = {
    "channels": {"data.targets": [2.0, 0.5]},
    "rotated": {"data.targets": [[4.0, 1.0], [1.0, 1.0]]},
    "vectors": {
        "data.spectrum": lm.Discrete(
            [2.0, 1.0, 0.3], weights=[0.2, 0.3, 0.5], targets=[[1.0, 0.2], [0.0, 1.0], [0.0, 0.0]]
        )
    },
    "classes": {"data.spectrum": lm.Discrete([1.5, 0.5], weights=[0.5, 0.5], targets=GRAMS)},
    "one class": {"data.spectrum": lm.Discrete([1.0], targets=GRAMS[:1])},
}


def solved(problem: Any, steps: int = STEPS, **options: Any) -> lm.Solution:
    """A solution with learning curves, whose losses add up to the test loss."""
    solution = lm.solve(problem, steps, modes=True, **options)
    scale = solution.test_loss.max()
    total = solution.mode_loss.sum(axis=0)
    np.testing.assert_allclose(total, solution.test_loss, rtol=1e-9, atol=1e-11 * scale)
    return solution


@st.composite
def sharing_problems(draw: st.DrawFn) -> dict[str, Any]:
    network = draw(networks())
    return {
        "network": network,
        "data": draw(sharing()),
        "optimizer": draw(optimizers(network, STEPS)),
    }


@settings(max_examples=60, deadline=None)
@given(st.one_of(problems(STEPS), sharing_problems()))
def test_agrees_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    solution, expected = solved(problem), oracle.solve_modes(problem, STEPS)
    modes = len(solution.mode_loss)

    def by_mode(name: str) -> Any:
        return expected[name].reshape(modes, STEPS, -1).sum(axis=-1)

    scale = max(np.max(expected["mode_loss"]), 1e-3)
    np.testing.assert_allclose(
        solution.mode_loss, by_mode("mode_loss"), rtol=1e-9, atol=1e-10 * scale
    )
    target, left = by_mode("mode_target"), by_mode("mode_left")
    learned = np.divide(target - left, target, out=np.zeros_like(left), where=target > 0)
    np.testing.assert_allclose(solution.mode_learned, learned, rtol=1e-9, atol=1e-9)


def test_lazy_networks_learn_each_mode_at_its_rate() -> None:
    """Theory section 12.3: with infinite data and width, modes do not see each other."""
    rate, depth = 0.05, 2
    lazy = lm.Problem(
        lm.MLP(depth=depth, width=math.inf, gamma0=0.0, centered=True),
        lm.Population(spectrum=SPECTRUM),
        lm.SGD(lr=rate),
    )
    solution = solved(lazy, 60)
    eigenvalues, power, weights = (
        np.array(part)[:, None]
        for part in (SPECTRUM.eigenvalues, SPECTRUM.target_power, SPECTRUM.weights)
    )
    left = (1.0 - (depth + 1) * rate * eigenvalues) ** solution.time
    np.testing.assert_allclose(solution.mode_learned, 1.0 - left, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        solution.mode_loss, weights * eigenvalues * power * left**2, rtol=1e-9, atol=1e-14
    )
    time = 3.0
    flow = lm.flow(lazy, time, modes=True, saveat=[0.0, 0.7, time])
    decay = np.exp(-(depth + 1) * eigenvalues * flow.time)
    np.testing.assert_allclose(flow.mode_learned, 1.0 - decay, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        flow.mode_loss, weights * eigenvalues * power * decay**2, rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("name", SEVERAL)
def test_curves_of_several_outputs(name: str) -> None:
    """They are sums over outputs, whichever way the outputs are solved."""
    setting = PROBLEM.replace(**SEVERAL[name])
    solution = solved(setting)
    assert solution.mode_loss.shape == (len(setting.data.spectrum.eigenvalues), STEPS)
    covariance = {"data.noise": 0.0, "data.noise_covariance": 0.16 * np.eye(2)}
    if name == "one class":  # the covariance makes the solver couple the outputs
        coupled = solved(setting.replace(**covariance))
        np.testing.assert_allclose(coupled.mode_learned, solution.mode_learned, rtol=1e-10)
    if name == "channels":
        apart = [solved(PROBLEM.replace(**{"data.targets": [norm]})) for norm in (2.0, 0.5)]
        learned = (4.0 * apart[0].mode_learned + 0.25 * apart[1].mode_learned) / 4.25
        np.testing.assert_allclose(solution.mode_learned, learned, rtol=1e-12, atol=1e-15)


def test_gram_matrices_are_merged_to_modes() -> None:
    """A mode with a Gram matrix of rank two is solved as two nodes."""
    vectors = [np.linalg.eigh(gram) for gram in np.array(GRAMS)]
    rows = [
        math.sqrt(2 * p) * v for power, axes in vectors for p, v in zip(power, axes.T, strict=True)
    ]
    nodes = lm.Discrete([1.5, 1.5, 0.5, 0.5], weights=[0.25] * 4, targets=rows)
    divided = solved(PROBLEM.replace(**{"data.spectrum": nodes}))
    merged = solved(PROBLEM.replace(**SEVERAL["classes"]))
    loss = divided.mode_loss.reshape(2, 2, STEPS).sum(axis=1)
    np.testing.assert_allclose(merged.mode_loss, loss, rtol=1e-12)
    power = (np.array(rows) ** 2).sum(axis=1)[:, None]
    learned = (power * divided.mode_learned).reshape(2, 2, STEPS).sum(axis=1)
    expected = learned / power.reshape(2, 2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(merged.mode_learned, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"data": lm.Population(spectrum=SPECTRUM)},
        {"data": lm.FullBatch(alpha=2.0, noise=0.4)},
        {"data.targets": [2.0, 0.5]},
        SEVERAL["vectors"],
    ],
    ids=["full batch", "population", "one mode", "channels", "shared modes"],
)
def test_coarse_grids_agree_with_all_steps(changes: dict[str, Any]) -> None:
    setting = PROBLEM.replace(**{"optimizer.lr": 0.01, **changes})
    every, coarse = solved(setting, 300), lm.solve(setting, 300, modes=True, grid="adaptive")
    np.testing.assert_allclose(coarse.mode_loss.sum(axis=0), coarse.test_loss, rtol=1e-5)
    sampled = coarse.at(np.arange(0, 300, 23))
    for name in ("mode_loss", "mode_learned"):
        expected = getattr(every, name)[:, ::23]
        np.testing.assert_allclose(getattr(sampled, name), expected, rtol=3e-5, atol=1e-6)


def test_overshooting_modes_have_learned_more_than_all() -> None:
    """Parts of a target are no squares: they are not set to zero where they are negative."""
    lazy = lm.Problem(
        lm.MLP(depth=1, width=math.inf, gamma0=0.0, centered=True),
        lm.Population(spectrum=SPECTRUM),
        lm.SGD(lr=0.4),
    )
    solution = solved(lazy, 4)
    np.testing.assert_allclose(solution.mode_learned[0], [0.0, 1.6, 0.64, 1.216], atol=1e-12)
    slow = lazy.replace(**{"optimizer.lr": 0.01, "optimizer.momentum": 0.95})
    coarse = lm.solve(slow, 200, modes=True, grid="adaptive")
    every = solved(slow, 200)
    assert every.mode_learned.max() > 1.3
    np.testing.assert_allclose(
        coarse.at(np.arange(200)).mode_learned, every.mode_learned, rtol=1e-4, atol=1e-5
    )


def test_negative_parts_stay_negative_between_nodes() -> None:
    coarse = lm.solve(PROBLEM, 300, modes=True, grid="adaptive")
    below = dataclasses.replace(
        coarse, mode_learned=-coarse.mode_learned, mode_loss=-coarse.mode_loss
    )
    times = [3, 50, 290]
    np.testing.assert_array_equal(below.at(times).mode_learned, -coarse.at(times).mode_learned)
    assert not below.at(times).mode_loss.any()  # squares are never negative


def test_nothing_else_changes() -> None:
    """Replicas and kernels come from the same solution, and many problems from the same call."""
    options: dict[str, Any] = {"replicas": True, "kernels": True}
    plain = lm.solve(PROBLEM, STEPS, **options)
    assert not plain.has("mode_loss")
    solution = solved(PROBLEM, **options)
    for name in ("test_loss", "train_loss", "kernel_scale"):
        np.testing.assert_array_equal(getattr(solution, name), getattr(plain, name))
    np.testing.assert_array_equal(solution.replicas.independent, plain.replicas.independent)
    two = lm.solve_many([PROBLEM, PROBLEM.replace(**{"data.alpha": 1.0})], STEPS, modes=True)
    np.testing.assert_array_equal(two[0].mode_loss, solution.mode_loss)
    seen = solved(PROBLEM, spectrum_at=[0, 4], lanczos=4)  # vectors pass through the same modes
    np.testing.assert_array_equal(seen.mode_loss, solution.mode_loss)
    without, asked = (
        lm.estimate_memory(PROBLEM, 100, keep_state=False, modes=modes) for modes in (False, True)
    )
    assert asked > without


def test_curves_end_at_a_divergence() -> None:
    solution = lm.solve(PROBLEM.replace(**{"optimizer.lr": 2.0}), 60, modes=True)
    assert solution.diverged_at is not None
    for curves in (solution.mode_loss, solution.mode_learned):
        assert np.isinf(curves[:, solution.valid :]).all()
        assert np.isfinite(curves[:, : solution.valid]).all()


@pytest.mark.parametrize("name", ["channels", "classes"])
def test_files_keep_learning_curves(name: str, tmp_path: Path) -> None:
    setting = PROBLEM.replace(**SEVERAL[name])
    solution = solved(setting)
    solution.save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    assert solution.to_xarray().mode_loss.dims == ("mode", "time")
    for curves in ("mode_loss", "mode_learned"):
        np.testing.assert_array_equal(getattr(loaded, curves), getattr(solution, curves))


@pytest.mark.parametrize("option", [{"keep_state": True}, {"checkpoint": "modes.nc"}])
def test_they_cannot_be_resumed(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="modes: a solution with them cannot be resumed"):
        lm.solve(PROBLEM, 5, modes=True, **option)
    start = lm.solve(PROBLEM, 5, keep_state=True)
    with pytest.raises(ValueError, match="^continue_from cannot be combined with modes"):
        lm.solve(PROBLEM, 10, modes=True, continue_from=start)
