"""Signals at random moments of work that writes files: none is lost, and every file is valid.

Real signals are sent to real processes: to forks of a process that has imported everything, so that
hundreds of runs take little time, and to some command lines. Moments and signals are random, with
fixed seeds.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from child import PATIENCE

import lindmft as lm
from lindmft.results import netcdf

pytestmark = pytest.mark.long

PROBLEM = """
[network]
kind = "mlp"
depth = 4
[data]
kind = "one_pass"
alpha = 0.1
[optimizer]
lr = 0.02
"""
SWEEP = (
    '[sweep]\nrun = ["solve"]\n[sweep.axes]\n"optimizer.lr" = {from = 0.01, to = 0.1, points = 900}'
)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
SERVER = """
import os, sys
import zarr
from lindmft.cli.commands import commands

def end(arguments):
    code = 0
    try:
        commands(arguments, prog_name="lindmft")
    except SystemExit as error:
        code = error.code or 0
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        code = 99
    os._exit(code)

warm = sys.argv[1:]
try:
    commands(warm, prog_name="lindmft", standalone_mode=False)
except SystemExit:
    pass
print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        end(line.split())
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def solve_command(folder: Path) -> list[str]:
    return [
        *("solve", f"{folder}/problem.toml", "--steps", "600", "--threads", "1"),
        *("--checkpoint", f"{folder}/c.nc", "--checkpoint-every", "1"),
    ]


def check_solve(folder: Path) -> None:
    """The checkpoint is whole, and the run can be continued."""
    kept = lm.Solution.load(folder / "c.nc")
    more = lm.solve(kept.problem, len(kept.time) + 1, continue_from=kept, threads=1)
    assert (more.test_loss[:-1] == kept.test_loss).all()


def sweep_command(folder: Path) -> list[str]:
    return [
        *("sweep", f"{folder}/sweep.toml", "--steps", "500", "--threads", "1"),
        *("--store", f"{folder}/a.zarr"),
    ]


def check_sweep(folder: Path) -> None:
    states = lm.open_sweep(folder / "a.zarr").theory_status.values
    assert (states >= 0).all()


TRAINED: dict[str, Any] = {"dim": 16, "seeds": 1, "threads": 1}


def train_command(folder: Path) -> list[str]:
    return [
        *("train", f"{folder}/problem.toml", "--steps", "4000", "--threads", "1", "--dim", "16"),
        *("--seeds", "1", "--checkpoint", f"{folder}/c.nc", "--checkpoint-every", "10"),
    ]


def check_train(folder: Path) -> None:
    """The checkpoint is whole, and what is resumed equals what was never interrupted."""
    problem, path = lm.Problem.from_toml(folder / "problem.toml"), folder / "c.nc"
    with netcdf.reading(path, netcdf.TRAINING) as dataset:
        assert 0 < dataset.done.item() < 4000
    resumed = lm.train(problem, 4000, checkpoint=path, checkpoint_every=4000, **TRAINED)
    assert (resumed.test_loss == uninterrupted().test_loss).all()


@cache
def uninterrupted() -> lm.Ensemble:
    problem = lm.Problem(lm.MLP(depth=4), lm.OnePass(alpha=0.1), lm.SGD(lr=0.02))
    return lm.train(problem, 4000, **TRAINED)


@pytest.mark.parametrize(
    ("command", "first", "check", "runs"),
    [
        (train_command, "c.nc", check_train, 30),
        (solve_command, "c.nc", check_solve, 200),
        (sweep_command, "a.zarr/marks/theory/c", check_sweep, 12),
    ],
    ids=["train", "solve", "sweep"],
)
def test_no_signal_is_lost(
    tmp_path: Path,
    command: Callable[[Path], list[str]],
    first: str,
    check: Callable[[Path], None],
    runs: int,
) -> None:
    rng = random.Random(18)
    codes: Counter[tuple[int, int]] = Counter()
    warm = folder_of(tmp_path, "warm")
    known = solve_command if command is sweep_command else command  # a sweep would leave threads
    server = [sys.executable, "-c", SERVER, *quick(known(warm))]
    with subprocess.Popen(
        server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            for run, (pid, wait) in enumerate(children(process, command, tmp_path, runs)):
                folder = tmp_path / str(run)
                wait_for(folder / first)
                time.sleep(0.15 * rng.random())
                sent = rng.choice(list(CODES))
                os.kill(pid, sent)
                codes[sent, wait()] += 1
                check(folder)
                assert not list(folder.glob(".*.tmp"))
        finally:
            process.kill()
    assert codes.total() == runs
    assert set(codes) == set(CODES.items()), codes


def children(
    server: "subprocess.Popen[str]", command: Callable[[Path], list[str]], parent: Path, runs: int
) -> Iterator[tuple[int, Callable[[], int]]]:
    """Yield the process of every run, and a function that waits for its exit code."""
    assert server.stdin is not None
    assert server.stdout is not None
    told = server.stdout
    while told.readline() != "ready\n":
        assert server.poll() is None
    for run in range(runs):
        print(*command(folder_of(parent, str(run))), file=server.stdin, flush=True)
        yield int(told.readline()), lambda: int(told.readline())


def folder_of(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    (folder / "problem.toml").write_text(PROBLEM)
    (folder / "sweep.toml").write_text(PROBLEM + SWEEP)
    return folder


def quick(arguments: list[str]) -> list[str]:
    """Return the same command with few steps, which imports all that the long one needs."""
    where = arguments.index("--steps") + 1
    return [*arguments[:where], "3", *arguments[where + 1 :]]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("seed", range(4))
def test_the_command_ends_and_its_checkpoint_resumes(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    folder = folder_of(tmp_path, "run")
    arguments = solve_command(folder)
    arguments[arguments.index("600")] = "60"
    sent = (signal.SIGINT, signal.SIGTERM)[seed % 2]
    with subprocess.Popen([sys.executable, "-m", "lindmft", *arguments]) as process:
        wait_for(folder / "c.nc")
        time.sleep(0.3 * rng.random())
        process.send_signal(sent)
        assert process.wait(PATIENCE) == CODES[sent]
    reached = lm.Solution.load(folder / "c.nc")
    assert len(reached.time) < 60
    problem = reached.problem
    resumed = lm.solve(problem, 60, checkpoint=folder / "c.nc", checkpoint_every=5)
    whole = lm.solve(problem, 60, checkpoint=tmp_path / "whole.nc", checkpoint_every=5)
    assert resumed.test_loss.tolist() == pytest.approx(whole.test_loss.tolist(), rel=1e-12)
