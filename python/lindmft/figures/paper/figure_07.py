"""Figure 7: learning rates transfer across width also for power-law data."""

from dataclasses import dataclass, replace

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import (
    PARAMETERIZATIONS,
    Progress,
    by_parameterization,
    leading_modes,
    over_rates,
)
from lindmft.problem.data import OnePass
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import PowerLaw


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    capacity: float = 2.0  # printed in the paper
    source: float = 1.75  # printed
    depth: int = 3  # L, printed
    batch: int = 128  # B, printed
    gamma0: float = 0.4  # printed
    widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024)  # N, printed
    rates: tuple[float, float] = (1e-4, 1.0)  # printed
    reference: int = 64  # a: width N at which NTK has the richness gamma0: chosen
    points: int = 56  # learning rates of the theory
    trained_points: int = 14  # learning rates at which networks are trained
    steps: int = 100  # chosen
    modes: int = 10**7  # of the theory: chosen
    tolerance: float = 1e-3  # of the binning of modes
    dim: int = 256  # modes that are trained
    seeds: int = 8


QUICK = replace(Parameters(), widths=(16, 64, 256), points=32, trained_points=8, steps=60, dim=128)
# --- end of parameters


def rates(p: Parameters, progress: Progress, parameterization: str) -> Panel:
    """Losses over learning rates: the largest stable rate grows with width in NTK, not in muP."""
    gamma0 = p.gamma0 * (p.reference**0.5 if parameterization == "ntk" else 1.0)
    data = OnePass(batch=p.batch, spectrum=PowerLaw(p.capacity, p.source, p.modes, p.tolerance))
    problems = {
        str(hidden): Problem(
            MLP(p.depth, None, gamma0, parameterization, hidden=hidden, centered=True),
            data,
            SGD(0.01),
        )
        for hidden in p.widths
    }
    title, finite = PARAMETERIZATIONS[parameterization], leading_modes(p.dim)
    return over_rates(problems, p, title, "width N", progress=progress, finite=finite)


FIGURE = Figure(
    name="7",
    title="Learning-rate transfer on power-law data",
    about=(
        "Test loss at the end of one pass against the learning rate, on data with a power-law "
        "spectrum. In NTK parameterization (a) wide networks are lazy, and their largest stable "
        "rate grows with width; in muP (b) they are as rich as narrow ones, and it is constant. "
        "At the printed richness, 0.4, both are close to lazy, and the best rates hardly differ: "
        "they are the same for all but the narrowest networks."
    ),
    chosen=(
        "100 steps, centered predictors; NTK has the printed richness at N = 64, and "
        "0.4 √(64 / N) elsewhere. Networks are trained on the leading modes only."
    ),
    parameters=Parameters(),
    quick=QUICK,
    panels=by_parameterization(rates),
    module=__name__,
)
