"""Figure 8: the largest stable learning rate against the width."""

from dataclasses import dataclass, replace

import numpy as np

from lindmft._internal.types import Array
from lindmft.analysis.stability import largest_stable_lrs
from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import PARAMETERIZATIONS, Progress, by_parameterization, points_of, slope
from lindmft.problem.data import Population
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.results.ensemble import Ensemble
from lindmft.results.statistics import standard_error
from lindmft.training.train import train_many


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    widths: tuple[float, float] = (1, 10)  # nu, printed in the paper
    depths: tuple[int, ...] = (1, 2, 3)  # L: chosen
    gamma0: float = 100.0  # chosen: very rich, as the power law holds in this limit
    steps: int = 100  # chosen
    points: int = 12  # widths of the theory
    trained_points: int = 5  # widths at which networks are trained
    precision: float = 0.01  # relative precision of the largest stable rates
    dim: int = 128
    seeds: int = 8


QUICK = replace(Parameters(), points=6, trained_points=3, dim=48, seeds=4, steps=60, precision=0.03)
# --- end of parameters

SCANNED = (0.7, 1.4)
"""Learning rates that networks try, in units of the theory's edge."""


def edges(p: Parameters, progress: Progress, parameterization: str) -> Panel:
    """Largest stable rates over width: a power of the width in NTK, constant in muP."""
    curves: list[Curve] = []
    notes: list[str] = []
    for look, depth in enumerate(p.depths):
        problem = Problem(MLP(depth, 1.0, p.gamma0, parameterization), Population(), SGD(1e-3))
        curve = _curve(p, progress, problem, look)
        curves.append(curve)
        missing = p.trained_points - (len(curve.points.x) if curve.points else 0)
        if missing:
            notes.append(f"L = {depth}: {missing} widths left out, with edges outside the scan")
        if parameterization == "ntk":
            curves += _guides(depth, curve)
            notes += _slopes(depth, curve)
    return Panel(
        PARAMETERIZATIONS[parameterization],
        "width ν",
        "largest stable learning rate η",
        curves,
        "log",
        key="depth L",
        notes=tuple(notes),
        dashed="the paper's exponent, 1 − 1/L",
        grey="L/(L + 1)",
    )


def _curve(p: Parameters, progress: Progress, problem: Problem, look: int) -> Curve:
    widths = np.geomspace(*p.widths, p.points)
    trained = np.geomspace(*p.widths, p.trained_points)
    problems = [
        *problem.vary({"network.width": widths}),
        *problem.vary({"network.width": trained}),
    ]
    found = largest_stable_lrs(
        problems, p.steps, rtol=p.precision, criterion="settled", progress=progress
    )
    middles = np.array([np.sqrt(edge.lower * edge.upper) for edge in found])
    expected = middles[p.points :]
    scans = [
        _scan(p, progress, varied, edge, look)
        for varied, edge in zip(problems[p.points :], expected, strict=True)
    ]
    mean = np.array([rates.mean() for rates, _ in scans])
    error = np.array([float(standard_error(rates)) for rates, _ in scans])
    # The edge lies somewhere within a step of the scan: this adds to the error.
    error = np.hypot(error, p.precision * mean / 12**0.5)
    points = points_of(trained, mean, error, expected, scans[0][1])
    return Curve(str(problem.network.depth), widths, middles[: p.points], points, look)


def _scan(
    p: Parameters, progress: Progress, problem: Problem, edge: float, look: int
) -> tuple[Array, Ensemble]:
    """Return for every network the rate above which its training does not settle (nan: unknown)."""
    low, high = SCANNED
    count = int(np.ceil(np.log(high / low) / np.log1p(p.precision)))
    rates = edge * np.geomspace(low, high, count)
    family = problem.vary({"optimizer.lr": rates})
    runs = train_many(family, p.steps, dim=p.dim, seeds=p.seeds, seed=look, progress=progress)
    settled = np.array([_settled(run) for run in runs])  # (rate, seed)
    first = (~settled).argmax(axis=0)
    found = np.sqrt(rates[first] * rates[np.maximum(first - 1, 0)])
    # If the edge of a network is outside the scan, the mean is not known.
    return np.where(settled.all(axis=0) | ~settled[0], np.nan, found), runs[0]


def _settled(runs: Ensemble) -> Array:
    """Return (seed,), whether the loss ends below its start and never rises in the second half."""
    loss = runs.train_loss
    late = loss[:, loss.shape[1] // 2 :]
    falls = np.all(late[:, 1:] <= late[:, :-1] + 1e-13, axis=1)
    ends = np.array([at is None for at in runs.diverged_at]) & (loss[:, -1] <= loss[:, 0])
    return np.asarray(falls & ends)


def _guides(depth: int, curve: Curve) -> list[Curve]:
    x = curve.x
    return [
        Curve("", x, curve.y[0] * 1.06 * (x / x[0]) ** (depth / (depth + 1)), guide=True),
        Curve("", x, curve.y[0] * (x / x[0]) ** (1 - 1 / depth), look=curve.look, test=False),
    ]


def _slopes(depth: int, curve: Curve) -> list[str]:
    if curve.points is None or min(len(curve.x), len(curve.points.x)) < 2:
        return []
    theory, training = slope(curve.x, curve.y), slope(curve.points.x, curve.points.mean)
    return [
        (
            f"L = {depth}, slope in the width: training {training:.2f}, theory {theory:.2f}; "
            f"L/(L+1) = {depth / (depth + 1):.2f}, the paper's 1 - 1/L = {1 - 1 / depth:.2f}"
        )
    ]


FIGURE = Figure(
    name="8",
    title="The largest stable learning rate",
    about=(
        "The largest learning rate at which very rich training settles. In muP it does not depend "
        "on the width; in NTK parameterization it grows like width^(L/(L+1)). The paper prints the "
        "exponent 1 - 1/L, which training contradicts (see the slopes in the table)."
    ),
    chosen=(
        "Depths 1 to 3, richness 100, population gradient descent, 100 steps. Stable means "
        "settled: in the second half of a run the loss never rises."
    ),
    parameters=Parameters(),
    quick=QUICK,
    panels=by_parameterization(edges),
    module=__name__,
)
