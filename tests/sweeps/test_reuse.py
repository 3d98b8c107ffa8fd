"""Sweeps that copy results of an earlier store, and compute the rest."""

import json
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest
import zarr
from problems import problem

import lindmft as lm
from lindmft import _core
from lindmft.sweeps import chunks
from lindmft.sweeps.integrity import checksums

BASE = lm.Problem.from_dict(problem())
AXES = {"network.width": [0.5, 2.0], "optimizer.lr": [0.05, 0.1, 30.0]}
LARGER = {"optimizer.lr": [0.02, 0.05, 0.1, 30.0], "network.width": [0.5, 1.0, 2.0]}
OPTIONS: dict[str, Any] = {
    "steps": 20,
    "run": ("solve", "train"),
    "dim": 16,
    "observables": ("test_loss", "feature_norm"),
}
KILLED = """
import os, signal, sys
import lindmft as lm
from lindmft.sweeps import chunks

chunks.SECONDS = chunks.LEAST_SECONDS = 1e-9
chunks.MEMBERS = 1
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
axes = {"network.width": [0.5, 2.0], "optimizer.lr": [0.02, 0.05, 0.1, 30.0]}

def kill(done, total):
    if done > 5:
        os.kill(os.getpid(), signal.SIGKILL)

lm.sweep(problem, axes, 20, store=sys.argv[2], reuse=sys.argv[1], progress=kill, threads=1)
"""


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    lm.sweep(BASE, AXES, seeds=2, store=tmp_path / "a.zarr", **OPTIONS)
    return tmp_path / "a.zarr"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(copied: Any, computed: Any) -> None:
    """Compare the theory to the last bit, and training up to rounding: its blocks are others."""
    for name in computed.data_vars:
        if str(name).startswith("theory") or computed[name].dtype.kind in "iu":
            assert copied[name].equals(computed[name]), name
        else:
            assert np.allclose(copied[name], computed[name], rtol=1e-12, equal_nan=True), name


def relabel(store: Path, version: str) -> None:
    """Make the store one of another version of lindmft."""
    group = zarr.open_group(store, mode="r+", use_consolidated=False)
    configuration = json.loads(group.attrs["configuration"]) | {"lindmft": version}
    group.attrs["configuration"] = json.dumps(configuration)
    group.attrs["checksum"] = json.dumps(checksums(group))


def test_points_and_seeds_of_an_earlier_store_are_copied(earlier: Path, tmp_path: Path) -> None:
    before = contents(earlier)
    larger = lm.sweep(
        BASE, LARGER, seeds=4, store=tmp_path / "b.zarr", reuse=str(earlier), **OPTIONS
    )
    same(larger, lm.sweep(BASE, LARGER, seeds=4, **OPTIONS))
    assert contents(earlier) == before, "the earlier store is only read"
    version = _core.__version__
    assert json.loads(larger.attrs["reused"]) == [
        {"run": "theory", "points": 6, "lindmft": version, "store": "a.zarr", "seeds": None},
        {"run": "training", "points": 6, "lindmft": version, "store": "a.zarr", "seeds": 2},
    ]
    summary = lm.sweep_summary(larger)
    assert f"reused: 6 points of theory, from a.zarr (lindmft {version})" in summary
    assert f"reused: 2 seeds at 6 points of training, from a.zarr (lindmft {version})" in summary
    assert lm.open_sweep(tmp_path / "b.zarr").equals(larger)
    again = lm.sweep(BASE, LARGER, seeds=4, store=tmp_path / "b.zarr", **OPTIONS)
    assert again.attrs["points_found"] == 24
    assert again.attrs["reused"] == larger.attrs["reused"], "also without the request"


def test_fewer_points_and_seeds_are_copied_as_a_whole(earlier: Path) -> None:
    """A state counts the seeds that are left: a network that diverged may be left out."""
    axes = {"optimizer.lr": [0.1, 30.0]}
    smaller = lm.sweep(
        BASE.replace(**{"network.width": 2.0}), axes, seeds=1, reuse=earlier, **OPTIONS
    )
    assert (smaller.attrs["points_reused"], smaller.attrs["points_computed"]) == (4, 0)
    same(smaller, lm.sweep(BASE.replace(**{"network.width": 2.0}), axes, seeds=1, **OPTIONS))


def test_layers_of_deeper_networks_do_not_matter(tmp_path: Path) -> None:
    shallow, deep = {"network.depth": [1, 2]}, {"network.depth": [2, 3]}
    lm.sweep(BASE, shallow, seeds=2, store=tmp_path / "a.zarr", **OPTIONS)
    copied = lm.sweep(BASE, deep, seeds=2, reuse=tmp_path / "a.zarr", **OPTIONS)
    assert copied.attrs["points_reused"] == 2
    same(copied, lm.sweep(BASE, deep, seeds=2, **OPTIONS))


def test_another_patch_version_is_reused_on_request_and_named(
    earlier: Path, tmp_path: Path
) -> None:
    major, minor, _ = _core.__version__.split(".")
    other = f"{major}.{minor}.77"
    relabel(earlier, other)
    with pytest.raises(ValueError, match=rf'lindmft is "{other}" there.*With a new store and reus'):
        lm.sweep(BASE, AXES, seeds=2, store=earlier, **OPTIONS)
    copied = lm.sweep(BASE, AXES, seeds=2, store=tmp_path / "b.zarr", reuse=earlier, **OPTIONS)
    assert copied.attrs["points_computed"] == 0
    assert f"6 points of theory, from a.zarr (lindmft {other})" in lm.sweep_summary(copied)
    once_more = lm.sweep(BASE, LARGER, seeds=2, reuse=tmp_path / "b.zarr", **OPTIONS)
    assert f"from b.zarr (lindmft {other})" in lm.sweep_summary(once_more), "not who copied it"
    relabel(earlier, f"{major}.{int(minor) + 1}.0")
    with pytest.raises(ValueError, match="reuse must be a store of lindmft .* may differ"):
        lm.sweep(BASE, AXES, seeds=2, reuse=earlier, **OPTIONS)


def test_the_error_says_what_a_request_would_save(earlier: Path) -> None:
    message = (
        r"seeds is \[0, 1\] there and \[0, 1, 2, 3\] here.*With a new store and reuse=.*a.zarr\", "
        r"6 of 12 points of theory and 6 of 12 points of training, 2 seeds of each need not"
    )
    with pytest.raises(ValueError, match=message):
        lm.sweep(BASE, LARGER, seeds=4, store=earlier, **OPTIONS)
    with pytest.raises(ValueError, match="steps is 20 there and 21 here") as raised:
        lm.sweep(BASE, AXES, seeds=2, store=earlier, **(OPTIONS | {"steps": 21}))
    assert "reuse" not in str(raised.value), "nothing agrees"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 21}, "theory: steps is 20 there and 21 here.*training: steps is 20"),
        ({"times": "last"}, "times is .* there and .*19.* here"),
        ({"axes": {"optimizer.lr": [0.3]}}, "theory: no point is the same"),
        ({"observables": "test_loss"}, "observables is .*feature_norm.* there"),
        (
            {"run": "flow", "steps": None, "time": 3.0, "dim": None},
            'run is "solve" there and "flow"',
        ),
    ],
)
def test_a_store_without_common_results_is_refused(
    changes: dict[str, Any], message: str, earlier: Path, tmp_path: Path
) -> None:
    call: dict[str, Any] = {"axes": AXES, "seeds": 2, "store": tmp_path / "b.zarr"} | OPTIONS
    with pytest.raises(ValueError, match=f"reuse must be a store with results of this.*{message}"):
        lm.sweep(BASE, **(call | {"reuse": earlier} | changes))
    assert not (tmp_path / "b.zarr").exists()


def test_a_stage_that_differs_is_computed(earlier: Path) -> None:
    copied = lm.sweep(BASE, AXES, seeds=2, reuse=earlier, **(OPTIONS | {"dim": 24}))
    assert [one["run"] for one in json.loads(copied.attrs["reused"])] == ["theory"]
    same(copied, lm.sweep(BASE, AXES, seeds=2, **(OPTIONS | {"dim": 24})))


def test_the_earlier_store_cannot_be_the_new_one(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reuse cannot be combined with the same folder as store"):
        lm.sweep(BASE, LARGER, seeds=2, store=earlier, reuse=earlier, **OPTIONS)
    with pytest.raises(FileNotFoundError, match="got nothing there"):
        lm.sweep(BASE, AXES, reuse=tmp_path / "absent", **OPTIONS)
    with pytest.raises(ValueError, match="reuse must be a path"):
        lm.sweep(BASE, AXES, reuse=True, **OPTIONS)


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_parts_of_blocks_are_computed_on_any_engine(
    engine: str, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_wanted", lambda *_: 5)
    monkeypatch.setattr(chunks, "MEMBERS", 5)
    copied = lm.sweep(BASE, LARGER, seeds=3, reuse=earlier, engine=engine, threads=2, **OPTIONS)
    same(copied, lm.sweep(BASE, LARGER, seeds=3, **OPTIONS))


def test_points_that_failed_are_computed_again(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A point whose further seeds fail has failed, and is not counted as reused."""
    with monkeypatch.context() as patch:
        patch.setattr("lindmft.sweeps.stages.train_many", _out_of_memory)
        failed = lm.sweep(BASE, AXES, seeds=3, store=tmp_path / "b.zarr", reuse=earlier, **OPTIONS)
    assert (failed.training_status == 3).all()
    assert np.isnan(failed.training_test_loss).all()
    assert [one["run"] for one in json.loads(failed.attrs["reused"])] == ["theory"]
    mended = lm.sweep(
        BASE, AXES, seeds=3, store=tmp_path / "b.zarr", reuse=earlier, retry_failed=True, **OPTIONS
    )
    same(mended, lm.sweep(BASE, AXES, seeds=3, **OPTIONS))
    assert len(json.loads(mended.attrs["reused"])) == 2


def test_stores_of_format_version_1_are_read_continued_and_reused(
    earlier: Path, tmp_path: Path
) -> None:
    """They have no origins, and their attribute for the sizes of blocks has another name."""
    group = zarr.open_group(earlier, mode="r+", use_consolidated=False)
    group.attrs["tiles"] = group.attrs["chunks"]
    del group.attrs["chunks"]
    del group["origins"]
    group["marks/training"][0, 0] = 0
    group.attrs["format_version"] = 1
    group.attrs["checksum"] = json.dumps(checksums(group))
    continued = lm.sweep(BASE, AXES, seeds=2, store=earlier, **OPTIONS)
    assert 0 < continued.attrs["points_computed"] < 12
    assert continued.equals(lm.sweep(BASE, AXES, seeds=2, **OPTIONS))
    copied = lm.sweep(BASE, LARGER, seeds=2, reuse=earlier, **OPTIONS)
    same(copied, lm.sweep(BASE, LARGER, seeds=2, **OPTIONS))


def test_points_that_are_computed_later_do_not_count_as_reused(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block with a copied and a failed point is computed as a whole without the request."""
    axes = {"optimizer.lr": [0.05, 0.02]}
    base = BASE.replace(**{"network.width": 2.0})
    call: dict[str, Any] = {"seeds": 2, "store": tmp_path / "b.zarr", **OPTIONS, "run": "train"}
    with monkeypatch.context() as patch:
        patch.setattr("lindmft.sweeps.stages.train_many", _out_of_memory)
        partial = lm.sweep(base, axes, reuse=earlier, **call)
    assert partial.training_status.values.tolist() == [1, 3]
    assert "reused: 1 points of training" in lm.sweep_summary(partial)
    finished = lm.sweep(base, axes, retry_failed=True, **call)
    assert finished.training_status.values.tolist() == [1, 1]
    assert json.loads(finished.attrs["reused"]) == []


def _out_of_memory(*_: Any, **__: Any) -> None:
    raise MemoryError("too large")


@pytest.mark.long
def test_a_sweep_that_is_killed_while_it_copies_continues(tmp_path: Path) -> None:
    axes = {"network.width": [0.5, 2.0], "optimizer.lr": [0.02, 0.05, 0.1, 30.0]}
    lm.sweep(BASE, AXES, 20, store=tmp_path / "a.zarr")
    before = contents(tmp_path / "a.zarr")
    with child.start(KILLED, tmp_path / "a.zarr", tmp_path / "b.zarr") as started:
        assert started.wait(child.PATIENCE) == -9
    partial = int((lm.open_sweep(tmp_path / "b.zarr").theory_status > 0).sum())
    assert 0 < partial < 8
    call: dict[str, Any] = {"store": tmp_path / "b.zarr", "reuse": tmp_path / "a.zarr"}
    finished = lm.sweep(BASE, axes, 20, **call)
    assert finished.attrs["points_found"] == partial
    same(finished, lm.sweep(BASE, axes, 20))
    assert json.loads(finished.attrs["reused"])[0]["points"] == 6
    assert contents(tmp_path / "a.zarr") == before
