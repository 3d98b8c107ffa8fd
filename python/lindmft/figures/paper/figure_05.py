"""Figure 5: learning rates transfer across depth with branches of 1 / sqrt(L)."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, over_rates, theory_over_rates
from lindmft.problem.data import Population
from lindmft.problem.network import ResNet
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    depths: tuple[int, ...] = (1, 2, 4, 8)  # L, printed in the paper
    rates: tuple[float, float] = (1e-4, 1e-1)  # printed
    constant_branch: float = 1.0  # a: printed
    depth_branch: float = 1.25  # b: printed
    points: int = 64  # learning rates of the theory
    trained_points: int = 16  # learning rates at which networks are trained
    gamma0: float = 2.0  # chosen
    width: float = 1.0  # chosen
    steps: int = 50  # chosen
    dim: int = 256
    seeds: int = 16


QUICK = replace(Parameters(), points=40, trained_points=10, dim=128, seeds=8)
# --- end of parameters


def _problem(p: Parameters, depth: float, branch: float, scaling: str) -> Problem:
    return Problem(ResNet(depth, p.width, p.gamma0, branch, scaling), Population(), SGD(0.01))


def _rates(p: Parameters, progress: Progress, branch: float, scaling: str, title: str) -> Panel:
    problems = {str(depth): _problem(p, depth, branch, scaling) for depth in p.depths}
    return over_rates(problems, p, title, "depth L", progress=progress)


def constant(p: Parameters, progress: Progress) -> Panel:
    """Branches of the same strength: deep networks need small rates."""
    title = f"branch {p.constant_branch:g} at every depth"
    return _rates(p, progress, p.constant_branch, "constant", title)


def scaled(p: Parameters, progress: Progress) -> Panel:
    """Branches of 1 / sqrt(L): rates converge to those of infinite depth."""
    panel = _rates(p, progress, p.depth_branch, "depth", f"branch {p.depth_branch:g} / √L")
    rates = np.geomspace(*p.rates, max(1, p.points // 2))  # solves at infinite depth are slow
    problem = _problem(p, np.inf, p.depth_branch, "depth")
    rates, losses = theory_over_rates(problem, rates, p.steps, progress)
    # In black: the colours of the depths are those of the other panel.
    limit = Curve("∞ (theory)", rates, losses, neutral=True)
    return replace(panel, curves=[*panel.curves, limit])


FIGURE = Figure(
    name="5",
    title="Learning rates transfer across depth with 1/√L branches",
    about=(
        "Test loss at the end of training against the learning rate. With branches of the same "
        "strength in every layer (a) the kernel grows exponentially with depth, and the best "
        "and the largest stable rate fall with it. With branches of β₀/√L (b) the curves agree "
        "at small rates, and the best rate converges to that of infinite depth, which is about "
        "a third of the best rate at L = 4."
    ),
    chosen="Population gradient descent, width 1, richness 2, 50 steps.",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": constant, "b": scaled},
    module=__name__,
)
