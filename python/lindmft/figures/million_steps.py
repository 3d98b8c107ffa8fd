"""A million steps of gradient descent, in theory and in training."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, from_one, over_time
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of the panel."""

    alphas: tuple[float, ...] = (0.5, 2, 4)  # P / D
    steps: int = 10**6 + 1
    trained_steps: int = 10**6 + 1
    noise: float = 0.3
    depth: int = 2
    width: float = 1.0
    gamma0: float = 1.0
    lr: float = 0.05
    dim: int = 64
    seeds: int = 8


QUICK = replace(Parameters(), trained_steps=10**5 + 1, dim=48, seeds=4)
# --- end of parameters


def losses(p: Parameters, progress: Progress) -> Panel:
    """Test and training losses over time, and their limits."""
    problems = {
        short(float(alpha)): Problem(
            MLP(p.depth, p.width, p.gamma0), FullBatch(alpha, p.noise), SGD(p.lr)
        )
        for alpha in p.alphas
    }
    curves = over_time(
        problems,
        p.steps,
        p,
        progress=progress,
        grid="adaptive",
        losses=("test_loss", "train_loss"),
        trained_steps=min(p.trained_steps, p.steps),
    )
    curves = [from_one(curve) for curve in curves]
    ends, notes = [], []
    for alpha, curve in zip(p.alphas, curves[::2], strict=True):
        if alpha > 1:
            end = p.noise**2 / (alpha - 1)
            ends.append(Curve("", curve.x[[0, -1]], np.full(2, end), guide=True))
            notes.append(
                f"alpha = {alpha:g}: test loss {curve.y[-1]:.12f} at step {curve.x[-1]:.0f}; "
                f"sigma^2 / (alpha - 1) = {end:.12f}"
            )
    return Panel(
        "a million steps",
        "step t",
        "loss",
        [*curves, *ends],
        "log",
        key="α = P/D",
        lower=0.01,
        grey="σ²/(α − 1)",
        notes=tuple(notes),
    )


FIGURE = Figure(
    name="million",
    title="A million steps of gradient descent",
    about=(
        "Theory on a few hundred adaptive nodes, and networks that take every step. With more "
        "samples than dimensions the test loss ends at σ²/(α − 1) (grey) for every network; with "
        "fewer, the training loss (dashed) falls to zero. The networks are small, so that a "
        "million steps take seconds, and deviate by 1/D. Not in the paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"": losses},
    module=__name__,
)
