"""Figure 9: the first steps of one pass, and the batches and widths that start stably."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Curve, Panel
from lindmft.figures._runs import Progress, over_time
from lindmft.problem.axes import short
from lindmft.problem.data import OnePass
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of both panels."""

    depth: int = 4  # L, printed in the paper
    batches: tuple[float, ...] = (0.025, 0.033, 0.05, 0.1, 0.25, 0.5, 1)  # a: batch / D, printed
    batch_width: float = 0.25  # a: printed
    widths: tuple[float, ...] = (0.12, 0.25, 0.5, 1, 2)  # b: printed
    width_batch: float = 0.05  # b: printed
    steps: int = 11  # t to 10, printed
    lr: float = 0.004  # chosen
    gamma0: float = 1.0  # chosen
    dim: int = 1200
    seeds: int = 64


QUICK = replace(Parameters(), dim=800, seeds=64)
# --- end of parameters


def first_ratio(depth: int, kernel: int, width: float, batch: float, lr: float) -> float:
    """Return the ratio of the losses after and before the first step.

    It holds for centered networks without label noise.

    Theory section 12, item 2, where ``kernel`` is L + 1. The paper's (104) and (105) have L.
    """
    k = kernel * lr
    widths = lr**2 / width * depth * (depth + 1) * (2 * depth + 1) / 6
    return (1 - k) ** 2 + k**2 / batch + widths * (1 + 1 / batch)


def _panel(
    p: Parameters, progress: Progress, sizes: Mapping[str, tuple[float, float]], title: str
) -> Panel:
    problems = {
        label: Problem(MLP(p.depth, width, p.gamma0, centered=True), OnePass(batch), SGD(p.lr))
        for label, (width, batch) in sizes.items()
    }
    curves = over_time(problems, p.steps, p, progress=progress)
    notes = [_note(p, curve, *sizes[curve.label]) for curve in curves] if p.steps > 1 else []
    t = np.arange(p.steps, dtype=float)
    for curve in list(curves):
        width, batch = sizes[curve.label]
        ratio = first_ratio(p.depth, p.depth + 1, width, batch, p.lr)
        paper = first_ratio(p.depth, p.depth, width, batch, p.lr)
        curves.append(Curve(curve.label, t, ratio**t, look=curve.look, test=False))
        curves.append(Curve("", t, paper**t, guide=True))
    return Panel(
        title,
        "step t",
        "test loss",
        curves,
        yscale="linear",
        dashed="first ratio to the power t",
        grey="the same, L η as kernel",
        notes=("first ratio of the loss: training, with K = L + 1, and the paper's K = L", *notes),
    )


def _note(p: Parameters, curve: Curve, width: float, batch: float) -> str:
    points = curve.points
    assert points is not None
    at = int(np.searchsorted(points.x, 1))
    right = first_ratio(p.depth, p.depth + 1, width, batch, p.lr)
    paper = first_ratio(p.depth, p.depth, width, batch, p.lr)
    mean, error = points.mean[at], points.error[at]  # the loss starts at 1
    return (
        f"{curve.label:>6}: {mean:.4f} +- {error:.4f}; "
        f"{right:.4f} (z = {(mean - right) / error:5.1f}), "
        f"{paper:.4f} (z = {(mean - paper) / error:5.1f})"
    )


def batches(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several batch sizes."""
    sizes = {short(batch): (p.batch_width, batch) for batch in p.batches}
    return replace(_panel(p, progress, sizes, f"width {p.batch_width:g}"), key="batch / D")


def widths(p: Parameters, progress: Progress) -> Panel:
    """Losses over time at several widths."""
    sizes = {short(width): (width, p.width_batch) for width in p.widths}
    return replace(_panel(p, progress, sizes, f"batch {p.width_batch:g} D"), key="width ν")


FIGURE = Figure(
    name="9",
    title="The first steps of one pass",
    about=(
        "Small batches (a) and narrow networks (b) can raise the loss in the first steps. The "
        "ratio of the first two losses is known in closed form. Its powers (dashed) describe the "
        "loss while features move little. The paper's formula (grey) has L instead of the kernel "
        "L + 1; the table shows how many standard errors each formula is away from training."
    ),
    chosen="Learning rate 0.004, richness 1, centered predictors, no label noise.",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": batches, "b": widths},
    module=__name__,
)
