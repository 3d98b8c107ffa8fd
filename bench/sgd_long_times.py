"""One pass and multi pass SGD on adaptive steps: errors, cost, and long times.

python bench/sgd_long_times.py [part ...] [--threads N]

Parts, which are all run unless some are named; each prints tables in Markdown:

exact     errors of both losses against exact steps, at 1000 and 3000 steps
fresh     the same for problems that were not used to choose the constants of the method
slowing   sixteen random problems whose rates fall like powers of time, compared with exact steps
vanishing losses that fall to zero, compared with exact steps
edge      learning rates near the largest stable one, compared with exact steps
constant  up to 3e4 steps at a constant rate: agreement of two tolerances, and cost against steps
decay     1e5 steps at a rate that falls like 1/t, at two tolerances
million   1e6 steps at this rate, once
train     1e4 steps at this rate, compared with trained networks
lazy      1e4 steps of lazy learning, compared with its closed form

All of them take about ten minutes of a quiet core.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import lindmft as lm

NOISE, LR = 0.3, 0.02
TOLERANCES = (1e-3, 1e-5, 1e-7)
LOSSES = ("test_loss", "train_loss")
THREE_MODES = lm.Discrete([2.0, 0.8, 0.1], target_power=[1.0, 2.0, 0.5], weights=[0.3, 0.4, 0.3])
POWER_LAW = lm.PowerLaw(1.3, 0.8)
THREADS = 2  # set by the option

Case = tuple[str, lm.Problem, int]


def one_pass(**options: Any) -> Any:
    return lm.OnePass(**({"alpha": 0.25, "noise": NOISE} | options))


def multi_pass(**options: Any) -> Any:
    return lm.MultiPass(**({"alpha": 2.0, "batch_fraction": 0.25, "noise": NOISE} | options))


def usual(data: Any, depth: int = 1, lr: Any = LR) -> lm.Problem:
    return lm.Problem(lm.MLP(depth=depth), data, lm.SGD(lr=lr))


def falling(steps: int) -> np.ndarray:
    """Return the rates 0.05 / (1 + t / 50)."""
    return 0.05 / (1 + np.arange(steps) / 50)


def adaptive(
    problem: lm.Problem, steps: int, rtol: float, threads: int | None = None
) -> lm.Solution:
    threads = threads or THREADS
    return lm.solve(problem, steps, grid="adaptive", rtol=rtol, threads=threads, keep_state=False)


def apart(exact: lm.Solution, other: lm.Solution, floor: float = 0.0) -> float:
    """Return the largest relative difference of both losses, up to a divergence."""
    ends = [run.diverged_at for run in (exact, other) if run.diverged_at is not None]
    until = min(ends, default=None)
    largest = 0.0
    for name in LOSSES:
        a, b = getattr(exact, name)[:until], getattr(other, name)[:until]
        size = np.abs(a) + floor * max(1.0, a[0])
        largest = max(largest, float(np.max(np.abs(a - b) / size, initial=0.0)))
    return largest


def table(*columns: str) -> None:
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


def row(*cells: object) -> None:
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def remark(run: lm.Solution) -> str:
    """Return what the status says of a self-check that failed; otherwise nothing."""
    return "" if run.self_check_passed else f"self-check {run.stats.chain_residual:.0e}"


# --- against exact steps -----------------------------------------------------------------------


def beside_exact(cases: Iterable[Case]) -> None:
    """Print the errors of each case at all tolerances."""
    head = [f"`rtol` {rtol:g}: error / `rtol`, estimate / `rtol`, nodes" for rtol in TOLERANCES]
    table("problem", "steps", "every step", *head, "seconds", "remarks")
    for name, problem, steps in cases:
        exact = lm.solve(problem, steps, threads=THREADS, keep_state=False)
        runs = {rtol: adaptive(problem, steps, rtol) for rtol in TOLERANCES}
        cells = [
            f"{apart(exact, run) / rtol:.1e}, {run.stats.error_estimate / rtol:.1e}, "
            f"{run.stats.active_nodes}"
            for rtol, run in runs.items()
        ]
        seconds = ", ".join(f"{run.stats.seconds:.2f}" for run in runs.values())
        remarks = ", ".join(f"{rtol:g}: {remark(run)}" for rtol, run in runs.items() if remark(run))
        row(name, steps, f"{exact.stats.seconds:.1f} s", *cells, seconds, remarks)


def usual_cases() -> Iterable[Case]:
    for depth in (1, 2, 3):
        for spectrum in (lm.Isotropic(), THREE_MODES):
            kind = "isotropic" if isinstance(spectrum, lm.Isotropic) else "three modes"
            for name, data in (("one pass", one_pass), ("multi pass", multi_pass)):
                problem = usual(data(spectrum=spectrum), depth)
                yield f"{name}, depth {depth}, {kind}", problem, 1000
        data = lm.OnePass(batch=16, noise=NOISE, spectrum=POWER_LAW)
        problem = lm.Problem(lm.MLP(depth=depth, hidden=64), data, lm.SGD(lr=LR))
        yield f"one pass, depth {depth}, power law", problem, 1000
    yield "one pass, depth 1, isotropic", usual(one_pass()), 3000
    yield "multi pass, depth 1, isotropic", usual(multi_pass()), 3000


def stable_then_decay(steps: int, peak: float) -> tuple[float, ...]:
    """Return a warm-up over a tenth of the steps, the peak, and a linear decay over a fifth."""
    t = np.arange(steps)
    rates = np.minimum((t + 1) / (0.1 * steps), 1.0) * np.minimum((steps - t) / (0.2 * steps), 1.0)
    return tuple(peak * rates)


def fresh_cases() -> Iterable[Case]:
    cosine = lm.schedule("cosine", 1000, peak=0.05, warmup=50)
    sharing = lm.Discrete(
        [1.5, 0.7, 0.2], targets=[[1, 0.5, 0], [0, 1, 0.5], [0.3, 0, 1]], weights=[0.3, 0.4, 0.3]
    )
    decayed = lm.SGD(lr=0.03, weight_decay=0.1)
    wsd = lm.SGD(lr=stable_then_decay(1000, 0.05))
    many: dict[str, tuple[Any, Any, lm.SGD, int]] = {
        "residual depth 3, one pass": (lm.ResNet(depth=3), one_pass(), lm.SGD(lr=LR), 700),
        "residual depth 3, multi pass": (lm.ResNet(depth=3), multi_pass(), lm.SGD(lr=LR), 700),
        "momentum 0.9, one pass": (lm.MLP(2), one_pass(), lm.SGD(0.005, momentum=0.9), 1000),
        "Nesterov 0.9, multi pass": (
            lm.MLP(2),
            multi_pass(),
            lm.SGD(0.005, momentum=0.9, nesterov=True),
            1000,
        ),
        "weight decay 0.1, one pass": (lm.MLP(2), one_pass(), decayed, 1000),
        "weight decay 0.1, multi pass": (lm.MLP(2), multi_pass(), decayed, 1000),
        "cosine, one pass": (lm.MLP(1), one_pass(), lm.SGD(cosine), 1000),
        "cosine, multi pass": (lm.MLP(2), multi_pass(), lm.SGD(cosine), 1000),
        "warm-up, stable, decay, one pass": (lm.MLP(2), one_pass(), wsd, 1000),
        "warm-up, stable, decay, multi pass": (lm.MLP(1), multi_pass(), wsd, 1000),
        "widths 0.5, 2, 1, multi pass": (
            lm.MLP(3, width=[0.5, 2, 1]),
            multi_pass(),
            lm.SGD(LR),
            700,
        ),
        "centered, gamma0 2, one pass": (
            lm.MLP(2, gamma0=2.0, centered=True),
            one_pass(),
            lm.SGD(LR),
            1000,
        ),
        "centered, gamma0 0.2, multi pass": (
            lm.MLP(2, gamma0=0.2, centered=True),
            multi_pass(),
            lm.SGD(LR),
            1000,
        ),
        "growing batch, one pass": (
            lm.MLP(1),
            one_pass(alpha=tuple(0.2 + 0.002 * np.arange(1000))),
            lm.SGD(LR),
            1000,
        ),
        "three outputs, one pass": (lm.MLP(1), one_pass(spectrum=sharing), lm.SGD(LR), 400),
        "three outputs, multi pass": (lm.MLP(1), multi_pass(spectrum=sharing), lm.SGD(LR), 400),
        "infinite depth, one pass": (lm.ResNet(np.inf), one_pass(), lm.SGD(LR), 300),
        "infinite depth, multi pass": (lm.ResNet(np.inf), multi_pass(), lm.SGD(LR), 300),
    }
    for name, (network, data, optimizer, steps) in many.items():
        yield name, lm.Problem(network, data, optimizer), steps


def slowing_cases() -> Iterable[Case]:
    """Yield problems whose functions become smooth, so that not every step is solved."""
    rng = np.random.default_rng(77)
    for number in range(16):
        steps, depth = int(rng.integers(1200, 2200)), int(rng.integers(1, 3))
        gamma0 = float(np.exp(rng.uniform(-1.2, 0.8)))
        start = float(np.exp(rng.uniform(np.log(10), np.log(300))))
        peak, power = float(rng.uniform(0.02, 0.08)), float(rng.choice([0.5, 0.7, 1.0, 1.5]))
        noise = float(rng.choice([0.1, 0.3, 1.0]))
        if rng.random() < 0.5:
            data = one_pass(noise=noise, alpha=float(rng.choice([0.1, 0.25, 1.0])))
        else:
            fraction, alpha = float(rng.choice([0.1, 0.25, 0.5])), float(rng.choice([1.5, 2, 4]))
            data = multi_pass(noise=noise, alpha=alpha, batch_fraction=fraction)
        kind = lm.ResNet if rng.random() < 0.3 else lm.MLP
        network = kind(depth=depth, gamma0=gamma0, width=float(rng.choice([0.5, 1, 4])))
        rates = tuple(peak * (1 + np.arange(steps) / start) ** -power)
        decay = float(rng.choice([0, 0, 0.05]))
        problem = lm.Problem(network, data, lm.SGD(rates, weight_decay=decay))
        yield (
            f"{number}: {kind.__name__} of depth {depth}, {data.kind}, t^-{power:g}",
            problem,
            steps,
        )


# --- where rtol is not met ----------------------------------------------------------------------


def vanishing() -> None:
    """Print errors relative to the loss at the start, and the least loss that has kept rtol."""
    table("problem, 600 steps", "rtol", "loss", "end / start", "error / (rtol start)", "kept above")
    many = {
        "one pass, no noise, lr 0.05": (lm.MLP(1), one_pass(noise=0.0), 0.05),
        "multi pass, alpha 0.5": (lm.MLP(1), multi_pass(alpha=0.5), LR),
        "multi pass, alpha 0.5, no noise": (lm.MLP(1), multi_pass(alpha=0.5, noise=0.0), LR),
        "the same, rich, noise 1": (
            lm.MLP(1, gamma0=3.0),
            multi_pass(alpha=0.5, noise=1.0),
            LR,
        ),
        "multi pass, alpha 0.8": (lm.MLP(1), multi_pass(alpha=0.8), 0.05),
    }
    for name, (network, data, lr) in many.items():
        problem = lm.Problem(network, data, lm.SGD(lr))
        exact = lm.solve(problem, 600, threads=THREADS, keep_state=False)
        for rtol in (1e-3, 1e-4, 1e-6):
            try:
                run = adaptive(problem, 600, rtol)
            except lm.NotConverged as error:
                row(name, rtol, f"{error}", "", "", "")
                continue
            for loss in LOSSES:
                row(name, rtol, loss, *beside_start(getattr(exact, loss), getattr(run, loss), rtol))


def beside_start(exact: np.ndarray, other: np.ndarray, rtol: float) -> list[str]:
    start, error = exact[0], np.abs(other - exact)
    broken = error > rtol * exact
    kept = f"{exact[broken].max() / start:.1e}" if broken.any() else "all"
    return [f"{exact[-1] / start:.1e}", f"{error.max() / (rtol * start):.1e}", kept]


def edge() -> None:
    """Print where losses differ near the edge; a shifted rate shows what can be known."""
    table(
        "lr of one pass", "diverges", "lr (1 + 1e-12)", "rtol", "diverges", "first step beyond rtol"
    )
    for lr in (0.2, 0.22, 0.23, 0.24, 0.25, 0.26):
        exact, shifted = (
            lm.solve(usual(one_pass(), lr=rate), 400, threads=THREADS)
            for rate in (lr, lr * (1 + 1e-12))
        )
        end = kept_until(exact, shifted, 1e-6)
        for rtol in (1e-3, 1e-6):
            run = adaptive(usual(one_pass(), lr=lr), 400, rtol)
            known = f"{shifted.diverged_at}, apart by 1e-6 at {end}"
            row(lr, exact.diverged_at, known, rtol, run.diverged_at, kept_until(exact, run, rtol))


def kept_until(exact: lm.Solution, other: lm.Solution, rtol: float) -> int | None:
    """Return the first step at which the test losses differ by more than rtol, or None."""
    a, b = exact.test_loss, other.test_loss
    agree = np.isclose(b, a, rtol=rtol, atol=0.0)
    return None if agree.all() else int(np.argmin(agree))


# --- long times --------------------------------------------------------------------------------


def timed(problem: lm.Problem, steps: int, rtol: float) -> tuple[lm.Solution, float]:
    """Return a solution and its processor time, which other programs disturb less."""
    start = time.process_time()
    run = adaptive(problem, steps, rtol)
    return run, time.process_time() - start


def exponent(steps: list[int], seconds: list[float]) -> float:
    return float(np.polyfit(np.log(steps), np.log(seconds), 1)[0])


def tolerances(problem: lm.Problem, name: str, steps: int) -> None:
    """Print the agreement of a loose and a tight tolerance."""
    (loose, fast), (tight, slow) = (timed(problem, steps, rtol) for rtol in (1e-4, 1e-6))
    nodes, seconds = (
        ", ".join(format(getattr(run.stats, of), form) for run in (loose, tight))
        for of, form in (("active_nodes", "d"), ("seconds", ".1f"))
    )
    last = [f"{getattr(tight, loss)[-1]:.8f}" for loss in LOSSES]
    ratio = f"{apart(tight, loose) / 1e-4:.1e}"
    times = f"{seconds} ({fast:.1f}, {slow:.1f})"
    row(name, f"{steps:.0e}", ratio, nodes, times, *last, remark(loose) or remark(tight))


COLUMNS = (
    "difference / 1e-4",
    "nodes",
    "seconds (processor)",
    "last test loss",
    "last train loss",
    "remarks",
)


def constant() -> None:
    table("rtol 1e-4 and 1e-6", "steps", *COLUMNS)
    for name, data in (("one pass", one_pass()), ("multi pass", multi_pass())):
        tolerances(usual(data), f"{name}, lr {LR}", 10**4)
    table("rtol 1e-4", "steps", "nodes", "seconds", "processor", "sweeps a row")
    for name, data in (("one pass", one_pass()), ("multi pass", multi_pass())):
        sizes, seconds = [1000, 3000, 10**4, 3 * 10**4], []
        for steps in sizes:
            run, taken = timed(usual(data), steps, 1e-4)
            stats = run.stats
            seconds.append(taken)
            sweeps = f"{stats.row_sweeps / steps:.2f}"
            row(name, steps, stats.active_nodes, f"{stats.seconds:.2f}", f"{taken:.2f}", sweeps)
        print(
            f"\n{name}: time grows like steps^{exponent(sizes, seconds):.2f}\n",
            flush=True,
        )


def decay() -> None:
    table("lr 0.05 / (1 + t / 50)", "steps", *COLUMNS)
    for name, data in (("one pass", one_pass()), ("multi pass", multi_pass())):
        tolerances(usual(data, lr=falling(10**5)), name, 10**5)


def million() -> None:
    table("lr 0.05 / (1 + t / 50)", "steps", "nodes", "seconds (processor)", "estimate", "losses")
    run, taken = timed(usual(one_pass(), lr=falling(10**6)), 10**6, 1e-4)
    losses = f"{run.test_loss[-1]:.8g}, {run.train_loss[-1]:.8g}"
    stats = run.stats
    estimate = f"{stats.error_estimate:.0e}"
    row(
        "one pass",
        10**6,
        stats.active_nodes,
        f"{stats.seconds:.0f} ({taken:.0f})",
        estimate,
        losses,
    )
    print(f"\n{run.status}")


def train() -> None:
    """Compare with networks of three sizes; z-scores are those of mean losses."""
    steps = 10**4
    at = np.unique(np.geomspace(1, steps - 1, 25).astype(int))
    table("lr 0.05 / (1 + t / 50)", "D", "networks", "seconds", "mean z", "rms z", "largest z")
    for name, data in (("one pass", one_pass()), ("multi pass", multi_pass())):
        problem = usual(data, lr=falling(steps))
        theory = adaptive(problem, steps, 1e-5)
        for dim, seeds in ((64, 128), (128, 64)):
            start = time.perf_counter()
            runs = lm.train(problem, steps, dim=dim, seeds=seeds, threads=THREADS)
            z = np.array([scores(getattr(theory, n)[at], getattr(runs, n)[:, at]) for n in LOSSES])
            for loss, of in zip(LOSSES, z, strict=True):
                numbers = (f"{x:.2f}" for x in (of.mean(), np.sqrt((of**2).mean()), of[worst(of)]))
                seconds = f"{time.perf_counter() - start:.0f}"
                row(f"{name}, {loss}", dim, seeds, seconds, *numbers)


def worst(z: np.ndarray) -> int:
    return int(np.argmax(np.abs(z)))


def scores(theory: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Return the deviations of mean losses from the theory, in standard errors."""
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    return (runs.mean(axis=0) - theory) / error


def lazy() -> None:
    """Print errors against the recursion. Depth 1 has two weight arrays, so that k = 2 lr."""
    table("lr", "batch / D", "steps", "rtol", "exact steps, 300", "adaptive", "stationary value")
    network = lm.MLP(depth=1, gamma0=0.0, width=np.inf)
    for lr, alpha in ((0.02, 0.25), (0.1, 1.0)):
        problem = lm.Problem(network, one_pass(alpha=alpha), lm.SGD(lr=lr))
        steps, k = 10**4, 2 * lr
        exact = lm.solve(problem, 300, threads=THREADS)
        closed = recursion(k, alpha, steps) * exact.test_loss[0]
        early = np.abs(exact.test_loss / closed[:300] - 1).max()
        limit = NOISE**2 * k / (2 * alpha - k * (alpha + 1))
        for rtol in (1e-4, 1e-6):
            run = adaptive(problem, steps, rtol)
            error = np.abs(run.test_loss / closed - 1).max()
            end = abs(run.test_loss[-1] / limit - 1)
            cells = (f"{value:.1e}" for value in (rtol, early, error, end))
            row(lr, alpha, steps, *cells)


def recursion(k: float, alpha: float, steps: int) -> np.ndarray:
    """Return the test loss of lazy one pass with isotropic inputs at all steps, from 1."""
    keep, add = (1 - k) ** 2 + k**2 / alpha, k**2 * NOISE**2 / alpha
    fixed = add / (1 - keep)
    return np.asarray(fixed + (1 - fixed) * keep ** np.arange(steps))


# --- all of it ---------------------------------------------------------------------------------


def main() -> None:
    global THREADS
    parts: dict[str, Callable[[], None]] = {
        "exact": lambda: beside_exact(usual_cases()),
        "fresh": lambda: beside_exact(fresh_cases()),
        "slowing": lambda: beside_exact(slowing_cases()),
        "vanishing": vanishing,
        "edge": edge,
        "constant": constant,
        "decay": decay,
        "million": million,
        "train": train,
        "lazy": lazy,
    }
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(parts))
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    unknown = set(given.parts) - set(parts)
    if unknown:
        parser.error(f"unknown parts {sorted(unknown)}; known are {', '.join(parts)}")
    THREADS = given.threads
    warnings.simplefilter("ignore", lm.StabilityWarning)
    lm.show_config()
    for part in given.parts or parts:
        print(f"\n{part}", flush=True)
        parts[part]()


if __name__ == "__main__":
    main()
