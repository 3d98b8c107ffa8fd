"""Compute-optimal training: which budgets are covered, and how sure its exponents are."""

import math
from typing import Any

import numpy as np
import pytest

import lindmft as lm
from lindmft.analysis.frontier import Ends, ends_of, missing_steps

CLEAN = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
WIDTHS = [0.25, 0.5, 1, 2, 4]


def wide_range(steps: int) -> lm.ComputeOptimal:
    """Budgets from one step of the narrowest to all steps of the widest."""
    cost = [lm.analysis.compute.step_cost(CLEAN.replace(**{"network.width": w})) for w in WIDTHS]
    budgets = np.geomspace(cost[0], cost[-1] * (steps - 1), 64)
    return lm.compute_optimal(CLEAN, WIDTHS, steps, budgets=budgets)


@pytest.fixture(scope="module")
def short() -> lm.ComputeOptimal:
    return wide_range(60)


@pytest.fixture(scope="module")
def long() -> lm.ComputeOptimal:
    return wide_range(300)


def test_longer_runs_change_no_covered_budget(
    short: lm.ComputeOptimal, long: lm.ComputeOptimal
) -> None:
    """Narrow networks drop out where their steps end, so that the frontier ends there, too."""
    assert not short.covered.all()
    again = lm.compute_optimal(CLEAN, WIDTHS, 300, budgets=short.budgets)
    for name in ("width", "steps", "loss"):
        before, after = getattr(short, name), getattr(again, name)
        np.testing.assert_allclose(before[short.covered], after[short.covered], rtol=1e-12)
        assert (before != after).any(), "the others do change"
    assert long.budgets[long.covered][-1] > 3 * short.budgets[short.covered][-1]


def test_exponents_say_that_they_depend_on_the_budgets(
    short: lm.ComputeOptimal, long: lm.ComputeOptimal
) -> None:
    """The loss falls exponentially. Without the errors, the exponents contradict each other."""
    first, second = short.exponents()[1], long.exponents()[1]
    assert second < first - 0.5
    allowed = short.exponent_errors()[1] + long.exponent_errors()[1]
    assert second > first - allowed
    for found in (short, long):
        assert "The loss is no power law there" in found.summary()
        assert "not covered" in found.summary()


def test_it_says_how_many_steps_would_do() -> None:
    budgets = [100, 200, 500, 1000]
    found = lm.compute_optimal(CLEAN, [1, 2, 4], 30, budgets=budgets)
    assert not found.covered[-1]
    assert found.needed == 1000 // 24 + 1  # a step of width 1 costs 24
    assert f"(steps={found.needed} are enough)" in found.summary()
    assert not found.to_xarray().covered.to_numpy()[-1]
    whole = lm.compute_optimal(CLEAN, [1, 2, 4], found.needed, budgets=budgets)
    assert whole.needed == 0
    assert whole.covered.all()


def test_widths_that_cannot_take_a_step_are_missing(short: lm.ComputeOptimal) -> None:
    """At the smallest budget only the narrowest can; one step of the others would be better."""
    assert short.width[0] == 0.25
    assert not short.covered[0]
    one_step = lm.solve(CLEAN.replace(**{"network.width": 4}), 2).test_loss[1]
    first = int(np.argmax(short.covered))
    assert short.loss[first - 1] > one_step or math.isinf(short.losses[-1, first - 1])
    assert short.loss[first] <= one_step or np.isfinite(short.losses[-1, first])


def test_a_width_that_has_settled_need_not_be_computed_further() -> None:
    """The loss with few samples stops falling, and stays above that of others."""
    few = lm.Problem(lm.MLP(), lm.FullBatch(alpha=0.5), lm.SGD(lr=0.1))
    ends = ends_of(lm.solve(few, 400), 399, 0.0)
    assert 0 <= ends.rate < 1e-5
    counts = np.array([[100, 500, 5000]])
    better = np.array([1.0, 1.0, 0.9]) * ends.loss
    assert missing_steps([ends], counts, 399, better, 0.0).tolist() == [[0, 0, 0]]
    falling = Ends(1.0, 1e-2, 0.01)
    for frontier, missing in ((9e-3, 5000), (1e-30, 0)):
        found = missing_steps([falling], counts, 399, np.full(3, frontier), 1e-20)
        assert found[0, 2] == missing
    lost = Ends(1.0, np.inf, 0.0)
    assert missing_steps([lost], counts, 399, better, 0.0).max() == 0


def test_rounding_ranks_no_widths() -> None:
    budgets = [100, 1e3, 1e4, 2e4]
    found = lm.compute_optimal(CLEAN, WIDTHS, 1000, budgets=budgets, grid="adaptive")
    assert found.loss[-1] == found.accuracy == pytest.approx(1e-10 * 5)
    assert (found.losses >= found.accuracy).all()
    assert not found.fitted[-1]
    assert "rounding" in found.summary()


def test_too_few_covered_budgets_have_no_exponent() -> None:
    found = lm.compute_optimal(CLEAN, WIDTHS, 20, budgets=[300, 500, 700, 1000, 1500])
    assert not found.covered.any()
    assert found.exponents() == found.exponent_errors() == (math.inf, math.inf)
    assert "No exponents: at fewer than two budgets all widths" in found.summary()
    assert f"steps={found.needed}" in found.summary()


def made(losses: Any, budgets: Any, widths: Any) -> lm.ComputeOptimal:
    best = losses.argmin(axis=0)
    steps = (budgets / widths[best]).astype(int)
    loss, covered = losses.min(axis=0), np.ones(len(budgets), bool)
    return lm.ComputeOptimal(
        CLEAN, widths, widths, budgets, losses, widths[best], steps, loss, covered
    )


@pytest.mark.parametrize("per_decade", [3, 10, 60])
def test_errors_of_exponents_contain_the_truth(per_decade: int) -> None:
    """Curves loss = width^-1 + steps^-1 at cost width have the powers 1/2 and -1/2."""
    widths, budgets = np.geomspace(0.1, 1e4, 5 * per_decade + 1), np.geomspace(100, 1e4, 40)
    found = made(1 / widths[:, None] + widths[:, None] / budgets, budgets, widths)
    (width, loss), (width_error, loss_error) = found.exponents(), found.exponent_errors()
    assert abs(width - 0.5) <= width_error
    assert width_error == pytest.approx(0.5 / per_decade)  # a spacing, over two decades
    assert abs(loss + 0.5) <= loss_error + 1e-12
    assert loss_error < 0.2


@pytest.mark.parametrize("data", [lm.OnePass(0.5), lm.MultiPass(2.0, batch_fraction=0.5)])
def test_condensed_steps_have_the_frontier_of_exact_ones(data: lm.OnePass | lm.MultiPass) -> None:
    problem = CLEAN.replace(data=data, optimizer=lm.SGD(lr=0.02))
    exact = lm.compute_optimal(problem, [0.5, 1, 2], 300)
    found = lm.compute_optimal(problem, [0.5, 1, 2], 300, grid="adaptive", rtol=1e-5)
    np.testing.assert_allclose(found.losses, exact.losses, rtol=1e-5)
    np.testing.assert_array_equal(found.width, exact.width)
    assert (found.covered == exact.covered).all()
    assert not (found.losses == exact.losses).all(), "not condensed"
