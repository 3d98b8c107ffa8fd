"""Infinite and finite depth of residual networks with branches of 1 / sqrt(L)."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import FLOOR, Progress, over_time, slope
from lindmft.problem.data import FullBatch
from lindmft.problem.network import ResNet
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.theory.many import solve_many
from lindmft.theory.solve import solve


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    depths: tuple[int, ...] = (1, 2, 4, 8, 16)  # a: L, trained
    line_depths: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128)  # b
    times: tuple[int, ...] = (1, 10, 50)  # b
    branch: float = 1.0  # beta0
    alpha: float = 2.0  # P / D
    noise: float = 0.3
    width: float = 1.0
    gamma0: float = 1.0
    lr: float = 0.02
    steps: int = 101  # a
    dim: int = 512
    seeds: int = 32


QUICK = replace(Parameters(), dim=256, seeds=16)
# --- end of parameters


def _problem(p: Parameters, depth: float) -> Problem:
    network = ResNet(depth, p.width, p.gamma0, p.branch, centered=True)
    return Problem(network, FullBatch(p.alpha, p.noise), SGD(p.lr))


def dynamics(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at finite depth, and in the limit."""
    problems = {str(depth): _problem(p, depth) for depth in p.depths}
    curves = over_time(problems, p.steps, p, progress=progress)
    limit = solve(_problem(p, np.inf), p.steps, progress=progress)
    curves.append(Curve("∞", limit.time, limit.test_loss, None, len(curves)))
    return Panel("centered residual networks", "step t", "test loss", curves, key="depth L")


def convergence(p: Parameters, progress: Progress) -> Panel:
    """Distance from the limit over depth, which falls like 1 / L."""
    steps = max(p.times) + 1
    limit = solve(_problem(p, np.inf), steps, progress=progress).test_loss
    finite = solve_many((_problem(p, depth) for depth in p.line_depths), steps, progress=progress)
    depths = np.array(p.line_depths, float)
    curves = []
    for look, t in enumerate(p.times):
        apart = np.array([abs(each.test_loss[t] / limit[t] - 1) for each in finite])
        away = apart > FLOOR  # at the start all depths have the same loss
        curves.append(Curve(f"step {t}", depths[away], apart[away], None, look))
    last = curves[-1]
    notes = []
    if len(last.x) > 1:
        guide = 0.5 * last.y[-1] * last.x[-1] / depths
        curves.append(Curve("1/L", depths, guide, guide=True))
        measured = slope(last.x[-3:], last.y[-3:])
        notes.append(f"the distance at step {p.times[-1]} falls like L^{measured:.2f}")
    return Panel(
        "distance from infinite depth",
        "depth L",
        "relative difference of the test loss",
        curves,
        "log",
        notes=tuple(notes),
    )


FIGURE = Figure(
    name="depth",
    title="Infinite depth against finite depth",
    about=(
        "Residual networks with branches of β₀/√L approach a limit (a). In this limit the "
        "equations become Riccati equations in depth, which are solved on a few collocation "
        "nodes. The losses of finite networks differ from the limit by order 1/L (b, theory "
        "only). Not in the paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": dynamics, "b": convergence},
    module=__name__,
)
