"""Engines: all of them give the same points to the last bit.

Dask runs in a separate process as for a user: a real cluster of two worker processes.
"""

import json
import os
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.sweeps import chunks, engines

BASE = lm.Problem.from_dict(problem())
AXES = {"network.width": [0.5, 1.0, 2.0], "optimizer.lr": np.geomspace(0.01, 1, 8)}
OPTIONS: dict[str, Any] = {"steps": 40, "run": ("solve", "train"), "dim": 32, "seeds": 2}

DASK = """
import json, os, signal, sys
import numpy as np
from distributed import Client, LocalCluster
import lindmft as lm
from lindmft.sweeps import chunks

chunks.SECONDS = chunks.LEAST_SECONDS = 0.02
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
axes = {"network.width": np.geomspace(0.25, 8, 8), "optimizer.lr": np.geomspace(0.01, 1, 64)}

if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    client = Client(cluster)
    pids = client.run(os.getpid)
    killed, seen = [], []

    def kill(done, total):
        seen.append(done)
        if done > total / 3 and not killed:
            victim = next(iter(pids.values()))
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    engine = client if sys.argv[2] == "client" else cluster.scheduler_address
    dataset = lm.sweep(problem, axes, 100, engine=engine, store=sys.argv[1], progress=kill)
    print(json.dumps({
        "computed": dataset.attrs["points_computed"], "killed": killed,
        "before": sorted(pids.values()), "open": client.status,
        "increasing": seen == sorted(seen),
    }))
    client.close()
    cluster.close()
"""


class Counting(Executor):
    """An executor of a user, which counts its tasks."""

    def __init__(self) -> None:
        self.count = 0
        self._inner = ThreadPoolExecutor(1)

    def submit(self, fn: Any, /, *arguments: Any, **options: Any) -> "Future[Any]":
        self.count += 1
        return self._inner.submit(fn, *arguments, **options)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "SECONDS", 0.002)
    monkeypatch.setattr(chunks, "LEAST_SECONDS", 0.002)
    monkeypatch.setattr(chunks, "MEMBERS", 4)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("engine", ["processes", "executor", "one thread", "many threads"])
def test_engines_agree_to_the_last_bit(engine: str) -> None:
    reference = lm.sweep(BASE, AXES, **OPTIONS)
    chosen: dict[str, dict[str, Any]] = {
        "processes": {"engine": "processes"},
        "executor": {"engine": Counting()},
        "one thread": {"threads": 1},
        "many threads": {"threads": 7},
    }
    other = lm.sweep(BASE, AXES, **OPTIONS, **chosen[engine])
    assert other.equals(reference)
    assert (other.theory_status == 2).any()
    assert (other.theory_status == 1).any()
    if engine == "executor":
        assert chosen[engine]["engine"].count >= 6


@pytest.mark.long
@pytest.mark.parametrize("form", ["client", "address"])
def test_a_dask_cluster_that_loses_a_worker(form: str, tmp_path: Path) -> None:
    script = tmp_path / "cluster.py"
    script.write_text(DASK)
    store = tmp_path / "a.zarr"
    code = "import runpy, sys; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
    said = json.loads(child.run(code, script, store, form).splitlines()[-1])
    assert len(said["before"]) == 2
    assert len(said["killed"]) == 1
    assert said["computed"] == 512
    assert said["increasing"]
    assert said["open"] == "running", "the client is the user's to close"
    axes = {"network.width": np.geomspace(0.25, 8, 8), "optimizer.lr": np.geomspace(0.01, 1, 64)}
    assert lm.open_sweep(store).equals(lm.sweep(BASE, axes, 100))


@pytest.mark.parametrize(
    ("threads", "blocks", "expected"), [(2, 6, (2, 1)), (6, 2, (2, 3)), (8, 3, (3, 2))]
)
def test_threads_never_use_more_than_they_may(
    threads: int, blocks: int, expected: tuple[int, int]
) -> None:
    """``expected`` has the blocks at once, and the threads of each."""
    engine = engines.engine_maker("threads", threads, None)(blocks)
    running, most, gate = [0], [0], threading.Lock()

    class Stage:
        def compute(self, problems: Any, each: int, limit: Any, beat: Any) -> int:
            with gate:
                running[0] += 1
                most[0] = max(most[0], running[0])
            barrier.wait(20)
            with gate:
                running[0] -= 1
            return each

    at_once, each = expected
    barrier = threading.Barrier(at_once)
    stage: Any = Stage()
    futures: list[Any] = [engine.submit(stage, ()) for _ in range(blocks - blocks % at_once)]
    assert {future.result() for future in futures} == {each}
    assert most[0] == at_once
    engine.close(abort=False)


def test_memory_is_shared_between_blocks_at_once() -> None:
    engine = engines.engine_maker("threads", 4, 1e9)(4)

    class Stage:
        def compute(self, problems: Any, each: int, limit: float, beat: Any) -> float:
            return limit

    stage: Any = Stage()
    future: Any = engine.submit(stage, ())
    assert future.result() == 2.5e8
    engine.close(abort=False)


class Losing(Executor):
    """An executor that loses every task of one block."""

    def __init__(self, times: int) -> None:
        self.times, self.count = times, 0

    def submit(self, fn: Any, /, *arguments: Any, **options: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        self.count += 1
        if self.count <= self.times:
            future.set_exception(OSError("worker lost"))
        else:
            future.set_result(fn(*arguments, **options))
        return future


def test_a_lost_block_is_tried_again_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lost = Losing(times=2)
    monkeypatch.setattr(engines.External, "restart", lambda self: True)
    kept = lm.sweep(BASE, {"optimizer.lr": [0.1]}, 10, engine=lost)
    assert lost.count == 3
    assert kept.theory_test_loss[0, -1] == lm.solve(BASE, 10).test_loss[-1]
    with pytest.raises(RuntimeError, match=r"block of 1 points from lr=0.1 .*OSError: worker lost"):
        lm.sweep(BASE, {"optimizer.lr": [0.1]}, 10, engine=Losing(times=3))
    monkeypatch.undo()
    store = tmp_path / "a.zarr"
    with pytest.raises(RuntimeError, match="continues with what is missing"):
        lm.sweep(BASE, {"optimizer.lr": [0.1]}, 10, engine=Losing(times=1), store=store)
    assert lm.sweep(BASE, {"optimizer.lr": [0.1]}, 10, store=store).equals(kept)


class Breaking(Losing):
    """A pool that is broken when a block is submitted."""

    def submit(self, fn: Any, /, *arguments: Any, **options: Any) -> "Future[Any]":
        self.count += 1
        if self.count <= self.times:
            raise BrokenExecutor("a child process terminated abruptly")
        return super().submit(fn, *arguments, **options)


def test_a_pool_that_broke_meanwhile_loses_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = {"optimizer.lr": [0.1]}
    with pytest.raises(RuntimeError, match="block of 1 points .* BrokenExecutor|BrokenExecutor"):
        lm.sweep(BASE, axes, 10, engine=Breaking(times=1))
    monkeypatch.setattr(engines.External, "restart", lambda self: True)
    kept = lm.sweep(BASE, axes, 10, engine=Breaking(times=2))
    assert kept.equals(lm.sweep(BASE, axes, 10))


def test_a_pool_is_replaced_if_it_broke() -> None:
    engine: Any = engines.engine_maker("processes", 1, None)(1)
    first = engine._executor
    assert engine.restart()
    assert engine._executor is first, "its other blocks are still computed"
    with pytest.raises(BrokenExecutor):
        first.submit(os._exit, 1).result(60)
    assert engine.restart()
    assert engine._executor is not first
    assert engine._executor.submit(int).result(60) == 0
    engine.close(abort=False)


def test_a_full_disk_leaves_nothing_with_the_executor(
    monkeypatch: pytest.MonkeyPatch, small_blocks: None
) -> None:
    """Waiting tasks are cancelled, also if finished blocks cannot be stored."""

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lindmft.sweeps.store.Store.write", full)
    executor = ThreadPoolExecutor(1)
    submit = executor.submit
    futures: list[Any] = []
    begun: list[Any] = []
    ended = threading.Event()

    def wait(function: Any, *arguments: Any) -> Any:
        """Compute the first block, and the second one only when all others are cancelled."""
        begun.append(function)
        assert len(begun) == 1 or ended.wait(60)
        return function(*arguments)

    def cancelled(future: Any) -> None:
        if future.cancelled() and future is futures[-1]:
            ended.set()

    def submitted(*arguments: Any) -> Any:
        futures.append(submit(wait, *arguments))
        futures[-1].add_done_callback(cancelled)
        return futures[-1]

    monkeypatch.setattr(executor, "submit", submitted)
    with pytest.raises(OSError, match="No space left"):
        lm.sweep(BASE, AXES, 400, engine=executor)
    assert len(futures) > 4
    executor.shutdown()
    assert sum(future.cancelled() for future in futures) == len(futures) - len(begun)
    assert len(begun) <= 2


def test_what_is_finished_is_kept_where_an_error_ends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chunks, "_wanted", lambda *_: 1)

    def stop(_done: int, _total: int) -> None:
        raise RuntimeError("enough")

    axes = {"optimizer.lr": [0.01, 0.02, 0.03, 0.04]}
    store = tmp_path / "a.zarr"
    with pytest.raises(RuntimeError, match="enough"):
        lm.sweep(BASE, axes, 10, engine=Losing(times=0), store=store, progress=stop)
    assert (lm.open_sweep(store).theory_status == 1).all(), "all had come back"


def test_threads_that_compute_are_ended() -> None:
    engine = engines.engine_maker("threads", 1, None)(1)
    begun = threading.Event()

    class Stage:
        def compute(self, problems: Any, each: int, limit: Any, beat: Any) -> None:
            for _ in range(1000):
                beat(0, 1)
                begun.set()
                threading.Event().wait(0.01)

    stage: Any = Stage()
    future = engine.submit(stage, ())
    assert begun.wait(20)
    engine.close(abort=True)
    with pytest.raises(engines.Stopped):
        future.result()


@pytest.mark.parametrize(("status", "again"), [("running", True), ("closed", False)])
def test_blocks_are_tried_again_while_the_scheduler_runs(status: str, again: bool) -> None:
    class Client:
        def get_executor(self, **_options: Any) -> None:
            return None

    client: Any = Client()
    client.status = status
    assert engines.Dask(client, 1, own=()).restart() is again


def test_an_executor_of_the_user_gets_one_thread_a_task() -> None:
    for given, expected in ((None, 1), (3, 3)):
        engine: Any = engines.engine_maker(Counting(), given, None)(1)
        assert engine._threads == expected
