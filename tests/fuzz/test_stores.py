"""Damaged stores of sweeps are refused by name or repaired, never read differently."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from fuzzing import damaged, examples, odd, outcome
from hypothesis import given
from hypothesis import strategies as st

import lindmft as lm
from lindmft.sweeps import chunks

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
SWEEP: dict[str, Any] = {
    "problem": PROBLEM,
    "axes": {"network.depth": [1, 2], "optimizer.lr": {"low": 0.05, "high": 30.0}},
    "steps": 12,
    "times": 3,
    "run": ("solve", "train"),
    "observables": ("test_loss", "feature_norm"),
    "dim": 4,
    "seeds": 2,
}
ARGUMENTS = (
    *("axes", "run", "steps", "time", "times", "observables", "grid", "dim", "seeds", "seed"),
    *("dtype", "engine", "threads", "retry_failed"),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished store with one point in each block; half of the points diverged."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SECONDS", "LEAST_SECONDS", "MEMBERS"):
            patch.setattr(chunks, name, 1e-9)
        path = tmp_path_factory.mktemp("stores") / "whole.zarr"
        lm.sweep(**SWEEP, store=path)
        yield path


def parts(store: Path, start: str = "") -> list[Path]:
    files = (file for file in store.rglob("*") if file.is_file())
    return sorted(file.relative_to(store) for file in files if start in str(file))


def expect_computed(found: xr.Dataset, whole: xr.Dataset) -> None:
    """Check that every point that counts as computed is correct to the last bit."""
    for stage in ("theory", "training"):
        there = found[f"{stage}_status"].values > 0
        for name in (name for name in whole if str(name).startswith(stage)):
            values = found[name].values[there]
            np.testing.assert_array_equal(values, whole[name].values[there])


def check(store: Path, whole: xr.Dataset) -> None:
    """Readable parts of a store are correct, and the same sweep repairs or refuses it."""
    name = store.name
    found = outcome(lambda: Some(lm.open_sweep(store)), name)
    if found is not None:
        expect_computed(found.dataset, whole)
    mended = outcome(lambda: Some(lm.sweep(**SWEEP, store=store)), name)
    if mended is not None:
        assert mended.dataset.equals(whole)
        assert lm.open_sweep(store).equals(whole)


class Some:
    """The store as a dataset, in which nan has a meaning."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self.dataset = dataset


def test_damaged_files(store: Path, tmp_path: Path) -> None:
    whole, copy = lm.open_sweep(store), tmp_path / "hurt.zarr"

    @examples(8)
    @given(st.data())
    def hurt(data: st.DataObject) -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(store, copy)
        for _ in range(data.draw(st.integers(1, 2))):
            part = copy / data.draw(st.sampled_from(parts(store)))
            if part.exists() and data.draw(st.booleans()):
                part.write_bytes(data.draw(damaged((store / part.relative_to(copy)).read_bytes())))
            else:
                part.unlink(missing_ok=True)
        check(copy, whole)

    hurt()


@pytest.mark.parametrize(
    ("array", "refused"),
    [("test_loss", True), ("feature_norm", True), ("diverged_at", True), ("status", True)],
)
@pytest.mark.parametrize("stage", ["theory", "training"])
def test_lost_chunks_are_computed_again(
    store: Path, stage: str, array: str, refused: bool, tmp_path: Path
) -> None:
    """Missing arrays are refused: they would be read as nan, or as points that did not diverge."""
    whole, copy = lm.open_sweep(store), tmp_path / "hurt.zarr"
    shutil.copytree(store, copy)
    for chunk in parts(store, f"{stage}_{array}/c"):
        (copy / chunk).unlink()
    with pytest.raises(ValueError, match=rf"hurt\.zarr .*points of {stage} have lost values"):
        lm.open_sweep(copy)
    again = lm.sweep(**SWEEP, store=copy)
    assert 0 < again.attrs["points_computed"] < 8
    assert again.equals(whole)
    assert lm.open_sweep(copy).equals(whole)


@pytest.mark.parametrize("array", ["theory_test_loss", "marks/theory", "claims/training"])
def test_damaged_chunks_are_computed_again(store: Path, array: str, tmp_path: Path) -> None:
    whole, copy = lm.open_sweep(store), tmp_path / "hurt.zarr"
    shutil.copytree(store, copy)
    for chunk in parts(store, f"{array}/c"):
        (copy / chunk).write_bytes(b"garbage")
    again = lm.sweep(**SWEEP, store=copy)
    assert again.equals(whole)
    assert lm.open_sweep(copy).equals(whole)


@pytest.mark.parametrize(
    ("part", "old", "new", "named"),
    [
        ("zarr.json", "12, ", "13, ", "attributes"),
        ("theory_status/zarr.json", "state of", "stage of", "'theory_status'"),
        ("time/zarr.json", "steps", "stops", "'time'"),
    ],
)
def test_changed_metadata_are_refused(
    store: Path, part: str, old: str, new: str, named: str, tmp_path: Path
) -> None:
    copy = tmp_path / "hurt.zarr"
    shutil.copytree(store, copy)
    content = (copy / part).read_text()
    assert old in content
    (copy / part).write_text(content.replace(old, new, 1))
    for use in (lambda: lm.open_sweep(copy), lambda: lm.sweep(**SWEEP, store=copy)):
        with pytest.raises(ValueError, match=f"must be as it was written, got one whose {named}"):
            use()


@examples(60)
@given(st.sampled_from(ARGUMENTS), odd)
def test_arguments_of_any_kind(name: str, value: Any) -> None:
    if name in {"steps", "dim", "times"} and isinstance(value, int | float) and 99 < value < 2**31:
        value = 7
    arguments = SWEEP | {"memory_limit": 2e8} | {name: value}
    outcome(lambda: Some(lm.sweep(**arguments)))


def test_an_array_is_no_engine() -> None:
    with pytest.raises(ValueError, match="memory_limit cannot be combined with engine 'ndarray'"):
        lm.sweep(**SWEEP, memory_limit=2e8, engine=np.array([]))


@examples(20)
@given(odd)
def test_paths_of_any_kind(path: Any) -> None:
    if not isinstance(path, str) or path:  # "" is the folder where tests run
        outcome(lambda: Some(lm.open_sweep(path)))
