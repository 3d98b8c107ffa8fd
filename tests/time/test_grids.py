"""Coarse grids of times: their options, and the texts of their results."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
UNSTABLE = PROBLEM.replace(**{"optimizer.lr": 1.5})
ONLINE = PROBLEM.replace(data=lm.OnePass(alpha=1.0))


@pytest.fixture(scope="module")
def adaptive() -> lm.Solution:
    return lm.solve(PROBLEM, 10**6, grid="adaptive")


@pytest.fixture(scope="module")
def flow() -> lm.Solution:
    return lm.flow(PROBLEM, 1e6)


def test_exact_grids_have_every_step_and_no_panels() -> None:
    exact = lm.solve(PROBLEM, 7)
    assert (exact.grid, exact.rtol, exact.atol) == ("exact", None, None)
    assert exact.panels.tolist() == []
    np.testing.assert_array_equal(exact.time, np.arange(7))


def test_coarse_grids_say_what_they_are(adaptive: lm.Solution, flow: lm.Solution) -> None:
    assert (adaptive.grid, adaptive.rtol, adaptive.atol) == ("adaptive", 1e-6, 1e-10)
    assert flow.grid == "flow"
    for coarse, end in ((adaptive, 999_999), (flow, 1e6)):
        assert coarse.time[0] == 0.0
        assert coarse.time[-1] == end
        assert (np.diff(coarse.time) > 0).all()
        assert coarse.panels[0] == 0
        assert coarse.panels[-1] == len(coarse.time) == coarse.valid == coarse.stats.nodes
        assert 0 < coarse.stats.error_estimate < 1e-6
        assert coarse.test_loss[-1] == pytest.approx(0.09, rel=1e-6)  # sigma^2 / (alpha - 1)
        assert "error estimate" in coarse.status
    assert f"Solved 1000000 steps on {adaptive.valid} nodes" in repr(adaptive)
    assert "At t = 999999: test 0.09, train 0.045" in repr(adaptive)
    assert f"Solved gradient flow to time 1e+06 on {flow.valid} nodes" in repr(flow)


def test_tolerances_reach_the_solver() -> None:
    rough = lm.flow(PROBLEM, 100.0, rtol=1e-3, atol=1e-7)
    fine = lm.flow(PROBLEM, 100.0, rtol=1e-9, atol=1e-12)
    assert (rough.rtol, rough.atol) == (1e-3, 1e-7)
    assert fine.stats.error_estimate < 1e-9 < 1e-7 < rough.stats.error_estimate < 1e-3
    assert len(fine.time) > len(rough.time)


def test_flow_is_the_limit_of_small_steps_and_knows_no_rate() -> None:
    flow = lm.flow(PROBLEM, 0.5)
    np.testing.assert_array_equal(
        lm.flow(PROBLEM.replace(**{"optimizer.lr": 0.7}), 0.5).test_loss, flow.test_loss
    )
    differences = []
    for lr in (0.002, 0.001):
        steps = lm.solve(PROBLEM.replace(**{"optimizer.lr": lr}), round(0.5 / lr) + 1)
        differences.append(abs(steps.test_loss[-1] - flow.test_loss[-1]))
    assert differences[0] / differences[1] == pytest.approx(2.0, rel=0.02)  # first order in lr


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"grid": "coarse"}, "^grid must be 'exact' or 'adaptive', got 'coarse'"),
    ({"grid": "flow"}, "^grid must be"),
    ({"grid": 3}, "^grid must be"),
    ({"rtol": 1e-6}, "^rtol cannot be combined with an exact grid"),
    ({"atol": 0.0}, "^atol cannot be combined with an exact grid"),
    ({"grid": "adaptive", "rtol": "small"}, "^rtol must be between 1e-11 and 0.1"),
    ({"grid": "adaptive", "rtol": -1e-6}, "rtol"),
    ({"grid": "adaptive", "atol": -1.0}, "atol"),
    ({"grid": "adaptive", "rtol": math.nan}, "rtol"),
    ({"grid": "adaptive", "kernels": True}, "kernels"),
    ({"keep_state": 1}, "^keep_state must be true or false"),
    ({"keep_state": True, "kernels": True}, "^keep_state cannot be combined with kernels"),
    ({"keep_state": True, "saveat": [1]}, "^keep_state cannot be combined with saveat"),
    ({"saveat": [1, 30]}, "^saveat must be within \\[0, 29\\]"),
    ({"saveat": [0.5]}, "^saveat must be whole steps"),
    ({"saveat": [2, 1]}, "^saveat must be increasing"),
    ({"saveat": []}, "^saveat must be increasing, and at least one"),
    ({"checkpoint_every": 10}, "^checkpoint_every cannot be combined"),
    ({"checkpoint": "a.nc", "checkpoint_every": 0}, "^checkpoint_every must be at least 1"),
    ({"checkpoint": "a.nc", "checkpoint_every": 5, "grid": "adaptive"}, "^checkpoint_every cannot"),
    ({"checkpoint": "a.nc", "kernels": True}, "^checkpoint cannot be combined with"),
    (
        {"checkpoint": "a.nc", "continue_from": lm.solve(PROBLEM, 3)},
        "^continue_from cannot be combined with",
    ),
    ({"continue_from": "theory.nc"}, "^continue_from must be a Solution"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_what_does_not_fit_is_refused_by_name(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        lm.solve(PROBLEM, 30, **options)


@pytest.mark.parametrize("time", [0.0, -1.0, math.nan, math.inf, "1", True])
def test_times_of_flow_must_be_positive_numbers(time: Any) -> None:
    with pytest.raises(ValueError, match="^time must be"):
        lm.flow(PROBLEM, time)


def test_fresh_noise_needs_steps() -> None:
    with pytest.raises(ValueError, match="one_pass"):
        lm.flow(ONLINE, 10.0)


def test_divergence_on_a_coarse_grid_is_that_of_exact_steps() -> None:
    coarse = lm.solve(UNSTABLE, 1000, grid="adaptive", save="C_v")
    exact = lm.solve(UNSTABLE, 20)
    assert coarse.diverged_at == exact.diverged_at
    assert coarse.valid == exact.valid
    np.testing.assert_allclose(coarse.test_loss[: exact.valid], exact.test_loss[: exact.valid])
    assert np.isposinf(coarse.test_loss[coarse.valid :]).all()
    assert coarse.time[-1] == 999
    assert f"Diverged at step {exact.diverged_at} of 1000" in coarse.status
    assert coarse.C_v.shape == (coarse.valid, coarse.valid)


def test_pictures_have_a_logarithmic_axis_of_times(
    adaptive: lm.Solution, flow: lm.Solution, tmp_path: Path
) -> None:
    for theory, label in ((adaptive, "step t"), (flow, "time t, learning rate times steps")):
        ax = lm.plotting.losses(theory, Figure().subplots())
        assert ax.get_xscale() == "log"
        assert ax.get_xlabel() == label
        low, high = ax.get_xlim()
        assert 0 < low < theory.time[1]
        assert high > theory.time[-1]
        ax.figure.savefig(tmp_path / "losses.png")
    exact = lm.plotting.losses(lm.solve(PROBLEM, 50), Figure().subplots())
    assert exact.get_xscale() == "symlog"


def test_losses_that_vanish_can_be_drawn(tmp_path: Path) -> None:
    """The training loss falls to its rounding error if samples are fewer than dimensions."""
    few = PROBLEM.replace(data=lm.FullBatch(alpha=0.5))
    ax = lm.plotting.losses(lm.flow(few, 1e6), Figure().subplots())
    ax.figure.savefig(tmp_path / "losses.png")
    assert all(np.isfinite(text.xy).all() and text.xy[1] > 0 for text in ax.texts)


def test_profiles_are_drawn_at_times() -> None:
    theory = lm.flow(PROBLEM, 100.0)
    ax = lm.plotting.profile(theory, steps=[50.0, 0.25], ax=Figure().subplots())
    assert sorted(text.get_text() for text in ax.texts) == ["t = 0.25", "t = 50"]
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), theory.at(0.25).feature_norm[:, 0])
    with pytest.raises(ValueError, match="^steps must be times from 0 to 100"):
        lm.plotting.profile(theory, steps=[101])


def test_exponents_read_coarse_grids() -> None:
    lazy = lm.MLP(hidden=math.inf, gamma0=0.0)
    data = lm.Population(spectrum=lm.PowerLaw(capacity=2.0, source=1.5, modes=10**5))
    theory = lm.flow(lm.Problem(lazy, data, lm.SGD(lr=0.1)), 1e5)
    fit = lm.fit_exponent(theory, window=(1e2, 1e4))
    steps = lm.fit_exponent((theory.time[1:], theory.test_loss[1:]), window=(1e2, 1e4))
    assert fit.exponent == steps.exponent


def test_theory_on_a_coarse_grid_is_compared_at_the_steps_of_training() -> None:
    runs = lm.train(PROBLEM, 60, dim=64, seeds=4)
    coarse = lm.compare(lm.solve(PROBLEM, 60, grid="adaptive"), runs)
    exact = lm.compare(lm.solve(PROBLEM, 60), runs)
    np.testing.assert_array_equal(coarse.time, exact.time)
    np.testing.assert_allclose(coarse.test_loss.z, exact.test_loss.z, atol=1e-5)
    assert coarse.test_loss.worst_step == exact.test_loss.worst_step
    lm.plotting.compare(lm.solve(PROBLEM, 60, grid="adaptive"), runs, Figure().subplots())


def test_what_has_no_steps_in_common_is_not_compared() -> None:
    runs = lm.train(PROBLEM, 30, dim=16, seeds=2)
    with pytest.raises(ValueError, match="theory cannot be gradient flow"):
        lm.compare(lm.flow(PROBLEM, 3.0), runs)
    with pytest.raises(ValueError, match="^steps must be the same in theory and runs"):
        lm.compare(lm.solve(PROBLEM, 31, grid="adaptive"), runs)
    with pytest.raises(ValueError, match="^theory must have every step"):
        lm.compare(lm.solve(PROBLEM, 30, saveat=[0, 29]), runs)


def test_the_page_on_time_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    page = (Path(__file__).parents[2] / "docs" / "time.md").read_text()
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE):
        exec(compile(block, "docs/time.md", "exec"), names)
    assert names["longer"].time[-1] == 1e7
