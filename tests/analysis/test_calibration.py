"""The chance that ``compare`` reports is that of right theories; wrong ones are found."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

import lindmft as lm
from lindmft.analysis import rotation
from lindmft.analysis.advice import cell, percent
from lindmft.analysis.deviations import deviation_chances
from lindmft.analysis.pilot import pilot_weights
from lindmft.analysis.rotation import chances

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
ONLINE = lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.5, noise=0.3), lm.SGD(lr=0.05))
CLEAN = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
TRACE = lm.Problem(
    lm.MLP(hidden=64),
    lm.FullBatch(samples=64, spectrum=lm.PowerLaw(1.5, 0.5, modes=64)),
    lm.SGD(lr=0.1),
)
OLD_LIMIT = 4.0


@pytest.fixture
def few_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast, and exact all the same: chances are multiples of 1/400."""
    monkeypatch.setattr(rotation, "TURNS", 399)


def blocks(losses: np.ndarray, count: int) -> Iterator[np.ndarray]:
    yield from np.split(losses[: len(losses) // count * count], len(losses) // count)


def beyond_chance(rate: float, expected: float, trials: int) -> float:
    """Bound in standard deviations of a fraction."""
    return abs(rate - expected) / np.sqrt(expected * (1 - expected) / trials)


def found_chances(runs: lm.Ensemble, theory: lm.Solution, count: int) -> np.ndarray:
    """The chance of each separate ensemble of ``count`` networks."""
    pairs = zip(blocks(runs.test_loss, count), blocks(runs.train_loss, count), strict=True)
    expected = theory.test_loss, theory.train_loss
    ensemble = dataclasses.replace(runs, seeds=runs.seeds[:count])
    weights = pilot_weights(theory, ensemble, np.isfinite(theory.test_loss))
    found = [
        deviation_chances(list(zip(pair, expected, strict=True)), weights=weights)[0]
        for pair in pairs
    ]
    return np.array([each.overall for each in found if each])


def largest_z(runs: lm.Ensemble, theory: lm.Solution, count: int) -> np.ndarray:
    """Result of each separate ensemble."""
    found = []
    for test, train in zip(
        blocks(runs.test_loss, count), blocks(runs.train_loss, count), strict=True
    ):
        both, expected = np.hstack([test, train]), np.r_[theory.test_loss, theory.train_loss]
        error = both.std(axis=0, ddof=1) / np.sqrt(count)
        found.append(np.abs((both.mean(axis=0) - expected) / error).max())
    return np.array(found)


def wrong(problem: lm.Problem, steps: int, **changes: object) -> lm.Solution:
    """The theory of another problem under this one's name."""
    other = problem.replace(**{key.replace("__", "."): value for key, value in changes.items()})
    return dataclasses.replace(lm.solve(other, steps), problem=problem)


# ---- the test itself


@pytest.mark.usefixtures("few_turns")
@pytest.mark.parametrize(("networks", "memory"), [(4, 0.0), (4, 0.95), (8, 0.95), (16, 0.95)])
def test_chances_of_normal_deviations_are_uniform(networks: int, memory: float) -> None:
    """At any correlation between steps, with fewer or more steps than networks."""
    rng = np.random.default_rng(networks)
    trials, steps = 120, 6
    found = []
    for _ in range(trials):
        noise = rng.standard_normal((2, networks, steps))
        for t in range(1, steps):
            noise[..., t] = memory * noise[..., t - 1] + np.sqrt(1 - memory**2) * noise[..., t]
        each = chances(noise[0], noise[0] + 0.5 * noise[1])
        found.append((each.test_loss, each.train_loss, each.together, each.overall))
    for column in np.array(found).T:
        for level in (0.1, 0.5):
            assert beyond_chance(float(np.mean(column <= level)), level, trials) < 4


def test_chances_know_their_ends() -> None:
    still, alike = np.zeros((8, 5)), np.full((8, 5), 0.1)
    assert chances(still, still).overall == 1.0
    assert chances(alike, still).overall == 1 / (rotation.TURNS + 1)
    assert chances(alike, -alike) == chances(alike, alike)


def test_repeated_steps_and_scales_change_nothing() -> None:
    deviation = np.random.default_rng(3).standard_normal((6, 10)) + 0.5
    once = chances(deviation, deviation[:, :3])
    twice = chances(np.repeat(deviation, 2, axis=1), deviation[:, :3])
    scaled = chances(deviation * np.arange(1, 11), 7 * deviation[:, :3])
    assert once.test_loss == twice.test_loss == scaled.test_loss
    assert once.train_loss == twice.train_loss == scaled.train_loss


def test_of_very_many_steps_some_are_used() -> None:
    rng = np.random.default_rng(5)
    deviation = rng.standard_normal((8, 1)) + 0.1 * rng.standard_normal((8, 20_000))
    found = chances(deviation, deviation[:, :100])
    assert 0 < found.test_loss <= 1
    deviation[:, 3] = 2.0  # an early step
    assert chances(deviation, deviation[:, :100]).test_loss == 1 / (rotation.TURNS + 1)


# ---- right theories


@pytest.mark.usefixtures("few_turns")
def test_right_theories_differ_in_one_comparison_of_a_hundred() -> None:
    """The largest z-score of four networks is above 4 in more than one of twenty."""
    theory, runs = lm.solve(CLEAN, 20), lm.train(CLEAN, 20, dim=96, seeds=800, threads=1)
    four, eight = (found_chances(runs, theory, count) for count in (4, 8))
    for found in (four, eight):
        assert np.mean(found < 0.01) <= 0.03
        assert beyond_chance(float(np.mean(found < 0.1)), 0.1, len(found)) < 3
    assert np.mean(largest_z(runs, theory, 4) > OLD_LIMIT) > 0.05


@pytest.mark.long
def test_false_alarms_are_one_percent_at_four_to_sixteen_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rotation, "TURNS", 999)
    alarms: list[np.ndarray] = []
    for problem in (PROBLEM, ONLINE, CLEAN):
        theory, runs = lm.solve(problem, 40), lm.train(problem, 40, dim=128, seeds=2048)
        alarms += [found_chances(runs, theory, count) < 0.01 for count in (4, 8, 16)]
    assert 0.005 < np.mean(np.concatenate(alarms)) < 0.015
    assert max(np.mean(each) for each in alarms) < 0.03


# ---- wrong theories


def test_a_rate_that_is_wrong_by_a_tenth_is_found_with_enough_networks() -> None:
    runs = lm.train(CLEAN, 60, dim=128, seeds=64)
    comparison = lm.compare(wrong(CLEAN, 60, optimizer__lr=0.11), runs)
    assert comparison.agrees is False
    assert "Repeat with fresh networks (seed=1) and more of them (seeds=256)" in comparison.verdict
    assert "one that stays means" in " ".join(comparison.summary().split())


@pytest.mark.long
def test_a_rate_that_is_wrong_by_a_tenth_is_found_at_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nearly all comparisons of this problem find it; bench/README.md has others."""
    monkeypatch.setattr(rotation, "TURNS", 999)
    runs = lm.train(CLEAN, 60, dim=256, seeds=800)
    assert np.mean(found_chances(runs, lm.solve(CLEAN, 60), 8) < 0.01) < 0.05
    off = [wrong(CLEAN, 60, optimizer__lr=0.1 * factor) for factor in (1.1, 1.25)]
    tenth, quarter = (np.mean(found_chances(runs, each, 8) < 0.01) for each in off)
    assert tenth > 0.8
    assert quarter > 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer__lr": 0.2},
        {"network__depth": 3},
        {"network__gamma0": 2.0},
        {"data__alpha": 1.0},
        {"data__noise": 1.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_wrong_theories_are_found_at_the_defaults(change: dict[str, object]) -> None:
    runs = lm.train(PROBLEM, 60)
    comparison = lm.compare(wrong(PROBLEM, 60, **change), runs)
    assert comparison.agrees is False
    assert comparison.finite_size_chance == pytest.approx(comparison.chance, abs=0.01)


# ---- words


@pytest.mark.parametrize(
    ("fraction", "words"),
    [(1.0, "100 %"), (0.996, "100 %"), (0.574, "57 %"), (0.1, "10 %"), (0.0286, "2.9 %")],
)
def test_fractions_are_said_with_two_digits(fraction: float, words: str) -> None:
    assert percent(fraction) == cell(fraction) == words


def test_fractions_at_the_ends_are_bounds_and_factors() -> None:
    assert (percent(2e-4), cell(2e-4)) == ("less than 0.1 %", "< 0.1 %")
    assert percent(1.5) == "a factor of 2.5"


def test_the_verdict_says_how_likely_chance_is() -> None:
    comparison = lm.compare(lm.solve(PROBLEM, 20), lm.train(PROBLEM, 20, dim=256, seeds=8))
    assert comparison.agrees
    assert comparison.chance is not None
    said = f"chance makes such deviations in {percent(comparison.chance)} of comparisons"
    assert said in comparison.verdict
    assert "(below 1 % would be suspicious)" in comparison.verdict
    assert "more networks show smaller differences" in comparison.verdict
    assert comparison.summary().splitlines()[1].split()[-1] == "chance"


def test_a_deviation_that_finite_size_makes_is_told_from_others() -> None:
    runs = lm.train(CLEAN, 20, dim=16, seeds=500, threads=1)
    comparison = lm.compare(lm.solve(CLEAN, 20), runs)
    assert comparison.agrees is False
    assert "networks of this size may deviate as much" in comparison.verdict
    assert "Repeat with dim=32 " in comparison.verdict
    assert "seed=1" not in comparison.verdict


def test_trace_class_problems_grow_by_their_counts() -> None:
    runs = lm.train(TRACE, 20, seeds=8)
    comparison = lm.compare(wrong(TRACE, 20, optimizer__lr=0.3), runs)
    assert "repeat with hidden=128 and samples=128" in comparison.verdict
    assert "dim" not in comparison.verdict
    batches = TRACE.replace(data=lm.OnePass(batch=32, spectrum=TRACE.data.spectrum))
    assert lm.compare(lm.solve(batches, 5), lm.train(batches, 5, seeds=8)).advice.larger == (
        "hidden=128 and batch=64"
    )


def test_other_networks_are_named_only_if_they_are_known() -> None:
    runs = lm.train(PROBLEM, 5, dim=16, seeds=[5, 9, 2, 7])
    comparison = lm.compare(lm.solve(PROBLEM, 5), runs)
    assert comparison.advice.fresh == "a seed that was not used yet"
    assert comparison.advice.seeds == 16


def test_single_precision_agrees_from_a_centered_start() -> None:
    problem = PROBLEM.replace(**{"network.centered": True, "data.noise": 0.0})
    runs = lm.train(problem, 5, dim=64, seeds=8, dtype="float32")
    assert lm.compare(lm.solve(problem, 5), runs).agrees
