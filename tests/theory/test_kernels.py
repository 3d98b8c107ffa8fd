"""The neural tangent kernel along random vectors, the target's gradient and the data gradient."""

import copy
import dataclasses
import math
from pathlib import Path
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
    """The kernels of ``oracle_and_resolution``."""
    return oracle_and_resolution(problem, steps, nodes)[0]


def oracle_and_resolution(problem: dict[str, Any], steps: int, nodes: int) -> tuple[Any, Any]:
    """(3, T): c_l b_l^2 (nu_{l+1}/nu_L) C_g^{l+1} <h_x^l h_x^l> / |x|^2, summed over weights.

    A vector x that stands in the place of u(t) moves no weights before t, so the equations of row t
    say what they make of it. A vector that is zero has no kernel: nan. The gradient counts as zero
    where it is no larger than the rounding error of the terms that it is the sum of. Second, (T,),
    the gradient's square in units of these terms.
    """
    con, state = oracle_residual.march_any(problem, steps, nodes)
    arrays = 3 if isinstance(con, Continuum) else con.depth + 1
    lr = np.ones(arrays) if "layer_lr" not in problem["optimizer"] else None
    lr = np.array(problem["optimizer"]["layer_lr"]) if lr is None else lr
    Bt, _ = oracle.data_inputs(con, state, steps)
    _, G = oracle.transfer(con.lam, Bt, state.R_delta)
    power = con.power[:, :1, :1]  # there is one output
    target_u = (con.weight * con.lam**2 * power * G @ state.R_delta).sum(0).sum(1)
    size = float((con.weight * con.lam**2 * power).sum())
    kernels = np.full((3, steps), np.nan)
    weights = float((con.weight * con.lam**2).sum()) * con.rho * con.ratio[0]
    terms = np.diagonal(state.C_h[0]) + weights * con.D[0, 0, 0] ** 2 * np.diagonal(state.C_g[1])
    for t in range(steps):
        u = state.C_h[0][t, t]
        for i, (overlap, square) in enumerate(((0 * target_u, 1.0), (target_u, size))):
            probe = copy.deepcopy(state)
            probe.C_h[0][t, :t] = probe.C_h[0][:t, t] = overlap[:t]
            probe.C_h[0][t, t], probe.R_hr[0][t] = square, 0.0
            if square > 0:
                kernels[i, t] = oracle_kernel(con, probe, t, lr) / square
        if u > 1e-12 * terms[: t + 1].max():
            kernels[2, t] = oracle_kernel(con, copy.deepcopy(state), t, lr) / u
    return kernels, np.diagonal(state.C_h[0]) / np.maximum.accumulate(np.maximum(terms, 1e-300))


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
    expected, resolution = oracle_and_resolution(problem, STEPS, nodes=14)
    atol = 1e-9 * np.nanmax(np.abs(expected))
    np.testing.assert_allclose(kernels[:2], expected[:2], rtol=1e-8, atol=atol)
    # A gradient that is small in units of its terms is known to few digits, or to none at all.
    for rtol, known in ((1e-8, resolution > 1e-7), (1e-2, resolution > 1e-11)):
        np.testing.assert_allclose(kernels[2, known], expected[2, known], rtol=rtol, atol=atol)
    nothing = resolution < 1e-13
    infinite_sum = problem["network"]["width"] == math.inf
    assert infinite_sum or np.isnan(kernels[2, nothing]).all()


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
    assert not plain.has("kernel_scale")
    with pytest.raises(ValueError, match=r"^kernel_alignment .* solve\(\.\.\., kernels=True\)"):
        _ = plain.kernel_alignment


def test_kernels_of_several_outputs_are_those_of_their_channels() -> None:
    setting = problem(data={"targets": [1.0, 2.0]})
    solution = lm.solve(setting, 10, kernels=True)
    for name in (*NAMES, "kernel_alignment"):
        with pytest.raises(ValueError, match=rf"of a channel: channels\[0\]\.{name}"):
            getattr(solution, name)
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


NOTHING = {"kind": "discrete", "eigenvalues": [0.2], "target_power": [0.0], "weights": [1.0]}
NOWHERE = {
    "deep": {"kind": "resnet", "depth": math.inf, "branch": 0.1, "width": 0.3, "gamma0": 0.2},
    "mlp": {"depth": 1, "width": 0.7},
    "unequal": UNEQUAL,
    "resnet": RESNET,
    "wide": {"depth": 2, "width": math.inf},
    "lazy": {"depth": 2, "width": math.inf, "gamma0": 0.0},
}


@pytest.mark.parametrize("lr", [7.4e-5, 0.03, 0.0])
@pytest.mark.parametrize("kind", ["full_batch", "one_pass", "population"])
@pytest.mark.parametrize("name", NOWHERE)
def test_kernels_along_vectors_that_are_zero_are_missing(name: str, kind: str, lr: float) -> None:
    """No target, no noise, centered: the gradient is zero, and the weights stay as they were."""
    network = {"init_scale": 0.5007, "centered": True} | NOWHERE[name]
    data = {"kind": kind, "alpha": 0.4, "noise": 0.0, "spectrum": NOTHING}
    setting = problem(network=network, data=data, optimizer={"lr": lr})
    nodes = 12 if name == "deep" else None
    solution, kernels = solved(setting, STEPS, save="C_h", depth_nodes=nodes)
    assert np.isnan(kernels[1:]).all()
    assert np.isnan(solution.kernel_alignment).all()
    np.testing.assert_allclose(kernels[0], kernels[0, 0], rtol=1e-13)
    for zero in (solution.test_loss, solution.train_loss, solution.term_init, solution.C_h[0]):
        assert (zero == 0).all()
    np.testing.assert_allclose(kernels, oracle_kernels(setting, STEPS, nodes=14), rtol=1e-8)


def test_weight_decay_alone_makes_a_gradient() -> None:
    """A centered predictor without a target is zero at first, and no longer once weights decay."""
    spectrum = NOTHING | {"eigenvalues": [1.0]}
    network = {"depth": 2, "centered": True}
    data = {"noise": 0.0, "spectrum": spectrum}
    setting = problem(network=network, data=data, optimizer={"lr": 0.1, "weight_decay": 0.3})
    _, kernels = solved(setting, STEPS)
    assert np.isnan(kernels[2]).tolist() == [True] + [False] * (STEPS - 1)
    np.testing.assert_allclose(kernels, oracle_kernels(setting, STEPS, nodes=14), rtol=1e-8)


def test_a_gradient_below_its_rounding_error_has_no_direction() -> None:
    """The rest of u after 600 steps is rounding: no kernel rather than that of the rounding."""
    setting = problem(network={"depth": 1}, data={"kind": "population", "noise": 0.0})
    _, kernels = solved(setting, 600)
    last = np.flatnonzero(np.isfinite(kernels[2]))[-1]
    assert 80 < last < 200
    assert np.isfinite(kernels[2, : last + 1]).all()
    np.testing.assert_allclose(kernels[2, 60 : last + 1], 1.08, rtol=0.03)
    assert np.isfinite(kernels[:2]).all()


def test_a_gradient_that_is_small_but_known_keeps_its_direction() -> None:
    """At infinite width nothing cancels: u stays along the target, however small it is."""
    network = {"depth": 2, "width": math.inf}
    setting = problem(network=network, data={"kind": "population", "noise": 0.0})
    solution, kernels = solved(setting, 45, save="C_h")
    assert solution.C_h[0][-1, -1] < 1e-25
    np.testing.assert_allclose(kernels[2], kernels[1], rtol=1e-10)


def test_a_network_that_does_not_learn_has_a_kernel_of_zero() -> None:
    setting = problem(optimizer={"lr": 0.1, "layer_lr": [0.0, 0.0, 0.0]})
    solution, kernels = solved(setting, STEPS)
    assert (kernels == 0).all()
    assert np.isnan(solution.kernel_alignment).all()


def test_missing_kernels_survive_files_and_samples(tmp_path: Path) -> None:
    data = {"noise": 0.0, "spectrum": NOTHING}
    setting = problem(data=data)
    theory = lm.solve(setting, 6, kernels=True)
    runs = lm.train(setting, 6, dim=16, seeds=2, kernels=True)
    theory.save(tmp_path / "theory.nc")
    runs.save(tmp_path / "runs.nc")
    back, again = lm.Solution.load(tmp_path / "theory.nc"), lm.Ensemble.load(tmp_path / "runs.nc")
    for name in NAMES:
        np.testing.assert_array_equal(getattr(back, name), getattr(theory, name))
        np.testing.assert_array_equal(getattr(again, name), getattr(runs, name))
        np.testing.assert_array_equal(
            getattr(theory.at([0, 3]), name), getattr(theory, name)[[0, 3]]
        )
    assert np.isnan(theory.kernel_target).all()
    assert "does not exist" in theory.to_xarray().kernel_target.attrs["comment"]


def test_means_over_networks_leave_missing_kernels_out() -> None:
    runs = lm.train(problem(), 3, dim=16, seeds=4, kernels=True)
    some = runs.kernel_gradient.copy()
    some[0, 0] = some[1:, 1] = some[:, 2] = np.nan
    part = dataclasses.replace(runs, kernel_gradient=some)
    mean, error = part.mean().kernel_gradient, part.sem().kernel_gradient
    assert mean is not None
    assert error is not None
    np.testing.assert_allclose(mean, [some[1:, 0].mean(), some[0, 1], np.nan], rtol=1e-14)
    spread = some[1:, 0].std(ddof=1) / math.sqrt(3)
    np.testing.assert_allclose(error, [spread, np.inf, np.nan], rtol=1e-12)


def test_training_has_no_kernel_along_a_zero_vector() -> None:
    """The gradient is exactly zero with lr = 0, no target, no noise and a centered predictor."""
    data = {"noise": 0.0, "spectrum": NOTHING}
    setting = problem(network={"centered": True}, data=data, optimizer={"lr": 0.0})
    runs = lm.train(setting, 4, dim=16, seeds=3, kernels=True)
    assert np.isnan(runs.kernel_target).all()
    assert np.isnan(runs.kernel_gradient).all()
    assert np.isfinite(runs.mean().kernel_scale).all()
    assert np.isnan(runs.sem().kernel_target).all()
    assert runs.diverged_at == (None,) * 3


def test_probes_leave_nothing_behind_where_nothing_is_learned() -> None:
    nothing = {"kind": "discrete", "eigenvalues": [0.2], "target_power": [0.0], "weights": [1.0]}
    setting = problem(
        network={"depth": 2, "width": math.inf, "gamma0": 0.2, "init_scale": 0.5},
        data={"kind": "population", "noise": 0.0, "spectrum": nothing},
    )
    solution = lm.solve(setting, 7, kernels=True, save="C_g")
    np.testing.assert_allclose(solution.kernel_scale, 3 * 0.0625, rtol=1e-14)
    np.testing.assert_allclose(solution.C_g[1], 0.0625, rtol=1e-14)
