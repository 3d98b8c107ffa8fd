"""Time and memory of outputs that share modes, predicted and measured.

Prediction: a sweep over p rows that end at row b takes 6 p b^2 operations for each mode (theory
section 6), so that all sweeps take about 2 modes rows n^2, where n = outputs times steps is the
number of rows of a two-time function, and rows are the rows swept. Memory is that of
``estimate_memory``.

    python bench/outputs_cost.py
"""

import resource
import statistics
import sys

import numpy as np

import lindmft as lm

STEPS = 100
MODES = 64
REPEATS = 5


def problem(outputs: int) -> lm.Problem:
    rng = np.random.default_rng(0)
    eigenvalues = np.arange(1.0, MODES + 1) ** -1.5
    targets = rng.standard_normal((MODES, outputs))
    spectrum = lm.Discrete(eigenvalues, targets=targets, trace_class=True)
    data = lm.FullBatch(samples=200, noise=0.2, spectrum=spectrum)
    return lm.Problem(lm.MLP(depth=2, hidden=256), data, lm.SGD(lr=0.05))


def measure(outputs: int, grid: str) -> str:
    setting = problem(outputs)
    runs = [lm.solve(setting, STEPS, grid=grid, threads=1) for _ in range(REPEATS)]
    stats = runs[0].stats
    seconds = statistics.median(run.stats.seconds for run in runs)
    predicted = 2.0 * MODES * stats.row_sweeps * (outputs * stats.nodes) ** 2
    exact = grid == "exact"
    bytes_ = lm.estimate_memory(setting, STEPS, threads=1) if exact else float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return (
        f"{outputs:7} {grid:9} {stats.nodes:5} {seconds:9.3f} s {stats.flops:11.2e} "
        f"{predicted:11.2e} {stats.flops / seconds / 1e9:8.1f} {bytes_ / 1e6:9.0f} MB "
        f"{peak / 1e6:9.0f} MB"
    )


def main() -> None:
    print("outputs grid      nodes      time  operations   predicted  10^9 /s  estimated   process")
    for grid in ("exact", "adaptive"):
        for outputs in (1, 2, 3, 10):
            print(measure(outputs, grid), flush=True)


if __name__ == "__main__":
    sys.exit(main())
