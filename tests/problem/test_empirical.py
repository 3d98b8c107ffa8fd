"""Spectra of real data: exact where they must be, grouped within a tolerance, and bad input."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lindmft as lm
from lindmft.problem.grouping import gauss_rule

Array = NDArray[np.float64]


def covariance(size: int, capacity: float = 1.3) -> tuple[Array, Array]:
    """Return a random covariance with falling eigenvalues, and a target."""
    rng = np.random.default_rng(3)
    vectors = np.linalg.qr(rng.standard_normal((size, size)))[0]
    spectrum = np.arange(1, size + 1) ** -capacity * rng.uniform(0.8, 1.2, size)
    return (vectors * spectrum) @ vectors.T, rng.standard_normal(size)


def data_set(samples: int, size: int, noise: float) -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    matrix, target = covariance(size)
    X = rng.standard_normal((samples, size)) @ np.linalg.cholesky(matrix).T
    return X, X @ target + noise * rng.standard_normal(samples)


def moments(spectrum: lm.Discrete, power: int) -> tuple[float, float]:
    """Return sum p lambda^n and sum p lambda^n w*^2."""
    lam, w2, p = (
        np.array(x) for x in (spectrum.eigenvalues, spectrum.target_power, spectrum.weights)
    )
    return float((p * lam**power).sum()), float((p * lam**power * w2).sum())


def test_a_covariance_keeps_its_traces_and_the_target() -> None:
    matrix, target = covariance(40)
    spectrum = lm.from_covariance(matrix, target)
    assert spectrum.trace_class
    assert spectrum.weights == (1.0,) * 40
    assert list(spectrum.eigenvalues) == sorted(spectrum.eigenvalues, reverse=True)
    for n in (1, 2, 3):
        power = np.linalg.matrix_power(matrix, n)
        assert moments(spectrum, n) == pytest.approx((np.trace(power), target @ power @ target))


def test_directions_without_variance_are_left_out() -> None:
    matrix, target = covariance(10)
    wide = np.zeros((14, 14))
    wide[:10, :10] = matrix
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((14, 14)))[0]
    spectrum = lm.from_covariance(turn @ wide @ turn.T, turn @ [*target, 5, 5, 5, 5])
    plain = lm.from_covariance(matrix, target)
    assert spectrum.eigenvalues == pytest.approx(plain.eigenvalues, rel=1e-9)
    assert spectrum.target_power == pytest.approx(plain.target_power, rel=1e-9)


@pytest.mark.parametrize(("samples", "size"), [(300, 20), (20, 20), (12, 20)])
def test_data_have_their_own_second_moments(samples: int, size: int) -> None:
    X, y = data_set(samples, size, noise=0.3)
    spectrum = lm.from_data(X, y, estimator="population")
    assert len(spectrum.eigenvalues) == min(samples, size)
    fit = np.linalg.lstsq(X, y, rcond=None)[0]
    plain = lm.from_covariance(X.T @ X / samples, fit)
    assert spectrum.eigenvalues == pytest.approx(plain.eigenvalues, rel=1e-6)
    assert spectrum.target_power == pytest.approx(plain.target_power, rel=1e-4)
    explained = ((X @ fit) ** 2).mean()  # the test loss of a network that outputs zero
    assert moments(spectrum, 1)[1] == pytest.approx(explained)


def test_the_noise_is_estimated() -> None:
    X, y = data_set(3000, 20, noise=0.3)
    assert lm.estimate_noise(X, y) == pytest.approx(0.3, rel=0.05)  # 1 / sqrt(2 P) = 0.013
    short, labels = data_set(40, 20, noise=0.3)
    many = [
        lm.estimate_noise(short, labels + 10 * np.random.default_rng(i).standard_normal(40)) ** 2
        for i in range(200)
    ]
    assert np.mean(many) == pytest.approx(100 + lm.estimate_noise(short, labels) ** 2, rel=0.07)
    redundant = np.column_stack([X, X])
    assert lm.estimate_noise(redundant, y) == pytest.approx(lm.estimate_noise(X, y))
    with pytest.raises(ValueError, match=r"^X must have more samples than directions \(12\)"):
        lm.estimate_noise(*data_set(12, 20, noise=0.3))


@pytest.mark.long
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_grouping_errs_within_its_tolerance(tolerance: float) -> None:
    matrix, target = covariance(400)
    alone = lm.from_covariance(matrix, target)
    few = lm.from_covariance(matrix, target, tolerance=tolerance)
    assert len(few.weights) < 130  # fewer for times up to 1 / lambda of the last mode
    assert sum(few.weights) == pytest.approx(400)

    def loss(spectrum: lm.Discrete) -> Array:
        problem = lm.Problem(
            lm.MLP(depth=2, hidden=200, centered=True, gamma0=0.3),
            lm.FullBatch(samples=300, noise=0.1, spectrum=spectrum),
            lm.SGD(lr=[0.03] * 20 + [0.15] * 130),
        )
        return lm.solve(problem, 150).test_loss

    assert loss(few) == pytest.approx(loss(alone), rel=2 * tolerance)


@pytest.mark.parametrize("tolerance", [0.1, 1e-3, 1e-6])
def test_losses_keep_to_the_tolerance_after_the_last_mode_is_learned(tolerance: float) -> None:
    """A narrow spectrum learns mostly after 1 / lambda of its last mode."""
    X = np.random.default_rng(0).standard_normal((300, 80))
    alone = lm.from_covariance(X.T @ X / 300, np.ones(80))
    few = lm.from_covariance(X.T @ X / 300, np.ones(80), tolerance=tolerance)
    assert len(few.weights) < 70

    def loss(spectrum: lm.Discrete) -> Array:
        network = lm.MLP(depth=1, width=math.inf, gamma0=0.0)
        return lm.solve(
            lm.Problem(network, lm.Population(spectrum=spectrum), lm.SGD(lr=0.1)), 60
        ).test_loss

    exact = loss(alone)
    off = np.abs(loss(few) - exact) / np.maximum(exact, 1e-9 * exact[0])
    assert off.max() < 1.5 * tolerance


def test_eigenvalues_that_are_equal_become_one() -> None:
    spectrum = lm.from_covariance(np.diag([2.0] * 50 + [0.1] * 50), np.ones(100), tolerance=1e-6)
    assert len(spectrum.weights) <= 4
    assert moments(spectrum, 1) == pytest.approx((105.0, 105.0))


def test_a_target_on_few_modes_is_kept_there() -> None:
    target = np.zeros(200)
    target[150] = 1.0
    lam = np.arange(1, 201) ** -1.5
    few = lm.from_covariance(np.diag(lam), target, tolerance=1e-4)
    carries = np.array(few.target_power) > 0
    assert np.array(few.eigenvalues)[carries] == pytest.approx(lam[150])
    assert moments(few, 1)[1] == pytest.approx(lam[150])
    assert lm.from_covariance(np.diag(lam), np.zeros(200), tolerance=1e-4).target_power


def test_where_grouping_cannot_help_every_eigenvalue_stays() -> None:
    matrix, target = covariance(12)
    alone = lm.from_covariance(matrix, target)
    assert lm.from_covariance(matrix, target, tolerance=1e-12) == alone


def test_a_gauss_rule_has_the_moments_of_its_measure() -> None:
    rng = np.random.default_rng(1)
    points, weights = rng.uniform(1, 3, 50), rng.exponential(size=50) ** 3
    nodes, p = gauss_rule(points, weights, 5)
    assert len(nodes) == 5
    for n in range(10):
        assert p @ nodes**n == pytest.approx(weights @ points**n, rel=1e-12)
    assert gauss_rule(points, np.where(points > points[3], 0.0, 0.0), 5)[0].size == 0


def test_theory_and_training_take_real_data() -> None:
    X, y = data_set(500, 60, noise=0.2)
    spectrum = lm.from_data(X, y, estimator="population")
    data = lm.FullBatch(samples=200, noise=lm.estimate_noise(X, y), spectrum=spectrum)
    assert data.spectrum == spectrum.spectrum
    problem = lm.Problem(lm.MLP(hidden=150, centered=True, gamma0=0.5), data, lm.SGD(lr=0.1))
    runs = lm.train(problem, 20, seeds=16)
    assert (runs.dim, runs.samples, runs.widths) == (60, 200, (150,))
    seen = runs.test_loss
    off = np.abs(seen.mean(axis=0) - lm.solve(problem, 20).test_loss)[1:]
    assert (off / (seen.std(axis=0, ddof=1)[1:] / 4)).max() < 4
    assert lm.solve(problem, 2).test_loss[0] == pytest.approx(((X @ fit(X, y)) ** 2).mean())


def fit(X: Array, y: Array) -> Array:
    coefficients: Array = np.linalg.lstsq(X, y, rcond=None)[0]
    return coefficients


def test_a_grouped_spectrum_is_for_the_theory() -> None:
    few = lm.from_covariance(*covariance(400), tolerance=1e-3)
    problem = lm.Problem(lm.MLP(hidden=10), lm.FullBatch(samples=10, spectrum=few), lm.SGD(lr=0.1))
    with pytest.raises(ValueError, match=r"^data\.spectrum\.weights.* whole number of modes"):
        lm.train(problem, 2)


GOOD, TARGET = np.diag([2.0, 1.0]), [1.0, 1.0]
BAD_COVARIANCES = [
    ([[1.0, 2.0]], [1.0, 1.0], "matrix must be a square matrix"),
    ([1.0, 2.0], TARGET, "matrix must be a square matrix"),
    ("matrix", TARGET, "matrix must be a square matrix"),
    ([[1.0, 2.0], [3.0]], TARGET, "matrix must be a square matrix"),
    ([[1.0, 1j], [1.0, 1.0]], TARGET, "matrix must be a square matrix"),
    ([[True, False], [False, True]], TARGET, "matrix must be a square matrix"),
    (np.ma.masked_array(GOOD, GOOD > 1), TARGET, "none of them masked"),
    (
        [[1.0, 0.5], [0.4, 1.0]],
        TARGET,
        "matrix must be symmetric, got 0.5 at [0][1] and 0.4 at [1]",
    ),
    ([[1.0, 2.0], [2.0, 1.0]], TARGET, "positive semidefinite, got one with the eigenvalue -1"),
    ([[1.0, math.nan], [math.nan, 1.0]], TARGET, "matrix[0][1] must be finite, got nan"),
    ([[0.0, 0.0], [0.0, 0.0]], TARGET, "matrix must be different from zero"),
    (np.zeros((0, 0)), [], "matrix must be"),
    (GOOD, [1.0], "target must be of length 2"),
    (GOOD, [[1.0, 1.0]], "target must be a list of numbers"),
    (GOOD, [1.0, math.inf], "target[1] must be finite, got inf"),
]


@pytest.mark.parametrize(("matrix", "target", "message"), BAD_COVARIANCES)
def test_bad_covariances_are_refused_by_name(matrix: Any, target: Any, message: str) -> None:
    with pytest.raises(ValueError, match="must be") as error:
        lm.from_covariance(matrix, target)
    assert message in str(error.value)


BAD_DATA = [
    ([1.0, 2.0], [1.0, 2.0], "X must be a matrix of numbers, one sample in each row"),
    ([[1.0], [2.0]], [1.0, 2.0, 3.0], "y must be of length 2"),
    ([[1.0], [2.0]], [[[1.0], [2.0]]], "y must be a list of numbers"),
    ([[1.0], [math.nan]], [1.0, 2.0], "X[1][0] must be finite, got nan"),
    ([[1.0], [2.0]], [1.0, -math.inf], "y[1] must be finite, got -inf"),
    ([[0.0], [0.0]], [1.0, 2.0], "X must be different from zero"),
    (np.zeros((0, 3)), [], "X must be different from zero"),
    ([["a"], ["b"]], [1.0, 2.0], "X must be a matrix of numbers"),
]


@pytest.mark.parametrize("read", [lm.from_data, lm.estimate_noise])
@pytest.mark.parametrize(("X", "y", "message"), BAD_DATA)
def test_bad_data_are_refused_by_name(read: Any, X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match="must be") as error:
        read(X, y)
    assert message in str(error.value)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1e-3, math.nan, "small", True])
def test_bad_tolerances_are_refused(tolerance: Any) -> None:
    with pytest.raises(ValueError, match="^tolerance must be"):
        lm.from_covariance(GOOD, TARGET, tolerance=tolerance)
