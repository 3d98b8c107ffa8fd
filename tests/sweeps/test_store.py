"""The store of a sweep: readers, refusals, and blocks that are computed again."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from problems import problem

import lindmft as lm
from lindmft.sweeps import chunks, store
from lindmft.sweeps.stages import _one_by_one

BASE = lm.Problem.from_dict(problem())
RATES = [0.05, 0.1, 0.2]
WIDTHS = [0.5, 2.0]
AXES = {"network.width": WIDTHS, "optimizer.lr": RATES}
STEPS = 30


def at(**changes: Any) -> lm.Problem:
    return BASE.replace(**{path.replace("__", "."): value for path, value in changes.items()})


def test_the_store_is_what_xarray_reads(tmp_path: Path) -> None:
    dataset = lm.sweep(BASE, AXES, STEPS, run=["solve", "train"], dim=16, store=tmp_path / "a.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stored = xr.open_zarr(tmp_path / "a.zarr", chunks=None).load()
    assert stored.drop_attrs(deep=False).equals(dataset.drop_attrs(deep=False))
    assert json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())["zarr_format"] == 3
    dataset.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf", decode_times=False) as file:
        assert file.equals(dataset)


def test_a_finished_store_is_not_computed_again(tmp_path: Path) -> None:
    first = lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    counts: list[tuple[int, int]] = []
    second = lm.sweep(
        BASE.to_dict(), AXES, STEPS, store=str(tmp_path / "a.zarr"),
        progress=lambda done, total: counts.append((done, total)),
    )  # fmt: skip
    assert first.attrs["points_computed"] == 6
    assert (second.attrs["points_computed"], second.attrs["points_found"]) == (0, 6)
    assert second.equals(first)
    assert second.equals(lm.open_sweep(tmp_path / "a.zarr"))
    assert "6 found in the store" in lm.sweep_summary(second)


def test_what_has_no_mark_was_not_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays without a mark, as after a kill, are not read as done."""
    monkeypatch.setattr(chunks, "SECONDS", 1e-9)  # every point is a block
    monkeypatch.setattr(chunks, "LEAST_SECONDS", 1e-9)
    store = tmp_path / "a.zarr"
    whole = lm.sweep(BASE, AXES, STEPS, store=store)
    group = zarr.open_group(store, mode="r+", use_consolidated=False)
    assert group["marks/theory"].shape == (2, 3)
    group["marks/theory"][1, 2] = 0
    group["theory_test_loss"][1, 2, 7:] = 0.123
    (store / "marks" / "theory" / "c" / "0" / "1").unlink()
    mended = lm.sweep(BASE, AXES, STEPS, store=store)
    assert (mended.attrs["points_computed"], mended.attrs["points_found"]) == (2, 4)
    assert mended.equals(whole)


def test_an_unfinished_store_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "SECONDS", 1e-9)
    monkeypatch.setattr(chunks, "LEAST_SECONDS", 1e-9)

    def stop(done: int, _total: int) -> None:
        if done >= 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr", progress=stop, threads=1)
    partial = lm.open_sweep(tmp_path / "a.zarr")
    done = partial.theory_status == 1
    assert 3 <= int(done.sum()) < 6
    assert np.isnan(partial.theory_test_loss.where(~done)).all()
    assert "missing" in lm.sweep_summary(partial)
    finished = lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    assert finished.attrs["points_found"] == int(done.sum())
    assert finished.equals(lm.sweep(BASE, AXES, STEPS))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 31}, "steps is 30 there and 31 here"),
        (
            {"axes": {**AXES, "optimizer.lr": [0.05, 0.1, 0.3]}},
            r"axes.lr.values is \[\[0.05\], \[0.1\], \[0.2\]\] there",
        ),
        (
            {"axes": {"optimizer.lr": RATES, "network.width": WIDTHS}},
            r'order is \["width", "lr"\] there',
        ),
        ({"problem": at(data__alpha=3.0)}, "problem.data.alpha is 2.0 there and 3.0 here"),
        ({"observables": "test_loss"}, r'observables is \["test_loss", "train_loss"\] there'),
        ({"run": ["solve", "train"]}, 'seeds is "nothing" there and'),
        ({"grid": "adaptive"}, 'grid is "exact" there and "adaptive" here'),
    ],
)
def test_the_store_of_another_sweep_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    store = tmp_path / "a.zarr"
    call = {"problem": BASE, "axes": AXES, "steps": STEPS, "store": store}
    lm.sweep(**call)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    with pytest.raises(ValueError, match=f"store must be new, or of the same sweep, .*{message}"):
        lm.sweep(**(call | changes))
    assert before == {path: path.stat().st_mtime_ns for path in store.rglob("*")}


def test_other_places_are_refused(tmp_path: Path) -> None:
    call: dict[str, Any] = {"problem": BASE, "axes": AXES, "steps": 3}
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thing").write_text("text")
    for name in ("file", "folder"):
        with pytest.raises(ValueError, match="must be the store of a sweep, got something else"):
            lm.sweep(**call, store=tmp_path / name)
        with pytest.raises(ValueError, match="must be the store of a sweep"):
            lm.open_sweep(tmp_path / name)
    assert (tmp_path / "folder" / "thing").read_text() == "text"
    with pytest.raises(FileNotFoundError, match="got nothing there"):
        lm.open_sweep(tmp_path / "absent")
    with pytest.raises(ValueError, match="must be in a folder that exists"):
        lm.sweep(**call, store=tmp_path / "no" / "a.zarr")
    xr.Dataset({"x": ("y", [1.0])}).to_zarr(
        tmp_path / "other.zarr", zarr_format=3, consolidated=False
    )
    with pytest.raises(ValueError, match="of another program"):
        lm.sweep(**call, store=tmp_path / "other.zarr")
    (tmp_path / "empty").mkdir()
    assert lm.sweep(**call, store=tmp_path / "empty").attrs["points_computed"] == 6
    group = zarr.open_group(tmp_path / "empty", mode="r+", use_consolidated=False)
    group.attrs["format_version"] = 99
    with pytest.raises(ValueError, match="needs a newer lindmft"):
        lm.open_sweep(tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "empty",
        "file",
        "folder",
        "other.zarr",
    ]


@pytest.mark.parametrize("name", ["theory_test_loss", "marks/theory", "errors/theory"])
def test_a_store_that_lacks_an_array_is_refused(name: str, tmp_path: Path) -> None:
    lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    shutil.rmtree(tmp_path / "a.zarr" / name)
    with pytest.raises(ValueError, match=f"a complete store of a sweep, got one without '{name}'"):
        lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")


def test_blocks_of_an_older_plan_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate of cost may change; a store keeps the blocks with which it was begun."""
    whole = lm.sweep(BASE, AXES, STEPS)
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "_wanted", lambda *_: 2)  # of three rates: blocks of 2 and 1

        def stop(done: int, _total: int) -> None:
            if done >= 2:
                raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough"):
            lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr", progress=stop, threads=1)
    finished = lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    assert finished.equals(whole)
    assert finished.attrs["points_found"] >= 2
    assert json.loads(finished.attrs["chunks"]) == {"theory": [1, 2]}


def test_a_store_appears_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process sees nothing of it before it is complete."""
    create = store._create

    def interrupted(place: Any, plan: Any) -> Any:
        create(place, plan)
        assert not (tmp_path / "a.zarr").exists()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_create", interrupted)
    with pytest.raises(OSError, match="No space left"):
        lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="store must be a folder with a name, got '.'"):
        lm.sweep(BASE, AXES, STEPS, store=".")


def test_progress_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_wanted", lambda *_: 1)
    call: dict[str, Any] = {"steps": STEPS, "store": tmp_path / "a.zarr", "threads": 1}

    def stop(done: int, _total: int) -> None:
        if done >= 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        lm.sweep(BASE, AXES, **call, progress=stop)
    counts: list[tuple[int, int]] = []
    lm.sweep(BASE, AXES, **call, progress=lambda *pair: counts.append(pair))
    assert counts == [(i, 6) for i in range(1, 7)]


def test_a_block_that_fails_is_tried_point_by_point() -> None:
    def many(some: Any) -> list[int]:
        if 2 in some:
            raise MemoryError("too large")
        return [10 * one for one in some]

    problems: Any = [1, 2, 3]
    first, second, third = _one_by_one(many, problems)
    assert (first, third) == (10, 30)
    assert isinstance(second, MemoryError)


def test_what_numbers_depend_on_is_in_the_configuration(tmp_path: Path) -> None:
    call: dict[str, Any] = {"steps": 5, "run": "train", "dim": 16, "store": tmp_path / "a.zarr"}
    first = lm.sweep(BASE, AXES, **call, seeds=2, seed=7)
    assert first.seed.values.tolist() == [7 * 2**32, 7 * 2**32 + 1]
    for other, message in (
        ({"seeds": 2, "seed": 8}, "seeds is"),
        ({"seeds": 2, "seed": 7, "dtype": "float32"}, 'dtype is "float64" there'),
        ({"seeds": 2, "seed": 7, "dim": 24}, "dim is 16 there and 24 here"),
        ({"seeds": 3, "seed": 7, "steps": 6, "dim": 8, "dtype": "float32", "times": [1]},
         r"steps .*; times .*; .*; and \d more"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            lm.sweep(BASE, AXES, **(call | other))


def test_options_reach_the_solver_and_the_training() -> None:
    single = lm.sweep(
        BASE, {"optimizer.lr": [0.1]}, 20, run="train", dim=32, seeds=2, dtype="float32"
    )
    runs = lm.train(BASE, 20, dim=32, seeds=2, dtype="float32")
    assert np.allclose(single.training_test_loss[0], runs.test_loss, rtol=1e-5)
    double = lm.train(BASE, 20, dim=32, seeds=2)
    assert not np.allclose(single.training_test_loss[0], double.test_loss, rtol=1e-12)
    coarse = lm.sweep(BASE, {"optimizer.lr": [0.1]}, 400, grid="adaptive", rtol=1e-2, times="last")
    alone = lm.solve(BASE, 400, grid="adaptive", rtol=1e-2)
    assert coarse.theory_test_loss.item() == alone.test_loss[-1]
    assert alone.test_loss[-1] != lm.solve(BASE, 400, grid="adaptive").test_loss[-1]


def test_zarr_2_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    monkeypatch.setattr(zarr, "__version__", "2.18.4")
    with pytest.raises(ImportError, match=r"format 3, which zarr 2.18.4 cannot read.*lindmft\[swe"):
        lm.open_sweep(tmp_path / "a.zarr")


def test_a_damaged_chunk_is_noticed(tmp_path: Path) -> None:
    lm.sweep(BASE, AXES, STEPS, store=tmp_path / "a.zarr")
    (chunk,) = [
        p for p in (tmp_path / "a.zarr" / "theory_test_loss" / "c").rglob("*") if p.is_file()
    ]
    raw = bytearray(chunk.read_bytes())
    raw[len(raw) // 2] ^= 1
    chunk.write_bytes(raw)
    with pytest.raises(ValueError, match="must be a complete store of a sweep"):
        lm.open_sweep(tmp_path / "a.zarr")


def test_kernels_that_do_not_exist_are_kept_as_such(tmp_path: Path) -> None:
    """They are nan like lost values; the store knows their number."""
    nothing = {"kind": "discrete", "eigenvalues": [1.0], "target_power": [0.0], "weights": [1.0]}
    base = BASE.replace(**{"data.spectrum": nothing})
    names = ("test_loss", "kernel_scale", "kernel_target", "kernel_gradient")
    options = {"observables": names, "store": tmp_path / "a.zarr"}
    first = lm.sweep(base, {"optimizer.lr": RATES}, 5, **options)
    assert np.isnan(first.theory_kernel_target).all()
    assert np.isfinite(first.theory_kernel_gradient).all()
    again = lm.sweep(base, {"optimizer.lr": RATES}, 5, **options)
    assert again.attrs["points_computed"] == 0
    assert lm.open_sweep(tmp_path / "a.zarr").equals(first)
    chunk = next(path for path in (tmp_path / "a.zarr/theory_kernel_gradient/c").rglob("0"))
    shutil.rmtree(chunk) if chunk.is_dir() else chunk.unlink()
    with pytest.raises(ValueError, match="have lost values"):
        lm.open_sweep(tmp_path / "a.zarr")
    assert lm.sweep(base, {"optimizer.lr": RATES}, 5, **options).equals(first)
