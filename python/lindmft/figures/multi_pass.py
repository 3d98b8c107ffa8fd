"""Multi-pass SGD, which lies between full batch and one pass, and shuffled epochs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lindmft.figures._figure import Figure
from lindmft.figures._panel import Panel
from lindmft.figures._runs import Progress, over_time
from lindmft.problem.axes import short
from lindmft.problem.data import Data, Epochs, FullBatch, MultiPass, OnePass
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem


# --- parameters
@dataclass(frozen=True)
class Parameters:
    """Parameters of all panels."""

    alpha: float = 2.0  # a: P / D
    fractions: tuple[float, ...] = (0.05, 0.1, 0.25, 1)  # a: q = batch / P
    batch: float = 0.25  # b: batch / D = q alpha
    alphas: tuple[float, ...] = (0.25, 0.5, 1, 4)  # b: P / D; then fresh samples in every step
    batches: int = 16  # c: batches of an epoch
    noise: float = 0.5
    depth: int = 2
    width: float = 1.0
    gamma0: float = 1.0
    lr: float = 0.04
    steps: int = 301
    dim: int = 384
    seeds: int = 16


QUICK = replace(Parameters(), dim=128)
# --- end of parameters


def _time(p: Parameters, progress: Progress, data: Mapping[str, Data]) -> Panel:
    network = MLP(p.depth, p.width, p.gamma0)
    problems = {label: Problem(network, each, SGD(p.lr)) for label, each in data.items()}
    losses = ("test_loss", "train_loss")
    curves = over_time(problems, p.steps, p, progress=progress, losses=losses, noise=True)
    return Panel("", "step t", "loss", curves, "symlog", lower=2e-2)


def fractions(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for several fractions of the same data set in each step."""
    data: dict[str, Data] = {
        short(q): MultiPass(p.alpha, p.noise, batch_fraction=q) for q in p.fractions if q < 1
    }
    data["full batch"] = FullBatch(p.alpha, p.noise)
    panel = _time(p, progress, data)
    return replace(panel, title=f"{p.alpha:g} D samples, a fraction q a step", key="fraction q")


def passes(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for batches of the same size from data sets of several sizes."""
    data: dict[str, Data] = {}
    for alpha in p.alphas:
        q = p.batch / alpha
        label = f"{alpha:g}, full batch" if q == 1 else f"{alpha:g}"
        data[label] = (
            FullBatch(alpha, p.noise) if q == 1 else MultiPass(alpha, p.noise, batch_fraction=q)
        )
    data["one pass"] = OnePass(p.batch, p.noise)
    panel = _time(p, progress, data)
    return replace(panel, title=f"batches of {p.batch:g} D samples", key="α = P/D")


def orders(p: Parameters, progress: Progress) -> Panel:
    """Losses over time for three uses of the same samples."""
    data: dict[str, Data] = {
        "full batch": FullBatch(p.alpha, p.noise),
        "shuffled epochs": Epochs(p.alpha, p.batches, p.noise),
        "fresh draws": MultiPass(p.alpha, p.noise, batch_fraction=1 / p.batches),
    }
    panel = _time(p, progress, data)
    return replace(panel, title=f"{p.batches} batches an epoch", key="order of samples")


FIGURE = Figure(
    name="multi-pass",
    title="Multi-pass SGD, between full batch and one pass, and shuffled epochs",
    about=(
        "Every step uses each of the P samples with probability q. Small fractions of a fixed "
        "data set (a) make the gradient noisy: learning is slower, ends at a higher loss, and "
        "overfits less in the same time. Batches of a fixed size from larger and larger data "
        "sets (b) lead from full batch, where the noise in the labels is learned, to one pass, "
        "where it is not. Loaders that shuffle (c) visit every sample once in each epoch. The "
        "noise of an epoch sums to zero, so that they learn better than with batches that are "
        "drawn anew. Not in the paper."
    ),
    chosen="",
    parameters=Parameters(),
    quick=QUICK,
    panels={"a": fractions, "b": passes, "c": orders},
    module=__name__,
)
