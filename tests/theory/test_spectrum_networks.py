"""Spectra of trained networks against the theory: the test that its mathematics is right.

Each problem is rich enough that training changes the spectrum; in several of them an outlier has
left the bulk.
"""

from typing import Any

import numpy as np
import pytest

import lindmft as lm

pytestmark = pytest.mark.long

SIZES = {192: 96, 384: 48}
"""Inputs of the networks, and how many of them are trained."""
LANCZOS, TOP = 8, 4
# Finite size shifts the mean by order 1/D, which exceeds the scatter of the mean. Means at D and
# at D/2 give an extrapolation without this shift. Under a right theory its z-scores are nearly
# Gaussian.
BOUND = 4.0

MODES = lm.Discrete([2.0, 0.5], target_power=[1.5, 0.5], weights=[0.25, 0.75])
NOISY = lm.FullBatch(alpha=2.0, noise=0.3)
PROBLEMS: dict[str, tuple[lm.Problem, int]] = {
    "depth 1, population": (
        lm.Problem(lm.MLP(depth=1, gamma0=3.0), lm.Population(), lm.SGD(0.1)),
        20,
    ),
    "depth 2, full batch": (lm.Problem(lm.MLP(depth=2, gamma0=1.5), NOISY, lm.SGD(0.05)), 25),
    "depth 3, alpha 3": (
        lm.Problem(lm.MLP(depth=3, width=2.0, gamma0=2.0), lm.FullBatch(alpha=3.0), lm.SGD(0.02)),
        25,
    ),
    "alpha 0.5": (
        lm.Problem(lm.MLP(depth=2, gamma0=2.0), lm.FullBatch(alpha=0.5), lm.SGD(0.02)),
        25,
    ),
    "alpha 1, unequal widths": (
        lm.Problem(
            lm.MLP(depth=3, width=[0.5, 1.5, 1.0], gamma0=1.0),
            lm.FullBatch(alpha=1.0, noise=0.3),
            lm.SGD(0.02),
        ),
        30,
    ),
    "residual, depth scaling": (
        lm.Problem(lm.ResNet(depth=3, gamma0=2.0), lm.FullBatch(alpha=2.0), lm.SGD(0.03)),
        25,
    ),
    "residual, constant scaling": (
        lm.Problem(
            lm.ResNet(depth=3, gamma0=2.0, branch=0.7, branch_scaling="constant"),
            lm.FullBatch(alpha=2.0, noise=0.3),
            lm.SGD(0.02),
        ),
        25,
    ),
    "centered": (
        lm.Problem(lm.MLP(depth=2, gamma0=2.0, centered=True), NOISY, lm.SGD(0.04)),
        25,
    ),
    "layer_lr": (
        lm.Problem(lm.MLP(depth=2, gamma0=2.0), NOISY, lm.SGD(0.04, layer_lr=[0.5, 1.5, 0.8])),
        25,
    ),
    "momentum": (
        lm.Problem(lm.MLP(depth=2, gamma0=1.5), NOISY, lm.SGD(0.02, momentum=0.7)),
        30,
    ),
    "nesterov, decay": (
        lm.Problem(
            lm.MLP(depth=2, gamma0=1.5),
            NOISY,
            lm.SGD(0.02, momentum=0.7, nesterov=True, weight_decay=0.1),
        ),
        30,
    ),
    "multi pass": (
        lm.Problem(
            lm.MLP(depth=2, gamma0=1.5),
            lm.MultiPass(alpha=2.0, batch_fraction=0.5, noise=0.3),
            lm.SGD(0.03),
        ),
        25,
    ),
    "one pass": (
        lm.Problem(lm.MLP(depth=2, gamma0=1.5), lm.OnePass(alpha=2.0, noise=0.3), lm.SGD(0.03)),
        25,
    ),
    "modes": (
        lm.Problem(
            lm.MLP(depth=2, gamma0=2.0),
            lm.FullBatch(alpha=2.0, spectrum=MODES, noise=0.3),
            lm.SGD(0.03),
        ),
        25,
    ),
    "modes, population, rich": (
        lm.Problem(
            lm.MLP(depth=2, width=2.0, gamma0=3.0), lm.Population(spectrum=MODES), lm.SGD(0.03)
        ),
        25,
    ),
    "init_scale": (
        lm.Problem(lm.MLP(depth=2, gamma0=3.0, init_scale=0.6), NOISY, lm.SGD(0.05)),
        40,
    ),
    "residual, depth 16": (
        lm.Problem(lm.ResNet(depth=16, gamma0=1.0), lm.FullBatch(alpha=2.0), lm.SGD(0.03)),
        15,
    ),
}
# A random vector has a part of order 1/D in an outlier far from the bulk, and each step of Lanczos'
# method amplifies it. After eight steps this is no longer a small shift at these sizes.
FEW = {"modes, population, rich": 4, "init_scale": 4, "depth 1, population": 6}


def ritz(of: Any) -> np.ndarray:
    """Return the largest Ritz values of both starts, at the last time: (..., 2 TOP)."""
    return np.concatenate([of.target_ritz[..., -1, :TOP], of.random_ritz[..., -1, :TOP]], axis=-1)


def z_scores(
    theory: lm.Problem, experiment: lm.Problem, steps: int, lanczos: int = LANCZOS
) -> np.ndarray:
    """Return deviations of the extrapolated mean from the theory, in standard errors: (2 TOP,)."""
    asked: dict[str, Any] = {"spectrum_at": [steps - 1], "lanczos": lanczos}
    expected = ritz(lm.solve(theory, steps, **asked).spectrum)
    (small, small_sq), (large, large_sq) = (
        mean_and_variance(ritz(lm.train(experiment, steps, dim=dim, seeds=seeds, **asked).spectrum))
        for dim, seeds in SIZES.items()
    )
    return (2.0 * large - small - expected) / np.sqrt(4.0 * large_sq + small_sq)


def mean_and_variance(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over networks, and the variance of this mean."""
    return values.mean(axis=0), values.var(axis=0, ddof=1) / len(values)


@pytest.mark.parametrize("name", PROBLEMS)
def test_theory_predicts_the_spectra_of_networks(name: str) -> None:
    problem, steps = PROBLEMS[name]
    z = z_scores(problem, problem, steps, FEW.get(name, LANCZOS))
    assert np.abs(z).max() < BOUND, z


# Predictions of theories that lack one term. The bound must reject each of them.
WRONG: dict[str, tuple[str, int, dict[str, Any]]] = {
    "no learning": ("depth 2, full batch", 25, {"optimizer.lr": 1e-9}),
    "half the learning rate": ("depth 1, population", 10, {"optimizer.lr": 0.05}),
    "other noise": ("depth 2, full batch", 25, {"data.noise": 1.0}),
    "other samples": ("depth 2, full batch", 25, {"data.alpha": 3.0}),
    "other rates": ("layer_lr", 25, {"optimizer.layer_lr": [1.5, 0.5, 0.8]}),
    "no momentum": (
        "nesterov, decay",
        30,
        {"optimizer.momentum": 0.0, "optimizer.nesterov": False},
    ),
    "no decay": ("nesterov, decay", 30, {"optimizer.weight_decay": 0.0}),
    "not centered": ("centered", 25, {"network.centered": False}),
    "equal eigenvalues": ("modes", 25, {"data.spectrum": lm.Isotropic()}),
    "a branch less": ("residual, depth scaling", 25, {"network.depth": 2}),
}


@pytest.mark.parametrize("term", WRONG)
def test_a_missing_term_is_noticed(term: str) -> None:
    name, steps, change = WRONG[term]
    problem, _ = PROBLEMS[name]
    assert np.abs(z_scores(problem.replace(change), problem, steps)).max() > 1.5 * BOUND


def test_the_deviation_falls_with_size() -> None:
    """The shift of the mean by finite size is of order 1/D."""
    problem, steps = PROBLEMS["residual, depth scaling"]
    asked: dict[str, Any] = {"spectrum_at": [steps - 1], "lanczos": LANCZOS}
    expected = ritz(lm.solve(problem, steps, **asked).spectrum)
    shifts = []
    for dim, seeds in ((64, 600), (256, 150)):
        runs = lm.train(problem, steps, dim=dim, seeds=seeds, **asked)
        shifts.append(np.abs(ritz(runs.spectrum).mean(axis=0) - expected).mean())
    assert 2.5 < shifts[0] / shifts[1] < 6.0
