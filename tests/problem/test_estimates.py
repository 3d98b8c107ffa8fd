"""Estimates of signal and noise: their bias, their errors, the targets, warnings, and memory."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lindmft as lm
from lindmft.problem.grouping import block_gauss_rule, grouped
from lindmft.problem.samples import estimators
from lindmft.problem.samples import factor as factors
from lindmft.problem.samples.factor import Factor, decomposed

Array = NDArray[np.float64]
DRAWS = 200


def factor(X: Array, Y: Array) -> Factor:
    table = np.linalg.qr(np.column_stack([X, Y]), mode="r")
    return decomposed(table, Y.shape[1], len(X), center=False)


def estimates(ratio: float, estimator: str, size: int = 40, signal: float = 0.0) -> Array:
    """Return signal, noise and power of the target (draws, 3) for labels with unit noise."""
    rng = np.random.default_rng(5)
    samples, found = round(ratio * size), []
    for _ in range(DRAWS):
        X = rng.standard_normal((samples, size))
        y = rng.standard_normal((samples, 1)) + X @ rng.standard_normal((size, 1)) * np.sqrt(
            signal / size
        )
        seen = factor(X, y)
        estimate = getattr(estimators, estimator)(seen)
        power = seen.eigenvalues @ (estimate.targets**2).sum(axis=1)
        found.append([estimate.signal, estimate.noise[0, 0], power])
    return np.array(found)


@pytest.mark.parametrize("signal", [0.0, 1.0])
@pytest.mark.parametrize("ratio", [1.5, 5.0])
def test_least_squares_has_no_bias(ratio: float, signal: float) -> None:
    found = estimates(ratio, "least_squares", signal=signal)
    error = found.std(axis=0) / np.sqrt(DRAWS)
    assert abs(found[:, 0].mean() - signal) < 4 * error[0]
    assert abs(found[:, 1].mean() - 1.0) < 4 * error[1]
    # The power of the target cannot be negative.
    assert found[:, 2] == pytest.approx(np.maximum(found[:, 0], 0.0), abs=1e-12)


@pytest.mark.parametrize("ratio", [0.5, 1.5, 5.0])
def test_ridge_finds_no_signal_in_noise(ratio: float) -> None:
    """A positive quantity whose true value is 0: least squares finds 1 in so few samples."""
    found = estimates(ratio, "ridge", size=120)
    assert (found[:, 0] < 0.01).mean() > 0.4
    assert found[:, 0].mean() < 0.12
    assert found[:, :2].sum(axis=1).mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("ratio", [0.5, 1.5])
def test_ridge_finds_the_signal(ratio: float) -> None:
    found = estimates(ratio, "ridge", signal=1.0)
    error = found.std(axis=0) / np.sqrt(DRAWS)
    assert abs(found[:, 0].mean() - 1.0) < 4 * error[0]
    assert abs(found[:, 1].mean() - 1.0) < 4 * error[1]


def test_plain_least_squares_takes_noise_for_signal() -> None:
    """The population estimator shows the error that the others correct."""
    for ratio in (1.5, 5.0):
        found = estimates(ratio, "population")
        assert found[:, 0].mean() == pytest.approx(1 / ratio, rel=0.05)


def test_standard_errors_are_those_of_repeated_draws() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((150, 30)) / np.arange(1, 31) ** 0.5
    target = rng.standard_normal((30, 2))
    found, said = [], []
    for _ in range(400):
        X = rng.standard_normal((150, 30)) / np.arange(1, 31) ** 0.5
        Y = X @ target + rng.standard_normal((150, 2)) @ [[3.0, 1.0], [0.0, 4.0]]
        estimate = estimators.least_squares(factor(X, Y))
        assert estimate.noise is not None
        found.append([estimate.signal, np.trace(estimate.noise)])
        said.append([estimate.signal_error, estimate.noise_error])
    assert np.std(found, axis=0) == pytest.approx(np.mean(said, axis=0), rel=0.15)


def test_targets_of_several_outputs_have_the_corrected_moments() -> None:
    """An output that is noise alone gets no target, though modes have one vector for all."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((400, 60))
    target = np.column_stack([rng.standard_normal((60, 2)), np.zeros(60)])
    Y = X @ target + rng.standard_normal((400, 3)) * [1.0, 2.0, 8.0]
    seen = factor(X, Y)
    estimate = estimators.least_squares(seen)
    assert estimate.noise is not None
    moments = (estimate.targets.T * seen.eigenvalues) @ estimate.targets
    plain = seen.components.T @ seen.components / 400
    expected = plain - 60 * estimate.noise / 400
    assert moments == pytest.approx(expected, abs=0.05 * np.trace(expected))
    assert plain[2, 2] > 8
    assert moments[2, 2] < 3


@pytest.mark.parametrize("shape", ["flat", "first", "last"])
def test_sums_over_modes_have_little_bias(shape: str) -> None:
    """Plain least squares has 0.67 too much in all, in units of the signal."""
    rng = np.random.default_rng(3)
    lam = np.arange(1, 31) ** -1.2
    target = {"flat": np.ones(30), "first": np.arange(30) < 5, "last": np.arange(30) >= 15}[shape]
    scale = np.sqrt(lam @ target)
    off, raw = [], []
    for _ in range(DRAWS):
        X = rng.standard_normal((45, 30)) * np.sqrt(lam)
        y = X @ target + scale * rng.standard_normal(45)
        seen = factor(X, y[:, None])
        found = estimators.least_squares(seen).targets[:, 0] ** 2
        exact = (seen.directions @ target) ** 2
        for sums, power in ((off, found), (raw, seen.targets[:, 0] ** 2)):
            difference = np.cumsum(seen.eigenvalues * (power - exact))
            sums.append(difference[[4, 9, 14, 29]] / scale**2)
    bias, error = np.mean(off, axis=0), np.std(off, axis=0) / np.sqrt(DRAWS)
    assert abs(bias[-1]) < 4 * error[-1] + 0.02  # the total, except that it is not negative
    assert np.abs(bias).max() < 0.15
    assert np.mean(raw, axis=0)[-1] > 0.5


def test_cumulative_powers_follow_the_sums() -> None:
    assert estimators.cumulative(np.array([3.0, -1.0, 2.0])) == pytest.approx([2.5, 0.0, 1.5])
    assert estimators.cumulative(np.array([-3.0, -1.0])) == pytest.approx([0.0, 0.0])
    assert estimators.cumulative(np.array([2.0, 1.0])) == pytest.approx([2.0, 1.0])


def samples(count: int, size: int, *, noise: float = 1.0, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((count, size))
    return X, X @ np.ones(size) / np.sqrt(size) + noise * rng.standard_normal(count)


def test_few_samples_give_one_warning_and_no_noise() -> None:
    X, y = samples(30, 60)
    with pytest.warns(lm.DataWarning, match="30 samples in 30 directions leave no res") as caught:
        data = lm.from_data(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert np.isnan(data.noise)
    with pytest.raises(ValueError, match='noise is missing: .*estimator="ridge"'):
        data.full_batch(samples=10)
    assert lm.FullBatch(samples=10, noise=0.1, spectrum=data).spectrum == data.spectrum
    with pytest.warns(lm.DataWarning, match="only up to"):
        assert lm.from_data(X, y, estimator="ridge").full_batch(samples=10).noise > 0
    with pytest.warns(lm.DataWarning, match="90 samples in 60 directions determine the signal"):
        lm.from_data(*samples(90, 60))
    lm.from_data(*samples(600, 60))  # enough


def test_held_out_samples_measure_the_error() -> None:
    X, y = samples(2000, 20, noise=0.5)
    data = lm.from_data(X, y, estimator="held_out")
    assert data.noise_variance == pytest.approx(0.25, abs=4 * data.noise_error)
    assert data.signal == pytest.approx(1.0, abs=4 * data.signal_error)
    assert data.noise_variance > 0.25 * (1 - 4 * np.sqrt(2 / 400))
    power = np.dot(data.eigenvalues, data.target_power)
    assert power == pytest.approx(data.signal)


def test_heavy_tails_are_named() -> None:
    rng = np.random.default_rng(0)
    X, y = samples(2000, 20)
    X[:, 0] *= np.where(rng.random(2000) < 0.01, 30.0, 0.1)
    with pytest.warns(lm.DataWarning, match="heavy tails: kurtosis .* .Gaussian: 3"):
        data = lm.from_data(X, y)
    assert data.kurtosis > 20
    plain = lm.from_data(*samples(2000, 20))
    assert plain.kurtosis == pytest.approx(3, abs=0.2)
    assert plain.norm_spread == pytest.approx(1, abs=0.2)


def test_a_mean_that_is_left_is_named() -> None:
    X, y = samples(400, 5)
    with pytest.warns(lm.DataWarning, match="mean of the inputs has 0.9"):
        lm.from_data(X + 5, y)
    data = lm.from_data(X + 5, y + 2, center=True)
    assert data.mean == pytest.approx(5 + X.mean(axis=0))
    assert data.label_mean == pytest.approx([2 + y.mean()])
    plain = lm.from_data(X - X.mean(axis=0), y - y.mean())
    assert data.eigenvalues == pytest.approx(plain.eigenvalues)
    assert data.noise == pytest.approx(plain.noise * np.sqrt(395 / 394))  # a degree of freedom


@pytest.mark.parametrize("estimator", ["least_squares", "held_out"])
def test_blocks_do_not_matter(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = samples(500, 7)
    Y = np.column_stack([y, X[:, 0]])
    whole = lm.from_data(X, Y, center=True, estimator=estimator)
    monkeypatch.setattr(factors, "LEAST_ROWS", 1)
    parts = lm.from_data(X, Y, center=True, estimator=estimator)
    for name in ("eigenvalues", "target_power", "signal", "noise_variance", "kurtosis", "leverage"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


def test_small_eigenvalues_are_accurate() -> None:
    """The squares of singular values; eigenvalues of X^T X would be wrong below 1e-15."""
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.standard_normal((100, 5)))[0]
    lam = 10.0 ** -np.arange(0, 25, 5)
    X = 10 * left * np.sqrt(lam)
    assert lm.from_data(X, left[:, 0]).eigenvalues == pytest.approx(lam, rel=1e-3)


def test_progress_counts_samples_of_all_passes() -> None:
    X, y = samples(5000, 3)
    for center, passes in ((False, 2), (True, 3)):
        told: list[tuple[int, int]] = []
        lm.from_data(X, y, center=center, progress=lambda *said, told=told: told.append(said))
        assert told[-1] == (passes * 5000, passes * 5000)
        assert told == sorted(told)
    with pytest.raises(ValueError, match="^progress must be"):
        lm.from_data(X, y, progress="bar")  # type: ignore[arg-type]


def test_one_factorization_makes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*arguments: Any) -> Factor:
        calls.append(1)
        return decomposed(*arguments)

    from lindmft.problem.samples import fit

    monkeypatch.setattr(fit, "decomposed", counted)
    X, y = samples(400, 5)
    data = lm.from_data(X, y)
    assert len(calls) == 1
    assert data.noise == pytest.approx(lm.estimate_noise(X, y))


def test_results_make_every_kind_of_data() -> None:
    X, y = samples(400, 5)
    data = lm.from_data(X, y)
    made = [
        data.full_batch(samples=50),
        data.epochs(samples=50, batch=10),
        data.multi_pass(samples=50, batch_fraction=0.2),
        data.one_pass(batch=10),
        data.population(),
    ]
    assert [each.kind for each in made] == [
        "full_batch",
        "epochs",
        "multi_pass",
        "one_pass",
        "population",
    ]
    assert {each.noise for each in made} == {data.noise}
    assert {each.spectrum for each in made} == {data.spectrum}
    both = lm.from_data(X, np.column_stack([y, X[:, 0] + y]))
    assert both.full_batch(samples=50).noise_covariance == both.noise_covariance
    assert both.noise == pytest.approx(np.sqrt(np.trace(both.noise_covariance) / 2))


def test_grouped_modes_keep_the_targets_of_several_outputs() -> None:
    rng = np.random.default_rng(0)
    lam = np.arange(1, 301) ** -1.1
    targets = rng.standard_normal((300, 2)) @ [[1.0, 0.5], [0.0, 0.1]]
    nodes, rows, p = grouped(lam, targets, 1e-3)
    assert len(nodes) < 150
    for f in (np.ones_like, lambda x: x, lambda x: np.exp(-50 * x)):
        exact = (targets.T * (lam * f(lam))) @ targets
        found = (rows.T * (p * nodes * f(nodes))) @ rows
        assert found == pytest.approx(exact, rel=5e-3, abs=1e-3 * np.abs(exact).max())
        assert (p * nodes) @ f(nodes) == pytest.approx(lam @ f(lam), rel=2e-3)


def test_a_block_gauss_rule_has_the_moments_of_its_measure() -> None:
    rng = np.random.default_rng(1)
    points, vectors = rng.uniform(1, 3, 60), rng.standard_normal((60, 3))
    nodes, rows = block_gauss_rule(points, vectors, 4)
    assert len(nodes) == 12
    for n in range(8):
        exact = (vectors.T * points**n) @ vectors
        assert (rows.T * nodes**n) @ rows == pytest.approx(exact, rel=1e-9, abs=1e-9)
    assert not np.allclose((rows.T * nodes**8) @ rows, (vectors.T * points**8) @ vectors, 1e-9)


def test_memory_is_estimated_before_it_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lindmft._internal.memory._core.free_memory", lambda: 1e4)
    with pytest.raises(MemoryError, match="the fit of X and y needs"):
        lm.from_data(*samples(300, 5))
