"""Cost against horizon: exact steps, adaptive steps and gradient flow."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.results.solution import Solution
from lindmft.theory.solve import flow, solve


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    exact: tuple[int, ...] = (30, 100, 300, 1000)  # steps
    horizons: tuple[int, ...] = (30, 100, 300, 10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
    repeats: int = 5  # repetitions of a solve; the median time is drawn
    alpha: float = 2.0
    noise: float = 0.3
    depth: int = 2
    width: float = 1.0
    gamma0: float = 1.0
    lr: float = 0.1
    rtol: float = 1e-6


QUICK = replace(
    Parameters(), exact=(30, 100, 300), horizons=(30, 100, 300, 10**3, 10**4, 10**6), repeats=3
)
# --- end of parameters

Runs = dict[str, list[tuple[int, Solution, float]]]
METHODS = ("exact steps", "adaptive steps", "gradient flow")


def runs(p: Parameters, progress: Progress) -> Runs:
    """Solve with each method, and return horizons, solutions and median seconds."""
    network, data = MLP(p.depth, p.width, p.gamma0), FullBatch(p.alpha, p.noise)
    problem = Problem(network, data, SGD(p.lr))
    options: dict[str, Any] = {"keep_state": False, "progress": progress}
    calls: dict[str, tuple[tuple[int, ...], Callable[[int], Solution]]] = {
        METHODS[0]: (p.exact, lambda n: solve(problem, n, **options)),
        METHODS[1]: (
            p.horizons,
            lambda n: solve(problem, n, grid="adaptive", rtol=p.rtol, **options),
        ),
        METHODS[2]: (p.horizons, lambda n: flow(problem, p.lr * n, rtol=p.rtol, **options)),
    }
    found: Runs = {}
    for name, (horizons, call) in calls.items():
        found[name] = []
        for horizon in horizons:
            repeated = [call(horizon) for _ in range(p.repeats)]
            median = statistics.median(run.stats.seconds for run in repeated)
            found[name].append((horizon, repeated[0], median))
    return found


def _panel(made: Runs, title: str, ylabel: str, of: Callable[[Solution, float], float]) -> Panel:
    curves = []
    for look, (name, rows) in enumerate(made.items()):
        x = np.array([horizon for horizon, _, _ in rows], float)
        y = np.array([of(run, seconds) for _, run, seconds in rows])
        curves.append(Curve(name, x, y, None, look))
    return Panel(title, "horizon, steps", ylabel, curves, "log", ordered=False, legend=True)


def seconds(p: Parameters, made: Runs) -> Panel:
    """Wall-clock time over the horizon; it depends on the machine."""
    return _panel(made, "time to solve", "seconds (median)", lambda run, median: median)


def nodes(p: Parameters, made: Runs) -> Panel:
    """Number of nodes of the time grid over the horizon; memory grows with its square."""
    return _panel(made, "size of the grid", "time nodes", lambda run, _: float(len(run.time)))


FIGURE = Figure(
    name="horizon",
    title="Cost against horizon",
    about=(
        "Time and nodes that it takes to solve the theory up to a horizon. With a node for every "
        "step (exact steps) the time grows like the cube of the horizon. With adaptive steps, and "
        "for gradient flow, it grows like a power of the logarithm: 10^8 steps cost no more than "
        "a thousand exact ones. Not in the paper, which calls long times an open problem."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": seconds, "b": nodes},
    module=__name__,
    prepare=runs,
)
