"""Files that results may be written to: endings of names, and existing files."""

from pathlib import Path
from typing import Any

import h5py
import pytest

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
THEORY = lm.solve(PROBLEM, 4)
RUNS = lm.train(PROBLEM, 4, dim=8, seeds=2)
PAIRS = lm.train_replicas(PROBLEM, 4, dim=8, seeds=2)
RESULTS: list[Any] = [THEORY, RUNS, PAIRS]


@pytest.mark.parametrize("result", RESULTS, ids=["solution", "ensemble", "replicas"])
def test_names_that_promise_another_kind_of_file_are_refused(tmp_path: Path, result: Any) -> None:
    for name in ("x.csv", "x.png", "x.json", "x.toml", "x.nc.gz"):
        with pytest.raises(ValueError, match=r"^path must be a file ending in '.nc', '.nc4', '.h5"):
            result.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    for name in ("x.HDF5", "x"):
        result.save(tmp_path / name)
        assert type(result).load(tmp_path / name).problem == PROBLEM


@pytest.mark.parametrize("call", [lm.solve, lm.flow, lm.train])
def test_checkpoints_of_unknown_endings_are_refused_before_the_work(
    tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("solve", "flow", "train"):
        monkeypatch.setattr(f"lindmft._core.{name}", lambda *_a, **_k: pytest.fail("worked"))
    with pytest.raises(ValueError, match=r"^checkpoint must be a file ending in '.nc'"):
        call(PROBLEM, 4, checkpoint=tmp_path / "run.csv")


@pytest.mark.parametrize("result", RESULTS, ids=["solution", "ensemble", "replicas"])
def test_only_results_of_the_same_kind_are_replaced(tmp_path: Path, result: Any) -> None:
    place = tmp_path / "result.nc"
    for other in RESULTS:
        other.save(place, force=True)
        kept = place.read_bytes()
        if other is result:
            result.save(place)
            continue
        with pytest.raises(ValueError, match=r"exists; force=True replaces it \(it is lindmft-"):
            result.save(place)
        assert place.read_bytes() == kept
    result.save(place, force=True)
    assert type(result).load(place).problem == PROBLEM


def test_files_of_other_programs_are_kept(tmp_path: Path) -> None:
    place = tmp_path / "theory.nc"
    place.write_text("precious")
    with pytest.raises(ValueError, match=r"exists; .*not a result of lindmft"):
        THEORY.save(place)
    assert place.read_text() == "precious"
    with h5py.File(place, "w") as other:
        other.attrs["format"] = [1, 2]
    with pytest.raises(ValueError, match=r"exists; .*not a result of lindmft"):
        THEORY.save(place)
    place.write_bytes(b"")  # nothing that could be lost
    THEORY.save(place)
    with pytest.raises(ValueError, match=r"^force must be true or false"):
        THEORY.save(place, force=1)  # type: ignore[arg-type]
