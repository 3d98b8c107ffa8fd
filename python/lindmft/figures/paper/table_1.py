"""Table 1: memory and compute of training and of the theory."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft.analysis.compute import step_cost
from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP, ResNet
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.results.solution import Solution
from lindmft.theory.solve import estimate_memory, solve
from lindmft.training.train import estimate_train_memory


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    dim: int = 1000  # D
    width: float = 1.0  # N / D
    alpha: float = 2.0  # P / D
    depth: int = 4  # L
    horizons: tuple[int, ...] = (30, 100, 300, 1000, 3000, 10**4, 10**5, 10**6)  # T
    solved: tuple[int, ...] = (30, 100, 300)  # T of solves whose operations are counted
    adaptive: tuple[int, ...] = (300, 1000, 10**4, 10**5, 10**6)
    lr: float = 0.02


QUICK = replace(Parameters(), adaptive=(300, 1000, 10**4, 10**5))
# --- end of parameters

Cost = Callable[[float, float, float, float], float]
"""A cost as a function of N, L, P and T."""

ROWS: dict[str, tuple[str, Cost, str, Cost]] = {
    "training, sample by sample": (
        "N^2 L",
        lambda n, depth, p, t: n**2 * depth,
        "N^2 L P T",
        lambda n, depth, p, t: n**2 * depth * p * t,
    ),
    "theory, perceptron": (
        "L T^2",
        lambda n, depth, p, t: depth * t**2,
        "L T^3",
        lambda n, depth, p, t: depth * t**3,
    ),
    "theory, residual, all pairs of layers": (
        "L^2 T^2",
        lambda n, depth, p, t: depth**2 * t**2,
        "L^2 T^3",
        lambda n, depth, p, t: depth**2 * t**3,
    ),
}
"""The paper's rows. Without the average over data, theory costs P^2 and P^3 times as much."""

OURS = (
    ("training, collapsed", "P D + N^2 L", "(P D + N^2 L) T"),
    ("theory, residual, as a chain", "L T^2", "L T^3"),
    ("theory, n adaptive nodes", "L n^2", "L n^3"),
)
TRAINING = "training, collapsed"
PERCEPTRON = "theory, perceptron"
RESIDUAL = "theory, residual chain"
ADAPTIVE = "theory, adaptive nodes"


def _problems(p: Parameters) -> tuple[Problem, Problem]:
    data, optimizer = FullBatch(p.alpha), SGD(p.lr)
    centered: dict[str, Any] = {"width": p.width, "centered": True}
    return (
        Problem(MLP(p.depth, **centered), data, optimizer),
        Problem(ResNet(p.depth, **centered), data, optimizer),
    )


def runs(p: Parameters, progress: Progress) -> dict[str, list[Solution]]:
    """Solve the problems whose operations are counted."""
    perceptron, residual = _problems(p)
    options: dict[str, Any] = {"progress": progress, "keep_state": False}
    return {
        PERCEPTRON: [solve(perceptron, t, **options) for t in p.solved],
        RESIDUAL: [solve(residual, t, **options) for t in p.solved],
        ADAPTIVE: [solve(perceptron, t, grid="adaptive", **options) for t in p.adaptive],
    }


def _printed(p: Parameters, compute: bool) -> list[Curve]:
    """Return the powers that the paper prints as guides: they have no constants."""
    horizons = np.array(p.horizons, float)
    sizes = (p.width * p.dim, p.depth, p.alpha * p.dim)
    curves = []
    for memory, bytes_of, operations, operations_of in ROWS.values():
        label, cost, unit = (operations, operations_of, 2) if compute else (memory, bytes_of, 8)
        y = np.array([unit * cost(*sizes, t) for t in horizons], float)
        curves.append(Curve(_power(label), horizons, y, guide=True))
    return curves


def compute(p: Parameters, made: dict[str, list[Solution]]) -> Panel:
    """Operations over the horizon, as counted in solves."""
    horizons = np.array(p.horizons, float)
    step = step_cost(_problems(p)[0]) * p.dim**2
    curves = [Curve(TRAINING, horizons, step * horizons, None, 0)]
    for look, (name, solutions) in enumerate(made.items(), start=1):
        at = np.array(p.adaptive if name == ADAPTIVE else p.solved, float)
        curves.append(Curve(name, at, np.array([run.stats.flops for run in solutions]), None, look))
    ratio = made[RESIDUAL][-1].stats.flops / made[PERCEPTRON][-1].stats.flops
    notes = (
        *_table(),
        f"operations, residual over perceptron, T = {p.solved[-1]}, L = {p.depth}: {ratio:.2f}",
    )
    return _panel("compute", "operations", [*curves, *_printed(p, compute=True)], notes)


def memory(p: Parameters, made: dict[str, list[Solution]]) -> Panel:
    """Bytes over the horizon, as estimated before a solve."""
    perceptron, residual = _problems(p)
    nodes = [len(run.time) for run in made[ADAPTIVE]]
    exact = [t for t in p.horizons if t <= 10**4]
    bytes_of = {
        TRAINING: (
            p.horizons,
            [estimate_train_memory(perceptron, t, dim=p.dim, seeds=1) for t in p.horizons],
        ),
        PERCEPTRON: (exact, [estimate_memory(perceptron, t) for t in exact]),
        RESIDUAL: (exact, [estimate_memory(residual, t) for t in exact]),
        ADAPTIVE: (p.adaptive, [estimate_memory(perceptron, n) for n in nodes]),
    }
    curves = [
        Curve(name, np.array(at, float), np.array(y, float), None, look)
        for look, (name, (at, y)) in enumerate(bytes_of.items())
    ]
    return _panel("memory", "bytes", [*curves, *_printed(p, compute=False)], ())


def _panel(title: str, ylabel: str, curves: list[Curve], notes: tuple[str, ...]) -> Panel:
    return Panel(
        title,
        "horizon T, steps",
        ylabel,
        curves,
        "log",
        ordered=False,
        legend=True,
        notes=notes,
    )


def _power(text: str) -> str:
    """Return a power as mathematics, for the label of a grey line."""
    return f"${text}$"


def _table() -> list[str]:
    lines = [f"{'':<40}{'memory':>14}{'compute':>18}"]
    lines += [f"{name:<40}{row[0]:>14}{row[2]:>18}" for name, row in ROWS.items()]
    lines += [f"{'  the same, no average over the data':<40}{'times P^2':>14}{'times P^3':>18}"]
    lines += [f"{name:<40}{memory:>14}{compute:>18}" for name, memory, compute in OURS]
    return lines


FIGURE = Figure(
    name="table1",
    title="Memory and compute of training and theory",
    about=(
        "Table 1 of the paper (grey: its powers, without constants) and the measured costs of "
        "lindmft: training that never passes samples through the network, a chain of layers "
        "instead of all pairs, and adaptive nodes, whose number grows with the logarithm of the "
        "horizon."
    ),
    chosen="D = N = 1000, P = 2000, L = 4.",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": memory, "b": compute},
    module=__name__,
    prepare=runs,
)
