"""Peak memory of calls compared with the memory that they estimate.

Random problems of every kind run through every call that estimates memory before it allocates. With
memory_limit=1 a call is refused and names its estimate. The call is then made with this limit, and
the largest resident memory is measured. It must not be above the estimate. It may be below, since
some of the memory is never used.

    python bench/memory.py [problems, 200]
"""

import ctypes
import gc
import math
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lindmft as lm

THREADS = 2
OF_THE_PROCESS = 3 * 2**20  # bytes: heaps of threads, memory of Python and the libraries
STATUS = Path("/proc/self/status")


def rest() -> None:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def kib(key: str) -> float:
    found = re.search(rf"{key}:\s+(\d+) kB", STATUS.read_text())
    assert found
    return 1024.0 * int(found[1])


def peak(call: Callable[[], object]) -> tuple[float, str]:
    """Return the peak in bytes above the start, and the outcome of the call."""
    rest()
    start = kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the recorded peak
    told = ""
    try:
        result = call()
    except MemoryError:
        told = "refused later"
    except lm.NotConverged:
        told = "not converged"
    else:
        del result
    return kib("VmHWM") - start, told


def said(call: Callable[..., object]) -> float:
    try:
        call(memory_limit=1.0)
    except MemoryError as error:
        return float(re.findall(r"needs .*?\((\d+) bytes\)", str(error))[0])
    raise AssertionError("not refused")


def spectrum(rng: np.random.Generator) -> Any:
    if rng.random() < 0.6:
        return lm.Isotropic()
    modes = int(rng.choice([3, 40, 300]))
    return lm.Discrete(rng.uniform(0.1, 2.0, modes).tolist(), rng.uniform(0, 2, modes).tolist())


def data(rng: np.random.Generator, smooth: bool) -> Any:
    alpha, noise = float(rng.uniform(0.5, 4.0)), float(rng.uniform(0, 1))
    common: dict[str, Any] = {"noise": noise, "spectrum": spectrum(rng)}
    if rng.random() < 0.2:
        common["targets"] = [1.0, 0.5]
    kinds = [
        lambda: lm.FullBatch(alpha=alpha, **common),
        lambda: lm.Population(**common),
        lambda: lm.MultiPass(alpha=alpha, batch_fraction=0.5, **common),
        lambda: lm.OnePass(alpha=alpha, **common),
    ]
    return kinds[int(rng.integers(2 if smooth else 4))]()


def problem(rng: np.random.Generator, smooth: bool = False, finite: bool = False) -> lm.Problem:
    depth, width = int(rng.integers(1, 6)), float(rng.uniform(0.5, 2))
    if not finite and rng.random() < 0.1:
        width = math.inf
    network: Any = lm.MLP(depth=depth, width=width)
    if rng.random() < 0.4:
        endless = not finite and rng.random() < 0.2
        network = lm.ResNet(depth=math.inf if endless else depth, width=width, branch=0.7)
    momentum = 0.0 if smooth else float(rng.choice([0.0, 0.5]))
    return lm.Problem(network, data(rng, smooth), lm.SGD(lr=0.02, momentum=momentum))


Case = tuple[str, Callable[..., object]]


def case(rng: np.random.Generator) -> Case:
    kind = str(rng.choice(["solve", "coarse", "solve_many", "train", "train_many", "replicas"]))
    if kind in ("solve", "solve_many"):
        options: dict[str, Any] = {"threads": THREADS, "keep_state": bool(rng.random() < 0.3)}
        options["save"] = [(), "all", ("C_v", "C_h"), ("R_delta",)][int(rng.integers(4))]
        if not options["keep_state"]:
            options["replicas"] = bool(rng.random() < 0.3)
            options["kernels"] = bool(rng.random() < 0.3)
        if kind == "solve":
            one, steps = problem(rng), int(rng.integers(300, 900))
            if one.network.depth == math.inf:
                options["depth_nodes"], steps = 8, 150
            return kind, lambda **more: lm.solve(one, steps, **options, **more)
        many = [problem(rng, finite=True) for _ in range(6)]
        steps = int(rng.integers(200, 400))
        return kind, lambda **more: lm.solve_many(many, steps, **options, **more)
    if kind == "coarse":
        one = problem(rng, smooth=True)
        if one.network.depth == math.inf:
            one = one.replace(**{"network.depth": 3})
        options = {"threads": THREADS, "rtol": 1e-7, "keep_state": bool(rng.random() < 0.5)}
        if rng.random() < 0.5:
            return "flow", lambda **more: lm.flow(one, 1e6, **options, **more)
        return "adaptive", lambda **more: lm.solve(one, 10**7, grid="adaptive", **options, **more)
    one, dim = problem(rng, finite=True), int(rng.integers(200, 900))
    steps, options = int(rng.choice([3, 30, 200])), {"dim": dim, "threads": THREADS}
    options["dtype"] = str(rng.choice(["float64", "float32"]))
    if kind == "train":
        options |= {"seeds": int(rng.integers(1, 5)), "updates": bool(rng.random() < 0.3)}
        options["kernels"] = bool(rng.random() < 0.3) and len(np.atleast_1d(one.data.targets)) == 1
        return kind, lambda **more: lm.train(one, steps, **options, **more)
    if kind == "train_many":
        rates = np.linspace(0.01, 0.05, int(rng.integers(2, 9)))
        many = list(one.vary({"optimizer.lr": rates}))
        return kind, lambda **more: lm.train_many(many, steps, seeds=2, **options, **more)
    crossed = {"k_init": int(rng.integers(1, 4)), "k_data": int(rng.integers(1, 4)), "seeds": 2}
    return kind, lambda **more: lm.train_replicas(one, steps, **crossed, **options, **more)


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    rng = np.random.default_rng(1)
    for _ in range(3):  # creates threads and heaps, and loads libraries
        lm.solve(problem(rng), 200, threads=THREADS)
        lm.train(problem(rng, finite=True), 3, dim=200, seeds=4, threads=THREADS)
    shares: dict[str, list[float]] = defaultdict(list)
    above = 0
    for i in range(count):
        name, call = case(rng)
        wanted = said(call)
        taken, told = peak(lambda: call(memory_limit=wanted * (1 + 1e-9)))  # noqa: B023
        if told:
            name = f"{name}, {told}"
        shares[name].append(taken / wanted)
        if taken > wanted + OF_THE_PROCESS:
            above += 1
            print(f"{i}: {name} said {wanted / 2**20:.1f} MiB, took {taken / 2**20:.1f} MiB")
    print(f"{'call':<28}{'cases':>6}{'least':>8}{'median':>8}{'most':>8}   peak / said")
    for name, ratios in sorted(shares.items()):
        row = (min(ratios), statistics.median(ratios), max(ratios))
        print(f"{name:<28}{len(ratios):>6}" + "".join(f"{ratio:>8.3f}" for ratio in row))
    print(f"{above} of {count} above what they said by more than 3 MiB")


if __name__ == "__main__":
    main()
