"""Sweeps: labelled datasets whose points are the results of solve, flow and train_many."""

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
RATES = [0.05, 0.1, 0.2]
WIDTHS = [0.5, 2.0]
AXES = {"network.width": WIDTHS, "optimizer.lr": RATES}
STEPS = 30


def at(**changes: Any) -> lm.Problem:
    return BASE.replace(**{path.replace("__", "."): value for path, value in changes.items()})


# ---- contents


def test_points_of_the_theory_are_those_of_solve() -> None:
    observables = ["test_loss", "train_loss", "term_init", "feature_norm", "kernel_scale"]
    dataset = lm.sweep(BASE, AXES, STEPS, observables=observables)
    assert dataset.theory_test_loss.dims == ("width", "lr", "time")
    assert dataset.theory_feature_norm.dims == ("width", "lr", "layer", "time")
    for i, width in enumerate(WIDTHS):
        for j, lr in enumerate(RATES):
            point = dataset.sel(width=width, lr=lr)
            alone = lm.solve(at(network__width=width, optimizer__lr=lr), STEPS, kernels=True)
            for name in observables:
                found = point[f"theory_{name}"].values
                assert np.array_equal(found, getattr(alone, name)), (i, j, name)
    assert (dataset.theory_status == 1).all()
    assert (dataset.theory_diverged_at == -1).all()


def test_points_of_the_training_are_those_of_train_many() -> None:
    dataset = lm.sweep(
        BASE,
        AXES,
        STEPS,
        run="train",
        dim=48,
        seeds=[3, 5],
        observables=["test_loss", "feature_norm"],
    )
    assert dataset.training_test_loss.dims == ("width", "lr", "seed", "time")
    assert dataset.training_feature_norm.dims == ("width", "lr", "seed", "layer", "time")
    assert dataset.seed.values.tolist() == [3, 5]
    assert "theory_status" not in dataset
    runs = lm.train_many(BASE.vary(AXES), STEPS, dim=48, seeds=[3, 5])
    for run, (width, lr) in zip(runs, [(w, r) for w in WIDTHS for r in RATES], strict=True):
        point = dataset.sel(width=width, lr=lr)
        assert np.allclose(point.training_test_loss, run.test_loss, rtol=1e-9)
        assert np.allclose(point.training_feature_norm, run.feature_norm, rtol=1e-9)


def test_theory_and_training_side_by_side_agree() -> None:
    """The rates are not near the edge of stability, where deviations of 1/dim are amplified."""
    axes = {"network.width": WIDTHS, "optimizer.lr": [0.02, 0.05]}
    dataset = lm.sweep(BASE, axes, STEPS, run=["train", "solve"], dim=300, seeds=16)
    runs = dataset.training_test_loss
    z = (runs.mean("seed") - dataset.theory_test_loss) / (runs.std("seed", ddof=1) / 4)
    assert float(np.sqrt((z**2).mean())) < 2
    assert float(abs(z).max()) < 4


def test_coordinates_say_what_they_are() -> None:
    axes: Any = {
        ("network.depth", "network.gamma0"): [(1, 1.0), (3, 0.5)],
        "optimizer.lr": {"constant": 0.1, "decay": np.linspace(0.1, 0.01, STEPS)},
        "network.parameterization": ["mup", "ntk"],
        "data.targets": [[1.0], [1.0, 2.0]],
    }
    dataset = lm.sweep(BASE, axes, STEPS, times="last")
    assert dict(dataset.sizes) == {
        "depth_gamma0": 2, "lr": 2, "parameterization": 2, "targets": 2, "time": 1
    }  # fmt: skip
    assert dataset.depth.dims == ("depth_gamma0",)
    assert dataset.depth.values.tolist() == [1, 3]
    assert dataset.lr.values.tolist() == ["constant", "decay"]
    assert dataset.parameterization.values.tolist() == ["mup", "ntk"]
    assert dataset.targets.values.tolist() == [0, 1]
    assert dataset.lr.attrs["paths"] == "optimizer.lr"
    assert dataset.time.attrs["units"] == "steps"
    for name in dataset.variables:
        assert dataset[name].attrs["long_name"], name
    deep = at(network__depth=3, network__gamma0=0.5, network__parameterization="ntk")
    deep = deep.replace(**{"optimizer.lr": axes["optimizer.lr"]["decay"].tolist()})
    point = dataset.sel(lr="decay", parameterization="ntk").isel(depth_gamma0=1, targets=0)
    assert point.theory_test_loss.item() == lm.solve(deep, STEPS).test_loss[-1]


def test_the_same_last_part_of_two_paths_keeps_both_whole() -> None:
    axes = {"network.kind": ["mlp"], "data.kind": ["population"]}
    base = {**problem(), "data": {"kind": "population", "noise": 0.3}}
    dataset = lm.sweep(base, axes, 3)
    assert dataset.theory_test_loss.dims == ("network.kind", "data.kind", "time")


def test_the_same_last_part_within_zipped_or_labelled_axes() -> None:
    base = {**problem(), "data": {"kind": "population", "noise": 0.3}}
    axes: Any = {
        ("network.kind", "network.depth"): [("mlp", 1), ("mlp", 2)],
        "data.kind": {"clean": "population"},
    }
    dataset = lm.sweep(base, axes, 3)
    assert dataset["network.kind"].values.tolist() == ["mlp", "mlp"]
    assert dataset["data.kind"].values.tolist() == ["clean"]
    assert dataset.depth.values.tolist() == [1, 2]


def test_numbers_beyond_64_bits_are_coordinates() -> None:
    dataset = lm.sweep(BASE, {"data.noise": [0, 10**20]}, 3)
    assert dataset.noise.values.tolist() == [0.0, 1e20]


def test_attributes_hold_the_configuration() -> None:
    dataset = lm.sweep(BASE, AXES, STEPS, run=["solve", "train"], dim=32, seeds=2, dtype="float32")
    kept = json.loads(dataset.attrs["configuration"])
    assert lm.Problem.from_dict(kept["problem"]) == BASE
    assert kept["axes"]["lr"] == {
        "paths": ["optimizer.lr"], "values": [[r] for r in RATES], "labels": None
    }  # fmt: skip
    assert kept["order"] == ["width", "lr"]
    assert kept["run"] == ["solve", "train"]
    assert (kept["steps"], kept["grid"]) == (STEPS, "exact")
    assert (kept["dim"], kept["seeds"], kept["dtype"]) == (32, [0, 1], "float32")
    assert kept["lindmft"] == lm.__version__
    assert json.loads(dataset.attrs["provenance"])["numpy"] == np.__version__


# ---- times


def test_times_are_thinned() -> None:
    every = lm.sweep(BASE, {"optimizer.lr": [0.1]}, 400, times=range(400)).theory_test_loss
    default = lm.sweep(BASE, {"optimizer.lr": [0.1]}, 400).theory_test_loss
    assert 100 < default.sizes["time"] <= 200
    assert default.time[0] == 0
    assert default.time[-1] == 399
    assert np.array_equal(default, every.sel(time=default.time))
    ten = lm.sweep(BASE, {"optimizer.lr": [0.1]}, 400, times=10, run=["solve", "train"], dim=16)
    assert ten.sizes["time"] <= 10
    assert np.array_equal(ten.theory_test_loss, every.sel(time=ten.time))
    runs = lm.train(BASE, 400, dim=16)
    assert np.allclose(ten.training_test_loss[0], runs.test_loss[:, ten.time.values], rtol=1e-9)
    for run in ({"steps": 400}, {"run": "flow", "time": 400.0}):
        two = lm.sweep(BASE, {"optimizer.lr": [0.1]}, times=2, **run)  # type: ignore[arg-type]
        assert two.time.values.tolist() == [0, 399 if "steps" in run else 400]
    chosen = lm.sweep(BASE, {"optimizer.lr": [0.1]}, 400, times=[3, 77])
    assert np.array_equal(chosen.theory_test_loss, every.sel(time=[3, 77]))


def test_adaptive_steps_and_gradient_flow() -> None:
    base = lm.Problem(BASE.network, lm.FullBatch(alpha=2.0, noise=0.3), BASE.optimizer)
    axes = {"data.alpha": [2.0, 4.0]}
    long = lm.sweep(base, axes, 10**5, grid="adaptive", times=[0, 10, 99_999])
    flows = lm.sweep(base, axes, run="flow", time=1e5)
    assert flows.time.attrs["units"] == "learning rate times steps"
    assert float(flows.time[-1]) == 1e5
    for alpha in axes["data.alpha"]:
        end = 0.09 / (alpha - 1)
        assert math.isclose(long.theory_test_loss.sel(alpha=alpha)[-1], end, rel_tol=1e-4)
        assert math.isclose(flows.theory_test_loss.sel(alpha=alpha)[-1], end, rel_tol=1e-4)
    one = lm.flow(base, 1e5).at([1.0])
    assert math.isclose(
        lm.sweep(base, axes, run="flow", time=1e5, times=[1.0]).theory_test_loss[0, 0],
        one.test_loss[0],
    )


# ---- unusual points


def test_diverged_points_are_data() -> None:
    dataset = lm.sweep(
        BASE, {"optimizer.lr": [0.1, 30.0]}, STEPS, run=["solve", "train"], dim=32, seeds=3
    )
    assert dataset.theory_status.values.tolist() == [1, 2]
    assert dataset.training_status.values.tolist() == [1, 2]
    step = int(dataset.theory_diverged_at[1])
    assert step == lm.solve(at(optimizer__lr=30.0), STEPS).diverged_at
    losses = dataset.theory_test_loss[1].values
    assert np.isfinite(losses[:step]).all()
    assert (losses[step:] == np.inf).all()
    assert (dataset.training_test_loss[1, :, -1] == np.inf).all()
    assert (dataset.training_diverged_at[1] > 0).all()
    assert not np.isnan(dataset.theory_test_loss).any()
    assert lm.sweep_summary(dataset).startswith("theory: 2 points, 1 done, 1 diverged\ntraining: 2")


def test_diverged_points_of_adaptive_grids_are_data() -> None:
    """The last step before the divergence is in the same panel."""
    axes = {"network.width": [0.5, 1.0, 8.0], "optimizer.lr": [0.1, 0.6]}
    dataset = lm.sweep(BASE, axes, 100, grid="adaptive", times=range(100))
    exact = lm.sweep(BASE, axes, 100, times=range(100))
    assert not np.isnan(dataset.theory_test_loss).any()
    assert np.array_equal(dataset.theory_status, exact.theory_status)
    wild = dataset.theory_test_loss.sel(lr=0.6)
    assert np.array_equal(np.isinf(wild), np.isinf(exact.theory_test_loss.sel(lr=0.6)))
    steps = dataset.theory_diverged_at.sel(lr=0.6).values
    assert np.array_equal(np.isfinite(wild).sum("time"), steps)


def test_one_network_that_diverges_marks_the_point() -> None:
    axes = {"optimizer.lr": np.linspace(0.3, 0.6, 16)}
    dataset = lm.sweep(BASE, axes, 40, run="train", dim=16, seeds=8)
    lost = (dataset.training_diverged_at >= 0).sum("seed").values
    assert ((lost > 0) & (lost < 8)).any(), "at some rates some networks diverge"
    assert np.array_equal(dataset.training_status.values == 2, lost > 0)


def test_layers_that_a_shallow_network_lacks_are_missing() -> None:
    dataset = lm.sweep(
        BASE,
        {"network.depth": [1, 3]},
        5,
        run=["solve", "train"],
        dim=16,
        observables="feature_norm",
    )
    assert dataset.layer.values.tolist() == [1, 2, 3]
    for name in ("theory_feature_norm", "training_feature_norm"):
        present = np.isfinite(dataset[name]).all("time")
        present = present.all("seed") if "seed" in present.dims else present
        assert present.values.tolist() == [[True, False, False], [True, True, True]]
    shallow = lm.solve(at(network__depth=1), 5)
    assert np.array_equal(dataset.theory_feature_norm[0, 0], shallow.feature_norm[0])


@pytest.mark.parametrize("seconds", [1e-9, 10.0], ids=["a block each", "one block"])
def test_points_that_fail_do_not_end_the_sweep(
    seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deep network needs more than the allowed memory."""
    monkeypatch.setattr(chunks, "SECONDS", seconds)
    monkeypatch.setattr(chunks, "LEAST_SECONDS", seconds)
    limit = 3 * lm.estimate_memory(at(network__depth=2), 200)
    axes = {"network.depth": [2, 60]}
    options: dict[str, Any] = {"memory_limit": limit, "threads": 1, "store": tmp_path / "a.zarr"}
    dataset = lm.sweep(BASE, axes, 200, **options)
    assert dataset.theory_status.values.tolist() == [1, 3]
    assert np.array_equal(dataset.theory_test_loss[0], lm.solve(BASE, 200).test_loss)
    assert np.isnan(dataset.theory_test_loss[1]).all()
    (failure,) = json.loads(dataset.attrs["errors"])
    assert failure["run"] == "theory"
    assert failure["point"] == {"depth": 60}
    assert failure["error"].startswith("MemoryError: ")
    lines = lm.sweep_summary(dataset).splitlines()
    assert lines[0] == "theory: 2 points, 1 done, 1 failed"
    assert lines[1].startswith("failed: theory at depth=60: MemoryError: ")
    again = lm.sweep(BASE, axes, 200, **options)
    assert again.attrs["points_computed"] == 0, "a failure is stored as a result"
    assert again.attrs["errors"] == dataset.attrs["errors"]
    more = options | {"memory_limit": None, "retry_failed": True}
    mended = lm.sweep(BASE, axes, 200, **more)
    assert mended.attrs["points_computed"] == (1 if seconds < 1 else 2)
    assert mended.theory_status.values.tolist() == [1, 2], "this deep network diverges"
    assert json.loads(mended.attrs["errors"]) == []
    assert mended.equals(lm.sweep(BASE, axes, 200))


def test_every_failure_has_its_own_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_wanted", lambda *_: 5)
    limit = 3 * lm.estimate_memory(at(network__depth=2), 200)
    dataset = lm.sweep(
        BASE, {"network.depth": [2, 50, 60, 3, 70]}, 200, memory_limit=limit, threads=1
    )
    assert dataset.theory_status.values.tolist()[:3] == [1, 3, 3]
    failures = json.loads(dataset.attrs["errors"])
    assert [failure["point"]["depth"] for failure in failures] == [50, 60, 70]
    assert len({failure["error"] for failure in failures}) == 3
    assert all(failure["error"].startswith("MemoryError: ") for failure in failures)


# ---- bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {}}, "axes must be a dictionary of at least one path"),
        ({"axes": {"optimizer.lrr": [1]}}, "did you mean 'optimizer.lr'"),
        (
            {"axes": {"optimizer.lr": [0.1, 0.1]}},
            r"axes\['optimizer.lr'\] must be values that differ, got 0.1",
        ),
        (
            {"axes": {("optimizer.lr", "network.width"): [(1, 2), (3,)]}},
            r"a list of 2 values at a time.*got \(3,\)",
        ),
        ({"axes": {"network.width": [1, 1.0]}}, "values that differ, got 1.0"),
        ({"axes": {"network.width": np.array(2.0)}}, "a list of values"),
        ({"axes": {(): [()]}}, "axes must be a dictionary of paths"),
        (
            {"axes": {"network.width": [1, 2], "network": [lm.MLP(), lm.MLP(depth=3)]}},
            "axes must have 'network' before 'network.width'",
        ),
        (
            {"axes": {"optimizer.lr": [0.1], ("optimizer.lr", "network.width"): [(1, 2)]}},
            "'optimizer.lr' more than once",
        ),
        ({"axes": {"optimizer.lr": {1: 0.1}}}, "values by label"),
        (
            {"axes": {"optimizer.lr": [object()]}},
            r"axes\['optimizer.lr'\] must be numbers, strings",
        ),
        (
            {"axes": {"network.width": [1, -1]}},
            r"network.width must be .* \(at network.width = -1\)",
        ),
        (
            {"axes": {"optimizer.lr": {"short": [0.1, 0.2]}}},
            r"at least steps \(30\) numbers.*\(at lr=short\)",
        ),
        ({"run": "fit"}, "run must be 'solve', 'flow' or 'train', got 'fit'"),
        ({"run": ["solve", "flow"]}, "run must be 'solve', 'train', both, or 'flow'"),
        ({"run": ["flow", "train"], "steps": None, "time": 1.0}, "'flow' alone"),
        ({"run": []}, "run must be"),
        ({"run": "flow"}, "time is missing: run='flow' needs the time at which it ends"),
        ({"run": "flow", "time": 1.0}, "steps cannot be combined with run='flow': it ends at time"),
        ({"steps": None}, "steps is missing: run='solve' needs the number of steps"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"time": 3.0}, "time cannot be combined with run='solve'"),
        ({"times": [0, 30]}, r"times must be within \[0, 29\]"),
        ({"times": [0.5]}, "times must be whole steps"),
        ({"times": "all"}, "times must be 'last'"),
        ({"times": 1}, "times must be a number from 2 on"),
        ({"observables": []}, "observables must be at least one name"),
        ({"observables": 3}, "observables must be a name or a list of names, got 3"),
        (
            {"observables": "test_los"},
            r"observables must be .*'test_los' \(did you mean 'test_loss'\?\)",
        ),
        ({"run": "train", "observables": "term_init"}, "observables of training"),
        (
            {
                "data": {"kind": "full_batch", "alpha": 2.0, "targets": [1.0, 0.5]},
                "observables": "kernel_target",
            },
            "observables must be without .*'kernel_target'.* where there are several targets",
        ),
        ({"axes": {"network.width": [math.inf]}, "run": "train"}, r"width.*\(at width=inf\)"),
        (
            {
                "axes": {("network.width", "network.depth"): [(math.inf, 3)]},
                "run": "train",
            },
            r" \(at width=inf, depth=3\)",
        ),
        ({"data": {"kind": "epochs", "alpha": 2.0, "batches": 4}, "grid": "adaptive"}, "epochs"),
        ({"rtol": 1e-3}, "rtol cannot be combined with an exact grid"),
        (
            {"axes": {"data.inputs": [50, 100]}, "run": "train"},
            r"dim is missing: .* one input dimension, .* differ \(50, 100\). Give dim, or make one",
        ),
        ({"engine": "thread"}, "engine must be 'threads', 'processes', 'dask'"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"memory_limit": 1e9, "engine": "processes"}, "memory_limit cannot be combined"),
        ({"retry_failed": 1}, "retry_failed must be true or false"),
        ({"memory_limit": -1}, "memory_limit must be a positive number of bytes"),
        ({"progress": 3}, "progress must be"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    base = problem()
    if "data" in changes:
        changes = dict(changes)
        base["data"] = changes.pop("data")
    call: dict[str, Any] = {"axes": AXES, "steps": STEPS, "store": tmp_path / "a.zarr"}
    with pytest.raises(ValueError, match=message):
        lm.sweep(base, **(call | changes))
    assert not list(tmp_path.rglob("c")), "nothing was computed"
