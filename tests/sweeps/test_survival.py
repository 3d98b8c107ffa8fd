"""Sweeps that are killed, interrupted or shared: nothing is lost, nothing is computed twice.

Processes and signals are real. The processes record the blocks that they compute and store.
"""

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import child
import numpy as np
import pytest
import zarr

import lindmft as lm

pytestmark = pytest.mark.long

SWEEP = """
import os, sys
import numpy as np
import lindmft as lm
from lindmft.sweeps import loop, store, chunks

chunks.SECONDS = chunks.LEAST_SECONDS = float(sys.argv[3])  # small blocks: more to lose
log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def noting(word, function):
    def noted(self, stage, block, *rest):
        points = len(self.plan.of_block(stage, block))
        result = function(self, stage, block, *rest)
        if word == "kept" or not result:
            os.write(log, f"{word} {os.getpid()} {stage} {block} {points}\\n".encode())
        return result
    return noted

store.Store.finished = noting("begun", store.Store.finished)
store.Store.write = noting("kept", store.Store.write)
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
axes = {"network.width": np.geomspace(0.25, 8, 8), "optimizer.lr": np.geomspace(0.01, 1, 64)}
options = eval(sys.argv[4]) if len(sys.argv) > 4 else {}
if __name__ == "__main__":
    dataset = lm.sweep(problem, axes, store=sys.argv[1], **{"steps": 60, **options})
    print(dataset.attrs["points_computed"], dataset.attrs["points_found"])
"""
POINTS = 512
TRAIN = "{'run': ('solve', 'train'), 'dim': 32, 'seeds': 2}"


def start(folder: Path, *options: object) -> "subprocess.Popen[str]":
    arguments = [folder / "a.zarr", folder / "log", *(options or (0.01,))]
    return child.start(SWEEP, *arguments)


def notes(folder: Path, word: str) -> list[tuple[str, ...]]:
    """Return process, stage, block and points of every record, in order."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    found = [line.split(" ", 3) for line in lines if line.startswith(f"{word} ")]
    return [(pid, stage, *rest.rsplit(" ", 1)) for _, pid, stage, rest in found]


def wait_until(count: int, folder: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until this number of blocks is stored."""
    deadline = time.monotonic() + child.PATIENCE
    while len(notes(folder, "kept")) < count:
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finish(process: "subprocess.Popen[str]") -> tuple[int, int]:
    """Return the points that a process computed and found; it must end without an error."""
    output, _ = process.communicate(timeout=child.PATIENCE)
    assert process.returncode == 0
    computed, found = output.split()
    return int(computed), int(found)


def kept_twice(folder: Path) -> int:
    """Return the number of points in blocks that were stored more than once."""
    kept = Counter((stage, block) for _, stage, block, _ in notes(folder, "kept"))
    sizes = {(stage, block): int(points) for _, stage, block, points in notes(folder, "kept")}
    return sum((n - 1) * sizes[key] for key, n in kept.items())


@pytest.mark.parametrize("options", [(0.01,), (0.01, TRAIN)], ids=["theory", "both"])
def test_killed_three_times_and_resumed(options: tuple[object, ...], tmp_path: Path) -> None:
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    whole.mkdir()
    hurt.mkdir()
    runs = 2 if len(options) > 1 else 1
    assert finish(start(whole, *options)) == (runs * POINTS, 0)
    blocks = len(notes(whole, "kept"))
    assert blocks >= 12, "enough of them to be killed between"
    for third in (1, 2, 3):
        process = start(hurt, *options)
        wait_until(third * blocks // 4, hurt, process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=child.PATIENCE)
        kept_before = {note[1:] for note in notes(hurt, "kept")}
        assert len(kept_before) < blocks
    computed, found = finish(start(hurt, *options))
    at_least = sum(int(points) for *_, points in kept_before)
    assert computed + found == runs * POINTS
    # A process may be killed between a mark and its record, so that more is found than recorded.
    assert found >= at_least > 0
    assert kept_twice(hurt) == 0
    assert lm.open_sweep(hurt / "a.zarr").equals(lm.open_sweep(whole / "a.zarr"))


def test_two_processes_share_a_store(tmp_path: Path) -> None:
    """They do not disturb each other, and none computes blocks that the other has finished."""
    together = tmp_path / "together"
    together.mkdir()
    processes = [start(together, 0.01, "{'threads': 1}") for _ in range(2)]
    results = [finish(process) for process in processes]
    for computed, found in results:
        assert computed + found == POINTS
        assert found > 0, "the other process computed some"
    assert kept_twice(together) < POINTS / 4
    alone = tmp_path / "alone"
    alone.mkdir()
    finish(start(alone))
    assert lm.open_sweep(together / "a.zarr").equals(lm.open_sweep(alone / "a.zarr"))
    assert [path.name for path in together.iterdir() if "tmp" in path.name] == []


def test_the_mark_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be killed between any two files that it writes."""
    problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    call = {"problem": problem, "axes": {"optimizer.lr": [0.1, 0.2]}, "steps": 5}
    write = zarr.Array.__setitem__
    files: list[str] = []
    for most in range(4):

        def limited(array: zarr.Array, place: object, value: object, most: int = most) -> None:
            if len(files) >= most:
                raise SystemExit("killed")
            write(array, place, value)
            files.append(array.name)

        files.clear()
        monkeypatch.setattr(zarr.Array, "__setitem__", limited)
        with pytest.raises(SystemExit):
            lm.sweep(**call, store=tmp_path / f"{most}.zarr")
        monkeypatch.undo()
        assert not any("marks" in name for name in files)
        finished = lm.sweep(**call, store=tmp_path / f"{most}.zarr")
        assert finished.attrs["points_computed"] == 2
        assert finished.equals(lm.sweep(**call))
    assert len(files) == 3, "files are written"


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_ctrl_c_ends_it_and_keeps_what_is_finished(engine: str, tmp_path: Path) -> None:
    script = tmp_path / "sweep.py"
    script.write_text(SWEEP)
    options = f"{{'steps': 400, 'engine': '{engine}'}}"  # blocks of one point, a fifth of a second
    arguments = [tmp_path / "a.zarr", tmp_path / "log", 0.01, options]
    process = subprocess.Popen(
        [*child.command("")[:1], str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(4, tmp_path, process)
    pressed = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=child.PATIENCE)
    assert time.monotonic() - pressed < 15, "it did not compute the other 500"
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    done = int((lm.open_sweep(tmp_path / "a.zarr").theory_status > 0).sum())
    assert done >= 4
    assert not _running(script), "no process is left behind"


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_ctrl_c_does_not_wait_for_long_blocks(engine: str, tmp_path: Path) -> None:
    """Each block takes minutes here."""
    script = tmp_path / "sweep.py"
    script.write_text(SWEEP)
    options = f"{{'steps': 4000, 'engine': '{engine}'}}"
    arguments = [tmp_path / "a.zarr", tmp_path / "log", 0.01, options]
    process = subprocess.Popen(
        [*child.command("")[:1], str(script), *map(str, arguments)], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + child.PATIENCE
    while not notes(tmp_path, "begun"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(2)  # the workers, too, have begun
    process.send_signal(signal.SIGINT)
    process.wait(timeout=child.PATIENCE / 3)
    assert not _running(script)


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "sweep.py"
    script.write_text(SWEEP)
    arguments = [tmp_path / "a.zarr", tmp_path / "log", 0.01, "{'engine': 'processes'}"]
    process = subprocess.Popen([*child.command("")[:1], str(script), *map(str, arguments)])
    wait_until(2, tmp_path, process)
    workers = _children(process.pid)
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + child.PATIENCE
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.05)


def test_a_killed_worker_of_the_pool_is_replaced(tmp_path: Path) -> None:
    script = tmp_path / "sweep.py"
    script.write_text(SWEEP)
    arguments = [tmp_path / "a.zarr", tmp_path / "log", 0.01, "{'engine': 'processes'}"]
    process = subprocess.Popen(
        [*child.command("")[:1], str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until(2, tmp_path, process)
    victim = next(pid for pid in _children(process.pid) if "spawn_main" in _arguments(pid))
    os.kill(victim, signal.SIGKILL)
    computed, found = finish(process)
    assert (computed, found) == (POINTS, 0)
    assert kept_twice(tmp_path) == 0
    rates, widths = np.geomspace(0.01, 1, 64), np.geomspace(0.25, 8, 8)
    problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    same = lm.sweep(problem, {"network.width": widths, "optimizer.lr": rates}, 60)
    assert lm.open_sweep(tmp_path / "a.zarr").equals(same)


def _arguments(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:  # it ended meanwhile
        return ""


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in listed.split()]


def _running(script: Path) -> list[int]:
    return [pid for pid in _processes() if str(script) in _arguments(pid)]
