"""Residual networks of finite depth against the dense oracle, reference numbers and laws."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import oracle_residual
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problem, problems, resnets

import lindmft as lm

STEPS = 12
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
MATRICES = ("C_v", "C_delta", "R_delta")
CASES = json.loads((Path(__file__).parents[1] / "data" / "cases.json").read_text())
RESNETS = [case for case in CASES if case["problem"]["network"]["kind"] == "resnet"]


def close(actual: Any, expected: Any, err_msg: str = "") -> None:
    """Equal up to rounding, on the scale of the largest entry; that of the problem is one."""
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(
        actual, expected, rtol=1e-9, atol=1e-10 * scale + 1e-14, err_msg=err_msg
    )


def test_there_are_residual_networks_to_compare() -> None:
    assert len(RESNETS) == 3


@pytest.mark.parametrize("case", RESNETS, ids=lambda case: case["name"].replace(" ", "-"))
def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    solution = lm.solve(case["problem"], case["steps"])
    np.testing.assert_allclose(solution.test_loss, case["test_loss"], rtol=1e-9)
    np.testing.assert_allclose(solution.train_loss, case["train_loss"], rtol=1e-9)
    # The file holds one layer of each: gradient norm of the first, feature norm of the last.
    np.testing.assert_allclose(solution.gradient_norm[0], case["gradient_norm"], rtol=1e-9)
    # Its last feature norm is left out. The iteration that made it stopped when the losses had
    # converged, which do not depend on it.
    np.testing.assert_allclose(solution.feature_norm[-1, :-1], case["feature_norm"][:-1], rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(problems(STEPS, resnets(st.integers(1, 5))))
def test_every_output_agrees_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    solution = lm.solve(problem, STEPS, save="all")
    expected = oracle_residual.solve_residual(problem, STEPS)
    for name in (*SERIES, *MATRICES, "feature_norm", "gradient_norm"):
        close(getattr(solution, name), expected[name], name)
    depth = problem["network"]["depth"]
    np.testing.assert_array_equal(solution.depth, np.arange(1, depth + 1))
    for name in ("C_h", "R_hr", "C_g", "R_gu"):
        layers = getattr(solution, name)
        assert len(layers) == len(expected[name])
        for array, wanted in zip(layers.values(), expected[name], strict=True):
            close(array, wanted, name)


@settings(max_examples=40, deadline=None)
@given(problems(40, resnets(st.integers(1, 12))), st.integers(1, 40))
def test_laws_hold_on_random_problems(problem: dict[str, Any], steps: int) -> None:
    solution = lm.solve(problem, steps, save="all")
    assert solution.diverged_at is None
    # Section 12 item 8: couples both sides, fails for any wrong factor.
    assert solution.stats.chain_residual < 1e-10
    terms = solution.term_target + solution.term_init + solution.term_data
    np.testing.assert_allclose(terms, solution.test_loss, rtol=1e-9, atol=1e-12)
    for C in (*solution.C_h.values(), *solution.C_g.values(), solution.C_v, solution.C_delta):
        scale = np.max(np.diag(C))
        np.testing.assert_allclose(C, C.T, rtol=0, atol=1e-10 * scale + 1e-14)
        assert np.linalg.eigvalsh(C)[0] >= -1e-9 * scale - 1e-14
    for R in (*solution.R_hr.values(), solution.R_delta):
        assert not np.triu(R, 1).any()
    for R in solution.R_gu.values():
        assert not np.triu(R).any()


@settings(max_examples=20, deadline=None)
@given(problems(STEPS, resnets(st.just(1))))
def test_depth_one_is_a_perceptron(problem: dict[str, Any]) -> None:
    """There is no branch yet."""
    perceptron = {k: v for k, v in problem["network"].items() if not k.startswith("branch")}
    solution = lm.solve(problem, STEPS, save="all")
    expected = lm.solve(problem | {"network": perceptron | {"kind": "mlp"}}, STEPS, save="all")
    for name in (*SERIES, *MATRICES, "feature_norm", "gradient_norm"):
        close(getattr(solution, name), getattr(expected, name), name)
    for name in ("C_h", "R_hr", "C_g", "R_gu"):
        for layer, wanted in getattr(expected, name).items():
            close(getattr(solution, name)[layer], wanted, name)


@pytest.mark.parametrize("depth", [1, 2, 7])
@pytest.mark.parametrize(("scaling", "divisor"), [("depth", True), ("constant", False)])
def test_initial_loss(depth: int, scaling: str, divisor: bool) -> None:
    """Section 12 item 1, with the initial scale on every weight; 1 if centered."""
    network = {"kind": "resnet", "depth": depth, "branch": 0.9, "branch_scaling": scaling}
    network |= {"gamma0": 0.7, "width": 0.8, "init_scale": 0.9}
    b_sq = 0.9**2 / (depth if divisor else 1)
    expected = 1 + 0.9**4 * (1 + 0.9**2 * b_sq) ** (depth - 1) / (0.7**2 * 0.8)
    start = lm.solve(problem(network=network), 1).test_loss[0]
    assert start == pytest.approx(expected, rel=1e-13)
    centered = lm.solve(problem(network=network | {"centered": True}), 1).test_loss[0]
    assert centered == pytest.approx(1.0, rel=1e-13)


def test_without_branches_depth_does_not_count() -> None:
    network = {"kind": "resnet", "branch": 0.0}
    one, deep = (lm.solve(problem(network=network | {"depth": depth}), 20) for depth in (1, 6))
    np.testing.assert_allclose(deep.test_loss, one.test_loss, rtol=1e-12)
    np.testing.assert_allclose(deep.feature_norm[-1], one.feature_norm[-1], rtol=1e-12)


def test_divergence_is_a_flagged_prefix() -> None:
    network = {"kind": "resnet", "depth": 4, "branch": 1.0}
    setting = problem(network=network, optimizer={"lr": 0.5})
    solution = lm.solve(setting, 60, save="C_v")
    at = solution.diverged_at
    assert at is not None
    assert 0 < at < 60
    assert np.isfinite(solution.test_loss[:at]).all()
    assert np.isfinite(solution.feature_norm[:, :at]).all()
    for series in (solution.test_loss, solution.train_loss, *solution.feature_norm):
        assert np.isposinf(series[at:]).all()
    assert solution.C_v.shape == (at, at)
    exact = oracle_residual.solve_residual(setting, at)["test_loss"]
    np.testing.assert_allclose(solution.test_loss[:at], exact, rtol=1e-6)


def test_memory_is_linear_in_depth() -> None:
    def needed(depth: int) -> float:
        return lm.estimate_memory(problem(network={"kind": "resnet", "depth": depth}), 500)

    np.testing.assert_allclose(needed(30) - needed(20), needed(20) - needed(10), rtol=1e-12)
    setting = problem(network={"kind": "resnet", "depth": 10})
    with pytest.raises(MemoryError, match="memory_limit"):
        lm.solve(setting, 500, memory_limit=0.9 * needed(10))


def test_the_lazy_limit_is_a_kernel() -> None:
    """Section 12 item 9: every population step multiplies the error by the same factor."""
    for depth in (1, 3, 6):
        b_sq = 1.2**2 / depth
        kernel = (1 + b_sq) ** (depth - 1) * (2 + (depth - 1) * b_sq / (1 + b_sq))
        network = {"kind": "resnet", "depth": depth, "width": math.inf, "gamma0": 0.0}
        lazy = problem(
            network=network | {"branch": 1.2}, data={"kind": "population"}, optimizer={"lr": 0.02}
        )
        expected = (1 - 0.02 * kernel) ** (2 * np.arange(8))
        np.testing.assert_allclose(lm.solve(lazy, 8).test_loss, expected, rtol=1e-12)


@pytest.mark.parametrize("depth", [4, 8, 32])
@pytest.mark.parametrize("kind", ["one_pass", "full_batch"])
def test_nothing_overflows_where_the_dynamics_are_finite(depth: int, kind: str) -> None:
    """Past the edge of stability, too long a panel must not look like divergence."""
    network = {"kind": "resnet", "depth": depth, "width": math.inf, "gamma0": 1.61}
    setting = problem(
        network=network | {"branch": 0.9224}, data={"kind": kind}, optimizer={"lr": 0.32307}
    )
    with np.errstate(all="ignore"):
        exact = oracle_residual.solve_residual(setting, 6)["test_loss"]
    valid = int(np.argmin(np.append(exact < 1e8, False)))
    solution = lm.solve(setting, 6)
    assert solution.diverged_at is None or solution.diverged_at >= valid
    np.testing.assert_allclose(solution.test_loss[:valid], exact[:valid], rtol=1e-3)
