"""The settings of the page for a problem, as the part of a link after "#".

The page reads and writes the same links; its side is docs/explorer/src/settings/permalink.ts.
"""

import math
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import quote

import numpy as np

from lindmft._internal.validation import conflict
from lindmft.problem.data import Epochs, FullBatch, OnePass, Population
from lindmft.problem.network import ResNet
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Discrete, Isotropic

__all__ = ["link"]

VERSION = 1
INPUTS = 200
"""D of problems that do not name it; the usual value of the page."""
PYTORCH_SCALE = math.sqrt(1 / 3)
"""Initial scale of ``nn.Linear``."""
PLAIN = {
    "network": ("centered", "zero_readout"),
    "data": ("noise_covariance", "switch_at"),
    "optimizer": ("nesterov",),
}
"""Fields without a control, by part of the problem; their usual values are false."""

Pairs = dict[str, Any]


def link(problem: Problem, steps: int) -> str:
    """Return the settings of a problem as the page writes them into its address."""
    _refuse_what_has_no_control(problem)
    pairs: Pairs = {"v": VERSION, "T": steps}
    pairs |= _network(problem) | _data(problem) | _spectrum(problem) | _optimizer(problem, steps)
    return "&".join(f"{name}={_text(value)}" for name, value in pairs.items())


def _refuse_what_has_no_control(problem: Problem) -> None:
    for part, fields in PLAIN.items():
        for name in fields:
            if getattr(getattr(problem, part), name, None):
                _refuse(f"{part}.{name}", "there is no control for it")
    kinds = (FullBatch, Epochs, OnePass, Population)
    if not isinstance(problem.data, kinds):
        _refuse("data.kind", "it has shuffled epochs, but no random batches of the same samples")
    if problem.data.targets != (1.0,):
        _refuse("data.targets", "networks have one output whose target is of size 1")


def _refuse(field: str, why: str) -> NoReturn:
    conflict(field, "the page of the explorer", why, "Leave it at its usual value")


def _one(values: Any, field: str) -> float:
    """Return the only value of a list that may differ between layers or steps."""
    found = np.unique(np.asarray(values, float))
    if len(found) != 1:
        _refuse(field, "there is one number for all layers and steps")
    return float(found[0])


def _network(problem: Problem) -> Pairs:
    network = problem.network
    width = _one(network.width, "network.width")
    pairs = {"net": network.kind, "L": network.depth, "nu": width, "g": network.gamma0}
    pairs["D"] = getattr(problem.data, "inputs", None) or INPUTS
    if isinstance(network, ResNet) and (network.branch, network.branch_scaling) != (1.0, "depth"):
        _refuse("network.branch", "branches have the strength 1 / sqrt(depth)")
    if _like_pytorch(problem, width):
        return {**pairs, "p": "pytorch", "g": 1.0}
    if _one(network.init_scale, "network.init_scale") != 1.0:
        _refuse("network.init_scale", "the initial scale follows from gamma0")
    if problem.optimizer.layer_lr is not None:
        _refuse("optimizer.layer_lr", "the rates of layers follow from the parameterization")
    if network.parameterization == "ntk" and math.isfinite(width):
        pairs["g"] = network.gamma0 / math.sqrt(width)
    return {**pairs, "p": network.parameterization}


def _like_pytorch(problem: Problem, width: float) -> bool:
    """Whether the layers are those of ``nn.Linear`` with one raw learning rate."""
    network, rates = problem.network, problem.optimizer.layer_lr
    scales = np.asarray(network.init_scale, float)
    usual = network.parameterization == "ntk" and math.isclose(network.gamma0, 1.0, rel_tol=1e-9)
    expected = [1.0, *[width] * int(min(network.depth, 1000))]
    given = expected if rates is None and width == 1.0 else rates
    same = given is not None and len(given) == len(expected) and np.allclose(given, expected)
    return usual and np.allclose(scales, PYTORCH_SCALE, rtol=1e-9) and bool(same)


def _data(problem: Problem) -> Pairs:
    data = problem.data
    pairs: Pairs = {"d": data.kind, "s": data.noise}
    if not isinstance(data, Population):
        pairs["a"] = _one(data.alpha, "data.alpha")
    if isinstance(data, Epochs):
        pairs["b"] = 1 / float(data.batches or 1)
    return pairs


def _spectrum(problem: Problem) -> Pairs:
    spectrum = problem.data.spectrum
    if isinstance(spectrum, Isotropic):
        return {}
    if not isinstance(spectrum, Discrete) or spectrum.trace_class:
        _refuse("data.spectrum", "widths and samples are ratios, not counts")
    lists = (spectrum.eigenvalues, spectrum.target_power or (), spectrum.weights or ())
    return {"spec": ["own", quote("modes of the problem"), *(x for part in lists for x in part)]}


def _optimizer(problem: Problem, steps: int) -> Pairs:
    optimizer = problem.optimizer
    momentum = _one(optimizer.momentum, "optimizer.momentum")
    pairs: Pairs = {"m": momentum, "wd": optimizer.weight_decay}
    rates = np.ravel(optimizer.lr)[:steps]
    peak = float(rates.max())
    pairs["lr"] = peak
    if np.ptp(rates) > 0:
        pairs["sch"] = ["drawn", *(rates / peak)]
    return pairs


def _text(value: Any) -> str:
    """Return a number or a list as JavaScript reads it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return ",".join(map(_text, value))
    return repr(float(value)) if isinstance(value, float) else str(value)
