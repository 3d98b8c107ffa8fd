"""Time and memory of residual networks against depth, and at infinite depth.

Each solve runs in a separate process, so that its peak memory can be measured; depths take turns.

    python bench/depth.py [steps] [repetitions]
"""

import resource
import statistics
import subprocess
import sys

DEPTHS = ("16", "32", "64", "128", "inf")


def child(depth: str, steps: int) -> None:
    """Print seconds, sweeps, nodes in depth, and the growth of peak memory in bytes."""
    import lindmft as lm

    def problem(layers: float) -> lm.Problem:
        data = lm.FullBatch(alpha=2.0, noise=0.3)
        return lm.Problem(lm.ResNet(depth=layers), data, lm.SGD(lr=0.02))

    lm.solve(problem(1), 2, threads=1)  # loads all libraries
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    solution = lm.solve(problem(float(depth)), steps, threads=1)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    stats = solution.stats
    print(stats.seconds, stats.sweeps, len(solution.depth), 1024 * grown)


def main(steps: int = 100, repetitions: int = 5) -> None:
    """Print medians for every depth, and ratios of neighbours."""
    seen: dict[str, list[list[float]]] = {depth: [] for depth in DEPTHS}
    for _ in range(repetitions):
        for depth in DEPTHS:
            command = [sys.executable, __file__, "child", depth, str(steps)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seen[depth].append([float(number) for number in done.stdout.split()])
    print(f"{steps} steps, medians of {repetitions}, one thread")
    print(f"{'depth':>6}{'seconds':>10}{'ratio':>8}{'MB':>9}{'ratio':>8}{'sweeps':>8}{'nodes':>7}")
    last: tuple[float, float] | None = None
    for depth, runs in seen.items():
        seconds, sweeps, nodes, peak = (statistics.median(run[i] for run in runs) for i in range(4))
        doubled = last is not None and depth != "inf"
        ratios = (
            (f"{seconds / last[0]:.2f}", f"{peak / last[1]:.2f}") if doubled and last else ("", "")
        )
        print(
            f"{depth:>6}{seconds:>10.3f}{ratios[0]:>8}{peak / 1e6:>9.1f}{ratios[1]:>8}"
            f"{sweeps:>8.0f}{nodes:>7.0f}"
        )
        last = (seconds, peak)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], int(sys.argv[3]))
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
