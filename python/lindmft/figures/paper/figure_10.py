"""Figure 10: the exponents of rich training on power laws."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.analysis.predictions import predicted_exponents
from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, from_one, leading_modes, over_time, slope
from lindmft.problem.axes import short
from lindmft.problem.data import Population
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import PowerLaw


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of the panel."""

    sources: tuple[float, ...] = (0.2, 0.33, 0.5, 0.67, 0.83, 1)  # b, printed in the paper
    steps: int = 1001  # t to 1000, printed
    capacity: float = 2.0  # a: chosen
    depth: int = 1  # chosen
    gamma0: float = 10.0  # chosen: rich
    hidden: int = 1024  # chosen
    lr: float = 0.01  # chosen
    modes: int = 10**7  # of the theory: chosen
    dim: int = 1024  # modes that are trained
    seeds: int = 4


QUICK = replace(Parameters(), hidden=256, dim=256, seeds=8)
# --- end of parameters


def exponents(p: Parameters, progress: Progress) -> Panel:
    """Losses over time, a curve for each source exponent, and the predicted powers."""
    network = MLP(p.depth, gamma0=p.gamma0, hidden=p.hidden, centered=True)
    problems = {
        short(source): Problem(
            network, Population(spectrum=PowerLaw(p.capacity, source, p.modes)), SGD(p.lr)
        )
        for source in p.sources
    }
    curves = over_time(
        problems, p.steps, p, progress=progress, grid="adaptive", finite=leading_modes(p.dim)
    )
    curves = [from_one(curve) for curve in curves]
    notes = [_note(source, curve, p) for source, curve in zip(p.sources, curves, strict=True)]
    guides = [_guide(source, curve, p) for source, curve in zip(p.sources, curves, strict=True)]
    return Panel(
        "rich training on a power law",
        "step t",
        "test loss",
        [*curves, *guides],
        "log",
        key="source b",
        grey="predicted exponent, −2b/(1 + b)",
        notes=tuple(notes),
    )


def _late(curve: Curve, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    t = np.geomspace(p.steps / 20, p.steps - 1, 20)
    return t, np.exp(np.interp(np.log(t), np.log(curve.x), np.log(curve.y)))


def _guide(source: float, curve: Curve, p: Parameters) -> Curve:
    t, loss = _late(curve, p)
    rich = predicted_exponents(source, p.depth).rich
    return Curve("", t, 1.15 * loss[0] * (t / t[0]) ** rich, guide=True)


def _note(source: float, curve: Curve, p: Parameters) -> str:
    t, loss = _late(curve, p)
    predicted = predicted_exponents(source, p.depth)
    return (
        f"b = {source:g}: exponent {slope(t, loss):.3f} from step {t[0]:.0f} on; "
        f"predicted: rich {predicted.rich:.3f}, lazy -b = {predicted.lazy:.3f}"
    )


FIGURE = Figure(
    name="10",
    title="Exponents of rich training on power laws",
    about=(
        "If features move and the task is hard (b < 1), the loss falls like t^(-2b/(1+b)), "
        "faster than the t^-b of lazy training. Guides (grey) have the predicted exponents."
    ),
    chosen=(
        "Capacity exponent 2, one hidden layer, richness 10, learning rate 0.01, population "
        "gradient descent. Networks are trained on the leading modes only; the loss of the "
        "others is added."
    ),
    parameters=Parameters(),
    quick=QUICK,
    panels={"": exponents},
    module=__name__,
)
