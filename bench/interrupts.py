"""Time between Ctrl-C and the end of every long call.

The script sends SIGINT to a process, at several times after the start of each call. Some calls have
large units of work: a step of 8000, a network of dim 8192, drawing its data. It prints the seconds
until the call has raised KeyboardInterrupt, and whether a small solve of the process still works.

    python bench/interrupts.py [name ...]

The exit code is 1 if a call took longer than a second.
"""

import signal
import subprocess
import sys
import time

MOMENTS = (0.5, 3.0)  # seconds into the call
BOUND = 1.0
PATIENCE = 120.0

START = """
import signal, sys, time
import numpy as np
import lindmft as lm
from lindmft import figures
from lindmft.machine import benchmark
from lindmft.analysis import transfer
signal.signal(signal.SIGINT, signal.default_int_handler)

def problem(**changes):
    base = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
    return base.replace(**{name.replace("__", "."): value for name, value in changes.items()})

def power_law(data=lm.FullBatch, network=lm.MLP, **options):
    spectrum = lm.PowerLaw(capacity=2.0, source=1.0)
    sizes = {"samples": 1000} if data is lm.FullBatch else {}
    return lm.Problem(network(hidden=500), data(spectrum=spectrum, **sizes), lm.SGD(lr=0.1))

def residual(depth=np.inf, **options):
    return lm.Problem(lm.ResNet(depth=depth), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.02))

small = [problem(optimizer__lr=lr) for lr in np.linspace(0.01, 0.1, 64)]
expected = lm.solve(problem(), 20, threads=2).test_loss.tolist()
rng = np.random.default_rng(0)
"""
END = """
if __name__ == "__main__":
    print("ready", flush=True)
    try:
        call()
        print("ended by itself", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    print(lm.solve(problem(), 20, threads=2).test_loss.tolist() == expected)
"""
CALLS = {
    # theory
    "solve exact": "lm.solve(problem(), 3000)",
    "solve exact, one thread": "lm.solve(problem(), 3000, threads=1)",
    "solve exact, n = 8000": "lm.solve(problem(), 8000)",
    "solve exact, depth 64": "lm.solve(problem(network__depth=64, optimizer__lr=1e-3), 3000)",
    "solve exact, last rows": "lm.solve(problem(), 8000, continue_from=None, save='all')",
    "solve exact, 500 modes": "lm.solve(power_law(), 2000)",
    "solve exact, infinite depth": "lm.solve(residual(), 400)",
    "solve exact, residual, depth 200": "lm.solve(residual(200), 1000)",
    "solve kernels": "lm.solve(problem(network__depth=8, optimizer__lr=0.01), 1500, kernels=True)",
    "solve replicas": "lm.solve(problem(), 3000, replicas=True)",
    "solve adaptive": "lm.solve(power_law(), 10**8, grid='adaptive', rtol=1e-10)",
    "solve adaptive, infinite depth": "lm.solve(residual(), 10**8, grid='adaptive', rtol=1e-9)",
    "solve adaptive, depth 64": (
        "lm.solve(problem(network__depth=64, optimizer__lr=1e-3), 10**8, grid='adaptive', "
        "rtol=1e-10)"
    ),
    "flow": "lm.flow(power_law(), 1e8, rtol=1e-10)",
    "flow, one thread": "lm.flow(power_law(), 1e8, rtol=1e-10, threads=1)",
    "flow, infinite depth": "lm.flow(residual(), 1e8, rtol=1e-9)",
    "solve_many": "lm.solve_many(small, 1500)",
    "solve_many, adaptive": "lm.solve_many([power_law()] * 64, 10**8, grid='adaptive', rtol=1e-10)",
    "flow_many": "lm.flow_many([power_law()] * 64, 1e8, rtol=1e-10)",
    # training
    "train": "lm.train(problem(), 10**6, dim=256, seeds=8)",
    "train, one thread": "lm.train(problem(), 10**6, dim=256, seeds=8, threads=1)",
    "train, few steps": "lm.train(problem(), 40, dim=1024, seeds=10**5)",
    "train, dim 8192": "lm.train(problem(), 100, dim=8192, seeds=1)",
    "train, dim 8192, float32": "lm.train(problem(), 100, dim=8192, seeds=1, dtype='float32')",
    "train, dim 8192, 5000 steps": "lm.train(problem(), 5000, dim=8192, seeds=1)",
    "train, dim 8192, kernels": "lm.train(problem(), 50, dim=8192, seeds=2, kernels=True)",
    "train, many samples": "lm.train(problem(data__alpha=4e4), 50, dim=256, seeds=2)",
    "train, one pass, large batch": (
        "lm.train(lm.Problem(lm.MLP(), lm.OnePass(alpha=1e5), lm.SGD(lr=0.05)), 50, dim=256, "
        "seeds=2)"
    ),
    "train, wide": "lm.train(problem(network__width=400.0), 50, dim=128, seeds=1)",
    "train, deep": "lm.train(problem(network__depth=64, optimizer__lr=.01), 50, dim=1024, seeds=1)",
    "train_many": "lm.train_many(small, 10**5, dim=512, seeds=4)",
    "train_many, dim 4096": "lm.train_many(small, 50, dim=4096, seeds=2)",
    "train_replicas": ("lm.train_replicas(problem(), 10**5, dim=512, seeds=4, k_init=3, k_data=3)"),
    # searches, sweeps, figures
    "optimal_lr": "lm.optimal_lr(problem(), 1500)",
    "largest_stable_lr": "lm.largest_stable_lr(problem(), 1500)",
    "transfer": "lm.transfer(problem(), 'network.width', [0.5, 1, 2, 4], 1500)",
    "sweep": "lm.sweep(problem(), {'optimizer.lr': np.linspace(0.01, 0.1, 64)}, 1500)",
    "sweep, training": (
        "lm.sweep(problem(), {'optimizer.lr': np.linspace(0.01, 0.1, 64)}, 1000, "
        "run='train', dim=512, seeds=8)"
    ),
    "sweep, processes": (
        "lm.sweep(problem(), {'optimizer.lr': np.linspace(0.01, 0.1, 64)}, 1500, "
        "engine='processes')"
    ),
    "sweep, dask": (
        "lm.sweep(problem(), {'optimizer.lr': np.linspace(0.01, 0.1, 64)}, 1500, engine='dask')"
    ),
    "figure": "figures.get('figure_02').make(progress=None)",
    # measurements and data
    "benchmark.run": "benchmark.run()",
    "machine_limits": "lm._core.machine_limits(seconds=60.0)",
    "from_data": "lm.from_data(rng.standard_normal((8000, 3000)), rng.standard_normal(8000))",
    "from_covariance": "lm.from_covariance(np.cov(rng.normal(size=(5000, 9000))), np.ones(5000))",
    "from_data, grouped": (
        "lm.from_data(rng.standard_normal((4000, 2000)), rng.standard_normal(4000), tolerance=1e-3)"
    ),
}


def measure(call: str, moment: float) -> tuple[str, float]:
    """Return the outcome, and the seconds from the signal until the end of the call."""
    code = START + f"\ndef call():\n    {call}\n" + END
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(moment)
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        told = process.stdout.readline().strip()
        seconds = time.perf_counter() - sent
        usable = process.stdout.readline().strip() == "True"
        process.wait()
    return (told if usable else f"{told}; the process is of no use"), seconds


def main() -> None:
    chosen = {
        name: call
        for name, call in CALLS.items()
        if not sys.argv[1:] or any(wanted in name for wanted in sys.argv[1:])
    }
    print(f"{'call':<36}" + "".join(f"{f'after {moment:g} s':>14}" for moment in MOMENTS))
    slow = 0
    for name, call in chosen.items():
        outcomes = [measure(call, moment) for moment in MOMENTS]
        shown = [f"{s:.2f}" if told == "interrupted" else told for told, s in outcomes]
        slow += sum(seconds > BOUND or told != "interrupted" for told, seconds in outcomes)
        print(f"{name:<36}" + "".join(f"{text:>14}" for text in shown), flush=True)
    print(f"{slow} of {len(MOMENTS) * len(chosen)} later than {BOUND:g} s, or otherwise")
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
