"""Random problems of all kinds that the theory covers."""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

Problem = dict[str, Any]


def number(low: float, high: float) -> st.SearchStrategy[float]:
    """A float in a range, at a resolution that keeps failures readable."""
    return st.integers(0, 1000).map(lambda i: round(low + (high - low) * i / 1000, 6))


@st.composite
def initial_scales(draw: st.DrawFn, low: float, high: float, arrays: int) -> float | list[float]:
    """Initial scales: one for all arrays, or one each, of which one may be zero."""
    if draw(st.booleans()):
        return draw(number(low, high))
    scales = draw(st.lists(number(low, high), min_size=arrays, max_size=arrays))
    if draw(st.booleans()):
        scales[draw(st.integers(0, arrays - 1))] = 0.0
    return scales


@st.composite
def networks(draw: st.DrawFn) -> Problem:
    depth = draw(st.integers(1, 4))
    width = draw(
        st.one_of(
            number(0.3, 4.0),
            st.just(math.inf),
            st.lists(number(0.3, 4.0), min_size=depth, max_size=depth),
        )
    )
    return {
        "kind": "mlp",
        "depth": depth,
        "width": width,
        "gamma0": draw(number(0.2, 2.0)),
        "parameterization": draw(st.sampled_from(["mup", "ntk"])),
        "init_scale": draw(initial_scales(0.5, 1.2, depth + 1)),
        "centered": draw(st.booleans()),
    }


@st.composite
def resnets(draw: st.DrawFn, depths: st.SearchStrategy[float]) -> Problem:
    """Residual networks; one in a few is lazy, at infinite width."""
    depth = draw(depths)
    network = {
        "kind": "resnet",
        "depth": depth,
        "width": draw(st.one_of(number(0.3, 4.0), st.just(math.inf))),
        "gamma0": draw(number(0.2, 2.0)),
        "branch": draw(number(0.1, 1.2)),
        "parameterization": draw(st.sampled_from(["mup", "ntk"])),
        "init_scale": draw(initial_scales(0.5, 1.1, 3 if depth == math.inf else int(depth) + 1)),
        "centered": draw(st.booleans()),
    }
    if network["depth"] != math.inf:
        network["branch_scaling"] = draw(st.sampled_from(["depth", "constant"]))
    if draw(st.integers(0, 4)) == 0:
        network |= {"width": math.inf, "gamma0": 0.0, "parameterization": "mup"}
    return network


def initial_kernel(network: Problem) -> float:
    """Return the kernel at t = 0 for equal widths, init_scale 1 (theory.md section 12, item 9)."""
    depth, b_sq = network["depth"], network.get("branch", 1.0) ** 2
    if network["kind"] == "mlp":
        return float(depth + 1)
    if depth == math.inf:
        return math.exp(b_sq) * (2 + b_sq)
    if network.get("branch_scaling", "depth") == "depth":
        b_sq /= depth
    return float((1 + b_sq) ** (depth - 1) * (2 + (depth - 1) * b_sq / (1 + b_sq)))


@st.composite
def spectra(draw: st.DrawFn) -> Problem:
    if draw(st.booleans()):
        return {"kind": "isotropic"}
    modes = draw(st.integers(1, 4))
    weights = np.array(draw(st.lists(number(0.2, 1.0), min_size=modes, max_size=modes)))
    return {
        "kind": "discrete",
        "eigenvalues": draw(st.lists(number(0.2, 2.0), min_size=modes, max_size=modes)),
        "target_power": draw(st.lists(number(0.0, 2.0), min_size=modes, max_size=modes)),
        "weights": (weights / weights.sum()).tolist(),
    }


@st.composite
def data_sets(draw: st.DrawFn) -> Problem:
    kinds = ["full_batch", "multi_pass", "epochs", "one_pass", "population"]
    kind = draw(st.sampled_from(kinds))
    data: Problem = {"kind": kind, "noise": draw(number(0.0, 1.0)), "spectrum": draw(spectra())}
    if kind != "population":
        data["alpha"] = draw(st.one_of(number(0.4, 4.0), st.just(math.inf)))
    if kind == "multi_pass":
        data["batch_fraction"] = draw(number(0.2, 1.0))
    if kind == "epochs":
        data["batches"] = draw(st.integers(1, 5))
    return data


@st.composite
def sharing(draw: st.DrawFn, data: st.SearchStrategy[Problem] | None = None) -> Problem:
    """Draw data with up to three outputs that share modes, with vectors or Gram matrices."""
    table = draw(data_sets() if data is None else data)
    outputs, modes = draw(st.integers(1, 3)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    targets = rng.standard_normal((modes, outputs, draw(st.integers(1, 2))))
    vectors = draw(st.booleans())
    spectrum = {
        "kind": "discrete",
        "eigenvalues": draw(st.lists(number(0.2, 1.5), min_size=modes, max_size=modes)),
        "targets": targets[..., 0] if vectors else targets @ targets.swapaxes(1, 2),
        "weights": np.full(modes, 1 / modes),
    }
    spectrum |= {name: np.array(spectrum[name]).tolist() for name in ("targets", "weights")}
    if draw(st.booleans()):
        factor = rng.standard_normal((outputs, outputs)) / 2
        table = table | {"noise": 0.0, "noise_covariance": (factor @ factor.T).tolist()}
    return table | {"spectrum": spectrum}


@st.composite
def optimizers(draw: st.DrawFn, network: Problem, steps: int) -> Problem:
    momentum = draw(st.sampled_from([0.0, 0.5, 0.9]))
    rate = number(0.0, 0.15 * (1 - momentum) / initial_kernel(network))
    optimizer: Problem = {
        "lr": draw(st.one_of(rate, st.lists(rate, min_size=steps, max_size=steps))),
        "momentum": momentum,
        "nesterov": momentum > 0 and draw(st.booleans()),
        "weight_decay": draw(st.sampled_from([0.0, 0.3])),
    }
    if draw(st.booleans()):
        arrays = 3 if network["depth"] == math.inf else network["depth"] + 1
        optimizer["layer_lr"] = draw(st.lists(number(0.0, 1.5), min_size=arrays, max_size=arrays))
    return optimizer


@st.composite
def problems(
    draw: st.DrawFn, steps: int, architecture: st.SearchStrategy[Problem] | None = None
) -> Problem:
    """Draw problems whose theory stays finite; all else is random."""
    network = draw(networks() if architecture is None else architecture)
    return {
        "network": network,
        "data": draw(data_sets()),
        "optimizer": draw(optimizers(network, steps)),
    }


def problem(**changes: Any) -> Problem:
    """Return the reference problem of the benchmarks, with changes to its tables."""
    base: Problem = {
        "network": {"kind": "mlp", "depth": 2, "width": 1.0, "gamma0": 1.0},
        "data": {"kind": "full_batch", "alpha": 2.0, "noise": 0.3},
        "optimizer": {"lr": 0.1},
    }
    for table, values in changes.items():
        base[table] = base[table] | values
    if base["data"]["kind"] == "population":
        del base["data"]["alpha"]
    return base
