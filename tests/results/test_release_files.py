"""Files of earlier versions can be read, continued and resumed, and agree with results of today.

tests/data/VERSION has files of each kind, written by that version and not changed since: results,
unfinished computations, the store of an unfinished sweep, and a problem. With a new version,
``PYTHONPATH=tests/support python tests/results/test_release_files.py tests/data/VERSION`` writes
them.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from same_results import expect_same

import lindmft as lm
from lindmft.sweeps import chunks

DATA = Path(__file__).parents[1] / "data"
VERSIONS = sorted(path.name for path in DATA.iterdir() if path.is_dir())
STEPS = 12
SIZES: dict[str, Any] = {"dim": 16, "seeds": (0, 2**64 - 1)}
NARROW = lm.MLP(depth=2, width=[0.5, 1.0], gamma0=0.8, init_scale=[1.0, 0.9, 0.0])
VECTORS = lm.Problem(
    network=NARROW,
    data=lm.MultiPass(
        alpha=1.5,
        batch_fraction=0.5,
        noise_covariance=[[0.1, 0.05], [0.05, 0.2]],
        spectrum=lm.Discrete([1.5, 0.5], targets=[[0.8, 0.2], [-0.3, 1.1]], weights=[0.5, 0.5]),
    ),
    optimizer=lm.SGD(lr=np.linspace(0.03, 0.06, STEPS), momentum=np.linspace(0, 0.5, STEPS)),
)
TUNED = lm.Problem(
    network=lm.ResNet(depth=3, width=0.75, branch=1.2, zero_readout=True),
    data=lm.OnePass(
        alpha=np.linspace(0.5, 1.5, STEPS),
        noise=0.3,
        switch_at=5,
        switch_overlap=0.4,
        switch_strength=1.2,
    ),
    optimizer=lm.SGD(lr=0.05, weight_decay=0.2),
)
SHUFFLED = lm.Problem(
    network=lm.MLP(depth=1, hidden=20, parameterization="ntk"),
    data=lm.Epochs(
        samples=24,
        batches=3,
        noise=0.1,
        spectrum=lm.Discrete([1.0, 0.3], [1.0, 0.5], weights=[4, 12], trace_class=True),
    ),
    optimizer=lm.SGD(lr=0.02, momentum=0.5, nesterov=True, layer_lr=[1.0, 0.5]),
)
PLAIN = lm.Problem(lm.MLP(width=0.75), lm.FullBatch(alpha=1.5, noise=0.3), lm.SGD(lr=0.05))
SPECTRUM: dict[str, Any] = {"spectrum_at": (0, 6), "lanczos": 4}
SWEPT: dict[str, Any] = {
    "axes": {"network.width": [0.5, 2.0], "optimizer.lr": [0.02, 0.05, 30.0]},
    "steps": STEPS,
    "run": ("solve", "train"),
    "observables": ("test_loss", "feature_norm"),
    "threads": 1,
    **SIZES,
}
RESULTS: dict[str, Callable[[], Any]] = {
    "solution-vectors.nc": lambda: lm.solve(VECTORS, STEPS, modes=True),
    "solution-sharpness.nc": lambda: lm.solve(PLAIN, STEPS, average=lm.EMA(0.7), **SPECTRUM),
    "ensemble-sharpness.nc": lambda: lm.train(PLAIN, STEPS, **SIZES, **SPECTRUM),
    "solution-tuned.nc": lambda: lm.solve(TUNED, STEPS, save=("C_v", "R_hr"), keep_state=False),
    "solution-shuffled.nc": lambda: lm.solve(
        SHUFFLED, STEPS, replicas=True, kernels=True, average=lm.CheckpointAverage((2, 7))
    ),
    "ensemble-vectors.nc": lambda: lm.train(VECTORS, STEPS, modes=True, **SIZES),
    "ensemble-tuned.nc": lambda: lm.train(
        TUNED, STEPS, updates=True, average=lm.TailAverage(4), **SIZES
    ),
    "ensemble-shuffled.nc": lambda: lm.train(
        SHUFFLED, STEPS, kernels=True, dtype="float32", seeds=(0, 3)
    ),
    "replicas-tuned.nc": lambda: lm.train_replicas(TUNED, STEPS, **SIZES),
}
KINDS: dict[str, Any] = {
    "solution": lm.Solution,
    "ensemble": lm.Ensemble,
    "replicas": lm.ReplicaEnsemble,
}


class Stopped(Exception):  # noqa: N818
    """Raised by a callback to end a computation before its end."""


def stopping(after: int) -> Callable[[int, int], None]:
    """Return a callback that stops once this much is done."""

    def stop(done: int, _total: int) -> None:
        if done >= after:
            raise Stopped

    return stop


def train_for_long(path: Path, **options: Any) -> lm.Ensemble:
    return lm.train(PLAIN, 40, checkpoint=path, checkpoint_every=10, threads=1, **SIZES, **options)


def swept(store: Path | None, **options: Any) -> Any:
    return lm.sweep(PLAIN, store=store, **SWEPT, **options)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(version: str, tmp_path: Path) -> Path:
    """Return a copy of the files of a version, with the store unpacked."""
    copy = tmp_path / version
    shutil.copytree(DATA / version, copy)
    shutil.unpack_archive(copy / "sweep.zip", copy / "sweep.zarr")
    return copy


def test_there_are_versions() -> None:
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("name", RESULTS)
def test_results_read_back(name: str, version: str) -> None:
    old = KINDS[name.partition("-")[0]].load(DATA / version / name)
    assert old.provenance["version"] == version
    expect_same(old, RESULTS[name]())


@pytest.mark.parametrize("name", ["tuned", "shuffled"])
def test_results_of_both_versions_can_be_compared(name: str, version: str) -> None:
    theory = RESULTS[f"solution-{name}.nc"]()
    comparison = lm.compare(theory, lm.Ensemble.load(DATA / version / f"ensemble-{name}.nc"))
    assert comparison.networks == 2


def test_solutions_can_be_continued(folder: Path) -> None:
    old = lm.Solution.load(folder / "flow.nc")
    assert (old.provenance["version"], old.time[-1]) == (folder.name, 1.0)
    longer, whole = lm.flow(PLAIN, 9.0, continue_from=old, rtol=1e-3), lm.flow(PLAIN, 9.0)
    np.testing.assert_allclose(longer.test_loss[-1], whole.test_loss[-1], rtol=2e-3)


def test_checkpoints_of_the_theory_can_be_resumed(folder: Path) -> None:
    path = folder / "checkpoint-solve.nc"
    assert len(lm.Solution.load(path).time) == 20
    resumed = lm.solve(PLAIN, 40, checkpoint=path, checkpoint_every=20)
    np.testing.assert_allclose(resumed.test_loss, lm.solve(PLAIN, 40).test_loss, rtol=1e-9)


def test_checkpoints_of_training_can_be_resumed(folder: Path) -> None:
    path = folder / "checkpoint-train.nc"
    counts: list[int] = []
    resumed = train_for_long(path, progress=lambda done, _total: counts.append(done))
    assert counts[0] > 0  # what the file has is not trained again
    expect_same(resumed, lm.train(PLAIN, 40, **SIZES))


def test_stores_are_read_and_finished_in_new_ones(folder: Path) -> None:
    store = folder / "sweep.zarr"
    old = lm.open_sweep(store)
    finished = sum(int((old[f"{part}_status"] > 0).sum()) for part in ("theory", "training"))
    assert 0 < finished < 12
    if folder.name != lm.__version__:
        with pytest.raises(ValueError, match=r"With a new store and reuse=.* need not be computed"):
            swept(store)
    resumed = swept(folder / "new.zarr", reuse=store)
    assert resumed.attrs["points_reused"] == finished
    assert resumed.attrs["points_computed"] == 12 - finished
    new = swept(None)
    assert resumed.variables.keys() == new.variables.keys()
    for variable in ("theory_test_loss", "training_test_loss", "training_feature_norm"):
        np.testing.assert_allclose(resumed[variable], new[variable], rtol=1e-9)


def test_larger_sweeps_reuse_stores(folder: Path) -> None:
    larger = SWEPT | {"axes": {"network.width": [0.5], "optimizer.lr": [0.02, 0.05, 0.1]}}
    copied = lm.sweep(PLAIN, reuse=folder / "sweep.zarr", **larger)
    assert "reused" in lm.sweep_summary(copied)


def test_problems_read_back(version: str) -> None:
    assert lm.Problem.from_toml(DATA / version / "problem.toml") == VECTORS


def write(folder: Path) -> None:
    """Write all files as the installed version writes them."""
    chunks.SECONDS = chunks.LEAST_SECONDS = 1e-9  # a point is a block, and the sweep stops between
    folder.mkdir(parents=True, exist_ok=True)
    for name, result in RESULTS.items():
        result().save(folder / name)
    lm.flow(PLAIN, 1.0, rtol=1e-3, keep_state=True).save(folder / "flow.nc")
    lm.solve(PLAIN, 20, checkpoint=folder / "checkpoint-solve.nc", checkpoint_every=10)
    for call in (
        lambda: train_for_long(folder / "checkpoint-train.nc", progress=stopping(35)),
        lambda: swept(folder / "sweep", progress=stopping(3)),
    ):
        try:
            call()
        except Stopped:
            continue
        raise SystemExit("a computation was not stopped")
    shutil.make_archive(str(folder / "sweep"), "zip", folder / "sweep")
    shutil.rmtree(folder / "sweep")
    VECTORS.to_toml(folder / "problem.toml")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
