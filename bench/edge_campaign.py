"""Random problems at the edge of stability: do exact steps and coarse grids agree?

python bench/edge_campaign.py [first] [last]

Solves 200 random problems (seeds ``first`` = 0 to ``last`` = 200), whose learning rate is within a
factor of two of the edge of stability at the start, on every step and on an adaptive grid. Losses
must agree within ten times the tolerances up to the earliest time that either solution names:
``diverged_at``, ``unstable_at`` of the coarse grid, ``predictable_until`` of the exact steps. A
difference before is *silent*. Prints a line for each problem, and a table. A quarter of an hour.
"""

import sys
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np

import lindmft as lm

RTOL, ATOL, FACTOR = 1e-6, 1e-10, 10.0
GRIDS: dict[str, dict[str, Any]] = {
    "exact": {},
    "adaptive": {"grid": "adaptive", "rtol": RTOL, "atol": ATOL},
}


def network(rng: np.random.Generator) -> Any:
    """Return a perceptron, a residual network, or one of infinite depth."""
    kind = rng.choice(["mlp", "mlp", "mlp", "resnet", "infinite"])
    width = float(rng.choice([np.inf, np.inf, 0.5, 1.0, 2.0, 4.0]))
    gamma0 = float(np.exp(rng.uniform(np.log(0.1), np.log(4.0))))
    centered = bool(rng.random() < 0.3)
    if kind == "mlp":
        depth = int(rng.integers(1, 4))
        return lm.MLP(depth=depth, width=width, gamma0=gamma0, centered=centered)
    if kind == "resnet":
        depth = int(rng.integers(2, 5))
        return lm.ResNet(depth=depth, width=width, gamma0=gamma0, centered=centered)
    return lm.ResNet(depth=np.inf, width=width, gamma0=min(gamma0, 1.0), centered=centered)


def data(rng: np.random.Generator) -> Any:
    """Return a population or full batch, some of them with a slow mode of large target power."""
    spectrum: Any = lm.Isotropic()
    if rng.random() < 0.4:
        small = float(np.exp(rng.uniform(np.log(0.002), 0.0)))
        power = [float(np.exp(rng.uniform(-3, 1))), float(np.exp(rng.uniform(-1, 4)))]
        spectrum = lm.Discrete([1.0, small], target_power=power, weights=[0.5, 0.5])
    noise = float(rng.choice([0.0, 0.0, 0.3]))
    if rng.random() < 0.4:
        return lm.Population(noise=noise, spectrum=spectrum)
    alpha = float(rng.choice([0.5, 1.0, 1.0, 2.0, 3.0]))
    return lm.FullBatch(alpha=alpha, noise=noise, spectrum=spectrum)


def optimizer(rng: np.random.Generator) -> dict[str, Any]:
    """Return the options of the optimizer other than the learning rate."""
    chance = rng.random()
    if chance < 0.25:
        return {"momentum": float(rng.choice([0.5, 0.9]))}
    if chance < 0.35:
        return {"momentum": 0.5, "nesterov": True}
    return {"weight_decay": 0.05} if chance < 0.45 else {}


def problem(seed: int) -> tuple[lm.Problem, int]:
    """Return a random problem at the edge of stability, and its number of steps."""
    rng = np.random.default_rng(seed)
    parts, options = (network(rng), data(rng)), optimizer(rng)
    slow = lm.Problem(*parts, lm.SGD(lr=1e-6, **options))
    sharpness = lm.solve(slow, 1, spectrum_at=0, lanczos=8).spectrum.sharpness[0]
    edge = lm.stability_threshold(slow.optimizer) / sharpness
    lr = float(edge * 2.0 ** rng.uniform(-1.0, 1.0))
    steps = int(rng.choice([100, 200, 300])) if np.isfinite(parts[0].depth) else 60
    return lm.Problem(*parts, lm.SGD(lr=lr, **options)), steps


def solutions(seed: int) -> tuple[dict[str, lm.Solution], list[str]]:
    """Return the solutions on both grids, and what was raised in their place."""
    found, raised = {}, []
    setting, steps = problem(seed)
    for grid, options in GRIDS.items():
        try:
            found[grid] = lm.solve(setting, steps, threads=1, **options)
        except (MemoryError, RuntimeError, ValueError) as error:
            raised.append(f"{grid}: {error!r}")
    return found, raised


def last_claimed(exact: lm.Solution, coarse: lm.Solution) -> float:
    """Return the time before which both solutions claim to be the prediction."""
    until = exact.predictable_until
    times = [exact.diverged_at, coarse.diverged_at, coarse.unstable_at, until and until + 1]
    return min([np.inf, *(time for time in times if time is not None)])


def largest_difference(exact: lm.Solution, coarse: lm.Solution) -> float:
    """Return the largest difference of losses, in units of the tolerances, up to there."""
    before = coarse.time < last_claimed(exact, coarse)
    steps = coarse.time[before].astype(int)
    largest = 0.0
    for name in ("test_loss", "train_loss"):
        a, b = getattr(exact, name)[steps], getattr(coarse, name)[before]
        allowed = RTOL * np.abs(a) + ATOL * max(1.0, getattr(exact, name)[0])
        largest = max(largest, float(np.max(np.abs(a - b) / allowed, initial=0.0)))
    return largest


def flags(exact: lm.Solution, coarse: lm.Solution) -> list[str]:
    """Return the times that the solutions name."""
    named = {
        "diverges": exact.diverged_at,
        "coarse diverges": coarse.diverged_at,
        "unpredictable": exact.predictable_until,
        "unstable": exact.unstable_at,
        "coarse unstable": coarse.unstable_at,
    }
    return [f"{name} {time:g}" for name, time in named.items() if time is not None]


def one(seed: int) -> tuple[list[str], str]:
    """Return what to count for a seed, and its line."""
    begin = time.perf_counter()
    found, raised = solutions(seed)
    if raised:
        return ["exceptions"], f"{seed}: {problem(seed)} {raised}"
    exact, coarse = (found[grid] for grid in GRIDS)
    named = flags(exact, coarse)
    counts = [" ".join(flag.split()[:-1]) for flag in named] or ["no flags"]
    difference = largest_difference(exact, coarse)
    if difference > FACTOR:
        counts.append("silent")
    if any(np.nanmin(theory.test_loss) < 0 for theory in (exact, coarse)):
        counts.append("negative")
    seconds = time.perf_counter() - begin
    line = f"{seed}: {difference:.2g} of the tolerances; {', '.join(named)} ({seconds:.1f} s)"
    return counts, line + (f" {problem(seed)}" if {"silent", "negative"} & set(counts) else "")


def main(first: int, last: int) -> None:
    """Print a line for each seed, and the table."""
    warnings.simplefilter("ignore", lm.StabilityWarning)
    total = Counter({"exceptions": 0, "silent": 0, "negative": 0})
    for seed in range(first, last):
        counts, line = one(seed)
        total.update(counts)
        print(line, flush=True)
    print(f"\n| of {last - first} problems | |\n|---|---|")
    for name, count in total.items():
        print(f"| {name} | {count} |")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given or (0, 200)))
