"""The neural tangent kernel along random vectors, the target's gradient and the data gradient."""

import copy
import math
from typing import Any

import closed_forms
import numpy as np
import oracle
import oracle_residual
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_residual import Continuum, Residual
from problems import networks, problem, problems, resnets

import lindmft as lm

STEPS = 7
NAMES = ("kernel_scale", "kernel_target", "kernel_gradient")
OVERLAPS = ("shared_init", "shared_data", "independent")
INFINITE = {"kind": "resnet", "depth": math.inf}
RESNET = {"kind": "resnet", "depth": 3, "branch": 0.9}
UNEQUAL = {"depth": 3, "width": [0.6, 2.0, 0.9]}
ANY = st.one_of(networks(), resnets(st.integers(1, 4)), resnets(st.just(math.inf)))
TWO_MODES = {"eigenvalues": [1.6, 0.5], "target_power": [0.4, 1.2], "weights": [0.3, 0.7]}
SPECTRUM = {"kind": "discrete"} | TWO_MODES


def solved(setting: dict[str, Any], steps: int, **options: Any) -> tuple[lm.Solution, Any]:
    """The solution, and its three kernels (3, n)."""
    solution = lm.solve(setting, steps, kernels=True, **options)
    return solution, np.array([getattr(solution, name) for name in NAMES])


def oracle_kernels(problem: dict[str, Any], steps: int, nodes: int) -> Any:
    """(3, T): c_l b_l^2 (nu_{l+1}/nu_L) C_g^{l+1} <h_x^l h_x^l> / |x|^2, summed over weights.

    A vector x that stands in the place of u(t) moves no weights before t, so the equations of row t
    say what they make of it.
    """
    con, state = oracle_residual.march_any(problem, steps, nodes)
    arrays = 3 if isinstance(con, Continuum) else con.depth + 1
    lr = np.ones(arrays) if "layer_lr" not in problem["optimizer"] else None
    lr = np.array(problem["optimizer"]["layer_lr"]) if lr is None else lr
    Bt, _ = oracle.data_inputs(con, state, steps)
    _, G = oracle.transfer(con.lam, Bt, state.R_delta)
    target_u = (con.weight * con.lam**2 * con.power * G @ state.R_delta).sum(0).sum(1)
    size = float((con.weight * con.lam**2 * con.power).sum())
    kernels = np.zeros((3, steps))
    for t in range(steps):
        u = state.C_h[0][t, t]
        for i, (overlap, square) in enumerate(((0 * target_u, 1.0), (target_u, size))):
            probe = copy.deepcopy(state)
            probe.C_h[0][t, :t] = probe.C_h[0][:t, t] = overlap[:t]
            probe.C_h[0][t, t], probe.R_hr[0][t] = square, 0.0
            kernels[i, t] = oracle_kernel(con, probe, t, lr) / square if square > 0 else 0.0
        kernels[2, t] = oracle_kernel(con, copy.deepcopy(state), t, lr) / u if u > 0 else 0.0
    return kernels


def oracle_kernel(con: oracle.Constants, state: Any, t: int, lr: Any) -> float:
    n, C_h, C_g = t + 1, state.C_h[:, t, t], state.C_g[:, t, t]
    if isinstance(con, Continuum):
        oracle_residual.left_flow(con, state, n)
        branches = lr[1] * con.branch**2 * con.ahead[-1] @ (C_g[1:-1] * C_h[1:])
    elif isinstance(con, Residual):
        oracle_residual.left_sweep(con, state, n)
        branches = con.branch**2 * (lr[1:-1] * C_g[2:-1] * C_h[1:-1]).sum()
    else:
        for layer in range(1, con.depth + 1):
            oracle.forward(con, state, layer, n)
        width = np.cumprod(con.ratio)[:-1]  # nu_{l+1} / nu_L
        return float((lr[:-1] * width * C_g[1:-1] * C_h[:-1]).sum() + lr[-1] * C_h[-1])
    return float(lr[0] * C_g[1] * C_h[0] + branches + lr[-1] * C_h[-1])


@settings(max_examples=40, deadline=None)
@given(problems(STEPS, ANY))
def test_kernels_agree_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    infinite = problem["network"]["depth"] == math.inf
    _, kernels = solved(problem, STEPS, depth_nodes=12 if infinite else None)
    expected = oracle_kernels(problem, STEPS, nodes=14)
    np.testing.assert_allclose(kernels, expected, rtol=1e-8, atol=1e-9 * np.max(np.abs(expected)))


@pytest.mark.parametrize("kind", ["full_batch", "population"])
@pytest.mark.parametrize(
    "network",
    [
        {"depth": 2, "parameterization": "ntk", "init_scale": 0.8, "centered": True},
        UNEQUAL,
        RESNET | {"gamma0": 0.6},
        RESNET | {"branch_scaling": "constant"},
        INFINITE,
    ],
)
def test_a_small_step_does_what_the_kernel_says(kind: str, network: dict[str, Any]) -> None:
    """A step of size lr lowers the training loss by 2 lr u . K u / D, after any steps before."""
    spectrum = {"kind": "isotropic"} if kind == "population" else SPECTRUM
    for before in (0, 1, 4):
        setting = problem(
            network=network,
            data={"kind": kind, "alpha": 1.4, "noise": 0.3, "spectrum": spectrum},
            optimizer={"lr": [*[0.03, 0.06, 0.02, 0.04][:before], 1e-7]},
        )
        arrays = 3 if network.get("depth") == math.inf else network["depth"] + 1
        setting["optimizer"]["layer_lr"] = [0.5, *[1.3, 0.8][: arrays - 2], 1.7]
        solution = lm.solve(setting, before + 1, kernels=True, save="C_h")
        # A schedule covers the steps: one more entry for the state after the last.
        setting["optimizer"]["lr"] += [0.0]
        loss = lm.solve(setting, before + 2).train_loss
        assert solution.kernel_gradient is not None
        drop = 2e-7 * solution.kernel_gradient[-1] * solution.C_h[0][-1, -1]
        assert loss[-2] - loss[-1] == pytest.approx(drop, rel=1e-5)


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("alpha", [0.5, 3.0])
def test_initial_kernel_of_a_perceptron(depth: int, alpha: float) -> None:
    """L + 1, whatever the data; every weight array counts the same, whatever the widths."""
    setting = problem(network={"depth": depth}, data={"alpha": alpha})
    _, kernels = solved(setting, 1)
    np.testing.assert_allclose(kernels[:2, 0], depth + 1, rtol=1e-13)
    lr = [0.5 + 0.3 * layer for layer in range(depth + 1)]
    widths = [0.7 * 1.5**layer for layer in range(depth)]
    setting["network"] |= {"init_scale": 0.9, "width": widths}
    setting["optimizer"] |= {"layer_lr": lr}
    _, kernels = solved(setting, 1)
    np.testing.assert_allclose(kernels[:2, 0], 0.9 ** (2 * depth) * sum(lr), rtol=1e-13)


@pytest.mark.parametrize("depth", [1, 2, 6, math.inf])
@pytest.mark.parametrize("lr", [(1.0, 1.0, 1.0), (0.4, 1.7, 0.9)])
def test_initial_kernel_of_a_residual_network(depth: float, lr: tuple[float, ...]) -> None:
    """Section 12 item 9, with a multiplier for the input, all branches, the readout."""
    setting = problem(network={"kind": "resnet", "depth": depth, "branch": 1.1})
    hidden = 1 if depth == math.inf else int(depth) - 1
    setting["optimizer"] |= {"layer_lr": [lr[0], *[lr[1]] * hidden, lr[2]]}
    if depth == math.inf:
        expected = math.exp(1.21) * (lr[0] + 1.21 * lr[1] + lr[2])
    else:
        b_sq = 1.21 / depth
        growth = (1 + b_sq) ** (depth - 1)
        expected = growth * (lr[0] + (depth - 1) * b_sq / (1 + b_sq) * lr[1] + lr[2])
    _, kernels = solved(setting, 1)
    np.testing.assert_allclose(kernels[:2, 0], expected, rtol=1e-10)


@pytest.mark.parametrize("network", [{"depth": 3}, RESNET, INFINITE])
@pytest.mark.parametrize("kind", ["full_batch", "one_pass", "population"])
def test_the_lazy_kernel_stays(network: dict[str, Any], kind: str) -> None:
    """Constant, the same along every vector; item 9: population steps shrink the error by it."""
    lazy = network | {"width": math.inf, "gamma0": 0.0, "centered": True}
    setting = problem(network=lazy, data={"kind": kind, "noise": 0.2}, optimizer={"lr": 0.02})
    solution, kernels = solved(setting, 12)
    np.testing.assert_allclose(kernels, kernels[0, 0], rtol=1e-11)
    if kind == "population":
        expected = (1 - 0.02 * kernels[0, 0]) ** (2 * np.arange(12))
        np.testing.assert_allclose(solution.test_loss, expected, rtol=1e-9)


@pytest.mark.parametrize("gamma0", [0.5, 2.0])
def test_one_wide_hidden_layer(gamma0: float) -> None:
    """Section 12 item 6: all that happens is along the target; across it, only w^L moves."""
    setting = problem(
        network={"depth": 1, "width": math.inf, "gamma0": gamma0},
        data={"kind": "population", "noise": 0.0},
        optimizer={"lr": 0.02},
    )
    solution, kernels = solved(setting, 60)
    loss = closed_forms.infinite_width_loss(0.02, gamma0, 60)
    np.testing.assert_allclose(solution.test_loss, loss, rtol=1e-9)
    f, r, K, along = 0.0, 1.0, 2.0, []
    for _ in range(60):
        along.append(K)
        step, drive = 0.02 * r, 0.02**2 * gamma0**2 * r
        f, K = f + step * K + drive * r * f, K + 0.08 * gamma0**2 * f * r + drive * r * K
        r = 1 - f
    np.testing.assert_allclose(kernels[1], along, rtol=1e-10)
    np.testing.assert_allclose(kernels[2], along, rtol=1e-10)
    np.testing.assert_allclose(kernels[0], 1 + solution.gradient_norm[0], rtol=1e-10)
    alignment = solution.kernel_alignment
    assert alignment is not None
    np.testing.assert_allclose(alignment, kernels[1] / kernels[0], rtol=1e-15)
    assert alignment[0] == pytest.approx(1.0, rel=1e-14)
    assert (np.diff(alignment) > 0).all()


@pytest.mark.parametrize("network", [UNEQUAL, RESNET, INFINITE])
def test_nothing_else_changes(network: dict[str, Any]) -> None:
    """Rows that kernels are tried in are put back: to rounding, as they are computed anew."""
    setting = problem(network=network, data={"alpha": 1.3}, optimizer={"lr": 0.02})
    plain = lm.solve(setting, 20, save="all", replicas=True)
    solution, _ = solved(setting, 20, save="all", replicas=True)
    series = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
    for name in (*series, "feature_norm", "gradient_norm", "C_v", "C_delta", "R_delta", "depth"):
        np.testing.assert_array_equal(getattr(solution, name), getattr(plain, name), name)
    pairs = [(getattr(plain.replicas, n), getattr(solution.replicas, n)) for n in OVERLAPS]
    for name in ("C_h", "C_g", "R_hr", "R_gu"):
        layers = getattr(plain, name), getattr(solution, name)
        pairs += zip(*(stack.values() for stack in layers), strict=True)
    for before, after in pairs:
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-11 * np.abs(before).max())
    assert solution.stats.chain_residual == plain.stats.chain_residual
    assert plain.kernel_scale is None
    assert plain.kernel_alignment is None


def test_kernels_of_several_outputs_are_those_of_their_channels() -> None:
    setting = problem(data={"targets": [1.0, 2.0]})
    solution, _ = solved(setting, 10)
    assert [getattr(solution, name) for name in NAMES] == [None] * 3
    assert solution.kernel_alignment is None
    for channel, norm in zip(solution.channels, (1.0, 2.0), strict=True):
        _, kernels = solved(problem(data={"targets": [norm]}), 10)
        own = [getattr(channel, name) for name in NAMES]
        np.testing.assert_allclose(own, kernels, rtol=1e-13)


def test_past_a_divergence_all_is_infinite() -> None:
    solution, kernels = solved(problem(optimizer={"lr": 0.6}), 50)
    at = solution.diverged_at
    assert at is not None
    alignment = solution.kernel_alignment
    assert alignment is not None
    for values in (*kernels, alignment):
        assert np.isfinite(values[:at]).all()
        assert np.isposinf(values[at:]).all()


def test_probes_leave_nothing_behind_where_nothing_is_learned() -> None:
    nothing = {"kind": "discrete", "eigenvalues": [0.2], "target_power": [0.0], "weights": [1.0]}
    setting = problem(
        network={"depth": 2, "width": math.inf, "gamma0": 0.2, "init_scale": 0.5},
        data={"kind": "population", "noise": 0.0, "spectrum": nothing},
    )
    solution = lm.solve(setting, 7, kernels=True, save="C_g")
    np.testing.assert_allclose(solution.kernel_scale, 3 * 0.0625, rtol=1e-14)
    np.testing.assert_allclose(solution.C_g[1], 0.0625, rtol=1e-14)
