"""Figure 6: power laws of data, one pass: the batch and the width."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft.analysis.predictions import predicted_exponents
from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, from_one, leading_modes, over_time
from lindmft.problem.data import OnePass
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import PowerLaw


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all three panels."""

    depth: int = 4  # L, printed in the paper; centered predictors, printed
    hidden: int = 1024  # a: N, printed
    batches: tuple[int, ...] = (4, 8, 16, 32, 64)  # a: B, printed
    batch: int = 16  # b, c: printed
    widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024, 2048)  # b, c: N, printed
    steps: int = 1001  # t to 1000, printed
    capacity: float = 2.0  # a of lambda_k = k^-a: chosen
    hard: float = 0.5  # a, c: source exponent b < 1: chosen
    easy: float = 1.25  # b: chosen
    gamma0: float = 1.0  # chosen
    lr: float = 0.03  # chosen
    modes: int = 10**7  # of the theory: chosen
    tolerance: float = 1e-3  # of the binning of modes
    rtol: float = 1e-5  # relative error of the theory's losses on adaptive steps
    dim: int = 1024  # modes that are trained
    seeds: int = 4


QUICK = replace(
    Parameters(), steps=151, hidden=256, widths=(16, 32, 64, 128, 256), dim=256, seeds=8
)
# --- end of parameters


def _problem(p: Parameters, source: float, hidden: int, batch: int) -> Problem:
    spectrum = PowerLaw(p.capacity, source, p.modes, p.tolerance)
    network = MLP(p.depth, gamma0=p.gamma0, hidden=hidden, centered=True)
    return Problem(network, OnePass(batch=batch, spectrum=spectrum), SGD(p.lr))


def _panel(p: Parameters, progress: Progress, problems: dict[str, Problem]) -> Panel:
    finite = leading_modes(p.dim)
    curves = over_time(
        problems, p.steps, p, progress=progress, grid="adaptive", rtol=p.rtol, finite=finite
    )
    return Panel("", "step t", "test loss", [from_one(curve) for curve in curves], "log")


def _guides(p: Parameters, source: float, widest: Curve) -> list[Curve]:
    """Return t^-b and the rich power at this depth, from a twentieth of the time on."""
    predicted = predicted_exponents(source, p.depth)
    t = np.geomspace(p.steps / 20, p.steps - 1, 2)
    start = float(np.interp(t[0], widest.x, widest.y))
    exponents = {"lazy": predicted.lazy, "rich": predicted.rich}
    if predicted.lazy == predicted.rich:
        exponents = {"lazy, rich": predicted.lazy}
    return [
        Curve(
            f"{name}: $t^{{{exponent:.3g}}}$", t, start * shift * (t / t[0]) ** exponent, guide=True
        )
        for (name, exponent), shift in zip(exponents.items(), (1.6, 0.8), strict=False)
    ]


def _widths(p: Parameters, progress: Progress, source: float, title: str) -> Panel:
    problems = {str(hidden): _problem(p, source, hidden, p.batch) for hidden in p.widths}
    panel = _panel(p, progress, problems)
    curves = [*panel.curves, *_guides(p, source, panel.curves[-1])]
    return replace(panel, title=title, key="width N", curves=curves)


def batches(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several batch sizes."""
    problems = {str(batch): _problem(p, p.hard, p.hidden, batch) for batch in p.batches}
    panel = _panel(p, progress, problems)
    title = f"hard task, b = {p.hard:g}, N = {p.hidden}"
    return replace(panel, title=title, key="batch B")


def easy(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several widths, for an easy task."""
    return _widths(p, progress, p.easy, f"easy task, b = {p.easy:g}, B = {p.batch}")


def hard(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several widths, for a hard task."""
    return _widths(p, progress, p.hard, f"hard task, b = {p.hard:g}, B = {p.batch}")


FIGURE = Figure(
    name="6",
    title="Power laws: batch and width on easy and hard tasks",
    about=(
        "One pass through data whose eigenvalues and target fall like powers of the mode. Small "
        "batches (a) and narrow networks (b, c) leave the power law early. Guides (grey) have the "
        "exponents of infinite data and width: t^-b if features do not move, and the power of "
        "rich training at this depth, t^(-b (L+1)/(1 + b L)), if they do and the task is hard "
        "(b < 1). (The paper draws the power of one hidden layer, t^(-2b/(1+b)).)"
    ),
    chosen=(
        "Capacity exponent 2, source exponents 1.25 (easy) and 0.5 (hard), richness 1, learning "
        "rate 0.03. Networks are trained on the leading modes only; the loss of the others is "
        "added, and their contribution to the labels acts as noise."
    ),
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": batches, "b": easy, "c": hard},
    module=__name__,
)
