"""The threshold of stability, and what is said of solutions that pass through unstable steps."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft import _core
from lindmft.cli.commands import commands

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
SEVERAL = PROBLEM.replace({"data.targets": [1.0, 0.5]})
STEPS = 6
UNSTABLE, UNPREDICTABLE = {"unstable_at": 2.5}, {"predictable_until": 4.0}
Found = dict[str, float]


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch) -> Callable[[Found], None]:
    """Make the core find these times, in all problems with this learning rate."""

    def install(found: Found) -> None:
        for name in ("solve", "flow", "solve_many", "flow_many"):
            compute = getattr(_core, name)

            def changed(*given: Any, compute: Any = compute, **more: Any) -> Any:
                result = compute(*given, **more)
                for one in result[1:] if isinstance(result, list) else [result]:
                    one.update(found)
                return result

            monkeypatch.setattr(_core, name, changed)

    return install


# ---- the threshold


@pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0.0, False), (0.5, False), (0.9, False), (0.5, True), (0.9, True)]
)
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_threshold_is_where_the_iteration_of_a_mode_grows(
    momentum: float, nesterov: bool, decay: float
) -> None:
    """The largest multiplier of PyTorch's update of a weight with gradient (x + decay) w."""
    rate = 0.2
    sgd = lm.SGD(lr=rate, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    limit = lm.stability_threshold(sgd) / rate

    def growth(x: float) -> float:
        weight, buffer = np.eye(2)
        gradient = (x + decay) * weight
        buffer = momentum * buffer + gradient
        step = gradient + momentum * buffer if nesterov else buffer
        update = np.array([weight - rate * step, buffer])
        return float(np.abs(np.linalg.eigvals(update)).max())

    assert growth(0.999 * limit) < 1.0 < growth(1.001 * limit)


def test_the_threshold_counts_the_learning_rate_of_its_step() -> None:
    sgd = lm.SGD(lr=[0.1, 0.4], weight_decay=0.5)
    assert lm.stability_threshold(sgd) == lm.stability_threshold(sgd, 0) == 1.95
    assert lm.stability_threshold(sgd, step=1) == 1.8
    constant = lm.SGD(lr=0.1, weight_decay=0.5)
    assert lm.stability_threshold(constant, 10**6) == 1.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((lm.SGD(lr=[0.1, 0.2]), 2), "^step must be from 0 to 1, the steps of optimizer.lr, got 2"),
        ((lm.SGD(lr=0.1), -1), "^step must be 0, 1, ..., got -1"),
        ((lm.SGD(lr=0.1), 0.5), "^step must be a whole number, got 0.5"),
        ((PROBLEM,), "^optimizer must be an SGD, got 'Problem'"),
        ((0.1,), "^optimizer must be an SGD, got 0.1"),
    ],
)
def test_bad_arguments_of_the_threshold_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        lm.stability_threshold(*arguments)


# ---- sentences and warnings


BRANCH = (
    "Learning rate times sharpness exceeds the threshold of stability from step 2.5 on, and the "
    "coarse grid follows the unstable branch, which exact steps and networks leave. Use the losses "
    'before, solve with grid="exact" or beyond_edge="steps", or lower optimizer.lr (now 0.1).'
)
RESOLVED = (
    "Learning rate times sharpness exceeds the threshold of stability from step 2.5 on. There "
    "every step is solved, but unstable modes start from the tolerance of the panels before, so "
    "that this is one possible continuation. Use the losses before, or lower optimizer.lr (now "
    "0.1)."
)
EXCEEDS = (
    "Learning rate times sharpness exceeds the threshold of stability from step 2.5 on, where "
    "small deviations grow."
)
ROUNDING = (
    "After step 4 the losses follow rounding errors, which an instability amplifies: no single "
    "curve is the prediction there, and networks leave it earlier, by fluctuations of order "
    "1/sqrt(D). Use the losses up to there, or lower optimizer.lr (now 0.1)."
)


@pytest.mark.parametrize(
    ("grid", "found", "text"),
    [
        ("adaptive", UNSTABLE, BRANCH),
        ("exact", UNPREDICTABLE, ROUNDING),
        ("exact", UNSTABLE | UNPREDICTABLE, f"{EXCEEDS} {ROUNDING}"),
        ("adaptive", UNSTABLE | {"predictable_until": 2.5}, RESOLVED),
        ("adaptive", UNSTABLE | UNPREDICTABLE, f"{BRANCH} {ROUNDING}"),
        ("adaptive", UNPREDICTABLE, ROUNDING),
    ],
)
def test_solve_warns_and_the_status_says_the_same(
    finding: Any, grid: str, found: Found, text: str
) -> None:
    finding(found)
    with pytest.warns(lm.StabilityWarning) as caught:
        theory = lm.solve(PROBLEM, STEPS, grid=grid)
    (warning,) = caught
    assert str(warning.message) == text
    assert warning.filename == __file__
    assert {name: getattr(theory, name) for name in found} == found
    assert theory.status.endswith(f". {text}")
    assert text in repr(theory)


def test_usual_solutions_have_no_such_times() -> None:
    for theory in (lm.solve(PROBLEM, STEPS), lm.flow(PROBLEM, 1.0), *lm.solve_many([PROBLEM], 3)):
        assert theory.unstable_at is None
        assert theory.predictable_until is None
        assert "stab" not in theory.status


def test_large_steps_are_written_out(finding: Any) -> None:
    finding({"unstable_at": 12345678.0})
    with pytest.warns(lm.StabilityWarning, match="from step 12345678 on, "):
        lm.solve(PROBLEM, STEPS)


def test_flows_count_in_time(finding: Any) -> None:
    finding({"predictable_until": 0.25})
    with pytest.warns(lm.StabilityWarning, match=r"^After time 0\.25 the losses"):
        assert "After time 0.25 the losses" in lm.flow(PROBLEM, 1.0).status


@pytest.mark.parametrize("call", [lm.solve_many, lm.flow_many])
def test_many_problems_are_warned_of_once(finding: Any, call: Any) -> None:
    finding(UNPREDICTABLE)
    with pytest.warns(lm.StabilityWarning) as caught:
        found = call([PROBLEM] * 3, STEPS)
    (warning,) = caught
    assert str(warning.message).endswith("(now 0.1). (First at problems[1].)")
    assert warning.filename == __file__
    assert [one.predictable_until for one in found] == [None, 4.0, 4.0]


def test_sweeps_and_searches_do_not_warn(finding: Any) -> None:
    finding(UNPREDICTABLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lm.sweep(PROBLEM, {"optimizer.lr": [0.05, 0.1]}, 3, threads=1)
        lm.largest_stable_lr(PROBLEM, 3)


def test_failures_among_many_are_no_solutions(finding: Any) -> None:
    from lindmft.results.stability import warn_of_instability_among

    theory = replace(lm.solve(PROBLEM, 3), unstable_at=1.0)
    with pytest.warns(lm.StabilityWarning, match=r"problems\[1\]"):
        _passed_on(lambda: warn_of_instability_among([ValueError("lost"), theory]))


def _passed_on(call: Callable[[], None]) -> None:
    call()


# ---- files, continuing, commands


def test_the_times_survive_a_file(tmp_path: Path) -> None:
    theory = replace(lm.solve(PROBLEM, STEPS), **UNSTABLE, **UNPREDICTABLE)
    theory.save(tmp_path / "theory.nc")
    dataset = theory.to_xarray()
    assert (dataset.attrs["unstable_at"], dataset.attrs["predictable_until"]) == (2.5, 4.0)
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    assert (loaded.unstable_at, loaded.predictable_until) == (2.5, 4.0)
    assert loaded.status == theory.status
    assert theory.at([0, 3]).unstable_at == 2.5


def test_files_without_the_times_read_as_none(tmp_path: Path) -> None:
    theory = lm.solve(PROBLEM, STEPS)
    assert not {"unstable_at", "predictable_until"} & set(theory.to_xarray().attrs)
    theory.save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    assert loaded.unstable_at is loaded.predictable_until is None


def test_the_times_of_channels_survive_a_file(tmp_path: Path) -> None:
    theory = lm.solve(SEVERAL, STEPS)
    changed = replace(theory.channels[1], **UNSTABLE)
    replace(theory, channels=(theory.channels[0], changed)).save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    assert [channel.unstable_at for channel in loaded.channels] == [None, 2.5]


@pytest.mark.parametrize("value", [-1.0, np.inf, np.nan, "soon"])
def test_bad_times_in_a_file_are_refused_by_name(tmp_path: Path, value: Any) -> None:
    from lindmft.results import netcdf

    dataset = lm.solve(PROBLEM, STEPS).to_xarray().assign_attrs(unstable_at=value)
    netcdf.write(dataset, tmp_path / "theory.nc")
    with pytest.raises(ValueError, match="unstable_at must be"):
        lm.Solution.load(tmp_path / "theory.nc")


def test_a_start_hands_its_times_on_to_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    compute = _core.solve

    def seen(*arguments: Any, continue_from: Any, **more: Any) -> Any:
        given.append(continue_from)
        return compute(*arguments, continue_from=continue_from, **more)

    start = replace(lm.solve(PROBLEM, STEPS, keep_state=True), **UNSTABLE)
    monkeypatch.setattr(_core, "solve", seen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lm.StabilityWarning)
        lm.solve(PROBLEM, 2 * STEPS, continue_from=start)
    assert given[0]["unstable_at"] == 2.5
    assert given[0]["predictable_until"] is None
    with pytest.raises(lm.BadInput, match=r"^continue_from\.unstable_at must be"):
        lm.solve(PROBLEM, 2 * STEPS, continue_from=replace(start, unstable_at="soon"))


@pytest.mark.filterwarnings("default::lindmft.StabilityWarning")
def test_commands_print_the_warning_in_their_words(finding: Any, tmp_path: Path) -> None:
    finding(UNSTABLE)
    PROBLEM.to_toml(tmp_path / "problem.toml")
    output = tmp_path / "theory.nc"
    arguments = ["solve", tmp_path / "problem.toml", "--steps", STEPS, "--output", output]
    done = CliRunner().invoke(commands, [*map(str, arguments), "--grid", "adaptive"])
    assert done.exit_code == 0, done.output
    text = BRANCH.replace('grid="exact"', "--grid exact")
    text = text.replace('beyond_edge="steps"', "--beyond-edge steps")
    assert f"Warning: {text}" in done.stderr
    assert "threshold of stability from step 2.5 on" in done.stdout
    shown = CliRunner().invoke(commands, ["show", str(output)])
    assert BRANCH in shown.stdout
