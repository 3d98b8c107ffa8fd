"""Random problems whose dynamics are smooth in time: full batch and population."""

import math

import coarse
import numpy as np
from hypothesis import strategies as st
from problems import Problem, initial_kernel, number, resnets

import lindmft as lm

TOLERANCES = st.sampled_from([1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])


@st.composite
def perceptrons(draw: st.DrawFn) -> Problem:
    """Draw perceptrons of depth 1 to 3; some of infinite width, and some of these lazy."""
    width = draw(st.one_of(number(0.3, 4.0), number(0.3, 4.0), st.just(math.inf)))
    lazy = width == math.inf and draw(st.integers(0, 2)) == 0
    return {
        "kind": "mlp",
        "depth": draw(st.integers(1, 3)),
        "width": width,
        "gamma0": 0.0 if lazy else draw(number(0.2, 4.0)),
        "parameterization": "mup" if lazy else draw(st.sampled_from(["mup", "mup", "ntk"])),
        "centered": draw(st.booleans()),
    }


@st.composite
def small_resnets(draw: st.DrawFn) -> Problem:
    network = draw(resnets(st.integers(1, 4)))
    return network | {"init_scale": 1.0}


@st.composite
def spectra(draw: st.DrawFn) -> Problem:
    if draw(st.integers(0, 2)) > 0:
        return {"kind": "isotropic"}
    modes = draw(st.integers(2, 3))
    weights = np.array(draw(st.lists(number(0.2, 1.0), min_size=modes, max_size=modes)))
    return {
        "kind": "discrete",
        "eigenvalues": draw(st.lists(number(0.2, 2.0), min_size=modes, max_size=modes)),
        "target_power": draw(st.lists(number(0.1, 2.0), min_size=modes, max_size=modes)),
        "weights": (weights / weights.sum()).tolist(),
    }


@st.composite
def data_sets(draw: st.DrawFn) -> Problem:
    noise = draw(st.one_of(st.just(0.0), number(0.0, 1.0)))
    data: Problem = {"kind": "population", "noise": noise, "spectrum": draw(spectra())}
    if draw(st.integers(0, 3)) > 0:
        data |= {"kind": "full_batch", "alpha": draw(st.one_of(number(0.3, 6.0), st.just(1.0)))}
    return data


@st.composite
def optimizers(draw: st.DrawFn, steps: int) -> Problem:
    """Draw optimizers with rates up to 1; a schedule decays, or warms up over its first tenth."""
    momentum = draw(st.sampled_from([0.0, 0.0, 0.5, 0.9]))
    schedule = draw(st.sampled_from(["constant", "constant", "decay", "warm up"]))
    times = np.arange(steps) / steps
    rates = {"decay": 1 / (1 + 9 * times), "warm up": np.minimum(1, 0.1 + 9 * times)}
    return {
        "lr": rates[schedule].tolist() if schedule in rates else 1.0,
        "momentum": momentum,
        "nesterov": momentum > 0 and draw(st.booleans()),
        "weight_decay": draw(st.sampled_from([0.0, 0.0, 0.1])),
    }


@st.composite
def problems(draw: st.DrawFn, steps: int) -> Problem:
    """Draw problems with 0.02 to 0.9 times the largest rate that is stable for all steps."""
    setting: Problem = {
        "network": draw(st.one_of(perceptrons(), perceptrons(), small_resnets())),
        "data": draw(data_sets()),
        "optimizer": draw(optimizers(steps)),
    }
    fraction = draw(number(math.log(0.02), math.log(0.9)).map(math.exp))
    return with_rate(setting, fraction * largest_rate(setting, steps))


def with_rate(setting: Problem, rate: float) -> Problem:
    """Return the same problem with all rates multiplied."""
    lr = (np.asarray(setting["optimizer"]["lr"]) * rate).tolist()
    return setting | {"optimizer": setting["optimizer"] | {"lr": lr}}


def largest_rate(setting: Problem, steps: int) -> float:
    """Return a rate that is stable for all steps, at most a quarter below the largest such rate."""
    momentum = setting["optimizer"]["momentum"]
    rate = 4 * (1 + momentum) / initial_kernel(setting["network"])
    while not _stable(with_rate(setting, rate), steps):
        rate *= 0.8
    return rate


def _stable(setting: Problem, steps: int) -> bool:
    try:
        run = coarse.exact(setting, steps)
    except lm.NotConverged:  # the rate is far too large
        return False
    if run.diverged_at is not None or run.predictable_until is not None:
        return False
    return bool(run.train_loss[-1] <= run.train_loss[0] and np.all(run.test_loss < 1e3))
