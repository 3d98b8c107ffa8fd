"""The commands for long times: flow, adaptive steps, checkpoints."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.cli.report import round_times

PROBLEM = """\
[network]
kind = "mlp"
depth = 2

[data]
kind = "full_batch"
alpha = 2.0
noise = 0.3

[optimizer]
lr = 0.05
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "problem.toml"
    path.write_text(PROBLEM)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


def table(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()[2:]]
    return [row for row in rows if row[0] != "wrote"]


def test_flow_prints_losses_at_round_times(file: Path) -> None:
    result = run("flow", file, "--time", "1e6")
    (unit, *_), *rows = table(result)
    assert unit == "time"
    assert "Solved gradient flow to time 1e+06 on" in result.output
    times = [float(row[0]) for row in rows]
    assert times[:5] == [0.0, 0.1, 0.2, 0.5, 1.0]
    assert times[-2:] == [5e5, 1e6]
    theory = lm.flow(lm.Problem.from_toml(file), 1e6).at(times)
    np.testing.assert_allclose([float(row[1]) for row in rows], theory.test_loss, rtol=1e-5)
    np.testing.assert_allclose([float(row[2]) for row in rows], theory.train_loss, rtol=1e-5)


def test_adaptive_steps_print_losses_at_round_steps(file: Path) -> None:
    result = run("solve", file, "--grid", "adaptive", "--steps", 1000000, "--rtol", "1e-7")
    (unit, *_), *rows = table(result)
    assert unit == "step"
    assert "Solved 1000000 steps on" in result.output
    steps = [int(row[0]) for row in rows]
    assert steps == [0, *(d * 10**p for p in range(6) for d in (1, 2, 5)), 999_999]
    exact = lm.solve(lm.Problem.from_toml(file), 201)
    for step, test, _ in rows[:8]:
        assert float(test) == pytest.approx(exact.test_loss[int(step)], rel=1e-5)


def test_flow_writes_what_was_asked_for(file: Path, tmp_path: Path) -> None:
    output, picture = tmp_path / "flow.nc", tmp_path / "losses.png"
    options = ["--rtol", "1e-4", "--atol", "1e-8", "--save", "C_v", "--threads", 1]
    table(run("flow", file, "--time", 20, *options, "--output", output, "--picture", picture))
    theory = lm.Solution.load(output)
    assert (theory.grid, theory.rtol, theory.atol) == ("flow", 1e-4, 1e-8)
    assert theory.time[-1] == 20.0
    assert theory.has("C_v")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_time_may_stand_in_the_file(file: Path) -> None:
    file.write_text(PROBLEM + "\n[run]\ntime = 3.5\nsteps = 4\n")
    assert float(table(run("flow", file))[-1][0]) == 3.5
    assert float(table(run("flow", file, "--time", 7))[-1][0]) == 7.0
    assert table(run("solve", file))[-1][0] == "3"


@pytest.mark.long
def test_a_checkpoint_is_gone_on_from(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    first = table(run("solve", file, "--steps", 150, "--checkpoint", path))
    assert len(lm.Solution.load(path).time) == 150
    longer = table(
        run("solve", file, "--steps", 230, "--checkpoint", path, "--checkpoint-every", 50)
    )
    assert len(lm.Solution.load(path).time) == 230
    assert longer[:9] == first[:9]
    refused = run("solve", file, "--steps", 100, "--checkpoint", path)
    assert refused.exit_code == 2
    assert "steps must be at least the 230 of the checkpoint" in refused.stderr
    table(run("flow", file, "--time", 12, "--checkpoint", tmp_path / "flow.nc"))
    assert lm.Solution.load(tmp_path / "flow.nc").time[-1] == 12.0


REFUSED = [
    (["flow"], "run.time is missing: give it in the file, or as --time"),
    (["flow", "--time", "-1"], "time must be"),
    (["flow", "--time", "soon"], "not a valid float"),
    (["solve", "--steps", "9", "--rtol", "1e-3"], "rtol cannot be combined with an exact grid"),
    (["solve", "--steps", "9", "--grid", "coarse"], "is not one of 'exact', 'adaptive'"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(
    file: Path, arguments: list[str], reason: str
) -> None:
    command, *options = arguments
    result = run(command, file, *options)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_help_shows_the_commands() -> None:
    assert "flow" in run("--help").output
    assert "lindmft flow problem.toml --time 1e6" in run("flow", "-h").output
    assert "--grid adaptive" in run("solve", "-h").output


@pytest.mark.parametrize("end", [1e-4, 0.3, 1.0, 7.0, 1e3, 1e6])
def test_round_times_run_from_zero_to_the_end(end: float) -> None:
    times = round_times(end)
    assert times[0] == 0.0
    assert times[-1] == end
    assert times == sorted(set(times))
    assert 0 < times[1] <= end / 10
