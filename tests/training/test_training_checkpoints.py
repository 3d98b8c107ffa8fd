"""Checkpoints of ``train``: what is resumed equals what was never interrupted, to the last bit."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.results import netcdf
from lindmft.results.observables import ENSEMBLE
from lindmft.training.checkpoints import Record

BASE = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
SIZES: dict[str, Any] = {"dim": 16, "seeds": 2, "threads": 2}
SHARED = lm.Discrete([1.5, 0.5], targets=[[1.0, 0.5], [0.3, -0.8]])
COVARIANCE = [[0.2, 0.1], [0.1, 0.3]]
HEAVY = lm.SGD(lr=0.02, momentum=0.5, nesterov=True, weight_decay=0.1)


class Stopped(Exception):  # noqa: N818 (it is no error)
    """Ends a training from its progress callback."""


def stopping(after: int) -> Callable[[int, int], None]:
    """A callback that ends the training once ``after`` steps of all networks are done."""

    def report(done: int, _total: int) -> None:
        if done >= after:
            raise Stopped

    return report


def interrupted(path: Path, problem: lm.Problem, steps: int, after: int, **options: Any) -> None:
    with pytest.raises(Stopped):
        lm.train(problem, steps, checkpoint=path, progress=stopping(after), **options)


def assert_same(found: lm.Ensemble, expected: lm.Ensemble) -> None:
    """Bit for bit, all series and what else is recorded but the time it took."""
    for name in ENSEMBLE:
        assert found.has(name) == expected.has(name)
        if expected.has(name):
            mine, theirs = getattr(found, name), getattr(expected, name)
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
    names = ("problem", "dim", "widths", "samples", "seeds", "diverged_at", "dtype", "noise_draw")
    for name in names:
        assert getattr(found, name) == getattr(expected, name)
    np.testing.assert_allclose(found.stats.operations, expected.stats.operations)
    assert found.stats.method == expected.stats.method


CASES: dict[str, tuple[lm.Problem, int, dict[str, Any]]] = {
    "plain": (BASE, 30, {}),
    "float32": (BASE, 30, {"dtype": "float32"}),
    "extras": (BASE, 30, {"updates": True, "kernels": True, "noise_draw": 2}),
    "momentum": (replace(BASE, optimizer=HEAVY), 30, {"updates": True}),
    "centered": (replace(BASE, network=lm.MLP(depth=3, centered=True)), 30, {}),
    "residual": (replace(BASE, network=lm.ResNet(depth=3)), 30, {}),
    "one pass": (replace(BASE, data=lm.OnePass(alpha=0.5, noise=0.3)), 30, {}),
    "several passes": (replace(BASE, data=lm.MultiPass(alpha=2.0, batch_fraction=0.5)), 30, {}),
    "epochs": (replace(BASE, data=lm.Epochs(alpha=2.0, batches=7, noise=0.3)), 30, {}),
    "population": (replace(BASE, data=lm.Population()), 30, {}),
    "schedule": (replace(BASE, optimizer=lm.SGD(lr=np.linspace(0.1, 0.01, 30))), 30, {}),
    "several outputs": (
        replace(BASE, data=lm.FullBatch(alpha=2.0, targets=(1.0, 0.5))),
        30,
        {},
    ),
    "shared modes": (
        replace(BASE, data=lm.FullBatch(alpha=2.0, spectrum=SHARED, noise_covariance=COVARIANCE)),
        30,
        {},
    ),
    "one diverges": (replace(BASE, optimizer=lm.SGD(lr=0.4)), 40, {}),
}


QUICK = ("extras", "momentum", "one pass", "epochs", "shared modes", "one diverges")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in CASES]
)
def test_resumed_equals_uninterrupted(tmp_path: Path, name: str) -> None:
    problem, steps, options = CASES[name]
    path = tmp_path / "c.nc"
    whole = lm.train(problem, steps, **SIZES, **options)
    interrupted(path, problem, steps, 41, checkpoint_every=20, **SIZES, **options)
    resumed = lm.train(problem, steps, checkpoint=path, checkpoint_every=20, **SIZES, **options)
    assert_same(resumed, whole)
    assert_same(lm.Ensemble.load(path), whole)  # the finished file is that of the ensemble
    finished = lm.train(problem, steps, checkpoint=path, progress=stopping(0), **SIZES, **options)
    assert_same(finished, whole)  # nothing is left to do


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks have as many networks as there are threads."""
    monkeypatch.setattr(import_module("lindmft.training.train"), "SMALL", 0)


@pytest.mark.long
@pytest.mark.usefixtures("one_at_a_time")
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_other_threads_and_segments_resume_to_the_same_bits(tmp_path: Path, threads: int) -> None:
    path = tmp_path / "c.nc"
    options: dict[str, Any] = {"dim": 16, "seeds": [5, 1, 9, 2]}
    whole = lm.train(BASE, 40, threads=1, **options)
    interrupted(path, BASE, 40, 30, checkpoint_every=9, threads=2, **options)
    resumed = lm.train(BASE, 40, checkpoint=path, checkpoint_every=11, threads=threads, **options)
    assert_same(resumed, whole)


@pytest.mark.long
def test_factors_and_folds_resume_to_the_same_bits(tmp_path: Path) -> None:
    """Weights too large for the caches are kept as factors, folded in once there are many."""
    problem = replace(BASE, data=lm.Population(), optimizer=lm.SGD(lr=0.05, momentum=0.5))
    for steps, stop in ((20, 8), (110, 80)):
        path = tmp_path / f"{steps}.nc"
        options: dict[str, Any] = {"dim": 1300, "seeds": 1, "threads": 2}
        whole = lm.train(problem, steps, **options)
        assert whole.stats.method == "factored"
        interrupted(path, problem, steps, stop, checkpoint_every=7, **options)
        resumed = lm.train(problem, steps, checkpoint=path, checkpoint_every=30, **options)
        assert_same(resumed, whole)


def test_by_default_saving_takes_little_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, save, clock = [], Record.save, [0.0]

    def counted(self: Record, path: Path) -> None:
        saved.append(list(self.done))
        clock[0] += 1.0  # ten times that is more than two segments, and less than three
        if self.finished:
            save(self, path)

    def segment_takes(*_: object) -> Any:
        clock[0] += 4.0
        return add(*_)

    add = Record.add
    monkeypatch.setattr(Record, "save", counted)
    monkeypatch.setattr(Record, "add", segment_takes)
    monkeypatch.setattr("lindmft.training.checkpoints.monotonic", lambda: clock[0])
    lm.train(BASE, 1000, checkpoint=tmp_path / "c.nc", dim=8, seeds=1, threads=1)
    assert saved == [[100], [400], [700], [1000]]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("unfinished") / "c.nc"
    interrupted(path, BASE, 30, 41, checkpoint_every=20, **SIZES)
    return path.read_bytes()


@pytest.fixture
def unfinished(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "c.nc"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("problem", "steps", "changes", "message"),
    [
        (replace(BASE, optimizer=lm.SGD(lr=0.06)), 30, {}, r"^optimizer\.lr .*0\.05.*got 0\.06"),
        (BASE, 31, {}, r"^steps .*30.*got 31"),
        (BASE, 30, {"dim": 17}, r"^dim .*16.*got 17"),
        (BASE, 30, {"seeds": 4}, r"^seeds .*got \[0, 1, 2, 3\]"),
        (BASE, 30, {"dtype": "float32"}, r"^dtype .*float64.*got 'float32'"),
        (BASE, 30, {"kernels": True}, r"^kernels .*False.*got True"),
        (BASE, 30, {"updates": True}, r"^updates .*False.*got True"),
        (BASE, 30, {"noise_draw": 1}, r"^noise_draw .*0.*got 1"),
    ],
)
def test_another_training_is_refused_before_any_work(
    unfinished: Path, problem: lm.Problem, steps: int, changes: dict[str, Any], message: str
) -> None:
    before = unfinished.read_bytes()
    options = {**SIZES, "progress": stopping(0), **changes}
    with pytest.raises(ValueError, match=message):
        lm.train(problem, steps, checkpoint=unfinished, **options)
    assert unfinished.read_bytes() == before


def test_a_state_of_another_version_or_size_is_refused(unfinished: Path) -> None:
    xarray = netcdf.require_netcdf()
    dataset = xarray.load_dataset(unfinished, engine="h5netcdf", decode_times=False)
    netcdf.write(dataset.assign_attrs(state_version=2), unfinished)
    with pytest.raises(ValueError, match="states of version 1, got version 2"):
        lm.train(BASE, 30, checkpoint=unfinished, **SIZES)
    netcdf.write(dataset.isel(byte_0=slice(0, -8)), unfinished)
    with pytest.raises(ValueError, match="cannot be resumed"):
        lm.train(BASE, 30, checkpoint=unfinished, **SIZES)


def test_readers_say_what_an_unfinished_training_is(unfinished: Path) -> None:
    with pytest.raises(ValueError, match="a training that is not finished"):
        lm.Ensemble.load(unfinished)
    with pytest.raises(ValueError, match="a training that is not finished"):
        lm.Solution.load(unfinished)
    shown = CliRunner().invoke(commands, ["show", str(unfinished)])
    assert shown.exit_code == 2
    assert "a training that is not finished: repeat the call of train" in shown.stderr


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="checkpoint_every cannot be combined"):
        lm.train(BASE, 3, checkpoint_every=1, **SIZES)
    with pytest.raises(ValueError, match="checkpoint_every must be at least 1"):
        lm.train(BASE, 3, checkpoint=tmp_path / "c.nc", checkpoint_every=0, **SIZES)
    with pytest.raises(ValueError, match="folder that exists"):
        lm.train(BASE, 3, checkpoint=tmp_path / "no" / "c.nc", **SIZES)


def test_progress_counts_the_steps_of_all_networks(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    lm.train(
        *(BASE, 20),
        **SIZES,
        checkpoint=tmp_path / "c.nc",
        checkpoint_every=10,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert {total for _, total in seen} == {40}
    done = [one for one, _ in seen]
    assert done == sorted(done)
    assert done[-1] == 40


def test_the_command_takes_a_checkpoint(tmp_path: Path) -> None:
    problem, path = tmp_path / "problem.toml", tmp_path / "c.nc"
    BASE.to_toml(problem)
    options = ["--dim", "16", "--seeds", "2", "--threads", "2", "--checkpoint-every", "20"]
    done = CliRunner().invoke(
        commands,
        ["train", str(problem), "--steps", "30", *options, "--checkpoint", str(path)],
    )
    assert done.exit_code == 0, done.output
    assert_same(lm.Ensemble.load(path), lm.train(BASE, 30, **SIZES))
