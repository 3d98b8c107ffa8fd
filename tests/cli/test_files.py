"""Commands about files: ``new``, ``show``, ``tune``, the option ``--set``, and completion."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from documents import GUIDE

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.cli.messages import for_other_commands
from lindmft.cli.new import DATA
from lindmft.results import netcdf

BASE = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


def printed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(*arguments: object) -> str:
    """Return the last line on standard error of a command that is refused."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    return line


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "problem.toml"
    path.write_text(BASE.to_toml() + "\n[run]\nsteps = 1e1\ndim = 3.2e1\nseeds = 4\ntime = 5\n")
    return path


# ---- new


SLOW = [pytest.param(data, marks=[pytest.mark.long] * (data != "full_batch")) for data in DATA]


@pytest.mark.parametrize("data", SLOW)
def test_a_new_file_solves_and_trains_as_it_is(data: str, tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    assert f"wrote {path}; next: lindmft solve {path}" in printed("new", path, "--data", data)
    theory, runs = tmp_path / "theory.nc", tmp_path / "runs.nc"
    printed("solve", path, "--output", theory)
    printed("train", path, "--output", runs, "--seeds", 4)
    solved, trained = lm.Solution.load(theory), lm.Ensemble.load(runs)
    assert solved.diverged_at is None
    error = trained.mean().test_loss / solved.test_loss - 1
    assert np.abs(error[:50]).max() < 0.3, "finite networks near the theory"
    assert solved.test_loss[-1] < 0.1 * solved.test_loss[0], "something is learned"
    for line in path.read_text().splitlines():
        assert " = " not in line or "#" in line, "values have comments"
        assert len(line) <= 100


def test_a_new_file_flows(tmp_path: Path) -> None:
    printed("new", tmp_path / "a.toml")
    assert "gradient flow to time 10" in printed("flow", tmp_path / "a.toml")


def test_new_refuses_to_replace_a_file(tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    path.write_text("precious")
    assert f"{path} exists; --force replaces it" in refusal("new", path)
    assert path.read_text() == "precious"
    printed("new", path, "--force")
    assert lm.Problem.from_toml(path).network.depth == 2
    assert "must be a file ending in '.toml'" in refusal("new", tmp_path / "problem.txt")
    assert "must be in a folder that exists" in refusal("new", tmp_path / "no" / "a.toml")


@pytest.mark.filterwarnings("default::lindmft.SizeWarning")
def test_warnings_are_one_line_without_places_in_the_code(file: Path) -> None:
    result = run("solve", file, "--set", "network.width=1024")
    assert result.exit_code == 0
    (line,) = [line for line in result.stderr.splitlines() if "Warning" in line]
    assert line.startswith("Warning: network.width = 1024 is the ratio of hidden units")
    assert ".py" not in result.stderr


@pytest.mark.filterwarnings("default::lindmft.SizeWarning")
def test_a_warning_of_several_calls_is_printed_once(file: Path) -> None:
    """``tune`` searches twice, and both searches warn."""
    result = run("tune", file, "--set", "network.width=1024", "--set", "run.steps=5")
    assert result.exit_code == 0
    assert result.stderr.count("Warning: network.width = 1024") == 1


def test_advice_is_in_the_words_of_the_command_line() -> None:
    advice = 'Repeat (seeds=32) with seed=1 or dim=400, hidden=[8, 4] and samples=20, grid="exact"'
    assert for_other_commands(advice) == (
        "Repeat (--seeds 32) with --seed 1 or --dim 400, --set network.hidden=[8, 4] and "
        "--set data.samples=20, --grid exact"
    )


# ---- --set


def test_set_changes_values_of_the_file(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "theory.nc"
    changes = {
        "optimizer.lr": "0.1",
        "network.width": "[0.5, 2]",
        "network.kind": "mlp",
        "data.kind": '"full_batch"',
        "network.centered": "true",
        "run.steps": "7",
    }
    options = [word for key, value in changes.items() for word in ("--set", f"{key} = {value}")]
    printed("solve", file, *options, "--output", output)
    theory = lm.Solution.load(output)
    assert theory.problem == BASE.replace(
        {"optimizer.lr": 0.1, "network.width": [0.5, 2], "network.centered": True}
    )
    assert len(theory.time) == 7
    printed("solve", file, "--set", "run.steps=7", "--steps", 5, "--output", output, "--force")
    assert len(lm.Solution.load(output).time) == 5, "an option overrides it"


def test_set_of_a_size_by_one_name_replaces_the_other(tmp_path: Path) -> None:
    path = tmp_path / "counts.toml"
    path.write_text(
        "[network]\nkind = 'mlp'\nhidden = 40\n[data]\nkind = 'full_batch'\nsamples = 80\n"
        "inputs = 20\n[optimizer]\nlr = 0.05\n[run]\nsteps = 3\n"
    )
    text = printed("solve", path, "--set", "data.alpha=3", "--set", "network.width=1.5")
    assert "width=1.5" in text
    assert "alpha=3.0" in text
    assert "alpha=2.0" in printed("solve", path, "--set", "data.samples=40")
    both = ["--set", "data.samples=40", "--set", "data.alpha=3"]
    assert "data.samples cannot be combined with data.alpha" in refusal("solve", path, *both)


def test_set_makes_tables_that_are_missing(file: Path, tmp_path: Path) -> None:
    file.write_text('[network]\nkind = "mlp"\n[data]\nkind = "population"\n')
    spectrum = ["--set", "data.spectrum.kind=power_law", "--set", "data.spectrum.capacity=1.5"]
    spectrum += ["--set", "data.spectrum.modes=50"]
    rest = ["--set", "data.spectrum.source=0.5", "--set", "network.hidden=64"]
    output = tmp_path / "theory.nc"
    printed(
        "solve",
        file,
        *spectrum,
        *rest,
        "--set",
        "optimizer.lr=0.1",
        "--steps",
        3,
        "--output",
        output,
    )
    assert lm.Solution.load(output).problem.data.spectrum == lm.PowerLaw(1.5, 0.5, modes=50)


def test_every_command_with_a_problem_has_set(file: Path) -> None:
    change = ["--set", "optimizer.lr=0.07"]
    assert "lr=0.07" in printed("solve", file, *change)
    assert "lr=0.07" in printed("flow", file, *change)
    assert "lr=0.07" in printed("train", file, *change)
    assert "lr=0.07" in printed("tune", file, *change)
    assert "lr=0.07" in printed("transfer", file, *change, "--sizes", "1,2")
    file.write_text(
        file.read_text().replace("time = 5", "")
        + '\n[sweep]\nrun = "solve"\n[sweep.axes]\n"data.noise" = [0, 1]\n'
    )
    assert "lr=0.07" in printed("sweep", file, *change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("lr=0.1", "--set lr: problem must only have"),
        ("lr=0.1", "got 'lr' (did you mean 'optimizer.lr'?)"),
        ("optimizer.lrr=1", "got 'lrr' (did you mean 'optimizer.lr'?)"),
        ("steps=3", "--set steps: a problem file has no 'steps' (did you mean 'run.steps'?)"),
        ("sweep.times=last", "--set sweep.times: only values of the problem and of run can be"),
        ("run.step=3", "got 'step' (did you mean 'steps'?)"),
        ("run.steps=1.5", "--set run.steps: run.steps must be a whole number, got 1.5"),
        ("run.steps=0", "--set run.steps: run.steps must be at least 1, got 0"),
        ("data.alpha=-3", "--set data.alpha: data.alpha must be positive"),
        ("network.kind=mpl", "--set network.kind: network.kind must be 'mlp' or 'resnet'"),
        ("optimizer.lr", "--set must be KEY=VALUE"),
        ("optimizer.lr=", "--set must be KEY=VALUE"),
        ("=3", "--set must be KEY=VALUE"),
        ("network.width=1,2", "got 'network.width=1,2'"),
        ("optimizer.lr=1\noptimizer.lr=2", "--set must be KEY=VALUE"),
        ("network.width.first=2", "--set network.width.first must be the key of a value"),
    ],
)
def test_what_set_cannot_do_is_refused(file: Path, change: str, message: str) -> None:
    assert message in refusal("solve", file, "--set", change)


# ---- messages


def test_whole_numbers_may_be_written_as_powers_of_ten(file: Path) -> None:
    assert "Solved 10 steps" in printed("solve", file)
    assert "Solved 20 steps" in printed("solve", file, "--steps", "2e1")
    assert "Solved 20 steps" in printed("solve", file, "--set", "run.steps=2e1")
    assert "Trained 4 networks for 10 steps" in printed("train", file, "--dim", "1.6e1")
    for text in ("1.5", "1e-1", "nan", "inf", "many", ""):
        message = refusal("solve", file, "--steps", text)
        assert f"'--steps': must be a whole number such as 1000 or 1e6, got {text!r}" in message


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("alpha = 2.0", "alpha = -2.0", "line 12: data.alpha must be positive"),
        ("alpha = 2.0", "alpa = 2.0", "line 12: data must only have the keys"),
        ("lr = 0.05", "lr = 'fast'", "line 20: optimizer.lr must be"),
        ("steps = 1e1", "steps = 1.5", "line 27: run.steps must be a whole number"),
        ("steps = 1e1", "step = 3", "line 27: run must only have the keys"),
        ("steps = 1e1", "", "run.steps is missing: give it in the file, or as --steps"),
        ("depth = 2", "depth = ", "must be a TOML file: Invalid value (at line 3, column 9)"),
        ("[optimizer]\n", "", "optimizer is missing"),
    ],
)
def test_messages_name_the_file_and_the_line(file: Path, old: str, new: str, place: str) -> None:
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new, 1))
    message = refusal("solve", file)
    assert re.match(f"Error: {re.escape(str(file))}[:, ]", message)
    assert place in message


def test_axes_of_a_sweep_are_refused_with_the_line(file: Path) -> None:
    file.write_text(file.read_text() + '\n[sweep.axes]\n"optimizer.lrr" = [0.1, 0.2]\n')
    message = refusal("sweep", file)
    assert f"{file}, line 33: sweep.axes.optimizer.lrr: optimizer must only have" in message
    assert "(did you mean 'optimizer.lr'?)" in message


def test_python_names_the_file_and_the_line_as_well(file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text().replace("alpha = 2.0", "alpha = -2.0"))
    with pytest.raises(ValueError, match=r"problem.toml, line 12: data.alpha must be positive"):
        lm.Problem.from_toml(file)
    text = BASE.to_json().replace('"alpha": 2.0', '"alpha": -2.0')
    (tmp_path / "problem.json").write_text(text)
    with pytest.raises(ValueError, match=r"problem.json: data.alpha must be positive"):
        lm.Problem.from_json(tmp_path / "problem.json")


def test_two_files_of_a_kind_are_both_named(file: Path, tmp_path: Path) -> None:
    printed("solve", file, "--output", tmp_path / "a.nc")
    message = refusal("compare", tmp_path / "a.nc", tmp_path / "a.nc")
    assert f"{tmp_path / 'a.nc'} and {tmp_path / 'a.nc'} must be" in message


def test_too_much_memory_advises_a_coarse_grid(file: Path) -> None:
    assert "; --grid adaptive solves as many" in refusal("solve", file, "--steps", "1e7")
    assert "; --grid adaptive solves as many" in refusal("tune", file, "--steps", "1e7")
    epochs = ["--set", "data.kind=epochs", "--set", "data.batches=4", "--steps", "1e7"]
    assert "adaptive" not in refusal("solve", file, *epochs), "it cannot be solved on that grid"
    assert "adaptive" not in refusal("solve", file, "--kernels", "--steps", "1e7")
    for call in (lm.solve, lambda problem, steps: lm.solve_many([problem], steps)):
        with pytest.raises(MemoryError, match='; grid="adaptive" solves as many steps'):
            call(BASE, 10**7)


# ---- show


def test_show_prints_a_problem(file: Path) -> None:
    text = printed("show", file)
    assert "Problem(network=MLP(depth=2)" in text
    assert BASE.to_toml().strip() in text
    assert "run: steps = 10, dim = 32, seeds = 4, time = 5" in text
    assert "has no picture" in refusal("show", file, "--picture", file.with_suffix(".png"))


def test_show_prints_results_and_draws_them(file: Path, tmp_path: Path) -> None:
    theory, runs, picture = (tmp_path / name for name in ("theory.nc", "runs.nc", "again.png"))
    printed("solve", file, "--output", theory, "--save", "C_h")
    printed("train", file, "--output", runs)
    solved = lm.Solution.load(theory)
    text = printed("show", theory, "--picture", picture)
    assert solved.status in text
    assert "self-check passed (" in text
    assert "two-time functions: C_h" in text
    assert f"made by lindmft {lm.__version__}, {solved.provenance['created']}" in text
    last = text.splitlines()[-2].split()
    assert float(last[1]) == pytest.approx(solved.test_loss[-1], rel=1e-5)
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = printed("show", runs, "--picture", picture)
    assert "D = 32, widths 32, 64 samples, seeds 0 to 3, float64" in text
    assert "self-check passed (" in text
    picture.write_text("notes")
    assert f"{picture} exists; --force" in refusal("show", runs, "--picture", picture)


@pytest.mark.long
def test_show_prints_replicas_sweeps_and_transfers(file: Path, tmp_path: Path) -> None:
    groups = lm.train_replicas(BASE, 5, dim=16, seeds=2, k_init=2, k_data=2, threads=1)
    groups.save(tmp_path / "groups.nc")
    text = printed("show", tmp_path / "groups.nc")
    assert f"averaged loss {groups.mean().averaged_loss[-1]:.6g}" in text
    store, output, picture = (tmp_path / name for name in ("a.zarr", "a.nc", "a.png"))
    axes = {"optimizer.lr": [0.01, 0.05], "network.width": [1.0, 2.0]}
    netcdf.write(lm.sweep(BASE, axes, steps=5, run="solve", store=store), output)
    for path in (store, output):
        text = printed("show", path, "--picture", picture, "--force")
        assert "axes: lr (2), width (2)" in text
        assert "theory: 4 points, 4 done" in text
        assert "smallest theory test loss: " in text
        assert picture.read_bytes().startswith(b"\x89PNG")
    table = lm.transfer(BASE, "network.width", [1, 2], 5)
    netcdf.write(table.to_xarray(), tmp_path / "t.nc")
    text = printed("show", tmp_path / "t.nc", "--picture", picture, "--force")
    rows = [line.split() for line in text.splitlines() if line.startswith("muP")]
    assert [float(row[2]) for row in rows] == pytest.approx(table.lr[0], rel=1e-3)


def test_show_refuses_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_text("nothing")
    assert f"{tmp_path / 'a.nc'} must be a complete NetCDF4" in refusal("show", tmp_path / "a.nc")
    assert "must be an existing file" in refusal("show", tmp_path / "absent")
    assert str(tmp_path) in refusal("show", tmp_path)
    other = netcdf.require_netcdf().Dataset({"x": ("n", [1.0])})
    other.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    assert "got a file of another program" in refusal("show", tmp_path / "b.nc")


# ---- tune


def test_tune_prints_both_rates_and_what_to_write(file: Path) -> None:
    best, edge = lm.optimal_lr(BASE, 10), lm.largest_stable_lr(BASE, 10)
    text = printed("tune", file)
    assert best.summary() in text
    assert edge.summary() in text
    assert text.endswith(f"[optimizer]\nlr = {best.lr:.3g}\n")
    assert "the train loss is smallest" in printed("tune", file, "--objective", "train_loss")


def test_tune_says_what_to_do_with_a_schedule(file: Path) -> None:
    rates = "optimizer.lr=" + str([0.1] * 5 + [0.05] * 5)
    text = printed("tune", file, "--set", rates)
    best = lm.optimal_lr(BASE.replace({"optimizer.lr": [0.1] * 5 + [0.05] * 5}), 10)
    assert text.endswith(f"multiply every rate of the schedule by {best.lr / 0.1:.3g}.\n")
    assert "[optimizer]" not in text


# ---- edge


def test_edge_prints_the_table_and_draws(file: Path, tmp_path: Path) -> None:
    picture = tmp_path / "edge.png"
    text = printed("edge", file, "--rates", "0.1,0.2", "--picture", picture)
    assert str(lm.edge_of_stability(BASE, 10, lr=[0.1, 0.2])) in text
    assert text.endswith(f"wrote {picture}\n")
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert "lr must be a positive learning rate" in refusal("edge", file, "--rates", "0")
    assert "must be learning rates such as 0.05,0.1, got 'x'" in refusal(
        "edge", file, "--rates", "x"
    )


# ---- completion


@pytest.mark.parametrize(
    "shell", ["bash", *(pytest.param(shell, marks=pytest.mark.long) for shell in ("zsh", "fish"))]
)
def test_the_documented_completion_works(shell: str, tmp_path: Path) -> None:
    page = (GUIDE / "howto" / "command_line.md").read_text()
    assert f"_LINDMFT_COMPLETE={shell}_source lindmft" in page
    command = tmp_path / "lindmft"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lindmft "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def answer(step: str, **more: str) -> str:
        done = subprocess.run(
            [command],
            env={**environment, "_LINDMFT_COMPLETE": f"{shell}_{step}", **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout

    if shell != "bash" or shutil.which("bash"):
        assert "_LINDMFT_COMPLETE" in answer("source")
    found = answer("complete", COMP_WORDS="lindmft sol", COMP_CWORD="1")
    assert "solve" in found or shell == "fish"  # a shell with another protocol


def test_keys_of_set_are_completed() -> None:
    from lindmft.cli.options import complete_key

    assert complete_key(None, None, "optimizer.l") == ["optimizer.lr=", "optimizer.layer_lr="]
    assert "run.steps=" in complete_key(None, None, "run.")
