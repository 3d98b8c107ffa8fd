"""The sources of the loss over time: bias, and the variances of finite width and finite data."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel, Points
from lindmft.figures._runs import FLOOR, Progress
from lindmft.plotting.losses import thinned
from lindmft.problem.data import Data, FullBatch, OnePass
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.results.replicas import Replicas
from lindmft.results.statistics import standard_error
from lindmft.theory.solve import solve
from lindmft.training.replicas import train_replicas


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    alpha: float = 1.5  # a: P / D
    batch: float = 0.25  # b: batch / D
    width: float = 0.5  # nu
    noise: float = 0.5
    depth: int = 2
    gamma0: float = 1.0
    lr: float = 0.05  # a
    fresh_lr: float = 0.02  # b
    steps: int = 201
    k_init: int = 3  # initializations; each is trained on every data set
    k_data: int = 3  # data sets
    dim: int = 384
    seeds: int = 32


QUICK = replace(Parameters(), dim=128, seeds=16, steps=121)
# --- end of parameters

PARTS = {
    "loss": "test_loss",
    "bias": "bias",
    "initial weights": "variance_init",
    "data": "variance_data",
    "both": "variance_interaction",
}


def _panel(p: Parameters, progress: Progress, data: Data, lr: float, title: str) -> Panel:
    problem = Problem(MLP(p.depth, p.width, p.gamma0), data, SGD(lr))
    theory = solve(problem, p.steps, replicas=True, progress=progress)
    runs = train_replicas(
        problem,
        p.steps,
        dim=p.dim,
        seeds=p.seeds,
        k_init=p.k_init,
        k_data=p.k_data,
        progress=progress,
    )
    curves = [
        _part(label, name, look, theory.replicas, runs.replicas, p)
        for look, (label, name) in enumerate(PARTS.items())
    ]
    later = np.concatenate([curve.y[curve.x > 0] for curve in curves])
    lower = 0.5 * float(later.min()) if len(later) else None
    return Panel(
        title, "step t", "test loss and its parts", curves, "symlog", ordered=False, lower=lower
    )


def _part(
    label: str, name: str, look: int, theory: Replicas, runs: Replicas, p: Parameters
) -> Curve:
    y = getattr(theory, name)
    samples = getattr(runs, name)  # (seed, n)
    at = thinned(p.steps)
    at = at[y[at] > FLOOR]  # means below zero are scored; a logarithmic axis cannot show them
    error = standard_error(samples)
    points = Points(
        at.astype(float),
        samples.mean(axis=0)[at],
        error[at],
        y[at],
        p.seeds,
        p.dim,
        np.ones(len(at), bool),
    )
    shown = y > FLOOR
    return Curve(label, np.flatnonzero(shown).astype(float), y[shown], points, look)


def repeated(p: Parameters, progress: Progress) -> Panel:
    """Parts of the loss over time on a fixed data set."""
    data = FullBatch(p.alpha, p.noise)
    return _panel(p, progress, data, p.lr, f"{p.alpha:g} D samples, width {p.width:g}")


def fresh(p: Parameters, progress: Progress) -> Panel:
    """Parts of the loss over time with new samples in every step."""
    data = OnePass(p.batch, p.noise)
    title = f"fresh batches of {p.batch:g} D, width {p.width:g}"
    return _panel(p, progress, data, p.fresh_lr, title)


FIGURE = Figure(
    name="variances",
    title="Bias, and variances of finite width and finite data",
    about=(
        "The test loss is the sum of a bias, which the average of infinitely many networks on "
        "infinitely many data sets would still have, and of variances: of the initial weights "
        "(finite width), of the data, and of both together. On a fixed data set (a) the variance "
        "of the data remains; with fresh batches (b) it reaches the value at which noise and "
        "forgetting balance. Training separates them by networks that share weights or data. "
        "Not in the paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": repeated, "b": fresh},
    module=__name__,
)
