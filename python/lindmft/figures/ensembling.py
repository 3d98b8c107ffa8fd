"""Ensembling: the loss of predictions averaged over initializations or data sets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel, Points
from lindmft.figures._runs import Progress
from lindmft.plotting.losses import thinned
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.theory.solve import solve
from lindmft.training.replicas import train_replicas


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    counts: tuple[int, ...] = (1, 2, 4, 8)  # networks that are averaged; then infinitely many
    alpha: float = 1.5  # P / D
    width: float = 0.5  # nu
    noise: float = 0.5
    depth: int = 2
    gamma0: float = 1.0
    lr: float = 0.05
    steps: int = 201
    dim: int = 384
    seeds: int = 16


QUICK = replace(Parameters(), dim=128, steps=121)
# --- end of parameters


def _panel(p: Parameters, progress: Progress, counted: str, title: str) -> Panel:
    problem = Problem(MLP(p.depth, p.width, p.gamma0), FullBatch(p.alpha, p.noise), SGD(p.lr))
    theory = solve(problem, p.steps, replicas=True, progress=progress)
    curves = []
    for look, count in enumerate((*p.counts, np.inf)):
        y = theory.ensemble_loss(**{counted: count}) + p.noise**2
        points = None
        if np.isfinite(count):
            points = _points(p, progress, problem, {counted: int(count)}, look, y)
        label = "∞" if points is None else str(count)
        curves.append(Curve(label, theory.time, y, points, look))
    return Panel(title, "step t", "test loss + σ²", curves, "symlog", key="average of")


def _points(
    p: Parameters,
    progress: Progress,
    problem: Problem,
    counts: Mapping[str, int],
    look: int,
    expected: np.ndarray,
) -> Points:
    """Train separate networks for each curve, so that deviations of curves are independent."""
    sizes: dict[str, Any] = {"k_init": 1, "k_data": 1, **counts}
    runs = train_replicas(
        problem,
        p.steps,
        dim=p.dim,
        seeds=p.seeds,
        seed=look,
        progress=progress,
        **sizes,
    )
    at = thinned(p.steps)
    mean, error = runs.mean().averaged_loss + p.noise**2, runs.sem().averaged_loss
    smooth = np.ones(len(at), bool)
    return Points(at.astype(float), mean[at], error[at], expected[at], p.seeds, p.dim, smooth)


def initializations(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for several initializations on one data set."""
    return _panel(p, progress, "k_init", "initializations, the same data")


def data_sets(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for one initialization on several data sets."""
    return _panel(p, progress, "k_data", "data sets, the same initial weights")


FIGURE = Figure(
    name="ensembling",
    title="Ensembling over initializations and over data sets",
    about=(
        "Test loss of the averaged predictions of several networks. Averaging over "
        "initializations (a) removes the variance of finite width. Averaging over data sets (b) "
        "removes the variance of finite data, and with it the overfitting. Lines without points "
        "are the limit of infinitely many networks. Not in the paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": initializations, "b": data_sets},
    module=__name__,
)
