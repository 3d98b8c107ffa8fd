"""The self-check and the statistics of continued solutions cover all segments."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lindmft as lm

SLOW = [0.1 / (1 + t / 50) for t in range(200)]
WIDE = lm.MLP(depth=2)
FULL = lm.FullBatch(alpha=2.0, noise=0.3)
PROBLEMS: dict[str, tuple[str, lm.Problem]] = {
    "one pass": ("exact", lm.Problem(WIDE, lm.OnePass(0.2), lm.SGD(0.05))),
    "multi-pass": (
        "exact",
        lm.Problem(WIDE, lm.MultiPass(alpha=2.0, batch_fraction=0.3), lm.SGD(0.05)),
    ),
    "population": ("exact", lm.Problem(WIDE, lm.Population(), lm.SGD(0.1))),
    "momentum": ("exact", lm.Problem(WIDE, FULL, lm.SGD(0.02, momentum=0.8))),
    "schedule": ("exact", lm.Problem(WIDE, FULL, lm.SGD(SLOW))),
    "centered": ("exact", lm.Problem(lm.MLP(depth=2, centered=True), FULL, lm.SGD(0.1))),
    "several modes": (
        "exact",
        lm.Problem(
            WIDE,
            lm.FullBatch(alpha=2.0, spectrum=lm.Discrete([2.0, 0.5], [1, 1])),
            lm.SGD(0.05),
        ),
    ),
    "residual": (
        "exact",
        lm.Problem(lm.ResNet(depth=3, width=0.75, branch=0.8), FULL, lm.SGD(0.05)),
    ),
    "infinite depth": (
        "exact",
        lm.Problem(lm.ResNet(depth=math.inf), lm.Population(), lm.SGD(0.05)),
    ),
    "several outputs": (
        "exact",
        lm.Problem(WIDE, lm.FullBatch(alpha=2.0, targets=[1.0, 0.5, 1.0]), lm.SGD(0.1)),
    ),
    "adaptive": ("adaptive", lm.Problem(WIDE, lm.Population(), lm.SGD(0.1))),
    "flow": ("flow", lm.Problem(WIDE, FULL, lm.SGD(0.1))),
}
ENDS = {"exact": (40, 100), "adaptive": (30, 1000), "flow": (3, 100)}
ENDLESS = (8, 16)
QUICK = {"one pass", "momentum", "residual", "several outputs", "adaptive"}


def solved(grid: str, problem: lm.Problem, end: int, **options: Any) -> lm.Solution:
    if grid == "flow":
        return lm.flow(problem, end, **options)
    return lm.solve(problem, end, grid=grid, **options)


def expect_whole(longer: lm.Solution, start: lm.Solution, whole: lm.Solution) -> None:
    """The check and the counts of both segments together.

    Where the last segment alone is the scale, residuals are 10 to 1e6 times as large.
    """
    assert longer.stats.chain_residual < max(1e-12, 3 * whole.stats.chain_residual)
    assert longer.self_check_passed
    assert "self-check passed (" in longer.status
    assert longer.stats.seconds > start.stats.seconds
    for name in ("panels", "sweeps", "row_sweeps", "flops"):
        ours, first, theirs = (getattr(one.stats, name) for one in (longer, start, whole))
        assert first < ours < 3 * theirs


@pytest.mark.parametrize(
    "kind",
    [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.long) for kind in PROBLEMS],
)
def test_a_continued_solution_is_checked_as_a_whole(tmp_path: Path, kind: str) -> None:
    grid, problem = PROBLEMS[kind]
    first, last = ENDLESS if kind == "infinite depth" else ENDS[grid]
    start, whole = solved(grid, problem, first), solved(grid, problem, last)
    expect_whole(solved(grid, problem, last, continue_from=start), start, whole)
    start.save(tmp_path / "start.nc")
    loaded = lm.Solution.load(tmp_path / "start.nc")
    expect_whole(solved(grid, problem, last, continue_from=loaded), start, whole)


@pytest.mark.parametrize(
    "kind", ["one pass", *(pytest.param(k, marks=pytest.mark.long) for k in ("adaptive", "flow"))]
)
def test_a_checkpoint_is_checked_as_a_whole(tmp_path: Path, kind: str) -> None:
    grid, problem = PROBLEMS[kind]
    first, last = ENDS[grid]
    path = tmp_path / "run.nc"
    start = solved(grid, problem, first, checkpoint=path)
    longer = solved(grid, problem, last, checkpoint=path)
    expect_whole(longer, start, solved(grid, problem, last))
    assert lm.Solution.load(path).stats == longer.stats


def test_continuing_after_the_loss_has_vanished() -> None:
    """The identity then compares rounding errors, whose scale is that of the beginning."""
    problem = PROBLEMS["one pass"][1]
    whole = lm.solve(problem, 400)
    longer = lm.solve(problem, 400, continue_from=lm.solve(problem, 200))
    assert abs(longer.test_loss - whole.test_loss).max() < 1e-12
    assert longer.stats.chain_residual < 3e-13  # one go gives 1e-13; the last half alone 2e-7
    twice = lm.solve(problem, 300, continue_from=lm.solve(problem, 200))
    twice = lm.solve(problem, 400, continue_from=twice)
    assert twice.stats.chain_residual < 3e-13


def test_a_failed_check_says_so() -> None:
    good = lm.solve(PROBLEMS["population"][1], 5)
    bad = replace(good, stats=replace(good.stats, chain_residual=3e-4))
    assert not bad.self_check_passed
    assert "self-check FAILED (3e-04, usually below 1e-09): do not rely" in bad.status
    endless = lm.solve(PROBLEMS["infinite depth"][1], 5)
    hazy = replace(endless, stats=replace(endless.stats, chain_residual=2e-8))
    assert "self-check passed (2e-08, usually below 1e-06)" in hazy.status


def test_coarse_grids_compare_their_estimate_with_the_tolerance() -> None:
    coarse = lm.solve(PROBLEMS["adaptive"][1], 300, grid="adaptive", rtol=1e-5)
    assert "within the rtol of 1e-05; self-check passed" in coarse.status
    rough = replace(coarse, stats=replace(coarse.stats, error_estimate=2e-5))
    assert "error estimate 2e-05, ABOVE the rtol of 1e-05" in rough.status
