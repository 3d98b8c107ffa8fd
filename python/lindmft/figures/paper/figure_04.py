"""Figure 4: residual networks under population gradient descent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import Progress, over_time
from lindmft.problem.axes import short
from lindmft.problem.data import Population
from lindmft.problem.network import ResNet
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all three panels."""

    depth: int = 16  # a, b: L, printed in the paper
    gamma0s: tuple[float, ...] = (1, 2, 4, 6, 8)  # a: printed
    branches: tuple[float, ...] = (1, 1.5, 2, 2.5, 3)  # b: beta0, printed
    depths: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)  # c: L, printed
    depth_branch: float = 1.2  # c: beta0, printed
    steps: int = 201  # t to 200, printed
    branch: float = 1.0  # a: chosen
    gamma0: float = 1.0  # b, c: chosen
    width: float = 1.0  # chosen
    lr: float = 0.001  # a: chosen
    branch_lr: float = 1.5e-5  # b: chosen, stable at the strongest branch
    depth_lr: float = 0.004  # c: chosen
    dim: int = 512
    seeds: int = 24


QUICK = replace(Parameters(), dim=256, seeds=16)
# --- end of parameters


def _time(p: Parameters, progress: Progress, networks: Mapping[str, ResNet], lr: float) -> Panel:
    problems = {label: Problem(net, Population(), SGD(lr)) for label, net in networks.items()}
    curves = over_time(problems, p.steps, p, progress=progress)
    return Panel("", "step t", "test loss", curves)


def richness(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several values of the richness."""
    networks = {
        short(gamma0): ResNet(p.depth, p.width, gamma0, p.branch, centered=True)
        for gamma0 in p.gamma0s
    }
    panel = _time(p, progress, networks, p.lr)
    return replace(panel, title=f"L = {p.depth}, branch {p.branch:g}", key="richness γ₀")


def branches(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several strengths of the branches."""
    networks = {
        short(branch): ResNet(p.depth, p.width, p.gamma0, branch, centered=True)
        for branch in p.branches
    }
    panel = _time(p, progress, networks, p.branch_lr)
    return replace(panel, title=f"L = {p.depth}, richness {p.gamma0:g}", key="branch β₀")


def depths(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several depths, with branches of 1 / sqrt(L)."""
    networks = {
        str(depth): ResNet(depth, p.width, p.gamma0, p.depth_branch, centered=True)
        for depth in p.depths
    }
    panel = _time(p, progress, networks, p.depth_lr)
    return replace(panel, title=f"branch {p.depth_branch:g}, richness {p.gamma0:g}", key="depth L")


FIGURE = Figure(
    name="4",
    title="Residual networks: richness, branches and depth",
    about=(
        "Gradient descent on the population loss. Rich networks (a) start like lazy ones and then "
        "accelerate. Stronger branches (b) make the kernel of initialization larger, like "
        "exp(β₀²) (2 + β₀²) for many layers, and training faster. With branches that shrink like "
        "1/√L (c) the curves converge as the depth increases."
    ),
    chosen=(
        "Width 1, centered predictors, branch 1 in a, richness 1 in b and c; learning rates 0.001, "
        "0.000015 and 0.004."
    ),
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": richness, "b": branches, "c": depths},
    module=__name__,
)
