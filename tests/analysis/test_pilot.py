"""Pilot networks: they find wrong learning rates, leave chances exact, and are done without."""

import dataclasses
import warnings

import numpy as np
import pytest

import lindmft as lm
from lindmft.analysis import pilot, rotation
from lindmft.analysis.deviations import deviation_chances
from lindmft.analysis.pilot import affordable_pilots, pilot_weights, weights_of_pilots
from lindmft.analysis.rotation import chances

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
CLEAN = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
MODES = lm.PowerLaw(1.5, 0.5, modes=32)


@pytest.fixture
def few_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast, and exact all the same: chances are multiples of 1/400."""
    monkeypatch.setattr(rotation, "TURNS", 399)


# ---- what they are for


@pytest.mark.long
def test_a_rate_that_is_wrong_by_a_tenth_is_found_more_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A test on 16 ensembles of eight networks of 128 inputs each."""
    monkeypatch.setattr(rotation, "TURNS", 999)
    theory, runs = lm.solve(CLEAN, 60), lm.train(CLEAN, 60, dim=128, seeds=128, threads=1)
    eight = dataclasses.replace(runs, seeds=runs.seeds[:8])
    off = lm.solve(CLEAN.replace({"optimizer.lr": 0.11}), 60)

    def found(expected: lm.Solution, *, piloted: bool) -> float:
        weights = pilot_weights(expected, eight, np.full(60, fill_value=True))
        pairs = zip(np.split(runs.test_loss, 16), np.split(runs.train_loss, 16), strict=True)
        each = [
            deviation_chances(
                [(test, expected.test_loss), (train, expected.train_loss)],
                weights=weights if piloted else None,
            )[0]
            for test, train in pairs
        ]
        return float(np.mean([one is not None and one.overall < 0.01 for one in each]))

    assert found(off, piloted=False) < 0.4
    assert found(off, piloted=True) > 0.5
    assert found(theory, piloted=True) < 0.1


@pytest.mark.usefixtures("few_turns")
@pytest.mark.parametrize("networks", [4, 16])
def test_chances_with_weights_are_uniform(networks: int) -> None:
    rng = np.random.default_rng(networks)
    trials, weights = 120, (rng.standard_normal(6), rng.standard_normal(6))
    found = []
    for _ in range(trials):
        noise = rng.standard_normal((2, networks, 6)).cumsum(axis=2)
        test, train = noise[0], noise[0] + 0.5 * noise[1]
        each = chances(test, train, test @ weights[0] + train @ weights[1])
        assert each.rate is not None
        found.append((each.rate, each.overall))
    for column in np.array(found).T:
        for level in (0.1, 0.5):
            rate = float(np.mean(column <= level))
            assert abs(rate - level) < 4 * np.sqrt(level * (1 - level) / trials)


def test_a_shift_along_the_weights_is_found_by_rate() -> None:
    """Large fluctuations of a common size hide it from every single step."""
    rng = np.random.default_rng(0)
    common = 3 * rng.standard_normal((8, 1)) + 0.1 * rng.standard_normal((8, 10))
    test = common + np.r_[np.full(5, 0.2), np.full(5, -0.2)]
    weights, still = np.r_[np.ones(5), -np.ones(5)], np.zeros((8, 10))
    found = chances(test, still, test @ weights)
    assert found.rate is not None
    assert found.rate < 0.01 < min(found.test_loss, found.train_loss)
    assert found.overall < 0.01
    assert chances(-test, still, -test @ weights).rate == found.rate
    assert chances(test, still).rate is None


# ---- what they are


def test_weights_are_the_inverse_covariance_times_the_slopes() -> None:
    rng = np.random.default_rng(1)
    logs = rng.standard_normal((50, 12)) @ rng.standard_normal((12, 12))
    slope = rng.standard_normal(12)
    covariance = np.cov(logs.T)
    ridged = covariance + pilot.RIDGE * np.diag(np.diag(covariance))
    found = pilot._inverse_times(logs, slope)
    np.testing.assert_allclose(found, np.linalg.solve(ridged, slope), rtol=1e-8)
    logs[:, 3] = 2.0
    still = pilot._inverse_times(logs, slope)
    assert still[3] == 0.0
    assert np.isfinite(still).all()


def test_slopes_are_derivatives_in_the_logarithm_of_time() -> None:
    times = np.arange(200)
    slope = pilot._slope(-0.5 * np.log(np.maximum(times, 1)), times)
    assert slope[0] == 0.0
    np.testing.assert_allclose(slope[1:], -0.5, rtol=1e-6)


def test_the_same_comparison_twice_is_the_same() -> None:
    theory, runs = lm.solve(PROBLEM, 20), lm.train(PROBLEM, 20, dim=64, seeds=4)
    assert lm.compare(theory, runs).chances == lm.compare(theory, runs).chances


@pytest.mark.parametrize(
    "problem",
    [
        PROBLEM.replace(data=lm.OnePass(alpha=0.5)),
        PROBLEM.replace(data=lm.MultiPass(alpha=2.0, batch_fraction=0.25)),
        PROBLEM.replace(data=lm.Population()),
        PROBLEM.replace(network=lm.ResNet(depth=3)),
        PROBLEM.replace({"network.centered": True, "data.noise": 0.0}),
        PROBLEM.replace(data=lm.FullBatch(samples=80, inputs=40)),
        lm.Problem(lm.MLP(hidden=32), lm.FullBatch(samples=32, spectrum=MODES), lm.SGD(lr=0.1)),
    ],
    ids=["one pass", "multi-pass", "population", "residual", "centered", "inputs", "trace class"],
)
def test_problems_of_every_kind_have_pilots(problem: lm.Problem) -> None:
    comparison = lm.compare(lm.solve(problem, 8), lm.train(problem, 8, seeds=8))
    assert comparison.chances is not None
    assert comparison.chances.rate is not None
    assert 0 < comparison.chances.rate <= 1
    assert "wrong learning rate" in comparison.summary()


# ---- where they are done without


def without_rate(problem: lm.Problem, steps: int, dim: int, seed: int = 0) -> None:
    """The test is then that of the other three."""
    theory, runs = lm.solve(problem, steps), lm.train(problem, steps, dim=dim, seed=seed)
    comparison = lm.compare(theory, runs)
    three, _ = deviation_chances(
        [(runs.test_loss, theory.test_loss), (runs.train_loss, theory.train_loss)]
    )
    assert comparison.chances is not None
    assert three is not None
    assert comparison.chances.overall == three.overall
    assert comparison.chances.rate is three.rate is None
    assert "wrong learning rate" not in comparison.summary()


@pytest.mark.parametrize("ratio", ["network.width", "data.alpha"])
def test_sizes_that_round_to_zero_have_no_pilots(ratio: str) -> None:
    without_rate(PROBLEM.replace({ratio: 0.015, "optimizer.lr": 1e-3}), 5, dim=256)


def test_two_steps_have_no_pilots() -> None:
    without_rate(PROBLEM, 2, dim=32)


def test_networks_that_may_be_pilots_have_none() -> None:
    without_rate(PROBLEM, 5, dim=32, seed=pilot.LAST_STREAM)


def test_pilots_that_cost_too_much_are_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = lm.train(PROBLEM, 5, dim=64, seeds=8)
    counts = [affordable_pilots(runs, steps) for steps in (5, 100, 500, 2000, 10**6)]
    assert counts[0] == counts[1] == pilot.MOST_PILOTS
    assert pilot.FEWEST_PILOTS <= counts[2] < pilot.MOST_PILOTS
    assert counts[3:] == [0, 0]
    many = dataclasses.replace(runs, seeds=tuple(range(800)))
    assert affordable_pilots(many, 500) == pilot.MOST_PILOTS
    monkeypatch.setattr(pilot, "FREE_COST", 1e4)
    without_rate(PROBLEM, 5, dim=32)


def test_pilots_that_diverge_are_left_out() -> None:
    """A few are dropped; where most diverge there are none."""
    wild = PROBLEM.replace({"optimizer.lr": 5.0})
    assert weights_of_pilots(wild, np.arange(60), (np.ones(60), np.ones(60)), 32, 64) is None
    near = PROBLEM.replace({"optimizer.lr": 0.3})
    (some,) = lm.train_many([near], 60, dim=32, seeds=256, seed=pilot.LAST_STREAM)
    assert 0 < sum(step is not None for step in some.diverged_at) < 26
    theory = lm.solve(near, 60)
    few = weights_of_pilots(
        near, np.arange(60), (theory.test_loss, theory.train_loss), pilot.DIM, 256
    )
    assert few is not None
    assert np.isfinite(few).all()
    assert np.any(few)


def test_pilots_do_not_repeat_the_warning_of_sizes() -> None:
    problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=64), lm.SGD(lr=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lm.SizeWarning)
        theory, runs = lm.solve(problem, 4), lm.train(problem, 4, dim=8, seeds=4)
    assert lm.compare(theory, runs).chance is not None
