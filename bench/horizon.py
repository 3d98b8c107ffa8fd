"""Cost against horizon: adaptive steps and gradient flow, compared with exact steps.

The reference problem (depth 2, width 1, alpha 2, noise 0.3, lr 0.1) is solved for 10^3 to 10^8
steps, and by flow to lr times as much. All runs of a horizon take turns, five times; medians are
printed. Then follow 400 and 1000 steps, adaptive and exact by turns. With a file name the script
draws the times.

    python bench/horizon.py [horizon.png]
"""

import statistics
import sys
import time
from collections.abc import Callable

import lindmft as lm

REPEATS = 5
HORIZONS = tuple(10**power for power in range(3, 9))
EXACT = (400, 1000)
LR = 0.1
PROBLEM = lm.Problem(
    network=lm.MLP(depth=2, width=1.0, gamma0=1.0),
    data=lm.FullBatch(alpha=2.0, noise=0.3),
    optimizer=lm.SGD(lr=LR),
)
LIMITS = "0.09 and 0.045"  # sigma^2/(alpha - 1) and sigma^2 (1 - 1/alpha)

Timed = tuple[float, lm.Solution]


def adaptive(problem: lm.Problem, steps: int, rtol: float = 1e-6) -> lm.Solution:
    return lm.solve(problem, steps, grid="adaptive", rtol=rtol, keep_state=False)


def flow(problem: lm.Problem, end: float, rtol: float = 1e-6) -> lm.Solution:
    return lm.flow(problem, end, rtol=rtol, keep_state=False)


def exact(problem: lm.Problem, steps: int) -> lm.Solution:
    return lm.solve(problem, steps, keep_state=False)


def by_turns(**calls: Callable[[], lm.Solution]) -> dict[str, Timed]:
    """Return median seconds and a result of each method."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    results = {}
    for _ in range(REPEATS):
        for name, call in calls.items():
            start = time.perf_counter()
            results[name] = call()
            seconds[name].append(time.perf_counter() - start)
    return {name: (statistics.median(seconds[name]), results[name]) for name in calls}


def at_horizon(steps: int) -> dict[str, Timed]:
    return by_turns(
        steps=lambda: adaptive(PROBLEM, steps),
        flow=lambda: flow(PROBLEM, LR * steps),
    )


def beside_exact(steps: int) -> dict[str, Timed]:
    return by_turns(exact=lambda: exact(PROBLEM, steps), adaptive=lambda: adaptive(PROBLEM, steps))


def print_horizon(steps: int, runs: dict[str, Timed]) -> None:
    for name, (seconds, run) in runs.items():
        print(
            f"{steps:>11}{name:>7}{len(run.time):>7}{run.stats.sweeps:>8}{seconds:>9.3f}"
            f"{run.test_loss[-1]:>16.12f}{run.train_loss[-1]:>16.12f}"
        )


def print_exact(steps: int, runs: dict[str, Timed]) -> None:
    (whole, every), (seconds, run) = runs["exact"], runs["adaptive"]
    nodes = run.time.round().astype(int)
    apart = max(
        float(abs(getattr(run, name) / getattr(every, name)[nodes] - 1).max())
        for name in ("test_loss", "train_loss")
    )
    print(
        f"{steps} steps: exact {whole:.3f} s, adaptive {seconds:.3f} s on {len(nodes)} nodes "
        f"({whole / seconds:.1f} times less); largest relative difference {apart:.0e}"
    )


def draw(path: str, runs: dict[int, dict[str, Timed]], whole: dict[int, dict[str, Timed]]) -> None:
    """Draw seconds against the number of steps, with the exact steps that were run."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.8, 3.8), layout="constrained")
    adapted = {n: whole[n]["adaptive"][0] for n in whole} | {n: runs[n]["steps"][0] for n in runs}
    curves = [
        ("gradient flow", {n: runs[n]["flow"][0] for n in runs}, "#d55e00", 5),
        ("adaptive steps", adapted, "#0072b2", -5),
        ("every step", {n: whole[n]["exact"][0] for n in whole}, "0.25", 0),
    ]
    for label, seconds, colour, shift in curves:
        steps = sorted(seconds)
        ax.loglog(steps, [seconds[n] for n in steps], "o-", color=colour, markersize=4)
        place = {"xytext": (8, shift), "textcoords": "offset points", "va": "center"}
        ax.annotate(label, (steps[-1], seconds[steps[-1]]), color=colour, **place)
    ax.set_xlim(250, 6e9)
    ax.set_xticks([10**power for power in range(3, 9)])
    ax.tick_params(axis="x", which="minor", bottom=False)
    ax.set_ylim(0.05, None)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("training steps (flow: time / learning rate)")
    ax.set_ylabel("seconds")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main(path: str | None = None) -> None:
    lm.show_config()
    print(f"{'steps':>11}{'':7}{'nodes':>7}{'sweeps':>8}{'seconds':>9}{'test':>16}{'train':>16}")
    runs = {}
    for steps in HORIZONS:
        runs[steps] = at_horizon(steps)
        print_horizon(steps, runs[steps])
    print(f"limits: {LIMITS}")
    whole = {}
    for steps in EXACT:
        whole[steps] = beside_exact(steps)
        print_exact(steps, whole[steps])
    if path is not None:
        draw(path, runs, whole)


if __name__ == "__main__":
    main(*sys.argv[1:2])
