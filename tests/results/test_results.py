"""Solutions and ensembles: their content, their texts and their files."""

import json
import math
import pickle
import stat
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

import lindmft as lm
from lindmft._internal import optional
from lindmft.results import netcdf

PROBLEM = lm.Problem(
    lm.MLP(depth=2, width=[0.5, 1.0]),
    lm.FullBatch(alpha=1.5, noise=0.3, spectrum=lm.Discrete([2.0, 0.5], [1, 1], [0.5, 0.5])),
    lm.SGD(lr=0.05),
)
UNSTABLE = PROBLEM.replace(**{"optimizer.lr": 1.0})
STEPS = 12
LAYERED = {"C_h": 0, "R_hr": 0, "C_g": 1, "R_gu": 1}
SINGLE = ("C_v", "C_delta", "R_delta")
SERIES = ("time", "test_loss", "train_loss", "feature_norm", "gradient_norm")


@pytest.fixture(scope="module")
def solution() -> lm.Solution:
    return lm.solve(PROBLEM, STEPS, save="all")


@pytest.fixture(scope="module")
def runs() -> lm.Ensemble:
    return lm.train(PROBLEM, STEPS, dim=40, seeds=[7, 2**64 - 1, 0])


def equal(a: Any, b: Any) -> bool:
    """Equality of two results, bit for bit, field by field."""
    for name, value in vars(a).items():
        other = getattr(b, name)
        if isinstance(value, dict) and name in {*LAYERED, "state"}:
            same = value.keys() == other.keys() and all(
                np.array_equal(value[layer], other[layer]) for layer in value
            )
        elif isinstance(value, np.ndarray):
            same = value.dtype == other.dtype and np.array_equal(value, other)
        else:
            same = value == other
        if not same:
            return False
    return True


def test_shapes_of_a_solution(solution: lm.Solution) -> None:
    for name in ("time", "test_loss", "train_loss", "term_target", "term_init", "term_data"):
        assert getattr(solution, name).shape == (STEPS,)
    for name in ("feature_norm", "gradient_norm"):
        assert getattr(solution, name).shape == (2, STEPS)
    for name, first in LAYERED.items():
        layers = getattr(solution, name)
        assert list(layers) == list(range(first, 3))
        assert {array.shape for array in layers.values()} == {(STEPS, STEPS)}
    assert {getattr(solution, name).shape for name in SINGLE} == {(STEPS, STEPS)}


def test_diagonals_are_the_norms_and_losses(solution: lm.Solution) -> None:
    for layer in (1, 2):
        np.testing.assert_allclose(np.diag(solution.C_h[layer]), solution.feature_norm[layer - 1])
        np.testing.assert_allclose(np.diag(solution.C_g[layer]), solution.gradient_norm[layer - 1])
    np.testing.assert_allclose(np.diag(solution.C_v), solution.test_loss)
    np.testing.assert_allclose(np.diag(solution.C_delta), solution.train_loss)


def test_only_what_was_asked_for_is_kept() -> None:
    plain = lm.solve(PROBLEM, STEPS)
    assert not any(plain.has(name) for name in (*LAYERED, *SINGLE))
    some = lm.solve(PROBLEM, STEPS, save=(name for name in ("C_g", "C_v")))
    assert [name for name in (*LAYERED, *SINGLE) if some.has(name)] == ["C_g", "C_v"]
    with pytest.raises(KeyError, match=r"save=\['C_h'\]"):
        some.C_h[1]
    with pytest.raises(KeyError, match="layers 1 to 2.*layer 0"):
        some.C_g[0]


@pytest.mark.parametrize("save", ["C_x", ["C_h", "C_x"], [3], 3, None])
def test_unknown_functions_are_refused(save: Any) -> None:
    with pytest.raises(ValueError, match="^save must be"):
        lm.solve(PROBLEM, STEPS, save=save)


BAD_OPTIONS: list[tuple[str, Any]] = [
    ("steps", 0),
    ("steps", -1),
    ("steps", 2.5),
    ("steps", "10"),
    ("steps", True),
    ("threads", -1),
    ("threads", 1.5),
    ("memory_limit", 0),
    ("memory_limit", -1.0),
    ("memory_limit", math.nan),
    ("memory_limit", "1 GB"),
    ("progress", 3),
]


@pytest.mark.parametrize(("name", "value"), BAD_OPTIONS)
@pytest.mark.parametrize("run", [lm.solve, lm.train])
def test_bad_options_are_refused_by_name(run: Any, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        run(PROBLEM, **{"steps": 3, name: value})


BAD_TRAINING: list[tuple[str, Any]] = [
    ("dim", 0),
    ("dim", 2.5),
    ("seeds", 0),
    ("seeds", -3),
    ("seeds", []),
    ("seeds", 2.5),
    ("seeds", "3"),
    ("seeds", [1, -1]),
    ("seeds", [1, 1.0]),
    ("seeds", [1, True]),
    ("seeds", [2**64]),
    ("seeds", [1, 2, 1]),
    ("seed", -1),
    ("seed", 0.5),
    ("seed", 2**32),
    ("seed", 2**64 - 1),
]


@pytest.mark.parametrize(("name", "value"), BAD_TRAINING)
def test_bad_training_options_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name}(\[\d\])? must be"):
        lm.train(PROBLEM, 3, **{"dim": 16, name: value})


def test_a_list_of_seeds_needs_no_stream() -> None:
    with pytest.raises(ValueError, match="^`seed` cannot be combined with a list of seeds, got 3"):
        lm.train(PROBLEM, 3, dim=16, seeds=[1, 2], seed=3)


def test_memory_is_refused_before_it_is_taken() -> None:
    needed = lm.estimate_memory(PROBLEM, 10**5, save="all")
    assert needed > 8 * 10**10
    with pytest.raises(MemoryError, match="bytes"):
        lm.solve(PROBLEM, 10**5, save="all", memory_limit=1e9)
    needed = lm.estimate_train_memory(PROBLEM, 10, dim=2000, seeds=4, threads=1)
    assert needed > 8 * 1000 * 2000
    with pytest.raises(MemoryError, match="bytes"):
        lm.train(PROBLEM, 10, dim=2000, seeds=4, threads=1, memory_limit=needed / 2)


def test_problem_may_be_a_dictionary(solution: lm.Solution) -> None:
    again = lm.solve(PROBLEM.to_dict(), STEPS)
    assert again.problem == PROBLEM
    np.testing.assert_array_equal(again.test_loss, solution.test_loss)
    with pytest.raises(ValueError, match="^problem must be"):
        lm.solve("problem.toml", STEPS)


def test_progress_is_called_to_the_end_and_its_errors_come_through() -> None:
    calls: list[tuple[int, int]] = []
    lm.solve(PROBLEM, STEPS, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (STEPS, STEPS)

    def stop(_done: int, _total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        lm.train(PROBLEM, 10**6, dim=32, progress=stop)  # long enough for a first report


def test_shapes_of_an_ensemble(runs: lm.Ensemble) -> None:
    assert runs.seeds == (7, 2**64 - 1, 0)
    assert (runs.dim, runs.widths, runs.samples) == (40, (20, 40), 60)
    assert runs.test_loss.shape == runs.train_loss.shape == (3, STEPS)
    assert runs.feature_norm.shape == runs.gradient_norm.shape == (3, 2, STEPS)


def test_two_streams_share_no_network() -> None:
    first, second = (lm.train(PROBLEM, STEPS, dim=40, seeds=16, seed=stream) for stream in (0, 1))
    assert first.seeds == tuple(range(16))
    assert second.seeds == tuple(range(2**32, 2**32 + 16))
    losses = np.concatenate([first.test_loss[:, -1], second.test_loss[:, -1]])
    assert len(np.unique(losses)) == 32


def test_a_stream_begins_with_the_same_networks() -> None:
    few, many = (lm.train(PROBLEM, STEPS, dim=40, seeds=n, seed=3) for n in (2, 4))
    np.testing.assert_array_equal(few.test_loss, many.test_loss[:2])


def test_the_seeds_of_a_result_reproduce_it() -> None:
    run = lm.train(PROBLEM, STEPS, dim=40, seeds=2, seed=2**32 - 1)
    again = lm.train(PROBLEM, STEPS, dim=40, seeds=run.seeds)
    np.testing.assert_array_equal(run.test_loss, again.test_loss)


def test_networks_counted_from_a_number_are_a_list_of_seeds(runs: lm.Ensemble) -> None:
    """The documented way to reproduce results of versions in which ``seed`` was the first seed."""
    counted = lm.train(PROBLEM, STEPS, dim=40, seeds=range(6, 8))
    assert counted.seeds == (6, 7)
    np.testing.assert_array_equal(counted.test_loss[1], runs.test_loss[0])


def test_streams_far_from_each_other_look_independent() -> None:
    """Networks of two streams have no more correlation than chance gives."""
    one, two = (lm.train(PROBLEM, 5, dim=24, seeds=400, seed=s).test_loss[:, -1] for s in (0, 1))
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(400)


def test_mean_and_standard_error(runs: lm.Ensemble) -> None:
    losses = runs.test_loss
    mean, error = runs.mean(), runs.sem()
    np.testing.assert_allclose(mean.test_loss, losses.sum(0) / 3)
    by_hand = np.sqrt(((losses - losses.mean(0)) ** 2).sum(0) / 2 / 3)
    np.testing.assert_allclose(error.test_loss, by_hand)
    assert mean.feature_norm.shape == error.feature_norm.shape == (2, STEPS)


def test_error_of_one_network_is_unknown() -> None:
    alone = lm.train(PROBLEM, STEPS, dim=16, seeds=1)
    np.testing.assert_array_equal(alone.mean().test_loss, alone.test_loss[0])
    assert np.isposinf(alone.sem().test_loss).all()


def some_diverged(runs: lm.Ensemble, which: list[int]) -> lm.Ensemble:
    """Return the ensemble with some networks diverged at step 5."""
    fields = {name: value.copy() for name, value in vars(runs).items() if name in SERIES}
    for seed in which:
        for name in SERIES[1:]:
            fields[name][seed, ..., 5:] = np.inf
    steps = tuple(5 if seed in which else None for seed in range(3))
    return lm.Ensemble(**{**vars(runs), **fields, "diverged_at": steps})


def test_diverged_networks_are_left_out_of_means(runs: lm.Ensemble) -> None:
    partly = some_diverged(runs, [1])
    np.testing.assert_allclose(partly.mean().test_loss, runs.test_loss[[0, 2]].mean(0))
    assert np.isfinite(partly.sem().test_loss).all()
    assert "1 of 3 networks diverged, the first at step 5" in partly.status
    assert "leave them out" in partly.status


def test_means_of_networks_that_all_diverged_are_inf_from_there(runs: lm.Ensemble) -> None:
    lost = some_diverged(runs, [0, 1, 2])
    for series in (lost.mean().test_loss, lost.sem().test_loss, lost.mean().feature_norm[0]):
        assert np.isfinite(series[:5]).all()
        assert np.isposinf(series[5:]).all()
    assert "all of them" in lost.status


def test_divergence_is_a_result_that_says_what_to_do() -> None:
    lost = lm.solve(UNSTABLE, STEPS, save="all")
    assert lost.diverged_at is not None
    assert 0 < lost.diverged_at < STEPS
    for series in (lost.test_loss, lost.train_loss, lost.term_data, lost.feature_norm[0]):
        assert np.isfinite(series[: lost.diverged_at]).all()
        assert np.isposinf(series[lost.diverged_at :]).all()
    assert lost.C_v.shape == lost.C_h[2].shape == (lost.diverged_at,) * 2
    assert f"Diverged at step {lost.diverged_at} of {STEPS}" in lost.status
    assert "Lower optimizer.lr (now 1.0)" in lost.status


def test_results_introduce_themselves(solution: lm.Solution, runs: lm.Ensemble) -> None:
    assert repr(solution).startswith("<Solution of Problem(network=MLP(depth=2, width=(0.5, 1.0))")
    assert f"Solved {STEPS} steps" in repr(solution)
    assert "C_h, C_g, R_hr, R_gu, C_v, C_delta, R_delta" in repr(solution)
    assert "D = 40, widths (20, 40), 60 samples" in repr(runs)
    assert solution.irreducible == runs.irreducible == pytest.approx(0.09)


def test_datasets_are_labelled(solution: lm.Solution, runs: lm.Ensemble) -> None:
    theory, experiment = solution.to_xarray(), runs.to_xarray()
    assert theory["C_h"].dims == ("layer", "time", "time_s")
    assert theory["C_h"].sel(layer=2, time=3, time_s=1).item() == solution.C_h[2][3, 1]
    assert theory["R_hr0"].dims == ("time", "time_s")
    assert theory["gradient_norm"].dims == ("layer", "time")
    assert experiment["feature_norm"].dims == ("seed", "layer", "time")
    assert experiment["test_loss"].sel(seed=0, time=3).item() == runs.test_loss[2, 3]
    for dataset in (theory, experiment):
        assert dataset["time"].attrs["units"] == "steps"
        assert all(variable.attrs["long_name"] for variable in dataset.variables.values())
        assert lm.Problem.from_dict(json.loads(dataset.attrs["problem"])) == PROBLEM
        origin = json.loads(dataset.attrs["provenance"])
        assert origin["version"] == lm.__version__
        assert {"compiler", "blas", "threads", "created", "numpy"} <= origin.keys()


@pytest.mark.parametrize("save", [(), ("C_g",), ("R_hr", "C_delta"), "all"])
@pytest.mark.parametrize("problem", [PROBLEM, UNSTABLE], ids=["stable", "unstable"])
def test_a_solution_survives_a_file(tmp_path: Path, problem: lm.Problem, save: Any) -> None:
    solution = lm.solve(problem, STEPS, save=save)
    solution.save(tmp_path / "theory.nc")
    assert equal(lm.Solution.load(tmp_path / "theory.nc"), solution)


@pytest.mark.parametrize("problem", [PROBLEM, UNSTABLE], ids=["stable", "unstable"])
def test_an_ensemble_survives_a_file(tmp_path: Path, problem: lm.Problem) -> None:
    runs = lm.train(problem, STEPS, dim=24, seeds=[2**64 - 1, 3])
    runs.save(str(tmp_path / "runs.nc"))
    assert equal(lm.Ensemble.load(str(tmp_path / "runs.nc")), runs)


def test_infinite_width_survives_a_file(tmp_path: Path) -> None:
    problem = lm.Problem(lm.MLP(width=math.inf, gamma0=0.0), lm.Population(), lm.SGD(lr=0.1))
    lm.solve(problem, 3).save(tmp_path / "lazy.nc")
    assert lm.Solution.load(tmp_path / "lazy.nc").problem == problem


def test_results_survive_pickle(solution: lm.Solution, runs: lm.Ensemble) -> None:
    assert equal(pickle.loads(pickle.dumps(solution)), solution)
    assert equal(pickle.loads(pickle.dumps(runs)), runs)


def test_files_are_netcdf_that_others_read_without_this_package(
    tmp_path: Path, solution: lm.Solution
) -> None:
    solution.save(tmp_path / "theory.nc")
    with xr.open_dataset(tmp_path / "theory.nc", engine="h5netcdf") as dataset:
        assert dataset.attrs["format"] == "lindmft-solution"
        assert dataset.attrs["format_version"] == netcdf.VERSION
        np.testing.assert_array_equal(dataset["test_loss"], solution.test_loss)


def refused(path: Path, kind: type[lm.Solution] | type[lm.Ensemble] = lm.Solution) -> str:
    with pytest.raises(ValueError, match=" must ") as error:
        kind.load(path)
    assert path.name in str(error.value)
    return str(error.value)


def test_truncated_files_are_refused(tmp_path: Path, solution: lm.Solution) -> None:
    file = tmp_path / "theory.nc"
    solution.save(file)
    whole = file.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert "cannot be read" in refused(file)


def test_damaged_numbers_are_refused(tmp_path: Path, solution: lm.Solution) -> None:
    file = tmp_path / "theory.nc"
    solution.save(file)
    content = file.read_bytes()
    place = content.index(solution.test_loss[3:6].tobytes())
    file.write_bytes(content[:place] + b"\0" + content[place + 1 :])
    assert "cannot be read" in refused(file)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.nc"
    text.write_text("not a result")
    assert "cannot be read" in refused(text)
    other = tmp_path / "other.nc"
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(other, engine="h5netcdf")
    assert "another program" in refused(other)
    with pytest.raises(FileNotFoundError, match=r"absent\.nc"):
        lm.Solution.load(tmp_path / "absent.nc")


def test_the_two_kinds_of_file_are_told_apart(
    tmp_path: Path, solution: lm.Solution, runs: lm.Ensemble
) -> None:
    solution.save(tmp_path / "theory.nc")
    runs.save(tmp_path / "runs.nc")
    assert "got a lindmft-ensemble file" in refused(tmp_path / "runs.nc")
    assert "got a lindmft-solution file" in refused(tmp_path / "theory.nc", lm.Ensemble)


@pytest.mark.parametrize("version", [netcdf.VERSION + 1, 0, "1"])
def test_versions_from_the_future_are_refused(
    tmp_path: Path, solution: lm.Solution, version: Any
) -> None:
    file = tmp_path / "theory.nc"
    solution.save(file)
    with h5py.File(file, "a") as content:
        content.attrs["format_version"] = version
    assert "newer lindmft" in refused(file)


@pytest.mark.parametrize("part", ["test_loss", "problem", "stats", "provenance"])
def test_incomplete_files_are_refused(tmp_path: Path, solution: lm.Solution, part: str) -> None:
    dataset = solution.to_xarray()
    if part in dataset:
        dataset = dataset.drop_vars(part)
    else:
        del dataset.attrs[part]
    netcdf.write(dataset, tmp_path / "theory.nc")
    assert part in refused(tmp_path / "theory.nc")


def test_an_interrupted_save_leaves_the_old_file(
    tmp_path: Path, solution: lm.Solution, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "theory.nc"
    lm.solve(PROBLEM, 3).save(file)
    before = file.read_bytes()

    def half_written(path: Path, _content: bytes) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", half_written)
    with pytest.raises(KeyboardInterrupt):
        solution.save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_save_replaces_the_old_file_and_leaves_nothing_else(
    tmp_path: Path, solution: lm.Solution
) -> None:
    file = tmp_path / "theory.nc"
    lm.solve(PROBLEM, 3).save(file)
    solution.save(file)
    assert equal(lm.Solution.load(file), solution)
    assert list(tmp_path.iterdir()) == [file]
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_missing_packages_are_named_with_the_way_to_get_them() -> None:
    with pytest.raises(ImportError, match=r"needs nowhere: pip install 'lindmft\[io\]'"):
        optional.optional("nowhere.at_all", "io")


def test_configuration_and_citation_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    lm.show_config()
    shown = capsys.readouterr().out
    assert lm.__version__ in shown
    assert "BLAS" in shown
    lm.citation(PROBLEM.replace(**{"optimizer.momentum": 0.5}))
    cited = capsys.readouterr().out
    assert "2502.02531" in cited
    assert f"version = {{{lm.__version__}}}" in cited
    assert "momentum" in cited
    lm.citation(PROBLEM)
    assert "momentum" not in capsys.readouterr().out
