"""Figure 3: data, repeated (a, b) and fresh (c, d)."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, over_time, points_of, trained
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch, OnePass
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.theory.many import solve_many


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all four panels."""

    depth: int = 4  # printed in the paper
    gamma0: float = 2.0  # printed
    alphas: tuple[float, ...] = (0.5, 0.75, 1, 2, 4)  # a: P / D, printed
    steps: int = 126  # a: t to 125, printed
    times: tuple[int, ...] = (10, 50, 100, 250, 500, 1000)  # b: printed
    alpha_range: tuple[float, float] = (0.25, 2)  # b: printed
    alpha_points: int = 24  # b: values of alpha of the theory
    trained_alphas: int = 8  # b: where networks are trained
    batches: tuple[float, ...] = (0.03, 0.05, 0.1, 0.25, 0.5, 1)  # c: batch / D, printed
    batch_width: float = 0.25  # c: in the figure; its caption says 0.5
    widths: tuple[float, ...] = (0.15, 0.25, 0.5, 1, 2, 4)  # d: printed
    width_batch: float = 0.05  # d: printed
    noise: float = 0.5  # a, b: chosen (c, d: none)
    lr: float = 0.02  # a, b: chosen
    fresh_lr: float = 0.004  # c, d: chosen, stable for the smallest batch
    fresh_steps: int = 251  # c, d: chosen
    dim: int = 512
    seeds: int = 32


QUICK = replace(Parameters(), alpha_points=16, trained_alphas=6, dim=256, seeds=16)
# --- end of parameters

LOSS = "test loss + σ²"


def _network(p: Parameters, width: float = 1.0) -> MLP:
    return MLP(p.depth, width, p.gamma0)


def dynamics(p: Parameters, progress: Progress) -> Panel:
    """Test and training loss at several sizes of the data set."""
    problems = {
        short(alpha): Problem(_network(p), FullBatch(alpha, p.noise), SGD(p.lr))
        for alpha in p.alphas
    }
    losses = ("test_loss", "train_loss")
    curves = over_time(problems, p.steps, p, progress=progress, losses=losses, noise=True)
    return Panel("repeated data", "step t", "loss", curves, "symlog", key="α = P/D", lower=1e-2)


def stopping(p: Parameters, progress: Progress) -> Panel:
    """Test loss against the amount of data at several times, and at the best time."""
    steps = max(p.times) + 1
    alphas = np.geomspace(*p.alpha_range, p.alpha_points)
    where = np.linspace(0, p.alpha_points - 1, p.trained_alphas).round().astype(int)
    problems = [Problem(_network(p), FullBatch(alpha, p.noise), SGD(p.lr)) for alpha in alphas]
    theory = solve_many(problems, steps, grid="adaptive", progress=progress)
    every = np.arange(steps)
    losses = np.array([solution.at(every).test_loss for solution in theory]) + p.noise**2
    runs = [trained(problems[i], steps, p, int(i), progress) for i in where]
    mean = np.array([run.mean().test_loss for run in runs]) + p.noise**2
    error = np.array([run.sem().test_loss for run in runs])

    def curve(label: str, times: np.ndarray, look: int, best: bool = False) -> Curve:
        rows, there = np.arange(len(alphas)), np.arange(len(where))
        at = times[where]
        values = (mean[there, at], error[there, at], losses[where, at])
        points = points_of(alphas[where], *values, runs[0])
        line = losses[rows, times]
        return Curve(label, alphas, line, points, look, test=not best, neutral=best)

    curves = [curve(str(t), np.full(len(alphas), t), i) for i, t in enumerate(p.times)]
    curves.append(curve("", losses.argmin(axis=1), len(p.times), best=True))
    return Panel(
        "repeated data, early stopping",
        "α = P/D",
        LOSS,
        curves,
        "log",
        key="step t",
        dashed="at the best time of the theory",
    )


def batches(p: Parameters, progress: Progress) -> Panel:
    """Losses over time of one pass, at several batch sizes."""
    problems = {
        short(batch): Problem(_network(p, p.batch_width), OnePass(batch), SGD(p.fresh_lr))
        for batch in p.batches
    }
    curves = over_time(problems, p.fresh_steps, p, progress=progress)
    title = f"fresh data, width {p.batch_width:g}"
    return Panel(title, "step t", "test loss", curves, key="batch / D")


def widths(p: Parameters, progress: Progress) -> Panel:
    """Losses over time of one pass, at several widths."""
    problems = {
        short(width): Problem(_network(p, width), OnePass(p.width_batch), SGD(p.fresh_lr))
        for width in p.widths
    }
    curves = over_time(problems, p.fresh_steps, p, progress=progress)
    title = f"fresh data, batch {p.width_batch:g} D"
    return Panel(title, "step t", "test loss", curves, key="width ν")


FIGURE = Figure(
    name="3",
    title="Data: repeated or fresh",
    about=(
        "With few noisy samples that are used in every step (a), the test loss rises again while "
        "the training loss (dashed) keeps falling. Late in training the test loss has a peak "
        "where the number of samples is close to the number of dimensions (b); stopping at the "
        "best time (dashed) removes the peak. With fresh samples in every step there is no "
        "overfitting: small batches (c) and narrow networks (d) are slower and noisier, but "
        "their loss keeps falling."
    ),
    chosen=(
        "Label noise 0.5 and learning rate 0.02 for repeated data; no noise, learning rate 0.004 "
        "and 250 steps for fresh data. Figure 3c of the paper has width 0.25 and its caption "
        "0.5: here it is 0.25."
    ),
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": dynamics, "b": stopping, "c": batches, "d": widths},
    module=__name__,
)
