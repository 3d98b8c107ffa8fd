"""Standard parameterizations as changes of a problem, and the raw learning rates of a problem.

Raw rates are those of a training loop on the weights of ``nn.Linear`` layers without biases, whose
forward pass is ``W h``, for the loss ``0.5 * mse``. D is the input dimension; with a trace-class
spectrum it is the number of modes.
"""

import math
from typing import Any

import numpy as np

from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import refuse
from lindmft.problem.network import widths
from lindmft.problem.problem import Problem
from lindmft.problem.spectrum import Discrete, PowerLaw

PYTORCH_SCALE = 3**-0.5
"""``nn.Linear`` draws weights uniformly from +-1 / sqrt(fan-in): variance 1 / (3 fan-in)."""
NO_LIMIT = " (the best one falls with the width, so that there is no limit of infinite width)"
SAME = 1e-9
"""Relative difference up to which raw rates are equal."""


def same_raw_rate(problem: Problem, init_scale: Number | Numbers) -> dict[str, Any]:
    """Return the changes that make lr the raw rate of all layers, with variances s^2 / fan-in.

    The readout of ``nn.Linear`` has variance s^2 / N_L if the effective gamma0 is sqrt(D / N_L):
    NTK parameterization with gamma0 = 1 (with ``hidden``, sqrt(D)). The raw rate of W^l is then lr
    c_l D / N_l, with N_0 = D, and that of the readout lr c_L D / N_L.

        c  L + 1  multipliers layer_lr = 1, N_1 / D, ..., N_L / D   theory.md sections 2 and 8
    """
    ratios = _ratios(problem)
    if not np.isfinite(ratios).all():
        size = "width" if problem.network.hidden is None else "hidden"
        refuse(
            f"network.{size}", f"finite where all layers have the same raw rate{NO_LIMIT}", math.inf
        )
    inputs = 1.0 if problem.network.hidden is None else _modes(problem)
    return {
        "network.parameterization": "ntk",
        "network.gamma0": math.sqrt(inputs),
        "network.init_scale": init_scale,
        "optimizer.layer_lr": [1.0, *_per_array(problem, ratios)],
    }


def raw_factors(problem: Problem) -> Array:
    """Return (L + 1,) the raw learning rate of each layer over lr; theory.md section 2.

    At infinite depth there are three: of the input weights, of all branches, of the readout.
    """
    ratios, network = _ratios(problem), problem.network
    units = widths(network)[-1]
    gamma0 = network.gamma0 / (math.sqrt(units) if network.parameterization == "ntk" else 1.0)
    hidden = _per_array(problem, ratios)[:-1]
    last = ratios[-1]
    factors = np.array([gamma0**2 * last, *(gamma0**2 * last / nu for nu in hidden), 1 / last])
    multipliers = problem.optimizer.layer_lr
    found: Array = factors * (1.0 if multipliers is None else np.asarray(multipliers))
    return found


def common_factor(problem: Problem) -> float | None:
    """Return the raw learning rate over lr if it is the same for all layers, or None."""
    if not np.isfinite(_ratios(problem)).all():
        return None
    factors = raw_factors(problem)
    same = np.ptp(factors) <= SAME * factors.max()
    return float(factors[0]) if same and factors[0] > 0 else None


def _ratios(problem: Problem) -> Array:
    """Ratios N_l / D of the hidden layers: (1,) if all are equal, else (L,)."""
    units = np.array(widths(problem.network))
    return units if problem.network.hidden is None else units / _modes(problem)


def _modes(problem: Problem) -> float:
    """D of a trace-class spectrum."""
    spectrum = problem.data.spectrum
    if isinstance(spectrum, Discrete):
        return math.fsum(spectrum.weights or ())
    return float(spectrum.modes) if isinstance(spectrum, PowerLaw) else 1.0


def _per_array(problem: Problem, ratios: Array) -> list[float]:
    """N_l / D of the input layer of each array after the first."""
    depth = problem.network.depth
    arrays = 2 if depth == math.inf else int(depth)
    return [float(nu) for nu in np.broadcast_to(ratios, arrays)]
