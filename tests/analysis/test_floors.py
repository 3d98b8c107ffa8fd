"""Losses at the accuracy of the solver are no optima; where several rates reach it, it is said."""

import math
import warnings

import numpy as np
import pytest

import lindmft as lm
from lindmft.analysis.searches.accuracy import START_FRACTION, resolution, resolved

FAST = lm.Problem(lm.MLP(2), lm.Population(), lm.SGD(0.1))


def test_where_several_rates_learn_all_the_best_is_not_determined() -> None:
    """The loss was once 4.9e-324, at a rate that rounding chose."""
    found = lm.optimal_lr(FAST, 100)
    low, high = found.plateau
    assert math.isclose(found.floor, 2e-12)
    assert found.loss == found.floor
    assert found.lower < low < found.lr < high < found.upper
    for lr in (low, found.lr, high):
        assert lm.solve(FAST.replace(**{"optimizer.lr": lr}), 100).test_loss[-1] <= found.floor
    for lr in (found.lower, found.upper):
        assert lm.solve(FAST.replace(**{"optimizer.lr": lr}), 100).test_loss[-1] > found.floor
    assert math.log(high / low) > 0.3
    assert f"not determined between {low:.4g} and {high:.4g}" in found.summary()
    assert (found.losses >= found.floor).all()


def test_searches_that_start_at_the_floor_find_its_ends() -> None:
    """The same where all first rates are on it, and from far away."""
    for lr in (1e-3, 0.13, 2.0):
        found = lm.optimal_lr(FAST.replace(**{"optimizer.lr": lr}), 200)
        low, high = found.plateau
        assert found.lower < low < high < found.upper
        assert high > 2 * low
        assert found.solves <= 25


def test_above_the_floor_nothing_changes() -> None:
    found = lm.optimal_lr(FAST, 20)
    assert found.loss > 10 * found.floor
    assert found.plateau == (found.lr, found.lr)
    assert "is smallest" in found.summary()
    assert math.isclose(found.floor, START_FRACTION * 2)


def test_the_floor_of_coarse_grids_is_their_tolerance() -> None:
    run = lm.solve(FAST, 400, grid="adaptive", atol=1e-6)
    assert math.isclose(resolution(run, "test_loss"), 2e-6)
    assert math.isclose(resolved(run, "test_loss"), 2e-6)
    assert resolved(lm.solve(FAST, 3), "test_loss") == lm.solve(FAST, 3).test_loss[-1]
    nothing = lm.Problem(
        lm.MLP(centered=True), lm.FullBatch(alpha=2.0, noise=0.5, targets=[1e-9]), lm.SGD(0.1)
    )
    assert resolved(lm.solve(nothing, 20), "test_loss") == lm.solve(nothing, 20).test_loss[-1]


def test_transfer_says_where_it_cannot_tell() -> None:
    """Losses of 4.9e-324 once led to an overflow."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = lm.transfer(FAST, "network.width", [1, 4], 100, scalings=["muP"])
    assert not table.determined.any()
    assert table.score[0] == 0
    assert "in powers of ten: 0 or more" in table.summary()
    assert (table.carried > 0).all()
    low, high = table.plateau[0, 1]
    assert low < table.lr[0, 1] < high
    assert f"not determined between {table.plateau[0, 0, 0]:.3g}" in table.verdict
    assert f"between {low:.3g} and {high:.3g} at width = 4 in muP" in table.summary()
    short = lm.transfer(FAST, "network.width", [1, 4], 15, scalings=["muP"])
    assert short.determined.all()
    assert "not determined" not in short.verdict


def test_ratios_of_any_size_do_not_overflow() -> None:
    table = lm.transfer(FAST, "network.width", [1, 4], 15, scalings=["muP"])
    wild = lm.Transfer(
        **{**vars(table), "loss": np.full((1, 2), 5e-324), "carried": 1e300 * np.ones((1, 2, 2))}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.allclose(wild.given_up, 300 - np.log10(5e-324))


@pytest.mark.parametrize("objective", ["test_loss", "train_loss"])
def test_optima_over_time_say_so(objective: str) -> None:
    found = lm.optimum_over_time(FAST, [10, 120], schedules=["constant"], objective=objective)
    assert found.determined.tolist() == [[True, False]]
    assert "not determined after 120 steps (constant)" in found.summary()
    assert (found.loss > 0).all()
