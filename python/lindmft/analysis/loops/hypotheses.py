"""Hypotheses about a training loop: ways in which it may differ from the intended problem.

Each has at most one unknown number, so that a curve of the loss can decide between them.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lindmft._internal.types import Array
from lindmft.problem.data import Epochs, FullBatch, MultiPass, OnePass, Population
from lindmft.problem.network import Network, widths
from lindmft.problem.problem import Problem
from lindmft.results.solution import Solution

__all__ = ["Hypothesis", "hypotheses"]

Values: TypeAlias = tuple[float, ...]
FACTORS = tuple(np.geomspace(0.01, 100, 41).tolist())
"""Factors of the learning rate."""
SMALL_FACTORS = tuple(np.geomspace(1 / 8, 8, 13).tolist())
SCALES = tuple(np.geomspace(1 / 3, 3, 13).tolist())
NOISES = (1e-3, *np.geomspace(0.05, 5, 14).tolist())
"""Label noise in units of the root mean square of the target; the first value has no effect."""
REMAINDERS = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
"""1 - momentum."""
OFFSET = "loss offset"
"""Name of the hypothesis that the losses have an offset."""
FRACTIONS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
BATCHES = (2, 4, 8, 16, 32)
"""Numbers of batches in shuffled epochs, beside that of the problem's batch."""


def the_test_loss(theory: Solution, _: float) -> Array:
    """Return the test loss: what a loop reports if it reports the right losses."""
    return theory.test_loss


@dataclass(frozen=True)
class Hypothesis:
    """One way in which a loop may differ from the problem, with one unknown value.

    Attributes
    ----------
    name
        A short name, the same for all problems.
    phrase
        A description of the difference, in which ``{}`` stands for the value.
    values
        Positive values from which a fit starts, increasing or decreasing; one if nothing is fitted.
    problem
        A function from the value to the problem that the loop would train.
    read
        A function from the solution and the value to the losses that the loop would report.
    shown
        A function from the value to the number in ``phrase``.
    """

    name: str
    phrase: str
    values: Values
    problem: Callable[[float], Problem]
    read: Callable[[Solution, float], Array] = the_test_loss
    shown: Callable[[float], float] = float


def hypotheses(problem: Problem, theory: Solution, steps: int) -> list[Hypothesis]:
    """Return all hypotheses that apply to the problem; the learning rate is the first.

    ``theory`` is the problem's solution. It has one step more than ``steps`` if the hypotheses
    include a loop that records its losses one step late.
    """
    return [
        _rate(problem),
        *_optimizer(problem),
        *_noise(problem, math.sqrt(theory.test_loss[0])),
        *_network(problem),
        *_depths(problem),
        *_data(problem),
        *_reports(problem, theory, steps),
    ]


def with_rate(problem: Problem, factor: float) -> Problem:
    """Return the problem with its learning rate multiplied by a factor."""
    return problem.replace(optimizer__lr=np.multiply(problem.optimizer.lr, factor).tolist())


def _rate(problem: Problem) -> Hypothesis:
    return Hypothesis(
        "learning rate",
        "a learning rate of {} times the problem's",
        FACTORS,
        lambda factor: with_rate(problem, factor),
    )


def _optimizer(problem: Problem) -> Iterator[Hypothesis]:
    if isinstance(problem.optimizer.momentum, tuple):
        return
    yield Hypothesis(
        "momentum",
        f"momentum {{}} instead of {problem.optimizer.momentum:g}",
        REMAINDERS,
        lambda rest: problem.replace(optimizer__momentum=1 - rest),
        shown=lambda rest: max(0.0, 1 - rest),
    )


def _noise(problem: Problem, scale: float) -> Iterator[Hypothesis]:
    if isinstance(problem.data, Population):  # label noise has no effect on its test loss
        return
    yield Hypothesis(
        "label noise",
        f"label noise {{}} instead of {problem.data.noise:g}",
        tuple((scale or 1.0) * noise for noise in NOISES),
        lambda noise: problem.replace(data__noise=noise),
    )


def effective_gamma0(network: Network) -> float:
    """Return the richness, divided by the root of the width in the NTK parameterization."""
    if network.parameterization == "mup":
        return network.gamma0
    return network.gamma0 / math.sqrt(widths(network)[-1])


def _initial_scale(problem: Problem) -> Hypothesis:
    given = problem.network.init_scale
    if isinstance(given, tuple):
        return Hypothesis(
            "init_scale",
            "{} times the problem's init_scale",
            SCALES,
            lambda factor: problem.replace(network__init_scale=[factor * s for s in given]),
        )
    return Hypothesis(
        "init_scale",
        f"init_scale {{}} instead of {given:g}",
        tuple(given * scale for scale in SCALES),
        lambda scale: problem.replace(network__init_scale=scale),
    )


def _network(problem: Problem) -> Iterator[Hypothesis]:
    network = problem.network
    yield _initial_scale(problem)
    if network.gamma0 > 0:
        yield from _richness(problem)
    if np.isfinite(widths(network)).all():
        yield Hypothesis(
            "width",
            "{} times the problem's width",
            SMALL_FACTORS,
            lambda factor: problem.replace(**_scaled_width(network, factor)),
        )
    elif network.gamma0 > 0 and network.parameterization == "mup":
        name = "hidden" if problem.data.spectrum.trace_class else "width"
        yield Hypothesis(
            "width",
            f"{name} {{}} instead of inf",
            tuple(size * (100 if name == "hidden" else 1) for size in (0.25, *SMALL_FACTORS[4:])),
            lambda size: problem.replace(
                network__width=size if name == "width" else None,
                network__hidden=round(size) if name == "hidden" else None,
            ),
        )


def _richness(problem: Problem) -> Iterator[Hypothesis]:
    given = problem.network.gamma0
    values = tuple(given * factor for factor in SMALL_FACTORS)
    yield Hypothesis(
        "gamma0",
        f"gamma0 {{}} instead of {given:g}",
        values,
        lambda gamma0: problem.replace(network__gamma0=gamma0),
    )
    yield Hypothesis(
        "gamma0 in the output alone",
        f"gamma0 {{}} instead of {given:g} in the output, but not in the raw learning rate",
        values,
        lambda gamma0: with_rate(problem, (given / gamma0) ** 2).replace(network__gamma0=gamma0),
    )


def _scaled_width(network: Network, factor: float) -> dict[str, Any]:
    if network.hidden is not None:
        counts = np.maximum(1, np.round(np.multiply(network.hidden, factor)))
        return {"network__hidden": counts.tolist()}
    return {"network__width": np.multiply(network.width or 1.0, factor).tolist()}


def _depths(problem: Problem) -> Iterator[Hypothesis]:
    network = problem.network
    if network.depth == math.inf:
        others: list[float] = [4, 8, 16] if problem.optimizer.layer_lr is None else []
    elif problem.optimizer.layer_lr is None and len(widths(network)) == 1:
        others = [d for d in range(int(network.depth) - 2, int(network.depth) + 3) if d > 0]
    else:
        others = []
    for depth in others:
        if depth != network.depth:
            yield Hypothesis(
                "depth",
                f"depth {{}} instead of {network.depth:g}",
                (float(depth),),
                lambda depth: problem.replace(network__depth=int(depth)),
            )


def _data(problem: Problem) -> Iterator[Hypothesis]:
    data = problem.data
    if isinstance(data, Population):
        return
    counted = "batch" if isinstance(data, OnePass) else "samples"
    count = getattr(data, counted)
    amount = data.alpha if count is None else count
    name = f"data__{'alpha' if count is None else counted}"
    fields = ("noise", "spectrum", "targets", "noise_covariance")
    kept: dict[str, Any] = {field: getattr(data, field) for field in fields}
    size: dict[str, Any] = {"alpha": data.alpha} if count is None else {counted: count}
    if amount is not None and np.isfinite(amount).all():
        yield Hypothesis(
            "amount of data",
            "{} times the problem's number of samples",
            SMALL_FACTORS,
            lambda factor: problem.replace(
                **{name: _scaled(amount, factor, whole=count is not None)},
            ),
        )
    if isinstance(data, OnePass):
        return
    yield from _orders(problem, data, kept, size)


def _scaled(amount: Any, factor: float, *, whole: bool) -> Any:
    """Return an amount of data, or one for each step, times a factor."""
    found = np.multiply(amount, factor)
    return (np.maximum(1, np.round(found)) if whole else found).tolist()


def _orders(
    problem: Problem,
    data: FullBatch | MultiPass | Epochs,
    kept: dict[str, Any],
    size: dict[str, Any],
) -> Iterator[Hypothesis]:
    """Hypotheses about other uses of the same samples."""
    if not all(math.isfinite(value) for value in size.values() if value is not None):
        return
    given = _fraction(data)
    yield Hypothesis(
        "batch fraction",
        f"a random fraction {{}} of the samples in every step{_instead_of(data)}",
        FRACTIONS,
        lambda q: problem.replace(data=MultiPass(batch_fraction=q, **size, **kept)),
        shown=lambda q: min(1.0, q),
    )
    for batches in sorted({*BATCHES, max(2, round(1 / given))} - {getattr(data, "batches", 1)}):
        yield Hypothesis(
            "shuffled epochs",
            f"shuffled epochs of {{}} batches{_instead_of(data)}",
            (float(batches),),
            lambda nb: problem.replace(data=Epochs(batches=round(nb), **size, **kept)),
        )
    ((name, amount),) = size.items()
    fresh = given * amount if name == "alpha" else max(1, round(given * amount))
    use = {"alpha": fresh} if name == "alpha" else {"batch": fresh}
    yield Hypothesis(
        "fresh samples",
        "fresh samples in every step",
        (1.0,),
        lambda _: problem.replace(data=OnePass(**use, **kept)),
    )


def _fraction(data: FullBatch | MultiPass | Epochs) -> float:
    """Return the fraction of the samples in a batch."""
    if isinstance(data, Epochs):
        return 1 / (data.batches or 1)
    return data.batch_fraction if isinstance(data, MultiPass) else 1.0


def _instead_of(data: FullBatch | MultiPass | Epochs) -> str:
    """Return the use of samples that the problem has, as the end of a phrase."""
    if isinstance(data, Epochs):
        return f" instead of shuffled epochs of {data.batches}"
    if isinstance(data, MultiPass):
        return f" instead of a random fraction {data.batch_fraction:g}"
    return " instead of all samples"


def loss_offset(problem: Problem, theory: Solution) -> Hypothesis:
    """A constant in the losses, such as the variance of noisy test labels."""
    scale = float(theory.test_loss[0]) or 1.0
    noise = problem.data.irreducible
    hint = f" (the problem's label noise adds {noise:.3g})" if noise else ""
    return Hypothesis(
        OFFSET,
        f"an offset of {{}} in the losses{hint}",
        tuple((scale * np.geomspace(1e-3, 10, 33)).tolist()),
        lambda _: problem,
        lambda theory, offset: offset + theory.test_loss,
    )


def _reports(problem: Problem, theory: Solution, steps: int) -> Iterator[Hypothesis]:
    """Hypotheses about right training with wrong losses reported; they need no solution."""

    def same(_: float) -> Problem:
        return problem

    yield Hypothesis(
        "loss factor",
        "losses multiplied by {} (0.5 if the factor 1/2 is in them)",
        tuple(np.geomspace(0.05, 20, 25).tolist()),
        same,
        lambda theory, factor: factor * theory.test_loss,
    )
    yield loss_offset(problem, theory)
    if not isinstance(problem.data, Population):
        yield Hypothesis(
            "training loss",
            "training losses instead of test losses",
            (1.0,),
            same,
            lambda theory, _: theory.train_loss,
        )
    if len(theory.time) > steps:
        yield Hypothesis(
            "late losses",
            "losses recorded after each update instead of before it",
            (1.0,),
            same,
            lambda theory, _: theory.test_loss[1:],
        )
