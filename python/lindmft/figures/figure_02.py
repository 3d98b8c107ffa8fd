"""Figure 2: learning rates transfer across width in muP, not in NTK parameterization."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import Progress, over_rates
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Of both panels."""

    ntk_widths: tuple[float, ...] = (0.2, 0.5, 1, 2, 5)  # a: printed in the paper
    mup_widths: tuple[float, ...] = (0.25, 0.5, 1, 2, 5)  # b: printed
    rates: tuple[float, float] = (0.01, 0.1)  # printed
    points: int = 60  # of a line of theory
    trained_points: int = 14  # learning rates at which networks are trained
    depth: int = 3  # chosen
    gamma0: float = 4.0  # chosen
    alpha: float = 4.0  # chosen: full batch; no noise, as printed
    steps: int = 60  # chosen
    dim: int = 320
    seeds: int = 16


QUICK = replace(Parameters(), points=40, trained_points=8, dim=160, seeds=8)
# --- end of parameters


def _rates(p: Parameters, progress: Progress, parameterization: str, title: str) -> Panel:
    widths = p.ntk_widths if parameterization == "ntk" else p.mup_widths
    problems = {
        short(width): Problem(
            MLP(p.depth, width, p.gamma0, parameterization), FullBatch(p.alpha), SGD(0.01)
        )
        for width in widths
    }
    rates, trained = np.geomspace(*p.rates, p.points), np.geomspace(*p.rates, p.trained_points)
    curves = over_rates(problems, rates, trained, p.steps, p, progress=progress)
    label = f"test loss after {p.steps} steps"
    return Panel(
        title, "learning rate η", label, curves, "log", key="width ν", legend=True, upper=2
    )


def ntk(p: Parameters, progress: Progress) -> Panel:
    """The best rate grows with width."""
    return _rates(p, progress, "ntk", "NTK parameterization")


def mup(p: Parameters, progress: Progress) -> Panel:
    """The best rate stays."""
    return _rates(p, progress, "mup", "muP")


FIGURE = Figure(
    name="2",
    title="Learning rates transfer across width in muP",
    about=(
        "Test loss at the end of training against the learning rate. In NTK parameterization "
        "(a) the best and the largest stable rate move with the width. In muP (b) they stay for "
        "all but the narrowest: a rate found on a network as wide as its input is right for a "
        "wider one, which is better at every rate but those next to the edge."
    ),
    chosen="Depth 3, richness 4, full batch of 4 D samples, 60 steps.",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": ntk, "b": mup},
    module=__name__,
)
