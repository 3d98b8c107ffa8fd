"""Files of coarse grids and of states."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

import lindmft as lm
from lindmft.results import netcdf
from lindmft.results.state import State

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
ARRAYS = {"h1.C": np.arange(6.0).reshape(2, 3), "V": np.zeros((0, 4)), "sum": np.ones((1, 3))}


def solved(grid: str, **options: Any) -> lm.Solution:
    if grid == "flow":
        return lm.flow(PROBLEM, 50.0, **options)
    return lm.solve(PROBLEM, 200, grid=grid, **options)


def with_state(solution: lm.Solution, version: int = 1) -> lm.Solution:
    channels = tuple(with_state(channel, version) for channel in solution.channels)
    state = State({} if channels else ARRAYS, version)
    return lm.Solution(**{**vars(solution), "state": state, "channels": channels})


def reloaded(solution: lm.Solution, path: Path, **options: Any) -> lm.Solution:
    solution.save(path, **options)
    return lm.Solution.load(path)


@pytest.mark.parametrize("grid", ["exact", "adaptive", "flow"])
def test_grids_survive_a_file(tmp_path: Path, grid: str) -> None:
    solution = solved(grid, save="all")
    again = reloaded(solution, tmp_path / "theory.nc")
    assert (again.grid, again.rtol, again.atol) == (solution.grid, solution.rtol, solution.atol)
    assert again.stats == solution.stats
    assert again.panels.dtype == solution.panels.dtype
    for name in ("time", "panels", "test_loss", "C_v", "R_delta"):
        np.testing.assert_array_equal(getattr(again, name), getattr(solution, name))
    assert again.status == solution.status
    times = [0, 3, 50]
    np.testing.assert_array_equal(again.at(times).test_loss, solution.at(times).test_loss)
    sampled = reloaded(solution.at(times), tmp_path / "sampled.nc")
    assert sampled.status == solution.at(times).status


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_channels_keep_their_own_times(tmp_path: Path, grid: str) -> None:
    several = PROBLEM.replace(**{"data.targets": [1.0, 0.5]})
    solution = lm.solve(several, 200, grid=grid, save=["C_h", "C_v"])
    if grid == "adaptive":
        one, other = solution.channels
        other = lm.solve(other.problem, 200, grid=grid, save=["C_h", "C_v"], rtol=1e-3)
        assert len(one.time) != len(other.time)
        solution = replace(solution, channels=(one, other))
    again = reloaded(solution, tmp_path / "theory.nc", state=True)
    for part, other in zip([again, *again.channels], [solution, *solution.channels], strict=True):
        for name in ("time", "test_loss", "panels", "feature_norm"):
            np.testing.assert_array_equal(getattr(part, name), getattr(other, name))
        assert part.state.keys() == other.state.keys()
    np.testing.assert_array_equal(again.channels[1].C_h[1], solution.channels[1].C_h[1])
    np.testing.assert_array_equal(again.channels[0].C_v, solution.channels[0].C_v)
    for attrs in solution.to_xarray().variables.values():
        assert attrs.attrs["long_name"]


def test_a_diverged_coarse_grid_survives_a_file(tmp_path: Path) -> None:
    unstable = PROBLEM.replace(**{"optimizer.lr": 1.5})
    lost = lm.solve(unstable, 1000, grid="adaptive", save="C_h")
    again = reloaded(lost, tmp_path / "lost.nc")
    np.testing.assert_array_equal(again.C_h[1], lost.C_h[1])
    np.testing.assert_array_equal(again.panels, lost.panels)
    assert again.valid == lost.valid
    sampled = reloaded(lost.at([0, 2, 999]), tmp_path / "sampled.nc")
    np.testing.assert_array_equal(sampled.C_h[1], lost.at([0, 2, 999]).C_h[1])


@pytest.mark.parametrize("targets", [[1.0], [1.0, 0.5, 1.0]])
def test_states_survive_a_file(tmp_path: Path, targets: list[float]) -> None:
    solution = with_state(lm.solve(PROBLEM.replace(**{"data.targets": targets}), 5), version=7)
    again = reloaded(solution, tmp_path / "theory.nc", state=True)
    for part, other in zip([again, *again.channels], [solution, *solution.channels], strict=True):
        assert part.state.keys() == other.state.keys()
        for name, array in other.state.items():
            np.testing.assert_array_equal(part.state[name], array)
    assert [part.state.version for part in again.channels or [again]] == [7] * len(targets)


def test_a_state_is_written_if_it_was_kept(tmp_path: Path) -> None:
    solution = with_state(lm.solve(PROBLEM, 5))
    path = tmp_path / "theory.nc"
    assert reloaded(solution, path).state.keys() == ARRAYS.keys()
    assert not reloaded(solution, path, state=False).state
    assert not any("state." in str(name) for name in solution.to_xarray().variables)
    with pytest.raises(ValueError, match="^state must be true or false"):
        solution.save(path, state=1)  # type: ignore[arg-type]
    bare = lm.solve(PROBLEM, 5, keep_state=False)
    assert not reloaded(bare, path).state
    with pytest.raises(ValueError, match=r"^state cannot be written.*keep_state=True"):
        bare.save(path, state=True)


def test_a_state_of_any_size_is_written(tmp_path: Path) -> None:
    """A state of the largest size that a solution keeps by default."""
    large = State({"C": np.zeros((1000, 1000))})
    solution = replace(lm.solve(PROBLEM, 5), state=large)
    assert solution.state_bytes == 8_000_000
    assert reloaded(solution, tmp_path / "theory.nc").state_bytes == solution.state_bytes
    start = lm.solve(PROBLEM, 300)
    again = reloaded(start, tmp_path / "start.nc")
    assert again.state_bytes == start.state_bytes > 2**22
    longer = lm.solve(PROBLEM, 310, continue_from=again)
    assert longer.test_loss[299] == start.test_loss[299]


def test_files_say_what_their_times_are(tmp_path: Path) -> None:
    with_state(solved("flow")).save(tmp_path / "flow.nc")
    with xr.open_dataset(tmp_path / "flow.nc", engine="h5netcdf") as dataset:
        assert dataset.attrs["format_version"] == netcdf.VERSION == 3
        assert dataset.attrs["grid"] == "flow"
        assert dataset.attrs["rtol"] == 1e-6
        assert json.loads(dataset.attrs["panels"])[:2] == [0, 1]
        assert dataset["time"].attrs["units"] == "learning rate times steps"
        assert dataset["state.h1.C"].shape == (2, 3)
    assert solved("adaptive").to_xarray()["time"].attrs["units"] == "steps"


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theory.nc"
    with_state(lm.solve(PROBLEM, 5)).save(path, state=True)
    content = path.read_bytes()
    place = content.index(ARRAYS["h1.C"].tobytes())
    path.write_bytes(content[: place + 8] + b"\1" + content[place + 9 :])
    with pytest.raises(ValueError, match="cannot be read"):
        lm.Solution.load(path)


def test_files_without_a_grid_are_exact(tmp_path: Path) -> None:
    """A file in the form of versions 1 and 2."""
    path = tmp_path / "theory.nc"
    lm.solve(PROBLEM, 5).save(path, state=False)
    with h5py.File(path, "a") as content:
        for name in ("grid", "panels", "state_version", "checksum"):
            del content.attrs[name]
    old = lm.Solution.load(path)
    assert (old.grid, old.rtol, len(old.panels), len(old.state)) == ("exact", None, 0, 0)
