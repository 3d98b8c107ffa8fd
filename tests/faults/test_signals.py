"""Ctrl-C in the middle of a long step, and SIGTERM: real signals to real processes.

bench/interrupts.py measures how long the answer takes; here an uninterrupted step would take much
longer than the test waits.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from child import PATIENCE, start

import lindmft as lm

pytestmark = pytest.mark.long

LONG = """
import sys, time
import numpy as np
import lindmft as lm
from lindmft._internal.background import aside

def problem(data, depth=1):
    return lm.Problem(lm.MLP(depth=depth), data, lm.SGD(lr=0.05))

fresh = lm.OnePass(alpha=1e6)  # a batch takes minutes
CALLS = {
    "drawing a batch": lambda: lm.train(problem(fresh), 5, dim=256, seeds=1, threads=1),
    "shared by threads": lambda: lm.train(problem(fresh), 5, dim=256, seeds=1, threads=2),
    "replicas": lambda: lm.train_replicas(problem(fresh), 5, dim=256, seeds=1),
    "limits": lambda: lm._core.machine_limits(seconds=3600.0),
    "another library": lambda: aside(time.sleep, 3600),
}
before = lm.solve(problem(lm.FullBatch(alpha=2.0)), 20, threads=2).test_loss.tolist()
print("ready", flush=True)
try:
    CALLS[sys.argv[1]]()
    print("ran to its end")
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(lm.solve(problem(lm.FullBatch(alpha=2.0)), 20, threads=2).test_loss.tolist() == before)
"""
NAMES = (
    "drawing a batch",
    "shared by threads",
    "replicas",
    "limits",
    "another library",
)


@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c_in_the_middle_of_a_long_step(name: str) -> None:
    with start(LONG, name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert rest.splitlines() == ["interrupted", "True"]


PROBLEM = """
[network]
kind = "mlp"
depth = 2
[data]
kind = "full_batch"
alpha = 2.0
[optimizer]
lr = 0.05
"""
SWEEP = (
    '[sweep]\nrun = ["solve"]\n[sweep.axes]\n"optimizer.lr" = {from = 0.01, to = 0.1, points = 900}'
)


def terminated(*arguments: object, when: object = None) -> tuple[int, str]:
    """Return exit code and standard error of a command that gets SIGTERM while it works."""
    command = [sys.executable, "-m", "lindmft", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not (when() if callable(when) else False) and time.monotonic() < deadline:
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return process.returncode, errors


def test_sigterm_ends_a_command_and_leaves_the_earlier_file(tmp_path: Path) -> None:
    (tmp_path / "problem.toml").write_text(PROBLEM)
    output = tmp_path / "runs.nc"
    output.write_text("precious")
    started = time.monotonic()
    code, errors = terminated(
        *("train", tmp_path / "problem.toml", "--steps", 10**6, "--dim", 128),
        *("--output", output, "--force"),
        when=lambda: time.monotonic() > started + 5,
    )
    assert (code, errors) == (143, "Terminated.\n")
    assert output.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["problem.toml", "runs.nc"]


def test_sigterm_keeps_the_finished_blocks_of_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text(PROBLEM + SWEEP)
    store = tmp_path / "a.zarr"

    def some_are_kept() -> bool:
        marks = store / "marks" / "theory" / "c"
        return marks.exists() and len(list(marks.iterdir())) >= 2

    code, errors = terminated(
        "sweep", tmp_path / "sweep.toml", "--steps", 300, "--store", store, when=some_are_kept
    )
    assert (code, errors) == (143, "Terminated.\n")
    states = lm.open_sweep(store).theory_status.values
    assert 0 < (states > 0).sum() < states.size
