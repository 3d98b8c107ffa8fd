"""Checkpoints: a computation that was killed resumes and gives the same result."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from child import PATIENCE, start

import lindmft as lm
from lindmft.results import netcdf

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
UNSTABLE = PROBLEM.replace(**{"optimizer.lr": 1.5})
SERIES = ("time", "test_loss", "train_loss", "term_init", "term_data", "feature_norm", "panels")

# A child process that waits in the middle of its second segment, where the test kills it.
CHILD = """
import sys, time
from pathlib import Path
import lindmft as lm
PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
path = Path(sys.argv[2])

def wait(done, total):
    if path.exists():
        print("resuming", flush=True)
        time.sleep(600)

options = {"checkpoint": path, "progress": wait}
if sys.argv[1] == "flow":
    lm.flow(PROBLEM, 1e4, **options)
elif sys.argv[1] == "adaptive":
    lm.solve(PROBLEM, 10**5, grid="adaptive", **options)
else:
    lm.solve(PROBLEM, 350, checkpoint_every=100, **options)
"""


def solved(grid: str, path: Path, **options: Any) -> lm.Solution:
    if grid == "flow":
        return lm.flow(PROBLEM, 1e4, checkpoint=path, **options)
    if grid == "adaptive":
        return lm.solve(PROBLEM, 10**5, grid="adaptive", checkpoint=path, **options)
    return lm.solve(PROBLEM, 350, checkpoint=path, checkpoint_every=100, **options)


def expect_equal(a: lm.Solution, b: lm.Solution) -> None:
    for name in SERIES:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.long
@pytest.mark.parametrize("grid", ["exact", "adaptive", "flow"])
def test_a_killed_computation_resumes_bit_for_bit(tmp_path: Path, grid: str) -> None:
    path = tmp_path / "run.nc"
    child = start(CHILD, grid, path)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "resuming\n"
    finally:
        child.kill()
        assert child.wait(PATIENCE) == -signal.SIGKILL
        child.stdout.close()
    first = {"exact": 99, "adaptive": 999, "flow": 1.0}[grid]
    assert lm.Solution.load(path).time[-1] == first
    resumed = solved(grid, path)
    expect_equal(resumed, solved(grid, tmp_path / "whole.nc"))
    expect_equal(resumed, lm.Solution.load(path))


@pytest.mark.long
@pytest.mark.parametrize("grid", ["exact", "adaptive", "flow"])
def test_stretches_are_saved_as_they_end(
    tmp_path: Path, grid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[float] = []
    write = netcdf.write

    def noting(dataset: Any, path: Any) -> None:
        ends.append(float(dataset["time"][-1]))
        write(dataset, path)

    monkeypatch.setattr(netcdf, "write", noting)
    solution = solved(grid, tmp_path / "run.nc")
    expected = {
        "exact": [99, 199, 299, 349],
        "adaptive": [999, 9999, 99999],
        "flow": [1, 10, 100, 1000, 10000],
    }
    assert ends == expected[grid]
    again = solved(grid, tmp_path / "run.nc")  # finished: nothing is left to do
    assert ends == expected[grid]
    expect_equal(again, solution)


def test_the_default_is_a_tenth_of_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[float] = []
    monkeypatch.setattr(
        netcdf, "write", lambda dataset, _path: ends.append(float(dataset["time"][-1]) + 1)
    )
    lm.solve(PROBLEM, 250, checkpoint=tmp_path / "short.nc")
    assert ends == [100, 200, 250]


def test_checkpoints_do_not_change_exact_steps(tmp_path: Path) -> None:
    plain, saved = lm.solve(PROBLEM, 350), solved("exact", tmp_path / "run.nc")
    np.testing.assert_allclose(saved.test_loss, plain.test_loss, rtol=1e-11)


def test_a_finished_checkpoint_can_be_made_longer(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    lm.solve(PROBLEM, 120, checkpoint=path)
    longer = lm.solve(PROBLEM, 200, checkpoint=path, save="C_v", keep_state=False)
    np.testing.assert_allclose(longer.test_loss, lm.solve(PROBLEM, 200).test_loss, rtol=1e-11)
    assert longer.has("C_v")
    assert not longer.state
    assert lm.Solution.load(path).state
    with pytest.raises(ValueError, match="^steps must be at least the 200 of the checkpoint"):
        lm.solve(PROBLEM, 150, checkpoint=path)
    with pytest.raises(ValueError, match="^save must be among what the checkpoint.*\\['C_h'\\]"):
        lm.solve(PROBLEM, 200, checkpoint=path, save=["C_h"])


def test_saveat_picks_from_a_checkpoint(tmp_path: Path) -> None:
    picked = lm.flow(PROBLEM, 30.0, checkpoint=tmp_path / "run.nc", saveat=[0.5, 20.0])
    whole = lm.Solution.load(tmp_path / "run.nc")
    np.testing.assert_array_equal(picked.test_loss, whole.at([0.5, 20.0]).test_loss)


def test_progress_counts_all_steps(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    lm.solve(PROBLEM, 250, checkpoint=tmp_path / "a.nc", progress=lambda d, t: calls.append((d, t)))
    assert {total for _, total in calls} == {250}
    assert calls[-1] == (250, 250)


@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_divergence_ends_a_checkpoint(tmp_path: Path, grid: str) -> None:
    path = tmp_path / "lost.nc"
    for _ in range(2):  # computed, and read back
        lost = lm.solve(UNSTABLE, 3000, grid=grid, checkpoint=path)
        plain = lm.solve(UNSTABLE, 3000, grid=grid)
        assert lost.diverged_at == plain.diverged_at
        assert lost.time[-1] == 2999
        assert np.isposinf(lost.test_loss[lost.valid :]).all()
        assert np.isposinf(lost.feature_norm[:, lost.valid :]).all()
        assert lost.valid == plain.valid


def test_channels_that_do_not_diverge_are_computed_to_the_end(tmp_path: Path) -> None:
    several = PROBLEM.replace(**{"data.targets": [0.05, 10.0]})
    plain = lm.solve(several, 250)
    assert [channel.diverged_at is None for channel in plain.channels] == [True, False]
    for _ in range(2):
        lost = lm.solve(several, 250, checkpoint=tmp_path / "lost.nc")
        np.testing.assert_array_equal(lost.channels[0].test_loss, plain.channels[0].test_loss)
        assert lost.diverged_at == plain.diverged_at


OTHERS: list[tuple[str, Any, str]] = [
    ("noise", lambda path: lm.flow(PROBLEM.replace(**{"data.noise": 0.5}), 9.0, checkpoint=path),
     "^data.noise must be that of the checkpoint .*run.nc \\(0.3\\), got 0.5"),
    ("grid", lambda path: lm.solve(PROBLEM, 300, checkpoint=path), "^grid must be that of the"),
    ("rtol", lambda path: lm.flow(PROBLEM, 9.0, rtol=1e-8, checkpoint=path), "^rtol must be that"),
    ("time", lambda path: lm.flow(PROBLEM, 2.0, checkpoint=path), "^time must be at least the 3"),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "go_on", "reason"), OTHERS, ids=[name for name, *_ in OTHERS])
def test_checkpoints_of_other_computations_are_refused_and_kept(
    tmp_path: Path, _name: str, go_on: Any, reason: str
) -> None:
    path = tmp_path / "run.nc"
    lm.flow(PROBLEM, 3.0, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=reason):
        go_on(path)
    assert path.read_bytes() == before


def test_other_files_are_no_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    path.write_text("notes")
    with pytest.raises(ValueError, match="cannot be read"):
        lm.flow(PROBLEM, 3.0, checkpoint=path)
    assert path.read_text() == "notes"
    lm.solve(PROBLEM, 20, keep_state=False).save(path, force=True)
    with pytest.raises(ValueError, match="must be a solution that kept its state"):
        lm.solve(PROBLEM, 30, checkpoint=path)


def test_states_of_other_versions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    solution = lm.flow(PROBLEM, 3.0, checkpoint=path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lindmft.theory.resume.STATE_VERSION", 99)
        with pytest.raises(ValueError, match="state of version 99, got version 1"):
            lm.flow(PROBLEM, 9.0, checkpoint=path)
        expect_equal(lm.flow(PROBLEM, 3.0, checkpoint=path), solution)  # results stay readable
