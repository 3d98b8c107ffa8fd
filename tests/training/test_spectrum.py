"""Trace-class spectra in theory and training: the proof that the normalization is right."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lindmft as lm

Array = NDArray[np.float64]
MODES, STEPS, BOUND = 200, 30, 4.0
SPECTRUM = lm.PowerLaw(capacity=1.5, source=0.5, modes=MODES)
ALONE = SPECTRUM.leading(MODES)
SGD = lm.SGD(lr=0.05)


def problem(network: Any, data: Any, optimizer: lm.SGD = SGD) -> lm.Problem:
    return lm.Problem(network, data, optimizer)


def z_scores(theory: lm.Problem, runs: lm.Ensemble, equal: float = 1e-12) -> Array:
    """Largest over time, of test loss, training loss, gradient and feature norms."""
    solution = lm.solve(theory, STEPS)
    largest = []
    for expected, seen in [
        (solution.test_loss, runs.test_loss),
        (solution.train_loss, runs.train_loss),
        (solution.gradient_norm[0], runs.gradient_norm[:, 0]),
        (solution.feature_norm[-1], runs.feature_norm[:, -1]),
    ]:
        sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
        off = np.abs(seen.mean(axis=0) - expected)
        z = np.divide(off, sem, out=np.where(off < equal, 0.0, np.inf), where=sem > 1e-14)
        largest.append(float(z.max()))
    return np.array(largest)


FULL = lm.FullBatch(samples=400, noise=0.2, spectrum=ALONE)
ONE = lm.OnePass(batch=64, noise=0.2, spectrum=ALONE)
MULTI = lm.MultiPass(samples=400, batch_fraction=0.3, noise=0.2, spectrum=ALONE)
LAZY = {"gamma0": 0.5, "centered": True}
SETTINGS = {
    "one layer, full batch": problem(lm.MLP(1, hidden=400, **LAZY), FULL),
    "one layer, one pass": problem(lm.MLP(1, hidden=400, **LAZY), ONE),
    "two layers, full batch": problem(lm.MLP(2, hidden=400, **LAZY), FULL),
    "two layers, one pass": problem(lm.MLP(2, hidden=400, **LAZY), ONE),
    "two layers, multi pass, not centered": problem(lm.MLP(2, hidden=400), MULTI),
    "unequal widths": problem(lm.MLP(2, hidden=[300, 600], **LAZY), FULL),
    "residual, full batch": problem(lm.ResNet(3, hidden=400, **LAZY), FULL),
    "residual, one pass": problem(lm.ResNet(3, hidden=400, **LAZY), ONE),
    "NTK": problem(lm.MLP(2, hidden=400, gamma0=8.0, parameterization="ntk", centered=True), FULL),
    "decay and momentum": problem(
        lm.MLP(2, hidden=400, **LAZY), FULL, lm.SGD(lr=0.03, momentum=0.5, weight_decay=0.3)
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_theory_predicts_training(name: str) -> None:
    runs = lm.train(SETTINGS[name], STEPS, seeds=range(7, 23))
    assert z_scores(SETTINGS[name], runs).max() < BOUND


def test_the_binned_power_law_predicts_training() -> None:
    """``PowerLaw`` itself: the theory from its nodes, networks on all of its modes."""
    data = lm.FullBatch(samples=400, noise=0.2, spectrum=SPECTRUM)
    setting = problem(lm.MLP(2, hidden=400, **LAZY), data)
    assert len(SPECTRUM.binned().weights) < 60
    runs = lm.train(setting, STEPS, seeds=range(7, 23))
    assert runs.dim == MODES
    # Before the first step nothing is random, and the two are equal up to the binning.
    assert z_scores(setting, runs, equal=1e-6).max() < BOUND


# What a wrong normalization would predict: the bound must notice each.
WRONG = {
    "half the samples": {"data.samples": 100},
    "half the hidden units": {"network.hidden": 100},
    "no finite data": {"data.samples": math.inf},
    "no finite width": {"network.hidden": math.inf},
    "another richness": {"network.gamma0": 0.6},
    "another rate": {"optimizer.lr": 0.12},
}
RIGHT = problem(
    lm.MLP(2, hidden=200, gamma0=0.5),
    lm.FullBatch(samples=200, noise=0.5, spectrum=ALONE),
    lm.SGD(lr=0.1),
)


def test_a_wrong_size_is_noticed() -> None:
    many_networks = lm.train(RIGHT, STEPS, seeds=range(7, 207))
    assert z_scores(RIGHT, many_networks).max() < BOUND
    for term, changes in WRONG.items():
        assert z_scores(RIGHT.replace(**changes), many_networks).max() > 1.5 * BOUND, term


@pytest.mark.long
@pytest.mark.parametrize(
    ("network", "data"),
    [
        (lm.MLP(1, hidden=16, **LAZY), lm.FullBatch(samples=16, noise=0.3, spectrum=ALONE)),
        (lm.MLP(2, hidden=16, **LAZY), lm.OnePass(batch=16, noise=0.3, spectrum=ALONE)),
        (lm.ResNet(3, hidden=16, **LAZY), lm.FullBatch(samples=16, noise=0.3, spectrum=ALONE)),
    ],
)
def test_the_deviation_falls_with_the_numbers(network: Any, data: Any) -> None:
    """The theory of a trace-class spectrum is an approximation: good where P and N are large."""
    small = problem(network, data, lm.SGD(lr=0.08))
    name = "data.batch" if isinstance(data, lm.OnePass) else "data.samples"
    large = small.replace(**{"network.hidden": 256, name: 256})
    biases = []
    for setting, seeds in [(small, 4000), (large, 1000)]:
        expected = lm.solve(setting, 30).test_loss
        seen = lm.train(setting, 30, seeds=seeds).mean().test_loss
        biases.append(float(np.mean(np.abs(seen / expected - 1)[3:])))
    assert biases[0] > 0.02
    assert biases[1] < biases[0] / 3


def test_training_is_what_the_documentation_says() -> None:
    """h^1 = W^0 x, f = w . h / (gamma0 N), raw rate lr gamma0^2 N: samples pushed by hand."""
    samples, hidden, gamma0, lr, networks = 30, 20, 0.7, 0.1, 400
    lam, w2 = np.array([1.0, 0.5, 0.25, 0.1]), np.array([1.0, 0.5, 2.0, 1.0])
    spectrum = lm.Discrete(lam, w2, trace_class=True)
    setting = problem(
        lm.MLP(1, hidden=hidden, gamma0=gamma0),
        lm.FullBatch(samples=samples, noise=0.3, spectrum=spectrum),
        lm.SGD(lr=lr, weight_decay=0.2),
    )
    rng = np.random.default_rng(5)
    losses = np.empty((networks, 12))
    for network in range(networks):
        W, w = rng.standard_normal((hidden, 4)), rng.standard_normal(hidden)
        X = rng.standard_normal((samples, 4)) * np.sqrt(lam)
        y = X @ np.sqrt(w2) + 0.3 * rng.standard_normal(samples)
        for step in range(12):
            v = np.sqrt(w2) - W.T @ w / (gamma0 * hidden)
            losses[network, step] = lam @ v**2
            delta = y - X @ W.T @ w / (gamma0 * hidden)
            dw = (X @ W.T).T @ delta / (samples * gamma0 * hidden)
            dW = np.outer(w, delta @ X) / (samples * gamma0 * hidden)
            raw = lr * gamma0**2 * hidden
            w, W = (1 - lr * 0.2) * w + raw * dw, (1 - lr * 0.2) * W + raw * dW
    runs = lm.train(setting, 12, seeds=networks)
    variance = losses.var(axis=0, ddof=1) + runs.test_loss.var(axis=0, ddof=1)
    off = np.abs(losses.mean(axis=0) - runs.test_loss.mean(axis=0))
    assert (off / np.sqrt(variance / networks)).max() < BOUND


def test_dimensions_are_the_leading_modes() -> None:
    law = lm.PowerLaw(capacity=1.5, source=0.5)
    setting = problem(lm.MLP(hidden=20), lm.OnePass(batch=10, spectrum=law))
    assert lm.train(setting, 2, seeds=1).dim == 1024
    some = lm.train(setting, 3, dim=50, seeds=2)
    same = lm.train(setting.replace(**{"data.spectrum": law.leading(50)}), 3, seeds=2)
    assert (some.dim, some.samples, some.widths) == (50, 10, (20,))
    assert (some.test_loss == same.test_loss).all()
    cut = lm.train(setting.replace(**{"data.spectrum": law.leading(80)}), 3, dim=50, seeds=2)
    assert (cut.test_loss == same.test_loss).all()
    ordinary = problem(lm.MLP(), lm.FullBatch(alpha=0.1))
    assert lm.train(ordinary, 1, seeds=1).dim == 256
    memory = [lm.estimate_train_memory(setting, 3, dim=dim) for dim in (50, 1024)]
    assert memory[0] < memory[1] == lm.estimate_train_memory(setting, 3)


def test_more_dimensions_than_modes_are_refused() -> None:
    for spectrum, message in [(SPECTRUM, "from 1 to the number"), (ALONE, "at most the number")]:
        setting = problem(lm.MLP(hidden=20), lm.OnePass(batch=10, spectrum=spectrum))
        with pytest.raises(ValueError, match=f"^dim must be {message} of modes.*200.*got 201"):
            lm.train(setting, 2, dim=201)
        with pytest.raises(ValueError, match="^dim must be"):
            lm.train_replicas(setting, 2, dim=0)


def test_infinite_sizes_are_for_the_theory() -> None:
    setting = problem(lm.MLP(hidden=math.inf), lm.OnePass(batch=10, spectrum=ALONE))
    with pytest.raises(ValueError, match=r"^network\.hidden must be finite to train networks"):
        lm.train(setting, 2)


def test_replicas_and_kernels_work_on_modes() -> None:
    setting = problem(lm.MLP(1, hidden=400, **LAZY), FULL)
    theory = lm.solve(setting, 10, replicas=True, kernels=True)
    groups = lm.train_replicas(setting, 10, seeds=24)
    seen = groups.shared_data
    sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
    expected = theory.replicas.shared_data
    assert (np.abs(seen.mean(axis=0) - expected)[1:] / sem[1:]).max() < BOUND
    runs = lm.train(setting, 10, seeds=24, kernels=True)
    for name in ("kernel_gradient", "kernel_target"):
        seen = getattr(runs, name)
        sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
        z = np.abs(seen.mean(axis=0) - getattr(theory, name)) / sem
        assert z.max() < BOUND
