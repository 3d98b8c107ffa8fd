"""Sweeps: throughput of the engines on the same points, overhead, and cost of kills.

    python bench/sweeps.py [--rounds 5] [--steps 200]

The sweep has 512 points (8 widths x 64 learning rates). In every round these take turns:
``solve_many`` of the same problems, and sweeps into a new store on threads, on a pool of processes
(its start included), and on a running Dask cluster of two worker processes. Then the process of a
sweep is killed three times, and a sweep on the cluster loses a worker. The script prints how many
points were computed twice, and whether the results equal those of an undisturbed sweep, bit by bit.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import lindmft as lm
from lindmft.machine.machine import machine
from lindmft.sweeps.store import Store

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
AXES: Any = {
    "network.width": np.geomspace(0.25, 8, 8).tolist(),
    "optimizer.lr": np.geomspace(0.01, 0.2, 64).tolist(),
}
POINTS = 512
WORKERS = 2


@contextlib.contextmanager
def cluster(**environment: int) -> Iterator[Any]:
    """Return a client of a Dask cluster of two processes with one thread each."""
    import dask
    from distributed import Client, LocalCluster

    settings = {f"distributed.nanny.pre-spawn-environ.{k}": v for k, v in environment.items()}
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0") as started,
        Client(started) as client,
    ):
        yield client


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def throughput(steps: int, rounds: int) -> None:
    """Time every way to compute the same points, by turns."""
    problems = PROBLEM.vary(AXES)
    with (
        cluster() as client,  # first, as the settings of the other one stay in the environment
        cluster(MALLOC_MMAP_THRESHOLD_=2**25) as tuned,
        tempfile.TemporaryDirectory() as folder,
    ):

        def swept(engine: Any, number: Iterator[int]) -> Callable[[], Any]:
            return lambda: lm.sweep(
                PROBLEM, AXES, steps, engine=engine, store=f"{folder}/{next(number)}.zarr"
            )

        number = iter(range(10**6))
        ways: dict[str, Callable[[], Any]] = {
            "solve_many, no sweep": lambda: lm.solve_many(problems, steps),
            "threads": swept("threads", number),
            "processes, started for it": swept("processes", number),
            "Dask, two worker processes": swept(client, number),
            "the same, MALLOC_MMAP_THRESHOLD_ = 2^25": swept(tuned, number),
        }
        for work in ways.values():
            work()  # warm-up: imports, pages, and the choice of kernels
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, work in ways.items():
                seconds[name].append(timed(work))
    print(f"\n{POINTS} points of {steps} steps, medians of {rounds} rounds\n")
    print("| engine | seconds | points a second | of threads | overhead a point |")
    print("|---|---|---|---|---|")
    for name, found in seconds.items():
        middle = statistics.median(found)
        ratio = by_rounds(lambda own, other: other / own, found, seconds["threads"])
        extra = by_rounds(lambda own, other: own - other, found, seconds["solve_many, no sweep"])
        print(
            f"| {name} | {middle:.2f} | {POINTS / middle:.0f} | {ratio:.2f} "
            f"| {1e3 * extra / POINTS:.2f} ms |"
        )


def by_rounds(
    of: Callable[[float, float], float], seconds: list[float], others: list[float]
) -> float:
    """Return the median over rounds of a function of two turns."""
    return statistics.median(of(a, b) for a, b in zip(seconds, others, strict=True))


# ---- kills


def child(store: str, log: str, steps: str) -> None:
    """Run a sweep that records every block it stores."""
    notes = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    write = Store.write

    def noted(self: Store, stage: str, block: tuple[int, ...], computed: Any) -> None:
        write(self, stage, block, computed)
        os.write(notes, f"{block}\t{len(self.plan.of_block(stage, block))}\n".encode())

    Store.write = noted  # type: ignore[method-assign]
    lm.sweep(PROBLEM, AXES, int(steps), store=store)


def killed(steps: int) -> None:
    """Kill a sweep by SIGKILL at a quarter, a half and three quarters of its points."""
    reference = lm.sweep(PROBLEM, AXES, steps)
    with tempfile.TemporaryDirectory() as folder:
        store, log = f"{folder}/a.zarr", Path(folder) / "log"
        log.touch()
        command = [sys.executable, __file__, "--child", store, str(log), str(steps)]
        for part in (1, 2, 3):
            process = subprocess.Popen(command)
            while noted(log).total() < part * POINTS / 4 and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
            kept = int((lm.open_sweep(store).theory_status > 0).sum())
            print(f"killed with {kept} of {POINTS} points kept")
        subprocess.run(command, check=True)
        blocks = Counter(line.partition("\t")[0] for line in log.read_text().splitlines())
        twice = sum(count - 1 for count in blocks.values())
        report(f"killed three times: blocks kept twice: {twice}", lm.open_sweep(store), reference)


def noted(log: Path) -> Counter[str]:
    """Return the points of every block."""
    lines = [line.split("\t") for line in log.read_text().splitlines()]
    return Counter({block: int(points) for block, points in lines})


def lost_worker(steps: int) -> None:
    """Kill one of the two worker processes after a third of the points."""
    reference = lm.sweep(PROBLEM, AXES, steps)
    with cluster() as client:
        victims = list(client.run(os.getpid).values())[:1]
        undisturbed = timed(lambda: lm.sweep(PROBLEM, AXES, steps, engine=client))

        def kill(done: int, total: int) -> None:
            if victims and done > total / 3:
                os.kill(victims.pop(), signal.SIGKILL)

        start = time.perf_counter()
        dataset = lm.sweep(PROBLEM, AXES, steps, engine=client, progress=kill)
        seconds = time.perf_counter() - start
    text = f"a worker killed: {seconds:.2f} s (undisturbed {undisturbed:.2f} s), "
    report(f"{text}points kept {dataset.attrs['points_computed']}", dataset, reference)


def report(text: str, dataset: "xr.Dataset", reference: "xr.Dataset") -> None:
    same = dataset.equals(reference)
    print(f"{text}; equal to the last bit: {same}")
    if not same:
        sys.exit(1)


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    print("\n".join(machine("zarr", "distributed").lines()))
    throughput(options.steps, options.rounds)
    print()
    killed(options.steps)
    lost_worker(options.steps)


if __name__ == "__main__":
    main()
