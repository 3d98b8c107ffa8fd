"""Residual networks of infinite depth: collocation in tau, its error estimate, and its limits."""

import math
from typing import Any

import numpy as np
import oracle_residual
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problem, problems, resnets

import lindmft as lm

STEPS = 7
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
MATRICES = ("C_v", "C_delta", "R_delta")
DEEP: dict[str, Any] = {"kind": "resnet", "depth": math.inf, "gamma0": 0.5, "branch": 1.0}
DIVERGING = (
    problem(network=DEEP | {"gamma0": 2.0}, optimizer={"lr": 1.0}),
    problem(network=DEEP | {"gamma0": 1.0, "branch": 2.0}, optimizer={"lr": 0.02}),
)


def deep(lr: float = 0.02, **network: Any) -> dict[str, Any]:
    return problem(network=DEEP | network, optimizer={"lr": lr})


def close(actual: Any, expected: Any, err_msg: str = "") -> None:
    """Equal on the scale of the largest entry, up to what the nodes in depth do not resolve."""
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(
        actual, expected, rtol=1e-8, atol=1e-8 * scale + 1e-12, err_msg=err_msg
    )


def test_agrees_with_theory_md() -> None:
    solution = lm.solve(deep(), 16)
    expected = [11.87312731, 5.44712999, 3.30392899, 2.06644406, 1.28987346]
    np.testing.assert_allclose(solution.test_loss[[0, 1, 3, 7, 15]], expected, atol=1e-8)
    assert len(solution.depth) <= 8
    np.testing.assert_allclose(solution.depth[[0, -1]], [0.0, 1.0], atol=1e-15)
    assert (np.diff(solution.depth) > 0).all()
    assert solution.feature_norm.shape == (len(solution.depth), 16)
    assert solution.stats.chain_residual < 1e-8
    assert 0 < solution.stats.depth_error < 1e-6


@settings(max_examples=15, deadline=None)
@given(problems(STEPS, resnets(st.just(math.inf))))
def test_every_output_agrees_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    solution = lm.solve(problem, STEPS, save="all", depth_nodes=12)
    expected = oracle_residual.solve_infinite(problem, STEPS, nodes=14)
    for name in (*SERIES, *MATRICES):
        close(getattr(solution, name), expected[name], name)
    for name in ("C_h", "R_hr"):
        close(getattr(solution, name)[0], expected[name][0], name)
    # The oracle's nodes are others: profiles compare at its depths, layer 0 has none.
    wanted = {"C_h": expected["C_h"][1:], "R_hr": expected["R_hr"][1:]}
    for name in ("feature_norm", "gradient_norm", "C_g", "R_gu"):
        wanted[name] = expected[name]
    for name, values in wanted.items():
        close(solution.profile(name, np.clip(expected["tau"], 0, 1)), values, name)


@settings(max_examples=20, deadline=None)
@given(problems(20, resnets(st.just(math.inf))))
def test_laws_hold_with_the_default_nodes(problem: dict[str, Any]) -> None:
    solution = lm.solve(problem, 20)
    assert solution.diverged_at is None
    assert solution.stats.chain_residual < 1e-7
    assert solution.stats.depth_error < 1e-6
    terms = solution.term_target + solution.term_init + solution.term_data
    np.testing.assert_allclose(terms, solution.test_loss, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("changes", [{}, {"centered": True, "gamma0": 1.5, "branch": 1.3}])
@pytest.mark.parametrize("optimizer", [{}, {"momentum": 0.5, "weight_decay": 0.8}])
def test_finite_depth_approaches_it_like_one_over_depth(
    changes: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    """Section 12 item 12, with decaying initial weights, too."""
    setting = deep(0.01, **changes)
    setting["optimizer"] |= optimizer
    limit = lm.solve(setting, 12).test_loss
    depths, errors = [8, 16, 32, 64, 128, 256], []
    for depth in depths:
        finite = lm.solve(lm.Problem.from_dict(setting).replace(**{"network.depth": depth}), 12)
        errors.append(np.max(np.abs(finite.test_loss - limit)))
    slope = np.polyfit(np.log(depths), np.log(errors), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.05)


def test_finite_depth_approaches_its_layers() -> None:
    """Norms, and responses per branch, at the middle of a deep network; lr of all branches."""
    setting = deep()
    setting["optimizer"] |= {"layer_lr": [0.5, 1.5, 0.8], "weight_decay": 0.5}
    limit = lm.solve(setting, 8, save="all")
    finite = []
    for depth in (64, 128):
        setting["network"] = setting["network"] | {"depth": depth}
        setting["optimizer"] |= {"layer_lr": [0.5, *[1.5] * (depth - 1), 0.8]}
        finite.append(lm.solve(setting, 8, save="all"))
    # h^l and g^l are at (l - 1/2) / L to order 1/L^2: the mean over a pair is the middle.
    for name in ("C_h", "C_g", "R_hr", "R_gu"):
        values = []
        for solution in finite:
            layer, depth = len(solution.depth) // 2, len(solution.depth)
            factor = math.sqrt(depth) if name.startswith("R") else 1.0  # b = 1/sqrt(L)
            pair = getattr(solution, name)[layer] + getattr(solution, name)[layer + 1]
            values.append(factor * pair / 2)
        middle, scale = limit.profile(name, 0.5), np.abs(limit.profile(name, 0.5)).max()
        extrapolated = 2 * values[1] - values[0]
        np.testing.assert_allclose(extrapolated, middle, atol=1e-3 * scale, err_msg=name)
        assert np.abs(values[0] - middle).max() > 1e-3 * scale


@pytest.mark.parametrize("branch", [0.3, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("gamma0", [0.2, 1.0, 2.5])
def test_the_error_estimate_can_be_trusted(branch: float, gamma0: float) -> None:
    """Losses are accurate to about the square of the estimate for the profiles."""
    kernel = math.exp(branch**2) * (2 + branch**2)
    setting = deep(0.05 / kernel, branch=branch, gamma0=gamma0)
    for nodes in (None, 5 if branch < 2.0 else 8):
        coarse = lm.solve(setting, 15, depth_nodes=nodes)
        fine = lm.solve(setting, 15, depth_nodes=2 * len(coarse.depth))
        bound = 30 * coarse.stats.depth_error**2 + 1e-11
        np.testing.assert_allclose(coarse.test_loss, fine.test_loss, rtol=bound)
        assert fine.stats.depth_error < max(coarse.stats.depth_error, 1e-13)


@pytest.mark.parametrize("gamma0", [0.5, 2.0])
@pytest.mark.parametrize("branch", [0.0, 0.8, 1.5, 2.0])
def test_initial_loss(gamma0: float, branch: float) -> None:
    """Section 12 item 1."""
    setting = deep(branch=branch, gamma0=gamma0, width=0.6, init_scale=0.9)
    expected = 1 + 0.9**4 * math.exp(0.9**2 * branch**2) / (gamma0**2 * 0.6)
    assert lm.solve(setting, 1).test_loss[0] == pytest.approx(expected, rel=1e-11)


def test_the_lazy_limit_is_a_kernel() -> None:
    """Section 12 item 9."""
    lazy = problem(
        network=DEEP | {"gamma0": 0.0, "width": math.inf, "branch": 1.2},
        data={"kind": "population"},
        optimizer={"lr": 0.02},
    )
    kernel = math.exp(1.2**2) * (2 + 1.2**2)
    expected = (1 - 0.02 * kernel) ** (2 * np.arange(8))
    np.testing.assert_allclose(lm.solve(lazy, 8).test_loss, expected, rtol=1e-10)


@pytest.mark.parametrize("setting", DIVERGING)
def test_divergence_is_a_flagged_prefix(setting: dict[str, Any]) -> None:
    solution = lm.solve(setting, 60, save="all", replicas=True, kernels=True)
    at = solution.diverged_at
    assert at is not None
    assert 0 < at < 60
    series = [getattr(solution, name) for name in SERIES]
    series += [*solution.feature_norm, *solution.gradient_norm]
    series += [solution.kernel_scale, solution.kernel_target, solution.kernel_gradient]
    series += [solution.replicas.shared_init, solution.replicas.shared_data]
    for values in (*series, solution.replicas.independent):
        assert np.isfinite(values[:at]).all()
        assert np.isposinf(values[at:]).all()
    for layers in (solution.C_h, solution.C_g, solution.R_hr, solution.R_gu):
        for array in layers.values():
            assert array.shape == (at, at)
            assert np.isfinite(array).all()
    assert str(at) in solution.status


@pytest.mark.parametrize("setting", DIVERGING)
def test_the_valid_prefix_is_right(setting: dict[str, Any]) -> None:
    """A solution that is called valid is the limit of deep networks."""
    solution = lm.solve(setting, 60)
    at = solution.diverged_at
    assert at is not None
    half, full = (
        lm.solve(lm.Problem.from_dict(setting).replace(**{"network.depth": depth}), at).test_loss
        for depth in (512, 1024)
    )
    np.testing.assert_allclose(solution.test_loss[:at], 2 * full - half, rtol=1e-2)


@pytest.mark.parametrize("setting", [*DIVERGING, deep(0.12, gamma0=1.0)])
def test_a_longer_solution_begins_with_the_shorter_one(setting: dict[str, Any]) -> None:
    long = lm.solve(setting, 60)
    assert long.diverged_at is not None
    for steps in range(1, long.diverged_at + 1):
        short = lm.solve(setting, steps)
        np.testing.assert_allclose(short.test_loss, long.test_loss[:steps], rtol=1e-4)


def test_profiles_interpolate() -> None:
    solution = lm.solve(deep(), 6, save=["C_g"])
    tau = solution.depth
    np.testing.assert_allclose(solution.profile("feature_norm", tau), solution.feature_norm)
    for node, depth in enumerate(tau):
        at_node = solution.profile("gradient_norm", float(depth))
        np.testing.assert_array_equal(at_node, solution.gradient_norm[node])
        at_node = solution.profile("C_g", float(depth))
        np.testing.assert_array_equal(at_node, solution.C_g[node + 1])
    assert solution.profile("C_g", [0.1, 0.2]).shape == (2, 6, 6)
    # Between nodes: at t = 0 the backward signal grows like exp(beta0^2 (1 - tau)), exactly.
    between = np.array([0.05, 0.33, 0.5, 0.9])
    start = solution.profile("gradient_norm", between)[:, 0]
    np.testing.assert_allclose(start, np.exp(1 - between), rtol=1e-6)
    more = lm.solve(deep(), 6, save=["C_g"], depth_nodes=14)
    for name in ("feature_norm", "gradient_norm", "C_g"):
        values = solution.profile(name, between), more.profile(name, between)
        np.testing.assert_allclose(*values, rtol=1e-5)


def test_profiles_refuse() -> None:
    solution = lm.solve(deep(), 3)
    for tau in (-0.1, 1.1, [0.5, 2.0], math.nan, "deep"):
        with pytest.raises(ValueError, match=r"^tau(\[0\])? must be"):
            solution.profile("feature_norm", tau)  # type: ignore[arg-type]
    for name in ("C_v", "test_loss", "depth", "nothing"):
        with pytest.raises(ValueError, match="name must be 'feature_norm'"):
            solution.profile(name, 0.5)
    with pytest.raises(KeyError, match="save"):
        solution.profile("C_h", 0.5)
    with pytest.raises(ValueError, match="profile needs network.depth = inf, got 2"):
        lm.solve(problem(network={"kind": "resnet", "depth": 2}), 3).profile("feature_norm", 0.5)


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        (0, "between 2 and 64, got 0"),
        (1, "between 2 and 64, got 1"),
        (65, "between 2 and 64, got 65"),
        (2.5, "a whole number, got 2.5"),
        ("many", "a whole number, got 'many'"),
    ],
)
def test_bad_depth_nodes(nodes: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^depth_nodes must be {reason}$"):
        lm.solve(deep(), 3, depth_nodes=nodes)
    with pytest.raises(ValueError, match=f"^depth_nodes must be {reason}$"):
        lm.estimate_memory(deep(), 3, depth_nodes=nodes)


@pytest.mark.parametrize("kind", ["mlp", "resnet"])
def test_depth_nodes_need_infinite_depth(kind: str) -> None:
    with pytest.raises(ValueError, match="depth_nodes cannot be combined with a finite depth"):
        lm.solve(problem(network={"kind": kind}), 3, depth_nodes=4)


def test_depth_nodes_are_as_many_as_asked_for() -> None:
    for nodes in (2, 3, 64):
        assert len(lm.solve(deep(), 2, depth_nodes=nodes).depth) == nodes


def test_memory_is_refused_before_it_is_taken() -> None:
    needed = lm.estimate_memory(deep(), 200, depth_nodes=6)
    assert lm.estimate_memory(deep(), 200, depth_nodes=12) > 1.8 * needed
    with pytest.raises(MemoryError, match="memory_limit"):
        lm.solve(deep(), 200, depth_nodes=6, memory_limit=0.99 * needed)


@pytest.mark.parametrize(("steps", "nodes"), [(29, 33), (30, 33), (31, 33), (30, None)])
def test_the_last_row_is_as_good_as_the_others(steps: int, nodes: int | None) -> None:
    """It is left alone in its window, with what sweeps over several rows had made of it."""
    setting = problem(
        network=DEEP | {"branch": 2.199911981603894, "gamma0": 0.3844466508478557, "width": 0.3},
        data={"kind": "multi_pass", "noise": 0.5, "batch_fraction": 0.4},
        optimizer={"lr": 9.708033319814256e-05, "momentum": 0.9},
    )
    expected = lm.solve(setting, 40, depth_nodes=24).test_loss[:steps]
    solution = lm.solve(setting, steps, depth_nodes=nodes)
    np.testing.assert_allclose(solution.test_loss, expected, rtol=1e-8)
    assert solution.stats.chain_residual < 1e-7


def test_what_is_learned_needs_no_more_nodes() -> None:
    """Profiles are rounding errors where the loss has fallen to rounding."""
    setting = problem(
        network=DEEP | {"width": 2.0, "branch": 0.5},
        data={"kind": "population", "noise": 0.0},
        optimizer={"lr": 0.08},
    )
    short, long = (lm.solve(setting, steps) for steps in (20, 150))
    assert len(long.depth) <= len(short.depth) + 4
    np.testing.assert_allclose(long.test_loss[:20], short.test_loss, rtol=1e-9)


def test_nothing_to_learn_needs_few_nodes() -> None:
    """Profiles are rounding from the start."""
    nothing = {"kind": "discrete", "eigenvalues": [1.0], "target_power": [0.0], "weights": [1.0]}
    setting = problem(
        network=DEEP | {"branch": 0.1, "gamma0": 0.2, "width": 0.3, "centered": True},
        data={"noise": 0.0, "alpha": 0.4, "spectrum": nothing},
        optimizer={"lr": 7.4e-5},
    )
    solution = lm.solve(setting, 8)
    assert len(solution.depth) <= 8
    np.testing.assert_allclose(solution.test_loss, 0.0, atol=1e-15)


@pytest.mark.parametrize(("branch", "lr"), [(1.0, 100.0), (1.0, 1e200), (4.0, 0.01)])
def test_divergence_at_once_is_a_result(branch: float, lr: float) -> None:
    """No number of nodes resolves the first step; a finite network says that it diverges."""
    solution = lm.solve(deep(lr, branch=branch, gamma0=1.0), 40)
    assert solution.diverged_at == 1
    assert np.isfinite(solution.test_loss[0])
    assert np.isposinf(solution.test_loss[1:]).all()


def test_profiles_past_a_divergence_are_infinite() -> None:
    solution = lm.solve(DIVERGING[0], 60)
    profile = solution.profile("feature_norm", [0.0, 0.5])
    assert profile.shape == (2, 60)
    assert np.isfinite(profile[:, : solution.valid]).all()
    assert np.isposinf(profile[:, solution.valid :]).all()


def test_too_few_nodes_are_said_to_be() -> None:
    status = lm.solve(deep(0.05), 20, depth_nodes=3).status
    assert "too few nodes in depth" in status
    assert "self-check passed" in lm.solve(deep(0.05), 20).status


def test_a_step_after_nothing_happened() -> None:
    """A quantity that was zero at all earlier steps has no scale yet."""
    setting = problem(
        network=DEEP | {"branch": 0.4575, "gamma0": 0.0, "width": math.inf, "init_scale": 0.7292},
        data={"kind": "population", "noise": 0.0},
        optimizer={"lr": [0.0] * 5 + [5.5e-5, 0.0], "layer_lr": [0.0, 0.0015, 0.0]},
    )
    solution = lm.solve(setting, 7, kernels=True, depth_nodes=12)
    assert solution.diverged_at is None
    np.testing.assert_allclose(solution.test_loss, 1.0, rtol=1e-6)
    np.testing.assert_allclose(solution.kernel_scale, solution.kernel_target, rtol=1e-9)
