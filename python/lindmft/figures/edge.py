"""The edge of stability: sharpness over time, the spectrum of the Hessian, and the width."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft._internal.types import Array, Mask
from lindmft.analysis.edges.run import SharpnessRun
from lindmft.analysis.sharpness import edge_of_stability
from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel, Points
from lindmft.figures._runs import Progress
from lindmft.plotting.densities import smooth_density
from lindmft.problem.axes import short
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.problem.stability import stability_threshold
from lindmft.results.ensemble import Ensemble
from lindmft.results.spectrum import HessianSpectrum
from lindmft.results.statistics import standard_error
from lindmft.theory.solve import solve
from lindmft.training.train import train


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all three panels."""

    rates: tuple[float, ...] = (0.03, 0.06, 0.11, 0.14)  # a
    times: tuple[int, ...] = (0, 8, 12, 100)  # b
    widths: tuple[float, ...] = (0.5, 1, 2, 4, 8)  # c
    steps: int = 101
    lr: float = 0.05  # b, c
    alpha: float = 4.0
    depth: int = 2
    width: float = 1.0
    gamma0: float = 3.0
    init_scale: float = 0.6
    dim: int = 384
    spectrum_dim: int = 128  # b: whole spectra of this many eigenvalues
    seeds: int = 8
    spectrum_seeds: int = 64  # b


QUICK = replace(Parameters(), dim=128, spectrum_dim=64, spectrum_seeds=32)
# --- end of parameters

RITZ = 16
"""Steps of Lanczos' method for densities of the theory."""
POINTS, BINS = 400, 16
"""Points of the line of a density, and bins of the networks' densities within its bulk."""
LOWEST = 1e-3
"""Smallest density that is drawn, in units of the largest."""
PARTS = {"mup": "muP", "ntk": "NTK"}
OUTLIER = (1e-4, 0.03)
"""Heights between which a line marks an eigenvalue that has left the bulk."""
MARGIN = 0.08
"""Part of the bulk at both ends that has no bins: finite networks smear the edges."""


def _problem(p: Parameters) -> Problem:
    network = MLP(p.depth, p.width, p.gamma0, init_scale=p.init_scale)
    return Problem(network, FullBatch(p.alpha), SGD(p.lr))


def over_time(p: Parameters, progress: Progress) -> Panel:
    """Learning rate times sharpness over time at several learning rates, and the threshold."""
    found = edge_of_stability(
        _problem(p),
        p.steps,
        lr=p.rates,
        limits=False,
        networks=p.seeds,
        dim=p.dim,
        progress=progress,
    )
    curves = [_rate(run, look, p) for look, run in enumerate(found.runs)]
    level = stability_threshold(found.problem.optimizer)
    ends = np.array([0.0, p.steps - 1.0])
    threshold = Curve("threshold", ends, np.full(2, level), guide=True)
    heights = np.concatenate([curve.y for curve in curves])
    upper = min(1.6 * level, max(1.15 * level, 1.1 * float(heights.max(initial=0.0))))
    return Panel(
        "sharpness over time",
        "step t",
        "learning rate times sharpness",
        [*curves, threshold],
        xscale="symlog",
        yscale="linear",
        lower=0.0,
        upper=upper,
        key="learning rate",
        notes=tuple(_passing(run) for run in found.runs),
    )


def _rate(run: SharpnessRun, look: int, p: Parameters) -> Curve:
    """Return the curve of a learning rate; networks are compared before it passes the threshold."""
    finite, y = run.predicted, run.product
    scale = run.learning_rate
    mean, error = scale * run.network_mean, scale * run.network_error
    both = finite & np.isfinite(mean)
    before = np.maximum.accumulate(run.ratio) < 1.0
    points = _points(run.time, mean, error, y, both, before, p.seeds, p.dim)
    return Curve(short(run.lr), run.time[finite], y[finite], points, look)


def _points(
    x: Array,
    mean: Array,
    error: Array,
    expected: Array,
    shown: Mask,
    smooth: Mask,
    seeds: int,
    dim: int,
) -> Points:
    return Points(x[shown], mean[shown], error[shown], expected[shown], seeds, dim, smooth[shown])


def _passing(run: SharpnessRun) -> str:
    passes = run.passes_at is not None
    where = f"passes the threshold at step {run.passes_at:.3g}" if passes else "stays below it"
    return f"lr {run.lr:g}: {where}; the sharpness rises by the factor {run.growth:.3g}"


def spectra(p: Parameters, progress: Progress) -> Panel:
    """Densities of the spectrum at several times, and the eigenvalue that leaves the bulk."""
    problem, dim = _problem(p), p.spectrum_dim
    times = [time for time in p.times if time < p.steps] or [0]
    steps = max(times) + 2
    theory = solve(problem, steps, spectrum_at=times, lanczos=RITZ, progress=progress).spectrum
    asked: dict[str, Any] = {"spectrum_at": times, "lanczos": dim}
    runs = train(problem, steps, dim=dim, seeds=p.spectrum_seeds, progress=progress, **asked)
    curves, notes = [], []
    for look, time in enumerate(times):
        curves += _density(theory, runs, look, f"t = {time}")
        mean = runs.spectrum.sharpness[:, look].mean()
        notes.append(f"t = {time}: sharpness {theory.sharpness[look]:.4g}, networks {mean:.4g}")
    heights = np.concatenate([curve.y for curve in curves if not curve.guide] or [np.ones(1)])
    return Panel(
        f"spectrum, learning rate {p.lr:g}",
        "eigenvalue",
        "density",
        curves,
        lower=LOWEST * float(heights.max()),
        upper=2 * float(heights.max()),
        legend=True,
        grey="an eigenvalue that has left the bulk" if any(c.guide for c in curves) else "",
        notes=tuple(notes),
    )


def _density(theory: HessianSpectrum, runs: Ensemble, look: int, label: str) -> list[Curve]:
    """Return the density at a time with that of networks, and a guide at an outlier."""
    if not np.isfinite(theory.sharpness[look]) or theory.bulk_edge is None:
        return []
    x = np.linspace(0.0, float(theory.bulk_edge[look]), POINTS)
    y = smooth_density(theory, look, x)
    if y is None:
        return []
    inside = np.flatnonzero(y > 0)
    points = _bins(x, y, inside, runs, look)
    curves = [Curve(label, x[inside], y[inside], points, look)]
    if theory.outlier[look]:
        place = np.full(2, theory.sharpness[look])
        curves.append(Curve("", place, np.array(OUTLIER), guide=True))
    return curves


def _bins(x: Array, y: Array, inside: Any, runs: Ensemble, look: int) -> Points | None:
    """Return the densities of networks in bins, and those of the theory; None if all diverged."""
    used = np.isfinite(runs.spectrum.sharpness[:, look])
    if not used.any() or len(inside) < BINS:
        return None
    low, high = x[inside[0]], x[inside[-1]]
    margin = MARGIN * (high - low)
    edges = np.linspace(low + margin, high - margin, BINS + 1)
    steps = np.diff(x) * 0.5 * (y[1:] + y[:-1])
    expected = np.diff(np.interp(edges, x, np.append(0.0, np.cumsum(steps)))) / np.diff(edges)
    spectrum = runs.spectrum
    ritz, weight = spectrum.random_ritz[used, look], spectrum.random_weight[used, look]
    rows = [
        np.histogram(values[known], edges, weights=weights[known])[0] / np.diff(edges)
        for values, weights in zip(ritz, weight, strict=True)
        if (known := np.isfinite(values)).any()
    ]
    found, middles = np.array(rows), 0.5 * (edges[1:] + edges[:-1])
    mean, error = found.mean(axis=0), standard_error(found)
    shown = mean > 0
    return _points(middles, mean, error, expected, shown, shown, len(rows), runs.dim)


def by_width(p: Parameters, progress: Progress) -> Panel:
    """Sharpness at the last step across widths, in muP and in NTK parameterization."""
    widths = np.sort(p.widths)
    runs = {
        name: [_at_width(p, name, float(width), progress) for width in widths] for name in PARTS
    }
    curves = [_last(PARTS[name], mine, look, p) for look, (name, mine) in enumerate(runs.items())]
    start = np.array([p.lr * run.sharpness[0] for run in runs["mup"]])
    level = np.full(len(widths), stability_threshold(SGD(p.lr)))
    guides = [
        Curve("threshold", widths, level, guide=True),
        Curve("at the start", widths, start, guide=True),
    ]
    rates = ", ".join(f"{PARTS[name]} {ratio:.4g}" for name, ratio in _spread(runs).items())
    return Panel(
        f"after {p.steps} steps, learning rate {p.lr:g}",
        "width",
        "learning rate times sharpness",
        [*curves, *guides],
        xscale="log",
        ordered=False,
        notes=(f"largest over smallest sharpness of all widths at the last step: {rates}",),
    )


def _at_width(
    p: Parameters, parameterization: str, width: float, progress: Progress
) -> SharpnessRun:
    changes = {"network.parameterization": parameterization, "network.width": width}
    sizes: dict[str, Any] = {"networks": p.seeds, "dim": p.spectrum_dim}
    problem, times = _problem(p).replace(**changes), [0, p.steps - 1]
    return edge_of_stability(
        problem, p.steps, lr=p.lr, times=times, limits=False, progress=progress, **sizes
    ).runs[0]


def _last(label: str, runs: list[SharpnessRun], look: int, p: Parameters) -> Curve:
    """Return the curve of a parameterization at the last step, where all runs are predicted."""
    x = np.array([run.width for run in runs])
    y, mean, error = (
        np.array([p.lr * getattr(run, name)[-1] for run in runs])
        for name in ("sharpness", "network_mean", "network_error")
    )
    shown = np.isfinite(y) & np.array([run.predicted[-1] for run in runs])
    stable = np.array([run.passes_at is None for run in runs])
    both = shown & np.isfinite(mean)
    points = _points(x, mean, error, y, both, stable, p.seeds, p.spectrum_dim)
    return Curve(label, x[shown], y[shown], points, look)


def _spread(runs: dict[str, list[SharpnessRun]]) -> dict[str, float]:
    last = {name: np.array([run.sharpness[-1] for run in mine]) for name, mine in runs.items()}
    return {
        name: float(values.max() / values.min())
        for name, values in last.items()
        if np.isfinite(values).all()
    }


FIGURE = Figure(
    name="edge",
    title="The edge of stability",
    about=(
        "The sharpness, the largest eigenvalue of the Hessian, rises while features are learned "
        "(a). Steps are stable while learning rate times sharpness is below 2. At the largest rate "
        "it passes this threshold; the loss still falls, and the sharpness remains near it. The "
        "spectrum (b), as a random direction sees it, widens, and an eigenvalue leaves the bulk. "
        "In muP (c) the sharpness that training reaches hardly depends on the width, so that the "
        "same learning rate is stable at every width; in NTK parameterization it falls. Not in the "
        "paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": over_time, "b": spectra, "c": by_width},
    module=__name__,
)
