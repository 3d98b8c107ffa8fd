"""Random problems of all kinds, small enough to train thousands of them.

Numbers of units and samples, and of directions that share an eigenvalue, are whole at every D that
is a multiple of ``PARTS``. Rounding them would be a change of order 1 / D, which would look like a
deviation of the theory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lindmft.problem.problem import Problem
from lindmft.theory.solve import solve

__all__ = ["PARTS", "random_problem"]

PARTS = 16
STEPS = (6, 24)
TRACE_CLASS = 0.15
"""The probability of a trace-class spectrum."""
TRACE_MODES = 24
SMALL_BATCH = 0.5
"""Fraction of the samples below which batches are those of shuffled epochs."""
CALM = 1.5
"""Largest loss in units of its start; a larger one is near the edge of stability, where networks
differ so much that averages mean little."""

Generator = np.random.Generator
Table = dict[str, Any]


def random_problem(rng: Generator, sizes: Sequence[int]) -> tuple[list[Problem], int]:
    """Return a random problem at each of the sizes, and its number of steps.

    With ordinary spectra, sizes are input dimensions, and the problems are the same. With
    trace-class spectra, the dimension is the number of modes, and the numbers of units and samples
    grow with the sizes.
    """
    steps = int(rng.integers(*STEPS, endpoint=True))
    trace = bool(rng.random() < TRACE_CLASS)
    network = _network(rng)
    data = _data(rng, trace)
    optimizer = _optimizer(rng, steps, arrays=network["depth"] + 1)
    tables = {"network": network, "data": data, "optimizer": optimizer}
    problems = [Problem.from_dict(_counted(tables, size) if trace else tables) for size in sizes]
    rates = _calm_rates(problems, steps) * rng.uniform(0.1, 0.4)
    lr = rates.tolist() if len(rates) > 1 else float(rates[0])
    return [problem.replace(**{"optimizer.lr": lr}) for problem in problems], steps


def _network(rng: Generator) -> Table:
    residual = bool(rng.random() < 0.35)
    depth = int(rng.integers(1, 7 if residual else 5))
    unequal = not residual and depth > 1 and rng.random() < 0.4
    width = [_part(rng, 0.4, 3.0) for _ in range(depth)] if unequal else _part(rng, 0.4, 3.0)
    table: Table = {
        "kind": "resnet" if residual else "mlp",
        "depth": depth,
        "width": width,
        "gamma0": _log(rng, 0.1, 2.0),
        "parameterization": _one_of(rng, "mup", "ntk"),
        "init_scale": _one_of(rng, 1.0, float(rng.uniform(0.7, 1.2))),
        "centered": _one_of(rng, True, False),
    }
    if residual:
        table["branch"] = float(rng.uniform(0.3, 1.5))
        table["branch_scaling"] = _one_of(rng, "depth", "constant")
    return table


def _data(rng: Generator, trace: bool) -> Table:
    kind = _one_of(rng, "full_batch", "multi_pass", "one_pass", "population")
    spectrum, targets = _spectrum(rng, trace), (1.0,)
    if rng.random() < 0.2 and not trace:
        targets = tuple(rng.uniform(0.3, 1.5, int(rng.integers(2, 4))).tolist())
    noise = _one_of(rng, 0.0, float(rng.uniform(0.1, 1.0)))
    table: Table = {"kind": kind, "noise": noise, "spectrum": spectrum, "targets": targets}
    if kind != "population":
        table["alpha"] = _part(rng, 0.25, 4.0)
    if kind == "multi_pass":
        fraction = float(rng.uniform(0.2, 1.0))
        if fraction < SMALL_BATCH:  # earlier versions drew every batch anew
            return table | {"kind": "epochs", "batches": round(1 / fraction)}
        table["batch_fraction"] = fraction
    return table


def _spectrum(rng: Generator, trace: bool) -> Table:
    if trace:
        law = {"capacity": float(rng.uniform(1.2, 2.0)), "source": float(rng.uniform(0.3, 1.2))}
        return {"kind": "power_law", "modes": TRACE_MODES, **law}
    modes = int(rng.integers(1, 4))
    if modes == 1:
        return {"kind": "isotropic"}
    shares = 1 + rng.multinomial(PARTS - modes, np.full(modes, 1 / modes))
    return {
        "kind": "discrete",
        "eigenvalues": rng.uniform(0.2, 2.0, modes).tolist(),
        "target_power": rng.uniform(0.1, 2.0, modes).tolist(),
        "weights": (shares / PARTS).tolist(),
    }


def _optimizer(rng: Generator, steps: int, arrays: int) -> Table:
    momentum = _one_of(rng, 0.0, 0.0, 0.5, 0.9)
    schedule = rng.uniform(0.3, 1.0, steps).tolist()
    table: Table = {
        "lr": _one_of(rng, 1.0, 1.0, schedule),
        "momentum": momentum,
        "nesterov": momentum > 0 and _one_of(rng, True, False),
        "weight_decay": _one_of(rng, 0.0, 0.0, float(rng.uniform(0.1, 0.5))),
    }
    if rng.random() < 0.3:
        table["layer_lr"] = rng.uniform(0.3, 1.5, arrays).tolist()
    return table


def _counted(tables: Table, size: int) -> Table:
    """The tables with counts instead of ratios, as trace-class spectra need them."""
    network, data = dict(tables["network"]), dict(tables["data"])
    network["hidden"] = (size * np.asarray(network.pop("width"))).tolist()
    if "alpha" in data:
        name = "batch" if data["kind"] == "one_pass" else "samples"
        data[name] = size * data.pop("alpha")
    return {**tables, "network": network, "data": data}


def _calm_rates(problems: list[Problem], steps: int) -> np.ndarray:
    """Rates at which the theory's loss hardly rises, at all sizes."""
    rates = np.atleast_1d(np.asarray(problems[0].optimizer.lr))
    for problem in problems:
        while not _calm(problem.replace(**{"optimizer.lr": rates.tolist()}), steps):
            rates = rates / 2
    return rates


def _calm(problem: Problem, steps: int) -> bool:
    losses = solve(problem, steps, threads=1).test_loss
    return bool(losses.max() <= CALM * losses[0])


def _part(rng: Generator, low: float, high: float) -> float:
    """A multiple of 1 / ``PARTS`` between the bounds, distributed evenly in its logarithm."""
    return max(1, round(PARTS * _log(rng, low, high))) / PARTS


def _log(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _one_of(rng: Generator, *values: Any) -> Any:
    return values[int(rng.integers(len(values)))]
