"""The commands: their output, their files, and their refusals."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lindmft as lm
from lindmft import cli, progress
from lindmft.cli import demo
from lindmft.cli.commands import commands
from lindmft.cli.messages import for_other_commands
from lindmft.cli.report import round_steps

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
RUN = "\n[run]\nsteps = 15\ndim = 24\nseeds = 5\nseed = 3\n"
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "problem.toml"
    path.write_text(PROBLEM + RUN)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


def refusal(*arguments: object) -> str:
    """Return the one line on standard error of a command that is refused."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("Error: ")
    return lines[-1]


def test_names_that_the_system_does_not_allow_are_refused(file: Path, tmp_path: Path) -> None:
    name = "x" * 1000
    for option, ending in (("--output", ".nc"), ("--picture", ".png")):
        assert "must have a shorter name" in refusal(
            "solve", file, option, tmp_path / (name + ending)
        )


def test_what_does_not_exist_is_printed_as_a_dash(tmp_path: Path) -> None:
    """The kernel in the direction of the target does not exist without a target."""
    path = tmp_path / "nothing.toml"
    spectrum = "eigenvalues = [1.0]\ntarget_power = [0.0]\nweights = [1.0]\n"
    path.write_text(PROBLEM + f'\n[data.spectrum]\nkind = "discrete"\n{spectrum}' + RUN)
    for command in ("solve", "train"):
        result = run(command, path, "--kernels")
        assert result.exit_code == 0
        rows = [line.split() for line in result.output.splitlines()]
        start = rows.index(["step", "test", "loss", "train", "loss", "kernel", "on", "target"])
        assert {row[-1] for row in rows[start + 1 :]} == {"-"}
        assert "nan" not in result.output


def test_solve_prints_the_losses(file: Path) -> None:
    result = run("solve", file)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Solved 15 steps" in result.output
    rows = [line.split() for line in result.output.splitlines()[3:]]
    assert [int(row[0]) for row in rows] == [0, 1, 2, 5, 10, 14]
    theory = lm.solve(lm.Problem.from_toml(file), 15)
    assert float(rows[-1][1]) == pytest.approx(theory.test_loss[-1], rel=1e-5)
    assert float(rows[-1][2]) == pytest.approx(theory.train_loss[-1], rel=1e-5)


def test_solve_writes_what_was_asked_for(file: Path, tmp_path: Path) -> None:
    output, picture = tmp_path / "theory.nc", tmp_path / "losses.png"
    options = ["--steps", 9, "--save", "C_h", "--save", "C_v", "--threads", 1]
    result = run("solve", file, *options, "--output", output, "--picture", picture)
    assert result.exit_code == 0
    theory = lm.Solution.load(output)
    assert len(theory.time) == 9
    assert theory.has("C_h")
    assert theory.has("C_v")
    assert not theory.has("C_g")
    assert theory.stats.threads == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"wrote {output}" in result.output
    assert f"wrote {picture}" in result.output


def test_train_takes_the_run_table_and_options_over_it(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "runs.nc"
    assert run("train", file, "--output", output).exit_code == 0
    runs = lm.Ensemble.load(output)
    stream = tuple(range(3 * 2**32, 3 * 2**32 + 5))
    assert (runs.dim, runs.seeds, len(runs.time)) == (24, stream, 15)
    options = ["--steps", 4, "--dim", 16, "--seeds", 2, "--seed", 9, "--force"]
    assert run("train", file, *options, "--output", output).exit_code == 0
    runs = lm.Ensemble.load(output)
    assert (runs.dim, runs.seeds, len(runs.time)) == (16, (9 * 2**32, 9 * 2**32 + 1), 4)


def test_compare_takes_the_files_in_any_order(file: Path, tmp_path: Path) -> None:
    theory, runs, picture = tmp_path / "theory.nc", tmp_path / "runs.nc", tmp_path / "both.svg"
    run("solve", file, "--output", theory)
    run("train", file, "--output", runs)
    result = run("compare", runs, theory, "--picture", picture)
    assert result.exit_code == 0
    expected = lm.compare(lm.Solution.load(theory), lm.Ensemble.load(runs)).summary()
    expected = for_other_commands(expected)
    assert expected in result.output
    assert "<svg" in picture.read_text()
    assert run("compare", theory, runs).output == expected + "\n"


def test_existing_files_are_kept_without_force(file: Path, tmp_path: Path) -> None:
    for option, name in (("--output", "theory.nc"), ("--picture", "losses.png")):
        path = tmp_path / name
        path.write_text("precious")
        assert f"{path} exists; --force replaces it (it is not" in refusal(
            "solve", file, option, path
        )
        assert f"{path} exists" in refusal("train", file, option, path)
        assert path.read_text() == "precious"
        assert run("solve", file, option, path, "--force").exit_code == 0
        assert path.read_bytes() != b"precious"


def test_results_replace_earlier_ones_of_their_kind(file: Path, tmp_path: Path) -> None:
    theory, picture = tmp_path / "theory.nc", tmp_path / "losses.svg"
    for steps in (4, 6):
        done = run("solve", file, "--steps", steps, "--output", theory, "--picture", picture)
        assert done.exit_code == 0, done.output
        assert len(lm.Solution.load(theory).time) == steps
        assert f"wrote {theory} (" in done.output
        assert "MiB of it the state with which it can be continued" in done.output
    message = refusal("train", file, "--output", theory)
    assert f"{theory} exists; --force replaces it (it is lindmft-solution" in message
    assert "an earlier lindmft-ensemble is replaced" in message


def test_outputs_of_unknown_endings_are_refused_before_the_work(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lindmft.cli.solve.solve", lambda *_a, **_k: pytest.fail("worked"))
    monkeypatch.setattr("lindmft.cli.train.train", lambda *_a, **_k: pytest.fail("worked"))
    allowed = "'.nc', '.nc4', '.h5' or '.hdf5'"
    for command in ("solve", "train"):
        message = refusal(command, file, "--output", tmp_path / "x.csv")
        assert f"--output must be a file ending in {allowed}" in message


def test_outputs_that_cannot_be_written_are_refused_before_the_work(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lindmft.cli.solve.solve", lambda *_a, **_k: pytest.fail("worked"))
    assert "folder that exists" in refusal("solve", file, "--output", tmp_path / "no" / "t.nc")
    assert "'.png', '.pdf' or '.svg'" in refusal("solve", file, "--picture", tmp_path / "a.jpeg2")


BROKEN = [
    (PROBLEM.replace("alpha = 2.0", "alpha = -2.0"), "data.alpha must be positive"),
    (PROBLEM.replace("depth", "dephts"), "did you mean 'depth'?"),
    (PROBLEM.replace('"mlp"', '"cnn"'), "network.kind must be 'mlp' or 'resnet', got 'cnn'"),
    (PROBLEM.replace("[optimizer]\nlr = 0.05", ""), "optimizer is missing"),
    (PROBLEM + "[run]\nstep = 3\n", "did you mean 'steps'?"),
    (PROBLEM + "[run]\nsteps = 0\n", "steps must be at least 1"),
    (PROBLEM + "[run]\nsteps = 2.5\n", "steps must be a whole number, got 2.5"),
    ("run = 3\n" + PROBLEM, "run must be a table, got 3"),
    (PROBLEM, "run.steps is missing: give it in the file, or as --steps"),
    ("lr = ", "must be a TOML file"),
    ("\xff", "must be a TOML file"),
]


@pytest.mark.parametrize(("content", "reason"), BROKEN)
def test_bad_problem_files_are_refused_in_one_line(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "problem.toml"
    path.write_text(content, encoding="latin-1")
    for command in ("solve", "train"):
        assert reason in refusal(command, path)


def test_bad_arguments_are_refused_in_one_line(file: Path, tmp_path: Path) -> None:
    assert "absent.toml: No such file" in refusal("solve", tmp_path / "absent.toml")
    assert f"{tmp_path}: Is a directory" in refusal("solve", tmp_path)
    assert "save must be among" in refusal("solve", file, "--save", "C_x")
    assert "dim must be at least 1" in refusal("train", file, "--dim", 0)
    assert "seeds must be from 1 to 1000000 networks" in refusal("train", file, "--seeds", 0)
    assert "threads must be" in refusal("solve", file, "--threads", -1)
    assert "No such option" in refusal("solve", file, "--step", 3)
    assert "'--steps': must be a whole number such as 1000 or 1e6, got 'many'" in refusal(
        "solve", file, "--steps", "many"
    )
    assert "absent.nc" in refusal("compare", tmp_path / "absent.nc", file)
    assert "cannot be read" in refusal("compare", file, file)


def test_two_files_of_a_kind_are_no_pair(file: Path, tmp_path: Path) -> None:
    theory = tmp_path / "theory.nc"
    run("solve", file, "--output", theory)
    assert "got two of the kind lindmft-solution" in refusal("compare", theory, theory)


def test_too_much_memory_is_refused_in_one_line(file: Path) -> None:
    assert "bytes" in refusal("solve", file, "--steps", 10**6, "--save", "all")


def test_help_shows_every_command_with_an_example() -> None:
    overview = run("--help").output
    for command in ("demo", "solve", "train", "compare", "info"):
        assert command in overview
        assert run(command, "-h").exit_code == 0
    for command in ("solve", "train", "compare"):
        assert f"lindmft {command} " in run(command, "--help").output
    assert lm.__version__ in run("--version").output


def test_info_prints_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    lm.show_config()
    assert run("info").output == capsys.readouterr().out


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_examples_run(example: Path) -> None:
    assert run("solve", example, "--steps", 5).exit_code == 0
    trained = run("train", example, "--steps", 5, "--dim", 20, "--seeds", 2)
    if example.name == "deep.toml":  # infinite depth
        assert trained.exit_code == 2
        assert "network.depth must be finite to train networks, got inf" in trained.output
    else:
        assert trained.exit_code == 0


def test_demo_draws_and_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = demo.cases
    monkeypatch.setattr(demo, "cases", lambda **options: small(steps=8, dim=32, seeds=4, **options))
    output = tmp_path / "demo.png"
    result = run("demo", "--output", output)
    assert result.exit_code == 0
    rows = result.output.splitlines()[1:7]
    assert [row[19:24].strip() for row in rows] == ["0.5", "1", "2"] * 2
    assert "theory:" in result.output
    assert "training, 4 networks each with D = 32:" in result.output
    assert output.stat().st_size > 20000


def test_demo_shows_overfitting() -> None:
    data = demo.PROBLEMS["few noisy samples"]
    for width in demo.WIDTHS:
        theory = lm.solve(lm.Problem(lm.MLP(2, width), data, lm.SGD(0.05)), demo.STEPS)
        assert theory.test_loss[-1] > 1.05 * theory.test_loss.min()
        assert (np.diff(theory.train_loss) < 0).all()


def test_the_module_is_the_command(file: Path) -> None:
    command = [sys.executable, "-m", "lindmft"]
    done = subprocess.run([*command, "solve", file], capture_output=True, text=True, check=True)
    assert "Solved 15 steps" in done.stdout
    assert done.stderr == ""
    wrong = subprocess.run(
        [*command, "solve", "no.toml"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert wrong.stderr == "Error: no.toml: No such file or directory\n"
    assert wrong.stdout == ""


@pytest.mark.long
def test_ctrl_c_ends_a_long_run_with_130(tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    path.write_text(PROBLEM)
    code = (
        "import os, signal, sys, threading\n"
        "from lindmft import cli; import lindmft.cli.commands\n"  # before the clock starts
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "cli.main()\n"
    )
    sizes = ["--steps", "100000", "--dim", "200", "--seeds", "500"]
    command = [sys.executable, "-c", code, "train", str(path), *sizes]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130
    assert done.stderr == "Interrupted.\n"
    assert done.stdout == ""


def test_without_click_the_command_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.delitem(sys.modules, "lindmft.cli.commands", raising=False)
    monkeypatch.delattr("lindmft.cli.commands", raising=False)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "pip install 'lindmft[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 15, 100, 101])
def test_printed_steps_run_from_the_first_to_the_last(steps: int) -> None:
    shown = round_steps(steps)
    assert shown[0] == 0
    assert shown[-1] == steps - 1
    assert shown == sorted(set(shown))


def test_progress_is_quiet_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.reporting(True, "solve") as callback:
        assert callback is None
    with progress.reporting(False, "solve") as callback:
        assert callback is None
    monkeypatch.setattr(progress, "watched", lambda: True)
    with progress.reporting(True, "solve") as callback:
        assert callback is not None
        time.sleep(0.35)
        callback(5, 10)
    assert "solve:  50%" in capsys.readouterr().err
