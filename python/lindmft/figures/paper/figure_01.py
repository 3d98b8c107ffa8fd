"""Figure 1: wider and deeper networks learn faster in muP."""

from dataclasses import dataclass, replace

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import PARAMETERIZATIONS, Progress, by_parameterization, over_time
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all three panels."""

    widths: tuple[float, ...] = (0.25, 0.5, 1, 2, 5)  # a, b: nu, printed in the paper
    depth: int = 4  # a, b: L, printed
    steps: int = 101  # a, b: t to 100, printed
    depths: tuple[int, ...] = (2, 4, 8, 16)  # c: L, printed
    depth_steps: int = 126  # c: t to 125, printed
    gamma0: float = 2.0  # chosen
    alpha: float = 4.0  # chosen: full batch, no noise
    lr: float = 0.012  # a, b: chosen
    depth_lr: float = 0.0025  # c: chosen, stable at all depths
    dim: int = 320
    seeds: int = 16


QUICK = replace(Parameters(), dim=192, seeds=8)
# --- end of parameters


def widths(p: Parameters, progress: Progress, parameterization: str) -> Panel:
    """Losses over time at several widths, in one of the parameterizations."""
    problems = {
        short(width): Problem(
            MLP(p.depth, width, p.gamma0, parameterization), FullBatch(p.alpha), SGD(p.lr)
        )
        for width in p.widths
    }
    curves = over_time(problems, p.steps, p, progress=progress)
    title = PARAMETERIZATIONS[parameterization]
    return Panel(title, "step t", "test loss", curves, key="width ν", lower=1e-5)


def depths(p: Parameters, progress: Progress) -> Panel:
    """Losses over time of perceptrons of several depths, in muP."""
    problems = {
        str(depth): Problem(MLP(depth, 1.0, p.gamma0), FullBatch(p.alpha), SGD(p.depth_lr))
        for depth in p.depths
    }
    curves = over_time(problems, p.depth_steps, p, progress=progress)
    return Panel("muP, width 1", "step t", "test loss", curves, key="depth L")


FIGURE = Figure(
    name="1",
    title="Width and depth: wider is better in muP",
    about=(
        "Test loss of perceptrons over time. In NTK parameterization (a) all widths start from "
        "the same loss, and wide networks are lazy: more width helps little, least of all late "
        "in training. In muP (b) the richness is the same at every width, and wider networks are "
        "better at every time. Deeper perceptrons (c) learn faster at the same learning rate."
    ),
    chosen="Richness 2, full batch of 4 D samples without noise, learning rates 0.012 and 0.0025.",
    parameters=Parameters(),
    quick=QUICK,
    panels={**by_parameterization(widths), "c": depths},
    module=__name__,
)
