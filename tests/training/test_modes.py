"""Learning curves of modes in trained networks, against the theory and against their weights."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm

DIM, SEEDS, STEPS = 200, 40, 30
BOUND = 5.0
SPECTRUM = lm.Discrete([2.0, 1.0, 0.3], target_power=[1.0, 0.5, 2.0], weights=[0.2, 0.3, 0.5])
PROBLEM = lm.Problem(
    lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.4, spectrum=SPECTRUM), lm.SGD(lr=0.05)
)
GRAMS = [[[4.0, 1.5], [1.5, 1.0]], [[0.5, -0.4], [-0.4, 2.0]]]
SETTINGS: dict[str, dict[str, Any]] = {
    "full batch": {},
    "one pass": {"data": lm.OnePass(alpha=1.0, noise=0.4, spectrum=SPECTRUM)},
    "residual, momentum": {
        "network": lm.ResNet(depth=2, centered=True),
        "optimizer.lr": 0.02,
        "optimizer.momentum": 0.7,
    },
    "one mode": {"data.spectrum": lm.Isotropic()},
    "channels": {"data.targets": [[4.0, 1.0], [1.0, 1.0]]},
    "shared modes": {
        "data.spectrum": lm.Discrete([1.5, 0.5], weights=[0.5, 0.5], targets=GRAMS),
    },
}


def z_scores(seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(seed, ...) against (...), in standard errors; where nothing is random they agree."""
    error = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
    off = np.abs(seen.mean(axis=0) - expected)
    return np.divide(off, error, out=np.where(off < 1e-9, 0.0, np.inf), where=error > 1e-12)


@pytest.mark.parametrize("name", SETTINGS)
def test_theory_predicts_learning_curves(name: str) -> None:
    setting = PROBLEM.replace(**SETTINGS[name])
    theory = lm.solve(setting, STEPS, modes=True)
    runs = lm.train(setting, STEPS, dim=DIM, seeds=SEEDS, modes=True)
    np.testing.assert_allclose(runs.mode_loss.sum(axis=1), runs.test_loss, rtol=1e-12)
    for series in ("mode_loss", "mode_learned"):
        seen, expected = getattr(runs, series), getattr(theory, series)
        assert z_scores(seen, expected).max() < BOUND
        if len(expected) > 1:  # the curves of other modes are told apart
            assert z_scores(seen, expected[::-1]).max() > 3 * BOUND


def test_curves_follow_from_the_predictor() -> None:
    """Recomputed from the vector p of f(x) = p . x, in the basis of the modes."""
    runs = lm.train(PROBLEM, STEPS, dim=50, seeds=3, modes=True, weights=True)
    w_hat = np.sqrt(50) * runs.predictor[:, 0]
    first = np.cumsum([0, 10, 15, 25])
    for k, (begin, end) in enumerate(pairwise(first)):
        # |v|^2 = |w*|^2 - 2 w_hat . w* + |w_hat|^2, with the known |w*|^2 of a mode
        assert SPECTRUM.target_power is not None
        size = (end - begin) * SPECTRUM.target_power[k]
        learned = runs.mode_learned[:, k, -1] * size
        square = size - 2 * learned + (w_hat[:, begin:end] ** 2).sum(axis=1)
        expected = SPECTRUM.eigenvalues[k] * square / 50
        np.testing.assert_allclose(runs.mode_loss[:, k, -1], expected, rtol=1e-10)


def test_power_laws_have_a_curve_for_every_leading_mode() -> None:
    spectrum = lm.PowerLaw(1.5, 0.5, modes=60)
    data = lm.FullBatch(samples=300, spectrum=spectrum)
    setting = lm.Problem(lm.MLP(hidden=300), data, lm.SGD(lr=0.1))
    theory = lm.solve(setting, 20, modes=True)
    runs = lm.train(setting, 20, dim=40, seeds=SEEDS, modes=True)
    assert runs.mode_loss.shape == (SEEDS, 40, 20)
    assert len(theory.mode_loss) == len(spectrum.binned().eigenvalues)
    np.testing.assert_allclose(runs.mode_loss.sum(axis=1), runs.test_loss, rtol=1e-12)
    # The dropped tail and the small numbers of samples and units make the theory approximate.
    assert z_scores(runs.mode_learned[:, :4, 1:], theory.mode_learned[:4, 1:]).max() < BOUND
    assert z_scores(runs.mode_learned[:, :4, 1:], theory.mode_learned[1:5, 1:]).max() > 2 * BOUND


def test_all_kinds_of_calls_record_them(tmp_path: Path) -> None:
    options: dict[str, Any] = {"dim": 20, "seeds": 3, "modes": True}
    runs = lm.train(PROBLEM, STEPS, **options)
    many = lm.train_many([PROBLEM, PROBLEM.replace(**{"optimizer.lr": 0.02})], STEPS, **options)
    single = lm.train(PROBLEM, STEPS, dtype="float32", **options)
    segments = lm.train(
        PROBLEM, STEPS, checkpoint=tmp_path / "modes.nc", checkpoint_every=10, **options
    )
    loaded = lm.Ensemble.load(tmp_path / "modes.nc")
    for series in ("mode_loss", "mode_learned"):
        expected = getattr(runs, series)
        np.testing.assert_allclose(getattr(many[0], series), expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(getattr(single, series), expected, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(getattr(segments, series), expected)
        np.testing.assert_array_equal(getattr(loaded, series), expected)
    assert runs.to_xarray().mode_learned.dims == ("seed", "mode", "time")
    with pytest.raises(ValueError, match="^modes must be that of the checkpoint"):
        lm.train(PROBLEM, STEPS, dim=20, seeds=3, checkpoint=tmp_path / "modes.nc")
    asked = lm.estimate_train_memory(PROBLEM, 1000, **options)
    assert asked > lm.estimate_train_memory(PROBLEM, 1000, dim=20, seeds=3)


def test_curves_end_at_a_divergence() -> None:
    setting = PROBLEM.replace(**{"optimizer.lr": 3.0})
    runs = lm.train(setting, STEPS, dim=20, seeds=2, modes=True)
    assert runs.diverged_at[0] is not None
    assert np.isinf(runs.mode_learned[0, :, runs.diverged_at[0] :]).all()


def test_what_has_no_curves() -> None:
    with pytest.raises(ValueError, match="modes cannot be combined with X: the samples have no"):
        lm.train(PROBLEM, 2, X=np.eye(4), y=np.ones(4), modes=True)
    with pytest.raises(ValueError, match="modes is not an option of train_replicas"):
        lm.estimate_train_memory(PROBLEM, 2, modes=True, k_init=2)
    with pytest.raises(lm.results.NotRequested, match=r"train\(\.\.\., modes=True\)"):
        _ = lm.train(PROBLEM, 2, dim=8, seeds=1).mode_loss
