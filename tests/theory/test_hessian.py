"""The spectrum of the Hessian along the theory: how calls ask for it, and what they return."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft import _core
from lindmft.cli.commands import commands
from lindmft.results import HessianSpectrum
from lindmft.results.observables import SPECTRUM

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
SEVERAL = PROBLEM.replace({"data.targets": [1.0, 0.5]})
UNSTABLE = PROBLEM.replace({"optimizer.lr": 1.0})
STEPS, ASKED = 12, {"spectrum_at": [11, 0, 5.0, 0], "lanczos": 6}


def assert_same(found: HessianSpectrum, expected: HessianSpectrum, rtol: float = 0.0) -> None:
    for name, values in vars(expected).items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=rtol, err_msg=name)


CALLS: dict[str, Any] = {
    "exact": lambda: lm.solve(PROBLEM, STEPS, **ASKED),
    "adaptive": lambda: lm.solve(PROBLEM, STEPS, grid="adaptive", **ASKED),
    "flow": lambda: lm.flow(PROBLEM, 11.0, **ASKED),
    "channel": lambda: lm.solve(SEVERAL, STEPS, **ASKED).channels[1],
}


@pytest.mark.parametrize("name", CALLS)
def test_the_spectrum_has_the_times_in_order(name: str) -> None:
    spectrum = CALLS[name]().spectrum
    assert spectrum.time.tolist() == [0.0, 5.0, 11.0]
    for one in SPECTRUM.values():
        shape = one.shape({"spectrum_time": 3, "ritz": 6})
        assert getattr(spectrum, one.name).shape == shape, one.name
    for start in ("target", "random"):
        ritz, weight = getattr(spectrum, f"{start}_ritz"), getattr(spectrum, f"{start}_weight")
        assert (np.diff(ritz) < 0).all()
        assert (ritz > 0).all()
        np.testing.assert_allclose(weight.sum(axis=1), 1.0, rtol=1e-9)
        assert (spectrum.sharpness >= ritz[:, 0] * (1 - 1e-9)).all()
    assert (spectrum.bulk_edge_error >= 0).all()
    assert (spectrum.sharpness_error >= 0).all()


def test_the_core_has_the_arrays_of_the_table() -> None:
    options = _core.SolveOptions(spectrum_at=[1.0], lanczos=4)
    found: Any = _core.solve(PROBLEM.as_core(), 2, options)
    assert set(found["spectrum"]) == {"spectrum_time", *SPECTRUM}


def test_the_number_of_steps_of_the_method_has_a_default() -> None:
    assert lm.solve(PROBLEM, 3, spectrum_at=2).spectrum.lanczos == 24


def test_losses_do_not_depend_on_the_spectrum() -> None:
    plain = lm.solve(PROBLEM, STEPS)
    np.testing.assert_array_equal(lm.solve(PROBLEM, STEPS, **ASKED).test_loss, plain.test_loss)


@pytest.mark.parametrize("call", ["solve", "flow"])
def test_many_problems_have_the_same_spectra(call: str) -> None:
    one, many = getattr(lm, call), getattr(lm, f"{call}_many")
    found = many([PROBLEM, SEVERAL], 12, **ASKED)
    assert_same(found[0].spectrum, one(PROBLEM, 12, **ASKED).spectrum)
    assert_same(found[1].channels[1].spectrum, one(SEVERAL, 12, **ASKED).channels[1].spectrum)


LATE: dict[str, Any] = {
    "solve": lambda: lm.solve(PROBLEM, STEPS, spectrum_at=[0, STEPS]),
    "solve_many": lambda: lm.solve_many([PROBLEM], STEPS, spectrum_at=STEPS),
    "check_solve": lambda: lm.check_solve(PROBLEM, STEPS, spectrum_at=STEPS),
    "check_flow": lambda: lm.check_flow(PROBLEM, 2.0, spectrum_at=2.5),
    "flow": lambda: lm.flow(PROBLEM, 2.0, spectrum_at=2.5),
}


@pytest.mark.parametrize("name", LATE)
def test_times_past_the_end_are_refused(name: str) -> None:
    with pytest.raises(lm.BadInput, match="^(problems.0.: )?spectrum_at must be") as refused:
        LATE[name]()
    assert refused.value.field == "spectrum_at"


# ---- continuing and checkpoints


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_a_continued_solution_has_the_spectra_of_all_steps(grid: str) -> None:
    start = lm.solve(PROBLEM, 150, grid=grid, keep_state=True)
    asked = {"spectrum_at": [10, 180], "lanczos": 6}
    found = lm.solve(PROBLEM, 200, grid=grid, continue_from=start, **asked)
    plain = lm.solve(PROBLEM, 200, grid=grid, **asked)
    assert_same(found.spectrum, plain.spectrum, rtol=1e-4 if grid == "adaptive" else 1e-7)


@pytest.mark.parametrize("problem", [PROBLEM, SEVERAL], ids=["one", "several"])
def test_a_checkpoint_has_the_spectrum_of_an_uninterrupted_run(
    tmp_path: Path, problem: lm.Problem
) -> None:
    asked = {"spectrum_at": [10, 249], "lanczos": 6}
    plain = lm.solve(problem, 250, **asked)
    for _ in range(2):  # computed, and read back
        found = lm.solve(problem, 250, checkpoint=tmp_path / "run.nc", **asked)
        assert found.has("spectrum")
        parts = zip(found.channels or [found], plain.channels or [plain], strict=True)
        for mine, theirs in parts:
            assert_same(mine.spectrum, theirs.spectrum, rtol=1e-7)


def test_a_finished_checkpoint_with_other_spectra_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    lm.solve(PROBLEM, 120, checkpoint=path)
    with pytest.raises(lm.BadInput, match=r"^spectrum_at must be among what .*, got \(5\.0,\)"):
        lm.solve(PROBLEM, 120, checkpoint=path, spectrum_at=5)
    path.unlink()
    lm.solve(PROBLEM, 120, checkpoint=path, spectrum_at=5, lanczos=4)
    with pytest.raises(lm.BadInput, match=r"^spectrum_at must be among what"):
        lm.solve(PROBLEM, 120, checkpoint=path, spectrum_at=6, lanczos=4)
    with pytest.raises(lm.BadInput, match=r"^lanczos must be among what .*, got 5"):
        lm.solve(PROBLEM, 120, checkpoint=path, spectrum_at=5, lanczos=5)
    assert lm.solve(PROBLEM, 120, checkpoint=path).has("spectrum")


def test_a_checkpoint_that_diverged_in_a_segment_has_what_was_asked_for(tmp_path: Path) -> None:
    asked: Any = {"spectrum_at": [0, 1], "lanczos": 4, "save": ["C_v"]}
    plain = lm.solve(UNSTABLE, 3000, **asked)
    assert plain.diverged_at is not None
    assert plain.diverged_at < 100
    for _ in range(2):  # computed, and read back
        found = lm.solve(UNSTABLE, 3000, checkpoint=tmp_path / "lost.nc", **asked)
        assert_same(found.spectrum, plain.spectrum)
        np.testing.assert_array_equal(found.C_v, plain.C_v)


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_spectra_past_a_divergence_are_infinite(tmp_path: Path, grid: str) -> None:
    for times in ([0, 200, 299], [299]):
        theory = lm.solve(UNSTABLE, 300, grid=grid, spectrum_at=times, lanczos=4)
        assert theory.diverged_at is not None
        assert theory.diverged_at < 200
        assert theory.spectrum.time.tolist() == times
        for one in SPECTRUM.values():
            values = getattr(theory.spectrum, one.name)
            assert values.shape == one.shape({"spectrum_time": len(times), "ritz": 4})
            assert np.isposinf(values[-2:] if len(times) > 1 else values).all()
            assert len(times) == 1 or np.isfinite(values[0]).all()
        theory.save(tmp_path / "theory.nc")
        assert_same(lm.Solution.load(tmp_path / "theory.nc").spectrum, theory.spectrum)


def test_a_channel_that_diverged_has_the_same_times(tmp_path: Path) -> None:
    several = PROBLEM.replace({"data.targets": [0.05, 20.0]})
    theory = lm.solve(several, 250, spectrum_at=[0, 249], lanczos=4)
    assert [channel.diverged_at is None for channel in theory.channels] == [True, False]
    assert np.isfinite(theory.channels[0].spectrum.sharpness).all()
    assert np.isposinf(theory.channels[1].spectrum.sharpness).tolist() == [False, True]
    theory.save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    for mine, theirs in zip(loaded.channels, theory.channels, strict=True):
        assert_same(mine.spectrum, theirs.spectrum)


# ---- files and commands


@pytest.mark.parametrize("problem", [PROBLEM, SEVERAL], ids=["one", "several"])
def test_a_computed_spectrum_survives_a_file(tmp_path: Path, problem: lm.Problem) -> None:
    theory = lm.solve(problem, STEPS, **ASKED)
    theory.save(tmp_path / "theory.nc")
    loaded = lm.Solution.load(tmp_path / "theory.nc")
    parts = zip(loaded.channels or [loaded], theory.channels or [theory], strict=True)
    for mine, theirs in parts:
        assert_same(mine.spectrum, theirs.spectrum)


def test_commands_print_the_sharpness(tmp_path: Path) -> None:
    PROBLEM.to_toml(tmp_path / "problem.toml")
    output = tmp_path / "theory.nc"
    asked = ["--spectrum-at", "0,11", "--lanczos", 6, "--output", output]
    done = run("solve", tmp_path / "problem.toml", "--steps", STEPS, *asked)
    assert done.exit_code == 0, done.output
    theory = lm.Solution.load(output)
    for text in (done.stdout, run("show", output).stdout):
        rows = table_below(text, "lr*sharpness")
        found = theory.spectrum
        assert [row[0] for row in rows] == ["0", "11"]
        expected = (found.sharpness, found.sharpness_error, found.bulk_edge, 0.05 * found.sharpness)
        for row, *values in zip(rows, *expected, strict=True):
            assert row[1:5] == [f"{value:.6g}" for value in values]
            assert row[5] == "2"
    flow = run("flow", tmp_path / "problem.toml", "--time", 3, "--spectrum-at", 1.5)
    ((time, *_),) = table_below(flow.stdout, "bulk edge")
    assert time == "1.5"
    assert "lr*sharpness" not in flow.stdout


def run(*arguments: object) -> Any:
    return CliRunner().invoke(commands, list(map(str, arguments)))


def table_below(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows of numbers below the line with a heading."""
    lines = text.splitlines()
    (head,) = [i for i, line in enumerate(lines) if heading in line]
    rows = []
    for line in lines[head + 1 :]:
        if not line.startswith(" "):
            break
        rows.append(line.split())
    return rows
