"""Random problems of one pass and multi pass: adaptive steps compared with exact steps.

python bench/sgd_random.py [first] [last] [--threads N]

Solves 150 random problems (seeds ``first`` = 0 to ``last`` = 150) of 300 to 1000 steps with a
random ``rtol``. Losses must agree within ``rtol``, plus 1e-10 of the loss at the start (at least of
1). Prints a line for each problem, and a table. Five minutes on a quiet machine.
"""

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sgd_long_times import adaptive, apart, remark, row, stable_then_decay, table

import lindmft as lm

FLOOR = 1e-10


def network(rng: np.random.Generator, trace_class: bool) -> Any:
    depth, gamma0 = int(rng.integers(1, 4)), float(np.exp(rng.uniform(np.log(0.2), np.log(3.0))))
    options: dict[str, Any] = {"gamma0": gamma0, "centered": bool(rng.random() < 0.25)}
    if trace_class:
        options["hidden"] = int(rng.choice([32, 64, 256]))
    else:
        options["width"] = float(rng.choice([0.5, 1.0, 2.0, 4.0]))
    return (lm.ResNet if rng.random() < 0.35 else lm.MLP)(depth=depth, **options)


def spectrum(rng: np.random.Generator) -> Any:
    chance = rng.random()
    if chance < 0.4:
        return lm.Isotropic()
    if chance < 0.8:
        count = int(rng.integers(2, 5))
        powers = np.exp(rng.uniform(-1.0, 1.0, count))
        eigenvalues = np.exp(rng.uniform(np.log(0.03), np.log(2.0), count))
        return lm.Discrete(eigenvalues, target_power=powers, weights=rng.dirichlet([3.0] * count))
    return lm.PowerLaw(float(rng.uniform(1.2, 2.0)), float(rng.uniform(0.3, 1.2)), modes=1000)


def data(rng: np.random.Generator, modes: Any) -> Any:
    noise = float(rng.choice([0.0, 0.1, 0.3, 0.3, 1.0]))
    options: dict[str, Any] = {"spectrum": modes, "noise": noise}
    trace_class = isinstance(modes, lm.PowerLaw)
    if rng.random() < 0.5:
        name, sizes = ("batch", [16, 32, 128]) if trace_class else ("alpha", [0.1, 0.25, 1.0, 4.0])
        return lm.OnePass(**options, **{name: float(rng.choice(sizes))})
    options["batch_fraction"] = float(rng.choice([0.05, 0.1, 0.25, 0.5]))
    name, sizes = ("samples", [100, 400]) if trace_class else ("alpha", [0.5, 1.0, 2.0, 5.0])
    return lm.MultiPass(**options, **{name: float(rng.choice(sizes))})


def rates(rng: np.random.Generator, steps: int, peak: float) -> Any:
    forms: list[Callable[[], Any]] = [
        lambda: peak,
        lambda: lm.schedule("cosine", steps, peak=peak),
        lambda: lm.schedule("linear", steps, peak=peak, warmup=0.05, end=0.1),
        lambda: stable_then_decay(steps, peak),
        lambda: peak / (1 + np.arange(steps) / 50),
    ]
    return forms[int(rng.choice([0, 0, 0, 1, 2, 3, 4]))]()


def problem_of(seed: int) -> tuple[lm.Problem, int, float]:
    """Return a problem, its steps, and a tolerance."""
    rng = np.random.default_rng([seed, 19])
    modes = spectrum(rng)
    layers = network(rng, isinstance(modes, lm.PowerLaw))
    samples = data(rng, modes)
    work = layers.depth * (2 if layers.kind == "resnet" else 1)
    longest = 1000 / work ** (1 / 3)  # so that exact steps take seconds
    steps = int(np.exp(rng.uniform(np.log(300), np.log(max(longest, 400)))))
    momentum = float(rng.choice([0.0, 0.0, 0.5, 0.9]))
    peak = float(np.exp(rng.uniform(np.log(0.004), np.log(0.06)))) * (1 - momentum) * 2
    rest: dict[str, Any] = {"momentum": momentum, "nesterov": bool(momentum and rng.random() < 0.3)}
    decay = float(rng.choice([0.0, 0.0, 0.05, 0.3]))
    optimizer = lm.SGD(rates(rng, steps, peak), weight_decay=decay, **rest)
    return lm.Problem(layers, samples, optimizer), steps, float(10 ** rng.uniform(-7, -3))


def describe(problem: lm.Problem) -> str:
    return f"{problem.network}, {problem.data}, {problem.optimizer}"


def compare_one(seed: int, threads: int) -> tuple[str, float, float]:
    """Print the line of a seed; return its verdict, its error / rtol, and its ratio of times."""
    problem, steps, rtol = problem_of(seed)
    try:
        exact = lm.solve(problem, steps, threads=threads, keep_state=False)
        run = adaptive(problem, steps, rtol, threads)
    except (RuntimeError, ValueError, MemoryError) as error:
        print(f"{seed}: {error!r} {describe(problem)}", flush=True)
        return "raised", np.nan, np.nan
    ratio, speed = apart(exact, run, FLOOR / rtol) / rtol, exact.stats.seconds / run.stats.seconds
    verdict = "within rtol" if ratio <= 1 else "VIOLATION"
    if exact.diverged_at != run.diverged_at:
        verdict = f"diverge at {exact.diverged_at}, {run.diverged_at}"
    line = f"{seed}: {steps} steps, rtol {rtol:.1e}, error / rtol {ratio:.1e}, estimate / rtol "
    line += f"{run.stats.error_estimate / rtol:.1e}, {run.stats.active_nodes} nodes, {speed:.1f} "
    line += f"times faster ({exact.stats.seconds:.1f} s); {verdict}"
    line += f"; diverged {exact.diverged_at}" if exact.diverged_at else ""
    line += f"; {remark(run)}" if remark(run) else ""
    print(line + (f"; {describe(problem)}" if verdict != "within rtol" else ""), flush=True)
    return verdict, ratio, speed


def campaign(first: int, last: int, threads: int) -> None:
    results = [compare_one(seed, threads) for seed in range(first, last)]
    verdicts, ratios, speeds = zip(*results, strict=True)
    table(f"of {len(results)} random problems", "")
    for verdict in dict.fromkeys(verdicts):
        row(verdict, verdicts.count(verdict))
    row("error / rtol: median, largest", f"{np.nanmedian(ratios):.1e}, {np.nanmax(ratios):.1e}")
    row("ratio of times: median", f"{np.nanmedian(speeds):.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?", default=150)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    warnings.simplefilter("ignore", lm.StabilityWarning)
    campaign(given.first, given.last, given.threads)


if __name__ == "__main__":
    main()
