"""Momentum, weight decay and schedules: optimizers that are linear in the gradients are exact."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import Progress, over_time
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all three panels."""

    momenta: tuple[float, ...] = (0, 0.5, 0.8, 0.9)  # a
    decays: tuple[float, ...] = (0, 0.1, 0.3, 1)  # b
    warmup: int = 30  # c: steps
    lr: float = 0.01
    steps: int = 201
    alpha: float = 1.0
    noise: float = 0.5
    depth: int = 2
    width: float = 1.0
    gamma0: float = 1.0
    dim: int = 512
    seeds: int = 48


QUICK = replace(Parameters(), dim=256, seeds=24)
# --- end of parameters


def _time(p: Parameters, progress: Progress, optimizers: Mapping[str, SGD]) -> Panel:
    network, data = MLP(p.depth, p.width, p.gamma0), FullBatch(p.alpha, p.noise)
    problems = {label: Problem(network, data, each) for label, each in optimizers.items()}
    curves = over_time(problems, p.steps, p, progress=progress, noise=True)
    return Panel("", "step t", "test loss + σ²", curves)


def momentum(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for several momenta, and for Nesterov's form of the largest."""
    optimizers = {short(float(m)): SGD(p.lr, momentum=m) for m in p.momenta}
    largest = max(p.momenta)
    if largest > 0:
        optimizers[f"{largest:g}, Nesterov"] = SGD(p.lr, momentum=largest, nesterov=True)
    return replace(_time(p, progress, optimizers), title="momentum", key="momentum")


def decay(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for several weight decays; the rate is larger, as decay takes time."""
    optimizers = {short(float(d)): SGD(5 * p.lr, weight_decay=d) for d in p.decays}
    title = f"weight decay, learning rate {5 * p.lr:g}"
    return replace(_time(p, progress, optimizers), title=title, key="decay")


def schedules(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for schedules with the same largest rate: constant, warm-up, cosine."""
    t = np.arange(p.steps)
    largest = 5 * p.lr
    warmup = np.minimum((t + 1) / max(1, p.warmup), 1.0)
    cosine = 0.5 * (1 + np.cos(np.pi * t / p.steps))
    optimizers = {
        "constant": SGD(largest),
        "warm-up": SGD(largest * warmup),
        "cosine": SGD(largest * cosine),
        "warm-up, cosine": SGD(largest * warmup * cosine),
    }
    panel = _time(p, progress, optimizers)
    return replace(panel, title=f"schedules, largest rate {largest:g}", ordered=False)


FIGURE = Figure(
    name="optimizers",
    title="Momentum, weight decay and schedules",
    about=(
        "The theory is exact for every optimizer that is linear in the gradients: the optimizer "
        "enters as the response of one weight to a unit gradient. Momentum (a) has the effect of "
        "a larger rate, also on overfitting. A little weight decay (b) prevents the network from "
        "learning noisy labels completely; much of it also prevents learning the target. "
        "Schedules (c) change the size of each step. Not in the paper, which calls them an open "
        "problem."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": momentum, "b": decay, "c": schedules},
    module=__name__,
)
