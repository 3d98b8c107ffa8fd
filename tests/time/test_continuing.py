"""Continuing a solution: the same result as in one call, or a refusal that names the difference."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problems

import lindmft as lm
from lindmft.results import state
from lindmft.results.state import STATE_VERSION, State
from lindmft.theory.resume import to_core

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
SERIES = ("time", "test_loss", "train_loss", "term_init", "term_data", "feature_norm")
GRIDS = ("exact", "adaptive", "flow")


def solved(grid: str, end: float, problem: lm.Problem = PROBLEM, **options: Any) -> lm.Solution:
    if grid == "flow":
        return lm.flow(problem, end, **options)
    return lm.solve(problem, int(end), grid=grid, **options)


def expect_equal(a: lm.Solution, b: lm.Solution) -> None:
    for name in SERIES:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@given(problems(steps=24), st.integers(1, 23))
@settings(max_examples=25, deadline=None)
def test_exact_steps_go_on_as_if_never_stopped(problem: dict[str, Any], stop: int) -> None:
    whole = lm.solve(problem, 24)
    start = lm.solve(problem, stop, keep_state=True)
    longer = lm.solve(problem, 24, continue_from=start)
    for name in SERIES:
        ours, theirs = getattr(longer, name), getattr(whole, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("grid", ["adaptive", "flow"])
def test_coarse_grids_go_on_to_their_tolerance(grid: str) -> None:
    start = solved(grid, 30)
    longer, whole = solved(grid, 5000, continue_from=start), solved(grid, 5000)
    times = [0, 3, 20, 29, 40, 100, 1000, 4999]
    ours, theirs = longer.at(times), whole.at(times)
    np.testing.assert_allclose(ours.test_loss, theirs.test_loss, rtol=4e-6)
    np.testing.assert_allclose(ours.train_loss, theirs.train_loss, rtol=4e-6)
    assert longer.panels[-1] == longer.valid == len(longer.time)


def test_what_a_start_has_is_kept_as_it_is() -> None:
    start = lm.solve(PROBLEM, 20, save="C_v")
    longer = lm.solve(PROBLEM, 33, continue_from=start, save="C_v")
    for name in SERIES[1:]:
        np.testing.assert_array_equal(getattr(longer, name)[..., :20], getattr(start, name))
    np.testing.assert_allclose(longer.C_v[:20, :20], start.C_v, rtol=1e-13)
    np.testing.assert_allclose(np.diag(longer.C_v), longer.test_loss, rtol=1e-12)


def test_several_outputs_go_on() -> None:
    several = PROBLEM.replace(**{"data.targets": [1.0, 0.5, 1.0]})
    start = lm.solve(several, 12)
    assert all(channel.state for channel in start.channels)
    longer, whole = lm.solve(several, 30, continue_from=start), lm.solve(several, 30)
    np.testing.assert_allclose(
        longer.test_loss_by_output, whole.test_loss_by_output, rtol=1e-10, atol=1e-13
    )


def test_equal_outputs_go_on_as_one() -> None:
    start = lm.solve(PROBLEM.replace(**{"data.targets": [1.0, 0.5, 1.0]}), 5)
    form = to_core(start)
    assert form["channel"] == [0, 1, 0]
    assert form["channels"][1]["series"]["test_loss"][-1] == start.channels[1].test_loss[-1]
    assert len(form["channels"]) == 2


def test_infinite_depth_goes_on_with_its_nodes() -> None:
    endless = lm.Problem(lm.ResNet(depth=float("inf")), lm.Population(), lm.SGD(lr=0.05))
    start = lm.solve(endless, 12)
    longer, whole = lm.solve(endless, 30, continue_from=start), lm.solve(endless, 30)
    assert len(longer.depth) == len(start.depth)
    np.testing.assert_allclose(longer.test_loss, whole.test_loss, rtol=1e-9)
    with pytest.raises(ValueError, match="^depth_nodes must be that of continue_from"):
        lm.solve(endless, 30, continue_from=start, depth_nodes=len(start.depth) + 1)


def test_a_schedule_may_grow() -> None:
    rates = [0.1 / (1 + t) for t in range(30)]
    start = lm.solve(PROBLEM.replace(**{"optimizer.lr": rates[:12]}), 12)
    longer = PROBLEM.replace(**{"optimizer.lr": rates})
    went_on = lm.solve(longer, 30, continue_from=start)
    np.testing.assert_allclose(went_on.test_loss, lm.solve(longer, 30).test_loss, rtol=1e-10)
    assert went_on.problem == longer
    other = PROBLEM.replace(**{"optimizer.lr": [0.2, *rates[1:]]})
    with pytest.raises(ValueError, match="^optimizer.lr must be that of continue_from"):
        lm.solve(other, 30, continue_from=start)


def test_a_constant_rate_is_a_schedule() -> None:
    start = lm.solve(PROBLEM, 12)
    warm = PROBLEM.replace(**{"optimizer.lr": [0.1] * 12 + [0.05] * 8})
    went_on = lm.solve(warm, 20, continue_from=start)
    np.testing.assert_allclose(went_on.test_loss, lm.solve(warm, 20).test_loss, rtol=1e-10)


@pytest.mark.parametrize("grid", GRIDS)
def test_it_goes_on_from_a_file(tmp_path: Path, grid: str) -> None:
    start = solved(grid, 30)
    start.save(tmp_path / "start.nc", state=True)
    loaded = lm.Solution.load(tmp_path / "start.nc")
    assert loaded.state.keys() == start.state.keys()
    expect_equal(solved(grid, 80, continue_from=loaded), solved(grid, 80, continue_from=start))


def test_flow_goes_on_whatever_its_rate() -> None:
    start = lm.flow(PROBLEM, 3.0)
    other = PROBLEM.replace(**{"optimizer.lr": 0.3})
    expect_equal(
        lm.flow(other, 9.0, continue_from=start), lm.flow(PROBLEM, 9.0, continue_from=start)
    )


def test_tolerances_are_those_of_the_start() -> None:
    start = lm.flow(PROBLEM, 3.0, rtol=1e-4, atol=1e-8)
    longer = lm.flow(PROBLEM, 9.0, continue_from=start)
    assert (longer.rtol, longer.atol) == (1e-4, 1e-8)
    with pytest.raises(ValueError, match="^rtol must be that of continue_from .0.0001., got 1e-06"):
        lm.flow(PROBLEM, 9.0, continue_from=start, rtol=1e-6)


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"network.width": 2.0}, "network.width must be that of continue_from \\(1.0\\), got 2.0"),
    ({"network.depth": 3}, "network.depth must be"),
    ({"data.noise": 0.2}, "data.noise must be"),
    ({"data": lm.Population(noise=0.3)}, "data.kind must be"),
    ({"optimizer.lr": 0.2}, "optimizer.lr must be"),
    ({"optimizer.momentum": 0.5}, "optimizer.momentum must be"),
    ({"optimizer.layer_lr": [1.0, 1.0, 2.0]}, "optimizer.layer_lr must be"),
]


@pytest.mark.parametrize(("changes", "reason"), CHANGES)
@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_other_problems_are_refused_by_name(
    grid: str, changes: dict[str, Any], reason: str
) -> None:
    start = solved(grid, 12)
    with pytest.raises(ValueError, match=f"^{reason}"):
        solved(grid, 30, PROBLEM.replace(**changes), continue_from=start)


@pytest.mark.parametrize("grid", GRIDS)
def test_other_grids_are_refused(grid: str) -> None:
    start = solved(grid, 12)
    for other in {*GRIDS} - {grid}:
        with pytest.raises(ValueError, match=f"^grid must be that of continue_from .'{grid}'"):
            solved(other, 30, continue_from=start)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("end", [12, 5])
def test_it_only_goes_forward(grid: str, end: float) -> None:
    start = solved(grid, 12)
    with pytest.raises(ValueError, match="^(steps|time) must be more than the 12 of continue_from"):
        solved(grid, end, continue_from=start)


def test_a_start_must_have_its_state() -> None:
    start = lm.solve(PROBLEM, 12, keep_state=False)
    for bare in (start, lm.solve(PROBLEM, 12).at(range(12))):
        with pytest.raises(ValueError, match="solve\\(..., keep_state=True\\)"):
            lm.solve(PROBLEM, 30, continue_from=bare)


def test_states_of_other_versions_are_refused() -> None:
    start = lm.solve(PROBLEM, 12)
    old = replace(start, state=State(start.state, version=STATE_VERSION + 1))
    with pytest.raises(ValueError, match="another version of lindmft cannot resume"):
        lm.solve(PROBLEM, 30, continue_from=old)


def test_diverged_starts_are_refused() -> None:
    unstable = PROBLEM.replace(**{"optimizer.lr": 1.5})
    with pytest.raises(ValueError, match="must be a solution that did not diverge"):
        lm.solve(unstable, 30, continue_from=lm.solve(unstable, 20))


@pytest.mark.parametrize("option", ["replicas", "kernels"])
def test_replicas_and_kernels_cannot_go_on(option: str) -> None:
    start = lm.solve(PROBLEM, 12)
    with pytest.raises(ValueError, match=f"^continue_from cannot be combined with {option}"):
        lm.solve(PROBLEM, 30, continue_from=start, **{option: True})


def test_a_state_is_kept_if_it_is_small_or_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lm.solve(PROBLEM, 12).state
    assert not lm.solve(PROBLEM, 12, keep_state=False).state
    assert not lm.solve(PROBLEM, 12, kernels=True).state
    monkeypatch.setattr("lindmft.theory.run.SMALL", 50)
    assert not lm.solve(PROBLEM, 12).state
    assert not lm.flow(PROBLEM, 12).state
    assert lm.solve(PROBLEM, 12, keep_state=True).state
    assert state.SMALL == 64 * 2**20


def test_a_state_stays_out_of_sight() -> None:
    start = lm.solve(PROBLEM, 12)
    assert "state" not in repr(start).lower()
    assert repr(start.state).startswith(f"<State of {len(start.state)} arrays")
    assert start.state_bytes == sum(array.nbytes for array in start.state.values())
