"""Time ``solve`` against a plain NumPy dense fixed point of the same equations, in the same run.

Usage: python bench/theory_against_dense.py [steps ...]        (default: 400)

Each pair is timed alternately, five times; medians and their ratio are printed, with what ran.
The peer (dense_numpy.py) iterates whole T x T matrices with triangular BLAS and LAPACK calls until
the losses converge to 1e-10; ``solve`` converges to rounding. Both may use all cores.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from dense_numpy import solve_dense

import lindmft as lm

REPEATS = 5
PROBLEM = lm.Problem(
    network=lm.MLP(depth=2, width=1.0, gamma0=1.0),
    data=lm.FullBatch(alpha=2.0, noise=0.3),
    optimizer=lm.SGD(lr=0.1),
)


def timed(call: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def compare(steps: int) -> None:
    ours: list[float] = []
    dense: list[float] = []
    for _ in range(REPEATS):
        seconds, solution = timed(lambda: lm.solve(PROBLEM, steps))
        ours.append(seconds)
        seconds, peer = timed(lambda: solve_dense(2, 1.0, 1.0, 2.0, 0.3, 0.1, steps))
        dense.append(seconds)
    assert isinstance(solution, lm.Solution)
    assert isinstance(peer, tuple)
    test_loss, _, sweeps = peer
    apart = np.max(np.abs(test_loss / solution.test_loss - 1))
    stats = solution.stats
    a, b = statistics.median(ours), statistics.median(dense)
    print(
        f"{steps:6d} steps   lindmft {a:8.4f} s ({stats.row_sweeps / steps:.1f} sweeps a step, "
        f"{stats.flops / a / 1e9:.0f} GFLOP/s)   dense {b:8.3f} s ({sweeps} sweeps)   "
        f"ratio {b / a:6.1f}   largest relative difference {apart:.0e}"
    )


if __name__ == "__main__":
    lm.show_config()
    for argument in sys.argv[1:] or ["400"]:
        compare(int(argument))
