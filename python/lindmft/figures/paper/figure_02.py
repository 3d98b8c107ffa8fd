"""Figure 2: learning rates transfer across width in muP, not in NTK parameterization."""

from dataclasses import dataclass, replace

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import PARAMETERIZATIONS, Progress, by_parameterization, over_rates
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    ntk_widths: tuple[float, ...] = (0.2, 0.5, 1, 2, 5)  # a: printed in the paper
    mup_widths: tuple[float, ...] = (0.25, 0.5, 1, 2, 5)  # b: printed
    rates: tuple[float, float] = (0.01, 0.1)  # printed
    points: int = 60  # learning rates of the theory
    trained_points: int = 14  # learning rates at which networks are trained
    depth: int = 3  # chosen
    gamma0: float = 4.0  # chosen
    alpha: float = 4.0  # chosen: full batch; no noise, as printed
    steps: int = 60  # chosen
    dim: int = 320
    seeds: int = 16


QUICK = replace(Parameters(), points=40, trained_points=8, dim=160, seeds=8)
# --- end of parameters


def rates(p: Parameters, progress: Progress, parameterization: str) -> Panel:
    """Losses over learning rates: the best rate grows with width in NTK, it is constant in muP."""
    widths = p.ntk_widths if parameterization == "ntk" else p.mup_widths
    problems = {
        short(width): Problem(
            MLP(p.depth, width, p.gamma0, parameterization), FullBatch(p.alpha), SGD(0.01)
        )
        for width in widths
    }
    title = PARAMETERIZATIONS[parameterization]
    return replace(over_rates(problems, p, title, "width ν", progress=progress), upper=2)


FIGURE = Figure(
    name="2",
    title="Learning rates transfer across width in muP",
    about=(
        "Test loss at the end of training against the learning rate. In NTK parameterization "
        "(a) the best and the largest stable rate change with the width. In muP (b) they are the "
        "same for all widths but the smallest. A rate that was found on a network as wide as its "
        "input is also right for a wider network, and that one is better at all rates except "
        "those next to the edge of stability."
    ),
    chosen="Depth 3, richness 4, full batch of 4 D samples, 60 steps.",
    parameters=Parameters(),
    quick=QUICK,
    panels=by_parameterization(rates),
    module=__name__,
)
