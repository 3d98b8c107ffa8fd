"""Growth of cost with steps, depth and modes of the theory, and with the dimension of training.

    python bench/scaling.py [--quick] [--repeats N] [--json FILE] [picture.png]

The script prints median seconds and counted operations of each size (sizes take turns), and
exponents: least squares of logarithms over the upper half of the sizes. Operations of the theory
are counted by the solver in matrix products; those of training follow from its sizes. The number of
sweeps over a row depends on the problem, so operations are also given for one sweep. The exit code
is 1 if the exponent of these is not the expected one (steps 3, adaptive steps 0, depth 1, modes 1,
dimension 2). Total operations and times are only reported.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

import lindmft as lm
from lindmft.machine import machine
from lindmft.machine.benchmark import reference

TOLERANCE = 0.25  # lower powers still contribute at these sizes
Cost = tuple[float, float, float]  # seconds, operations, sweeps per row
Measure = Callable[[int], Cost]


@dataclass
class Growth:
    """One size that grows, and its costs."""

    name: str
    sizes: Sequence[int]
    expected: float
    costs: list[Cost] = field(default_factory=list)

    @property
    def columns(self) -> dict[str, list[float]]:
        """The quantities that have an exponent."""
        seconds, operations, sweeps = (list(column) for column in zip(*self.costs, strict=True))
        a_sweep = [n / times for n, times in zip(operations, sweeps, strict=True)]
        return {"seconds": seconds, "operations": operations, "in one sweep": a_sweep}

    def exponent(self, costs: list[float]) -> float:
        """Fit exponents over the upper half of the sizes."""
        upper = slice(len(self.sizes) // 2, None)
        return float(np.polyfit(np.log(self.sizes[upper]), np.log(costs[upper]), 1)[0])

    @property
    def as_expected(self) -> bool:
        return abs(self.exponent(self.columns["in one sweep"]) - self.expected) <= TOLERANCE

    def table(self) -> str:
        columns = self.columns
        speeds = (operations / seconds / 1e9 for seconds, operations, _ in self.costs)
        sweeps = (times for _, _, times in self.costs)
        rows = zip(self.sizes, *columns.values(), sweeps, speeds, strict=True)
        exponents = (f"{self.exponent(column):.2f}" for column in columns.values())
        return "\n".join(
            [
                f"| {self.name} | {' | '.join(columns)} | sweeps a row | GFLOP/s |",
                "|---" * 6 + "|",
                *(
                    f"| {n} | {t:.3g} | {N:.3g} | {M:.3g} | {k:.1f} | {v:.1f} |"
                    for n, t, N, M, k, v in rows
                ),
                f"| exponent | {' | '.join(exponents)} | | |",
                f"| expected | | | {self.expected:g} | | |",
            ]
        )


def solved(problem: lm.Problem, steps: int, grid: str = "exact") -> Cost:
    begin = time.perf_counter()
    solution = lm.solve(problem, steps, grid=grid)
    seconds, stats = time.perf_counter() - begin, solution.stats
    return seconds, stats.flops, stats.row_sweeps / stats.nodes


def exact(steps: int) -> Cost:
    return solved(reference(), steps)


def adaptive(steps: int) -> Cost:
    return solved(reference(), steps, "adaptive")


def deep(depth: int) -> Cost:
    """Return a problem with the same speed of training: the kernel starts at depth + 1."""
    return solved(reference(lr=0.3 / (depth + 1), depth=depth), 200)


def spectral(modes: int) -> Cost:
    eigenvalues = np.geomspace(1.0, 0.05, modes) if modes > 1 else np.ones(1)
    spectrum = lm.Discrete(
        eigenvalues, target_power=np.ones(modes), weights=np.full(modes, 1 / modes)
    )
    data = lm.FullBatch(alpha=2.0, noise=0.3, spectrum=spectrum)
    return solved(lm.Problem(lm.MLP(depth=2), data, lm.SGD(lr=0.1)), 100)


def trained(dim: int) -> Cost:
    """Time a step of one network: the difference to a run of one step, without its start."""
    steps, taken = max(3, min(200, 2**25 // dim**2)), []
    for count in (1, 1 + steps):
        begin = time.perf_counter()
        runs = lm.train(reference(), count, dim=dim, seeds=1)
        taken.append(time.perf_counter() - begin)
    return max(taken[1] - taken[0], 1e-9) / steps, runs.stats.operations / count, 1.0


def growths(quick: bool) -> list[tuple[Growth, Measure]]:
    cut = -1 if quick else None  # without the largest size, which takes the most time
    return [
        (Growth("exact steps", (100, 200, 400, 800, 1600)[:cut], 3.0), exact),
        (Growth("adaptive steps", (10**3, 10**4, 10**5, 10**6, 10**7)[:cut], 0.0), adaptive),
        (Growth("depth, 200 steps", (1, 2, 4, 8, 16)[:cut], 1.0), deep),
        (Growth("modes, 100 steps", (1, 4, 16, 32, 64, 128, 256)[:cut], 1.0), spectral),
        (Growth("dim, a training step", (256, 512, 1024, 2048, 4096)[:cut], 2.0), trained),
    ]


def measure(growth: Growth, call: Measure, repeats: int) -> None:
    call(growth.sizes[0])
    rounds = [[call(size) for size in growth.sizes] for _ in range(repeats)]
    for runs in zip(*rounds, strict=True):
        seconds, operations, sweeps = (statistics.median(each) for each in zip(*runs, strict=True))
        growth.costs.append((seconds, operations, sweeps))


def draw(path: Path, done: Sequence[Growth]) -> None:
    """Draw seconds against every size, with a line of the expected slope."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(done), figsize=(3.1 * len(done), 3.0), layout="constrained")
    for ax, growth in zip(axes, done, strict=True):
        sizes = np.array(growth.sizes, dtype=float)
        seconds = growth.columns["seconds"]
        ax.loglog(sizes, seconds, "o", color="#0072b2", markersize=4)
        line = seconds[-1] * (sizes / sizes[-1]) ** growth.expected
        ax.loglog(sizes, line, "-", color="0.6", linewidth=1, zorder=0)
        ax.set_title(f"{growth.name}: slope {growth.expected:g}", fontsize=9, loc="left")
        ax.set_xlabel(growth.name.partition(",")[0])
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("seconds")
    figure.savefig(path, dpi=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("picture", type=Path, nargs="?", help="draw the times to this file")
    parser.add_argument("--quick", action="store_true", help="without the largest sizes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    options = parser.parse_args()
    print("\n".join(machine.machine().lines()))
    done = []
    for growth, call in growths(options.quick):
        measure(growth, call, options.repeats)
        verdict = "" if growth.as_expected else "\n\nNot the expected exponent."
        print(f"\n{growth.table()}{verdict}", flush=True)
        done.append(growth)
    if options.json:
        options.json.write_text(json.dumps([asdict(growth) for growth in done], indent=2) + "\n")
    if options.picture:
        draw(options.picture, done)
    return 0 if all(growth.as_expected for growth in done) else 1


if __name__ == "__main__":
    sys.exit(main())
