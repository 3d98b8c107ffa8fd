"""The commands ``sweep`` and ``transfer``, with real files."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import lindmft as lm
from lindmft.cli.commands import commands

EXAMPLE = Path(__file__).parents[2] / "examples" / "widths.toml"

SMALL = """
[network]
kind = "mlp"
depth = 2
[data]
kind = "full_batch"
alpha = 2.0
noise = 0.3
[optimizer]
lr = 0.1
[run]
steps = 10
dim = 16
seeds = 2
[sweep]
"""
AXES = """
[sweep.axes]
"network.width" = [0.5, 1]
"optimizer.lr" = { from = 0.01, to = 0.1, points = 3 }
"""

LR = SMALL + 'axes = { "optimizer.lr" = '


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL + 'run = ["solve", "train"]\ntimes = "last"' + AXES)
    return path


def test_a_sweep_from_a_file(small: Path, tmp_path: Path) -> None:
    store, output, picture = (tmp_path / name for name in ("a.zarr", "a.nc", "a.png"))
    done = invoke("sweep", small, "--store", store, "--output", output, "--picture", picture)
    assert done.exit_code == 0, done.output
    assert "theory: 6 points, 6 done\ntraining: 6 points, 6 done\n12 computed in" in done.output
    assert "smallest theory test loss: " in done.output
    assert " at width=" in done.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    dataset = lm.open_sweep(store)
    smallest = float(dataset.theory_test_loss.min())
    point = dataset.theory_test_loss.isel(time=-1).argmin(["width", "lr"])
    best = dataset.isel({str(name): int(at) for name, at in point.items()})
    where = f"width={float(best.width):g}, lr={float(best.lr):g}"
    assert f"smallest theory test loss: {smallest:.6g} at {where}" in done.output
    assert np.allclose(dataset.lr, np.geomspace(0.01, 0.1, 3))
    assert dataset.sizes["seed"] == 2
    assert dataset.time.values.tolist() == [9]
    with xr.open_dataset(output, engine="h5netcdf", decode_times=False) as file:
        assert file.theory_test_loss.equals(dataset.theory_test_loss)
    again = invoke("sweep", small, "--store", store, "--retry-failed")
    assert "0 computed" in again.output
    assert "12 found in the store" in again.output
    other = invoke("sweep", small, "--store", store, "--steps", 11)
    assert other.exit_code == 2
    assert "store must be new, or of the same sweep" in other.output
    assert "steps is 10 there and 11 here" in other.output


def test_options_may_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    store = tmp_path / "in_file.zarr"
    path.write_text(SMALL + f'observables = ["feature_norm"]\nstore = "{store}"' + AXES)
    assert invoke("sweep", path, "--threads", 1).exit_code == 0
    assert "theory_feature_norm" in lm.open_sweep(store)
    assert invoke("sweep", path, "--store", tmp_path / "b.zarr").exit_code == 0
    assert lm.open_sweep(tmp_path / "b.zarr").equals(lm.open_sweep(store)), "options come first"


def test_zipped_axes_labels_and_linear_ranges(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        SMALL
        + """
        [sweep.axes]
        "network.depth, network.gamma0" = [[1, 1.0], [2, 0.5]]
        "optimizer.lr" = { small = 0.01, large = 0.1 }
        "data.alpha" = { from = 1, to = 3, points = 3, scale = "linear" }
        """
    )
    done = invoke("sweep", path, "--store", tmp_path / "a.zarr", "--picture", tmp_path / "a.svg")
    assert done.exit_code == 0, done.output
    dataset = lm.open_sweep(tmp_path / "a.zarr")
    assert dataset.alpha.values.tolist() == [1, 2, 3]
    assert dataset.lr.values.tolist() == ["small", "large"]
    assert dataset.gamma0.values.tolist() == [1, 0.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL, "must have a table [sweep.axes]"),
        (SMALL + "axes = 3", "sweep.axes must be a table of paths"),
        (SMALL + 'engin = "dask"' + AXES, "did you mean 'engine'"),
        (LR + "{ from = 1, points = 3 } }", "optimizer.lr.to is missing"),
        (LR + "{ from = 0, to = 1, points = 3 } }", "optimizer.lr.from must be a positive"),
        (
            LR + "{ from = 1, to = 1, points = 0 } }",
            "optimizer.lr.points must be from 1 to 1000000",
        ),
        (LR + "{ from = 1, to = 1, point = 2 } }", "did you mean 'points'"),
        (LR + "3 }", "axes['optimizer.lr'] must be a list of values"),
    ],
)
def test_bad_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    done = invoke("sweep", path)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_an_earlier_store_is_reused(small: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.zarr", tmp_path / "b.zarr"
    assert invoke("sweep", small, "--store", first).exit_code == 0
    small.write_text(small.read_text().replace("[0.5, 1]", "[0.5, 1, 2]"))
    refused = invoke("sweep", small, "--store", first)
    assert refused.exit_code == 2
    assert f"With a new store and --reuse {first}, 6 of 9 points of theory" in refused.output
    done = invoke("sweep", small, "--store", second, "--reuse", first)
    assert done.exit_code == 0, done.output
    assert "reused: 6 points of training, from a.zarr (lindmft" in done.output
    assert "6 computed in" in done.output
    assert "12 reused" in done.output
    assert "reused: 6 points of theory" in invoke("show", second).output


def test_lost_workers_are_one_line(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("the block of 3 points was not computed")

    monkeypatch.setattr("lindmft.cli.sweeps.sweep", lost)
    done = invoke("sweep", small)
    assert done.exit_code == 2
    assert "Error: the block of 3 points was not computed" in done.output


@pytest.mark.long
def test_a_file_of_a_sweep_is_a_problem_file(tmp_path: Path) -> None:
    """The example of the guide runs, too."""
    assert lm.Problem.from_toml(EXAMPLE).network.depth == 3
    shutil.copy(EXAMPLE, tmp_path)
    done = invoke("sweep", tmp_path / EXAMPLE.name, "--picture", tmp_path / "a.png")
    assert done.exit_code == 0, done.output
    assert "96 points" in done.output


def test_transfer(tmp_path: Path) -> None:
    output, picture = tmp_path / "t.nc", tmp_path / "t.pdf"
    done = invoke(
        "transfer",
        EXAMPLE,
        "--sizes",
        "1,2,4",
        "--rtol",
        0.05,
        "--output",
        output,
        "--picture",
        picture,
    )
    assert done.exit_code == 0, done.output
    assert "40 steps, tuned at width = 1" in done.output
    assert "Over these values of width the best learning rate moves by a factor" in done.output
    assert picture.read_bytes().startswith(b"%PDF")
    with xr.open_dataset(output, engine="h5netcdf") as file:
        assert file.lr.dims == ("scaling", "width")
        assert file.scaling.values.tolist() == ["muP", "NTK"]
        assert file.attrs["format"] == "lindmft-transfer"
    shown = invoke("show", output)
    assert shown.exit_code == 0, shown.output
    assert "best learning rates after 40 steps" in shown.output
    named = invoke(
        "transfer", EXAMPLE, "--sizes", "1,2", "--rtol", 0.1, "--scalings", "PyTorch, muP"
    )
    assert named.exit_code == 0, named.output
    assert "raw lr" in named.output
    assert "in PyTorch, " in named.output
    unknown = invoke("transfer", EXAMPLE, "--sizes", "1,2", "--scalings", "pytorch")
    assert unknown.exit_code == 2
    assert "did you mean 'PyTorch'" in unknown.output
    bad = invoke("transfer", EXAMPLE, "--sizes", "1,a")
    assert bad.exit_code == 2
    assert "sizes must be numbers with commas between, got '1,a'" in bad.output
    assert invoke("transfer", EXAMPLE, "--sizes", "1").exit_code == 2


def test_transfer_says_once_that_a_field_stays_fixed(tmp_path: Path) -> None:
    problem = lm.Problem(lm.MLP(2), lm.FullBatch(alpha=4.0), lm.SGD(0.1, layer_lr=[1.0, 2.0, 2.0]))
    problem.to_toml(tmp_path / "fixed.toml")
    done = invoke(
        "transfer", tmp_path / "fixed.toml", "--sizes", "1,2", "--steps", 10, "--rtol", 0.1
    )
    assert done.exit_code == 0, done.output
    assert done.output.count("optimizer.layer_lr stays [1, 2, 2] at every width") == 1
    assert "ScalingWarning" not in done.output
