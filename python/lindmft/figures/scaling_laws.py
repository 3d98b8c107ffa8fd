"""Scaling laws of one pass over many steps: width, cost of training, and schedules."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from lindmft.analysis.compute import compute_optimal
from lindmft.analysis.exponents import fit_exponent
from lindmft.analysis.frontier import ComputeOptimal
from lindmft.analysis.predictions import predicted_exponents
from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, from_one, leading_modes, over_time
from lindmft.problem.data import OnePass
from lindmft.problem.network import MLP
from lindmft.problem.network import widths as widths_of
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.schedules import schedule
from lindmft.problem.spectrum import PowerLaw


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all panels."""

    capacity: float = 1.5  # a of lambda_k = k^-a
    source: float = 0.5  # b, below 1: rich training is faster than lazy training
    modes: int = 10**4  # number of modes in the theory
    tolerance: float = 0.03  # error allowed when modes are grouped
    depth: int = 1
    batch: int = 32
    noise: float = 0.5  # a, b
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)  # a, b: N
    lazy: float = 0.1  # a: richness gamma0
    rich: float = 3.0  # b, c: richness
    overhead: int = 256  # a, b: a step costs as much as N + this number of units
    lr: float = 0.05  # the largest rate
    decay: float = 0.3  # p: the rate falls like t^-p ...
    start: float = 100.0  # ... after this number of steps
    steps: int = 10**5 + 1  # a, b
    trained_steps: int = 3001  # a, b: fewer, to save time
    width: int = 64  # c: N
    schedule_steps: int = 10**4 + 1  # c
    schedule_noise: float = 2.0  # c: large, so that the rate matters
    rtol: float = 1e-4  # relative error of the theory's losses on adaptive steps
    dim: int = 256  # modes that are trained
    seeds: int = 8


QUICK = replace(
    Parameters(),
    widths=(16, 64, 256),
    steps=1001,
    trained_steps=301,
    schedule_steps=1001,
    dim=128,
)
# --- end of parameters

FEWEST = 10
"""Steps of the widest network at the smallest cost of the frontier."""
BUDGETS = 120
"""Number of costs at which widths are compared."""
WINDOW = 10.0
"""Ratio of the last and the first step of the window in which exponents are fitted."""


def _problem(p: Parameters, hidden: int, gamma0: float, lr: Any, noise: float) -> Problem:
    spectrum = PowerLaw(p.capacity, p.source, p.modes, p.tolerance)
    network = MLP(p.depth, gamma0=gamma0, hidden=hidden, centered=True)
    data = OnePass(batch=p.batch, noise=noise, spectrum=spectrum)
    return Problem(network, data, SGD(lr))


def _decaying(p: Parameters, steps: int) -> tuple[float, ...]:
    """Return rates that fall like t^-p, whatever the last step is."""
    return tuple(p.lr * (1 + t / p.start) ** -p.decay for t in range(steps))


def costs(p: Parameters, progress: Progress, kind: str) -> Panel:
    """Losses against the cost of training at several widths, and the best width at each cost."""
    gamma0: float = getattr(p, kind)
    found = _frontier(p, gamma0, progress)
    curves = [
        _against_cost(curve, found, look) for look, curve in enumerate(_early(p, gamma0, progress))
    ]
    best = Curve("", found.budgets, 0.9 * found.loss, guide=True)
    return Panel(
        f"{kind}, richness {gamma0:g}",
        f"cost: steps × (N + {p.overhead})",
        "test loss",
        [*curves, best],
        "log",
        key="width N",
        grey="the best width at each cost (moved down by 10 %)",
        notes=_notes(p, kind, found),
    )


def _frontier(p: Parameters, gamma0: float, progress: Progress) -> ComputeOptimal:
    """Return the losses of all widths at costs that pay for ten steps or more of each."""
    widest, narrowest = max(p.widths) + p.overhead, min(p.widths) + p.overhead
    return compute_optimal(
        _problem(p, p.widths[0], gamma0, _decaying(p, p.steps), p.noise),
        p.widths,
        p.steps,
        budgets=np.geomspace(FEWEST * widest, narrowest * (p.steps - 1), BUDGETS),
        cost=lambda problem: widths_of(problem.network)[0] + p.overhead,
        grid="adaptive",
        rtol=p.rtol,
        progress=progress,
    )


def _early(p: Parameters, gamma0: float, progress: Progress) -> list[Curve]:
    """Return losses over the steps that networks are trained for, in theory and in training."""
    steps = min(p.trained_steps, p.steps)
    rates = _decaying(p, steps)
    problems = {str(hidden): _problem(p, hidden, gamma0, rates, p.noise) for hidden in p.widths}
    return _over_time(p, problems, steps, progress)


def _over_time(
    p: Parameters, problems: dict[str, Problem], steps: int, progress: Progress
) -> list[Curve]:
    finite = leading_modes(p.dim)
    options: dict[str, Any] = {"grid": "adaptive", "rtol": p.rtol, "finite": finite}
    curves = over_time(problems, steps, p, progress=progress, **options)
    return [from_one(curve) for curve in curves]


def _against_cost(curve: Curve, found: ComputeOptimal, look: int) -> Curve:
    """Return the curve with the cost for the time, continued by the losses at larger costs."""
    cost, losses = found.costs[look], found.losses[look]
    later = np.isfinite(losses) & (found.budgets > cost * curve.x[-1])
    points = curve.points
    return replace(
        curve,
        x=np.concatenate([cost * curve.x, found.budgets[later]]),
        y=np.concatenate([curve.y, losses[later]]),
        points=None if points is None else replace(points, x=cost * points.x),
    )


def _notes(p: Parameters, kind: str, found: ComputeOptimal) -> tuple[str, ...]:
    """Return exponents of the later steps of the widest network, and those of the frontier."""
    steps = found.budgets / found.costs[-1]
    last = float(steps[-1])
    fit = fit_exponent(steps, found.losses[-1], window=(last / WINDOW, last))
    predicted = getattr(predicted_exponents(p.source, p.depth), kind) * (1 - p.decay)
    law = (
        f"N = {p.widths[-1]}: exponent {fit.exponent:.3f} ± {fit.error:.3f} in steps "
        f"{fit.window[0]:.0f} to {fit.window[1]:.0f}; predicted for infinite width and batch, "
        f"with rates ~ t^-{p.decay:g}: {predicted:.3f}"
    )
    return law, found.summary().splitlines()[-1]


def schedules(p: Parameters, progress: Progress) -> Panel:
    """Losses over time with constant and decaying rates."""
    steps = p.schedule_steps
    rates: dict[str, Any] = {
        "constant": p.lr,
        f"$t^{{-{p.decay:g}}}$": _decaying(p, steps),
        "cosine": schedule("cosine", steps, peak=p.lr),
        "linear": schedule("linear", steps, peak=p.lr),
    }
    problems = {
        label: _problem(p, p.width, p.rich, lr, p.schedule_noise) for label, lr in rates.items()
    }
    curves = _over_time(p, problems, steps, progress)
    title = f"schedules, N = {p.width}, richness {p.rich:g}"
    return Panel(title, "step t", "test loss", curves, "log", key="rate", ordered=False)


FIGURE = Figure(
    name="scaling-laws",
    title="Scaling laws of one pass: width, cost and schedule",
    about=(
        "One pass over power-law data with noisy labels, for a hundred thousand steps at full "
        "settings. Panels a and b draw the loss of lazy and of rich training against the cost, if "
        "a step costs as much as its N units and a fixed overhead; the grey line is the best width "
        "at each cost. (Without the overhead, narrow linear networks are always the best: they "
        "lag behind wide ones by less than they save.) Rates fall like a power of time there, so "
        "that the loss at every step is that of a run that ends at it. Rates that fall to zero at "
        "a given step (c) reach lower losses at the end: noise of the batches fades. Not in the "
        "paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": partial(costs, kind="lazy"), "b": partial(costs, kind="rich"), "c": schedules},
    module=__name__,
)
