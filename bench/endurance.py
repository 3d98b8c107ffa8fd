"""Memory of one process over a hundred thousand solves and other calls.

Small random problems of every kind are solved one after another and many at a time, on exact and
adaptive grids and in gradient flow. Networks are trained; bad input and too much memory are
refused; runs diverge, and calls are interrupted. The script prints resident memory and the memory
of Python's objects from time to time. They must not grow after the first few hundred rounds.

    python bench/endurance.py [solves, 100000]

The exit code is 1 if memory grows.
"""

import ctypes
import gc
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lindmft as lm

ROUND = 1000  # solves in a round
ALONE = 100  # solves one after another
MANY = 100  # solves in one call of solve_many
TRAINS = 100  # trainings in a round
RARER = 5  # rounds between rarer calls
LINES = 20
MOST_GROWTH = 2.0
"""Allowed growth in MiB after the first tenth: a leak of 32 bytes for each solve is found."""


def resident() -> float:
    """Return the resident memory in MiB, after free parts of the heap were returned."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def network(rng: np.random.Generator) -> lm.MLP | lm.ResNet:
    depth, width = int(rng.integers(1, 4)), float(rng.uniform(0.5, 3.0))
    if rng.random() < 0.6:
        return lm.MLP(depth=depth, width=width if rng.random() < 0.9 else math.inf)
    return lm.ResNet(depth=depth, width=width)


def data(rng: np.random.Generator) -> lm.FullBatch | lm.MultiPass | lm.OnePass | lm.Population:
    alpha, noise = float(rng.uniform(0.5, 4.0)), float(rng.uniform(0.0, 1.0))
    spectrum = lm.Isotropic()
    if rng.random() < 0.3:
        modes = rng.uniform(0.2, 2.0, (2, 3)).tolist()
        spectrum = lm.Discrete(eigenvalues=modes[0], target_power=modes[1])
    kinds = [
        lambda: lm.FullBatch(alpha=alpha, noise=noise, spectrum=spectrum),
        lambda: lm.MultiPass(alpha=alpha, batch_fraction=0.5, noise=noise, spectrum=spectrum),
        lambda: lm.OnePass(alpha=alpha, noise=noise, spectrum=spectrum),
        lambda: lm.Population(noise=noise, spectrum=spectrum),
    ]
    return kinds[int(rng.integers(len(kinds)))]()


def problem(rng: np.random.Generator, smooth: bool = False) -> lm.Problem:
    lr = float(rng.choice([0.02, 0.05, 5.0], p=[0.5, 0.45, 0.05]))  # one in twenty diverges
    momentum = 0.0 if smooth else float(rng.choice([0.0, 0.5]))
    chosen = lm.FullBatch(alpha=2.0, noise=0.3) if smooth else data(rng)
    return lm.Problem(network(rng), chosen, lm.SGD(lr=lr, momentum=momentum))


def finite(infinite: lm.Problem) -> lm.Problem:
    """Return a problem that networks can be trained on."""
    width = infinite.network.width
    return infinite if math.isfinite(width) else infinite.replace(**{"network.width": 1.0})


def refused(call: Callable[[], object], error: type[BaseException]) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def interrupt(_done: int, _total: int) -> None:
    raise KeyboardInterrupt


def one_round(rng: np.random.Generator) -> int:
    """Solve, and return the number of solves."""
    solves = 0
    for _ in range(ALONE):
        lm.solve(problem(rng), int(rng.integers(2, 8)), save="all" if rng.random() < 0.1 else ())
        solves += 1
    while solves < ROUND:
        lm.solve_many([problem(rng) for _ in range(MANY)], int(rng.integers(2, 8)))
        solves += MANY
    for _ in range(TRAINS):
        lm.train(finite(problem(rng)), 10, dim=16, seeds=2)
    return solves


def rarer_things(rng: np.random.Generator) -> None:
    """Run other grids, infinite depth, errors and interruptions."""
    lm.flow(problem(rng, smooth=True), 1.0)
    lm.solve(problem(rng, smooth=True), 100, grid="adaptive")
    endless = lm.Problem(lm.ResNet(depth=math.inf), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.02))
    lm.solve(endless, 5)
    for _ in range(10):
        some = problem(rng)
        refused(lambda: lm.solve(some, 10**6, memory_limit=2**20), MemoryError)  # noqa: B023
        refused(lambda: lm.solve(some, 0), ValueError)  # noqa: B023
        refused(lambda: lm.train(finite(some), 5, dim=0), ValueError)  # noqa: B023
    refused(lambda: lm.solve(problem(rng), 3000, progress=interrupt), KeyboardInterrupt)
    refused(
        lambda: lm.train(finite(problem(rng)), 10**6, dim=64, progress=interrupt), KeyboardInterrupt
    )
    many = [problem(rng) for _ in range(4)]
    refused(lambda: lm.solve_many(many, 2000, progress=interrupt), KeyboardInterrupt)


def main() -> None:
    wanted = int(sys.argv[1]) if sys.argv[1:] else 100_000
    rounds = max(2, wanted // ROUND)
    rng = np.random.default_rng(0)
    start, solves, curve = time.perf_counter(), 0, []
    print(
        f"{'solves':>8}{'trains':>8}{'seconds':>9}{'resident MiB':>14}{'objects':>10}{'blocks':>10}"
    )
    for i in range(rounds):
        solves += one_round(rng)
        if i % RARER == 0:
            rarer_things(rng)
        if i % max(1, rounds // LINES) and i + 1 < rounds:
            continue
        memory, objects = resident(), len(gc.get_objects())
        blocks = sys.getallocatedblocks()  # all memory that Python has allocated
        curve.append(memory)
        print(
            f"{solves:>8}{TRAINS * (i + 1):>8}{time.perf_counter() - start:>9.0f}{memory:>14.2f}"
            f"{objects:>10}{blocks:>10}",
            flush=True,
        )
    warm = curve[1:]
    growth = warm[-1] - warm[0]
    print(f"growth after the first tenth: {growth:+.2f} MiB")
    sys.exit(1 if growth > MOST_GROWTH else 0)


if __name__ == "__main__":
    main()
