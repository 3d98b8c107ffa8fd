"""Grids with points of infinite width or depth, which have the theory but no networks."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.sweeps import chunks

BASE = lm.Problem.from_dict(problem())
AXES = {"network.width": [0.5, math.inf], "optimizer.lr": [0.05, 0.1]}
OPTIONS: dict[str, Any] = {"steps": 20, "run": ("solve", "train"), "dim": 16, "seeds": 2}


@pytest.mark.parametrize("size", [1, 4])
def test_the_theory_is_solved_and_training_marked_missing(
    size: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Blocks contain only such points, or such points and others."""
    monkeypatch.setattr(chunks, "_wanted", lambda *_: size)
    monkeypatch.setattr(chunks, "MEMBERS", size)
    dataset = lm.sweep(BASE, AXES, store=tmp_path / "a.zarr", **OPTIONS)
    assert (dataset.theory_status == 1).all()
    assert dataset.training_status.values.tolist() == [[1, 1], [4, 4]]
    assert dataset.training_status.attrs["flag_meanings"].split()[4] == "untrainable"
    assert np.isnan(dataset.training_test_loss.sel(width=math.inf)).all()
    assert np.isfinite(dataset.training_test_loss.sel(width=0.5)).all()
    finite = lm.sweep(BASE, AXES | {"network.width": [0.5]}, **OPTIONS)
    assert dataset.sel(width=[0.5]).equals(finite)
    assert json.loads(dataset.attrs["untrainable"]) == {"network.width is infinite": 2}
    assert json.loads(dataset.attrs["errors"]) == []
    lines = lm.sweep_summary(dataset).splitlines()
    assert lines[:3] == [
        "theory: 4 points, 4 done",
        "training: 4 points, 2 done, 2 cannot be trained",
        "cannot be trained: 2 points, network.width is infinite",
    ]


def test_the_store_of_such_a_sweep_is_resumed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chunks, "_wanted", lambda *_: 1)
    monkeypatch.setattr(chunks, "MEMBERS", 1)

    def stop(done: int, _total: int) -> None:
        if done >= 4:
            raise RuntimeError("enough")

    store = tmp_path / "a.zarr"
    with pytest.raises(RuntimeError, match="enough"):
        lm.sweep(BASE, AXES, store=store, progress=stop, threads=1, **OPTIONS)
    partial = lm.open_sweep(store)
    resumed = lm.sweep(BASE, AXES, store=store, retry_failed=True, **OPTIONS)
    kept = sum(int((partial[f"{name}_status"] > 0).sum()) for name in ("theory", "training"))
    assert resumed.attrs["points_found"] == kept
    assert resumed.equals(lm.sweep(BASE, AXES, **OPTIONS))
    finished = lm.sweep(BASE, AXES, store=store, **OPTIONS)
    assert finished.attrs["points_computed"] == 0
    assert lm.open_sweep(store).equals(resumed)
    assert json.loads(finished.attrs["untrainable"]) == {"network.width is infinite": 2}


def test_infinite_depth_beside_finite_depth() -> None:
    base = lm.Problem(lm.ResNet(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
    axes = {"network.depth": [2, math.inf]}
    dataset = lm.sweep(base, axes, **(OPTIONS | {"steps": 5}))
    assert dataset.training_status.values.tolist() == [1, 4]
    assert "cannot be trained: 1 points, network.depth is infinite" in lm.sweep_summary(dataset)


def test_a_grid_without_any_finite_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"network.width must be finite .*\(at width=inf\)"):
        lm.sweep(BASE, {"network.width": [math.inf]}, **OPTIONS)


def test_other_refusals_still_name_the_point() -> None:
    axes = {"network.width": [math.inf, 1e-6]}
    with pytest.raises(ValueError, match=r"large enough for one hidden unit.*\(at width=1e-06\)"):
        lm.sweep(BASE, axes, **OPTIONS)
