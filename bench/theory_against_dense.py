"""Compare the time of ``solve`` with NumPy dense fixed points of the same equations in one run.

Usage: python bench/theory_against_dense.py [steps ...]        (default: 400)

Solver and peers take turns, five times; medians and their ratios are printed.
The peers iterate whole T x T matrices until the losses converge to 1e-10, ``solve`` marches
forward, accurate to rounding:

* plain: the equations as printed, typed in NumPy (dense_plain.py);
* lean: the same iteration by an expert, with triangular BLAS and LAPACK (dense_numpy.py).

All may use every core: ``solve`` its own threads, the peers those of NumPy's and SciPy's BLAS.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from dense_numpy import solve_dense
from dense_plain import solve_plain

import lindmft as lm

REPEATS = 5
PROBLEM = lm.Problem(
    network=lm.MLP(depth=2, width=1.0, gamma0=1.0),
    data=lm.FullBatch(alpha=2.0, noise=0.3),
    optimizer=lm.SGD(lr=0.1),
)
PEERS = {"plain": solve_plain, "lean": solve_dense}


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def compare(steps: int) -> None:
    seconds: dict[str, list[float]] = {"solve": [], **{name: [] for name in PEERS}}
    apart, sweeps = dict.fromkeys(PEERS, 0.0), dict.fromkeys(PEERS, 0)
    for _ in range(REPEATS):
        taken, solution = timed(lambda: lm.solve(PROBLEM, steps))
        seconds["solve"].append(taken)
        for name, peer in PEERS.items():
            taken, (test_loss, _, sweeps[name]) = timed(
                lambda p=peer: p(2, 1, 1, 2, 0.3, 0.1, steps)
            )
            seconds[name].append(taken)
            apart[name] = float(np.max(np.abs(test_loss / solution.test_loss - 1)))
    median = {name: statistics.median(all_of_it) for name, all_of_it in seconds.items()}
    stats = solution.stats
    speed = stats.flops / median["solve"] / 1e9
    print(f"{steps} steps")
    print(
        f"  solve {median['solve']:9.4f} s   {stats.row_sweeps / steps:.1f} sweeps a step, "
        f"{speed:.0f} GFLOP/s"
    )
    for name in PEERS:
        ratio = median[name] / median["solve"]
        print(
            f"  {name:5s} {median[name]:8.4f} s  {sweeps[name]} sweeps, {ratio:.1f} times as long; "
            f"largest relative difference {apart[name]:.0e}"
        )


if __name__ == "__main__":
    lm.show_config()
    for argument in sys.argv[1:] or ["400"]:
        compare(int(argument))
