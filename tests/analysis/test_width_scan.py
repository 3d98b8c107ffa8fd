"""Is wider better? What is judged, and what the solver's accuracy leaves undecided."""

import math

import numpy as np
import pytest

import lindmft as lm

CLEAN = lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_rounding_is_not_judged(grid: str) -> None:
    """Losses of 1e-16 differ by factors, which mean nothing."""
    steps = 1000 if grid == "adaptive" else 500
    found = lm.wider_is_better(CLEAN, [1, 2, 4], steps, grid=grid)
    smallest = found.test_loss[:, -1]
    assert smallest.max() < found.accuracy.max()
    assert found.holds
    assert not found.violations.any()
    late = found.test_loss.max(axis=0) < found.accuracy.max()
    assert late.any()
    assert found.equal[:, late].all()
    assert (found.excess[:, late] == 0).all()
    assert "Wider is better at" in found.summary()
    assert "never worse" in found.summary()


def test_equal_losses_are_no_evidence() -> None:
    centered = CLEAN.replace(**{"network.centered": True})
    found = lm.wider_is_better(centered, [1, 2, 4], 20)
    assert found.equal[:, 0].all(), "the loss at the start is that of the zero predictor"
    assert found.holds
    assert found.summary().startswith("Wider is better at 19 of 20 times, and never worse")
    still = centered.replace(**{"optimizer.lr": 1e-14})
    found = lm.wider_is_better(still, [1, 2, 4], 4)
    assert found.equal.all()
    assert not found.holds
    assert found.summary().startswith("No verdict: losses of all widths are equal (within 1e-12")


def made(losses: list[list[float]], accuracy: float = 0.0) -> lm.WiderIsBetter:
    table = np.array(losses)
    widths = np.arange(1.0, 1 + len(table))
    time = np.arange(float(table.shape[1]))
    return lm.WiderIsBetter(CLEAN, widths, time, table, np.full(len(table), accuracy))


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ([[1, 0.5], [1.03, 0.6]], "from t = 0 on width 2 is worse than 1. The largest"),
        ([[1, 0.5], [1.03, 0.6]], "at t = 1: its loss is 20 % larger than that of width 1."),
        ([[1, 0.5, 0.1], [1, 6, 0.05]], "at 1 of 3 times, first at t = 1, width 2 is worse than"),
        ([[1, 0.5, 0.1], [1, 6, 0.05]], "at t = 1: its loss is 12 times that of width 1."),
        ([[1, 2], [1, math.inf]], "it has diverged where width 1 has not. (Widths 1, 2.)"),
    ],
)
def test_excesses_are_readable(losses: list[list[float]], sentence: str) -> None:
    summary = made(losses).summary()
    assert sentence in summary
    assert summary.startswith("Wider is not always better: ")


def test_differences_near_the_accuracy_are_not_judged() -> None:
    found = made([[1.0, 3e-12, 1e-10], [1.0, 3.9e-12, 1.2e-10]], accuracy=1e-12)
    assert found.equal[0].tolist() == [True, True, False]
    assert found.violations[0].tolist() == [False, False, True]
    lost = made([[1.0, math.inf, math.inf], [0.9, math.inf, 1.0]])
    assert lost.equal[0].tolist() == [False, True, False]
    assert lost.excess[0, 1:].tolist() == [0.0, -1.0]
    assert "both infinite" in lost.summary()


@pytest.mark.parametrize("grid", ["adaptive"])
def test_tolerances_of_coarse_grids_count(grid: str) -> None:
    found = lm.wider_is_better(CLEAN, [1, 2], 100, grid=grid, rtol=1e-4)
    assert found.tolerance == pytest.approx(1e-3)
