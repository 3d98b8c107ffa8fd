"""Distances that features and gradients move in training: theory, NumPy, and each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm

UPDATES = ("feature_update", "gradient_update")
CORRELATIONS = {"feature_update": "C_h", "gradient_update": "C_g"}
BOUND = 4.0
DIM, SEEDS, STEPS = 384, 16, 30

RESNET = {"kind": "resnet", "depth": 3, "width": 0.75, "gamma0": 0.8, "branch": 1.2}
SETTINGS = {
    "perceptron": problem(),
    "unequal widths": problem(network={"depth": 3, "width": [0.5, 1.5, 1.0], "gamma0": 0.8}),
    "residual": problem(network=RESNET, optimizer={"lr": 0.05}),
    "NTK, centered": problem(
        network={"width": 2.0, "parameterization": "ntk", "centered": True},
        optimizer={"lr": 0.05, "momentum": 0.5, "weight_decay": 0.2},
    ),
}


def displacement(solution: lm.Solution, name: str) -> np.ndarray:
    """(L, n), C(t, t) - 2 C(t, 0) + C(0, 0): the mean square of x(t) - x(0)."""
    layers = getattr(solution, CORRELATIONS[name])
    kept = [layers[layer] for layer in range(1, len(solution.depth) + 1)]
    return np.array([np.diag(C) - 2 * C[:, 0] + C[0, 0] for C in kept])


def scores(seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(seed, ...) against (...), in standard errors, from the first update on."""
    later, predicted = seen[..., 1:], expected[..., 1:]
    return (later.mean(axis=0) - predicted) / (later.std(axis=0, ddof=1) / np.sqrt(len(seen)))


@pytest.mark.parametrize("name", SETTINGS)
def test_theory_predicts_updates(name: str) -> None:
    solution = lm.solve(SETTINGS[name], STEPS, save=["C_h", "C_g"])
    runs = lm.train(SETTINGS[name], STEPS, dim=DIM, seeds=range(7, 7 + SEEDS), updates=True)
    for series in UPDATES:
        seen, expected = getattr(runs, series), displacement(solution, series)
        assert (seen[..., 0] == 0).all()
        assert np.abs(scores(seen, expected)).max() < BOUND
        norm = getattr(solution, series.replace("update", "norm"))
        growth = norm - norm[:, :1]  # which is not how far they move
        assert np.abs(scores(seen, growth)).max() > 2 * BOUND


def test_outputs_are_added() -> None:
    setting = problem(data={"targets": [1.0, 0.5]})
    solution = lm.solve(setting, STEPS, save=["C_h", "C_g"])
    runs = lm.train(setting, STEPS, dim=DIM, seeds=range(7, 7 + SEEDS), updates=True)
    for series in UPDATES:
        expected = sum(displacement(channel, series) for channel in solution.channels)
        assert np.abs(scores(getattr(runs, series), np.array(expected))).max() < BOUND


def numpy_updates(steps: int, dim: int, seed: int) -> dict[str, np.ndarray]:
    """The reference problem (depth 2, width 1, alpha 2, noise 0.3, lr 0.1) as in theory section 2.

    Every name is that of the theory; (L, n) each.
    """
    rng = np.random.default_rng(seed)
    samples, gamma0, lr, noise = 2 * dim, 1.0, 0.1, 0.3
    w0, w1 = rng.standard_normal((2, dim, dim))
    readout, target = rng.standard_normal((2, dim))
    x = rng.standard_normal((samples, dim))
    y = x @ target / np.sqrt(dim) + noise * rng.standard_normal(samples)
    h, g = [], []
    for _ in range(steps):
        g2 = readout.copy()
        g1 = w1.T @ g2 / np.sqrt(dim)
        w_hat = np.sqrt(dim) / (gamma0 * dim) * w0.T @ g1
        u = np.sqrt(dim) / samples * x.T @ (y - x @ w_hat / np.sqrt(dim))
        h1 = w0 @ u / np.sqrt(dim)
        h2 = w1 @ h1 / np.sqrt(dim)
        h.append([h1, h2])
        g.append([g1, g2])
        w0 += lr * gamma0 / np.sqrt(dim) * np.outer(g1, u)
        w1 += lr * gamma0 / np.sqrt(dim) * np.outer(g2, h1)
        readout = readout + lr * gamma0 * h2
    return {
        name: ((np.array(signal) - signal[0]) ** 2).mean(axis=-1).T
        for name, signal in zip(UPDATES, (h, g), strict=True)
    }


def test_an_independent_trainer_moves_as_far() -> None:
    """NumPy draws other random numbers: two samples of networks with one mean."""
    runs = lm.train(problem(), 15, dim=48, seeds=200, updates=True)
    mine = [numpy_updates(15, 48, seed) for seed in range(200)]
    for name in UPDATES:
        ours = getattr(runs, name)[..., 1:]
        theirs = np.array([each[name][:, 1:] for each in mine])
        error = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / 200)
        assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < BOUND * error).all()
        assert (error < 0.1 * theirs.mean(axis=0)).all()


def test_the_bounds_of_the_triangle_hold() -> None:
    """| |h(t)| - |h(0)| | <= |h(t) - h(0)| <= |h(t)| + |h(0)|, network by network."""
    runs = lm.train(problem(network=RESNET), 20, dim=32, seeds=3, updates=True)
    for name in ("feature", "gradient"):
        size = np.sqrt(getattr(runs, f"{name}_norm"))
        moved = np.sqrt(getattr(runs, f"{name}_update"))
        start = size[..., :1]
        assert (np.abs(size - start) <= moved + 1e-12).all()
        assert (moved <= size + start + 1e-12).all()


def test_updates_are_recorded_when_asked_for() -> None:
    runs = lm.train(problem(), 10, dim=32, seeds=3, updates=True)
    plain = lm.train(problem(), 10, dim=32, seeds=3)
    for name in UPDATES:
        assert getattr(runs, name).shape == (3, 2, 10)
        assert getattr(runs.mean(), name).shape == getattr(runs.sem(), name).shape == (2, 10)
        assert not hasattr(plain, name)
        assert not hasattr(plain.mean(), name)
    np.testing.assert_array_equal(runs.test_loss, plain.test_loss)


def test_many_problems_move_as_each_alone() -> None:
    problems = [problem(), problem(optimizer={"lr": 0.03}), problem(network={"width": 0.5})]
    many = lm.train_many(problems, 12, dim=32, seeds=2, updates=True)
    single = lm.train_many(problems, 12, dim=32, seeds=2, updates=True, dtype="float32")
    again = lm.train_many(problems, 12, dim=32, seeds=2, updates=True, threads=1)
    for setting, run, rounded, other in zip(problems, many, single, again, strict=True):
        alone = lm.train(setting, 12, dim=32, seeds=2, updates=True)
        for name in UPDATES:
            np.testing.assert_allclose(getattr(run, name), getattr(alone, name), rtol=1e-9)
            np.testing.assert_allclose(getattr(rounded, name), getattr(alone, name), rtol=1e-4)
            np.testing.assert_array_equal(getattr(other, name), getattr(run, name))
    assert not lm.train_many(problems, 3, dim=16, seeds=1)[0].has("feature_update")


def test_past_a_divergence_they_are_infinite() -> None:
    runs = lm.train(problem(optimizer={"lr": 5.0}), 60, dim=24, seeds=2, updates=True)
    for seed, step in enumerate(runs.diverged_at):
        assert step is not None
        for name in UPDATES:
            assert np.isfinite(getattr(runs, name)[seed, :, :step]).all()
            assert np.isposinf(getattr(runs, name)[seed, :, step:]).all()


def test_files_keep_them(tmp_path: Path) -> None:
    runs = lm.train(problem(network=RESNET), 6, dim=24, seeds=2, updates=True)
    runs.save(tmp_path / "runs.nc")
    loaded = lm.Ensemble.load(tmp_path / "runs.nc")
    data = runs.to_xarray()
    for name in UPDATES:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(runs, name))
        assert data[name].dims == ("seed", "layer", "time")
        assert "since initialization" in data[name].attrs["long_name"]
    lm.train(problem(), 6, dim=24, seeds=2).save(tmp_path / "plain.nc")
    assert not lm.Ensemble.load(tmp_path / "plain.nc").has("gradient_update")


def test_memory_counts_them() -> None:
    def needed(problems: Any, **options: Any) -> float:
        return lm.estimate_train_memory(problems, 10, dim=100, seeds=1, **options)

    assert needed(problem(), updates=True) > needed(problem())
    assert needed([problem()] * 2, updates=True) > needed([problem()] * 2)
    with pytest.raises(ValueError, match="updates is not an option of train_replicas"):
        needed(problem(), updates=True, k_init=2)


@pytest.mark.parametrize("run", [lm.train, lambda p, n, **o: lm.train_many([p], n, **o)])
def test_what_is_no_flag_is_refused(run: Any) -> None:
    with pytest.raises(ValueError, match="updates must be true or false, got 'yes'"):
        run(problem(), 5, dim=16, updates="yes")
