"""The theory against the dense oracle (tests/support) and its own laws, on random problems."""

from typing import Any

import numpy as np
import oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problems

import lindmft as lm

STEPS = 14
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
MATRICES = ("C_v", "C_delta", "R_delta")


def close(actual: Any, expected: Any) -> None:
    """Equal up to rounding, on the scale of the largest entry; that of the problem is one."""
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-10 * scale + 1e-14)


@settings(max_examples=60, deadline=None)
@given(problems(STEPS))
def test_every_output_agrees_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    solution = lm.solve(problem, STEPS, save=["all"])
    expected = oracle.solve(problem, STEPS)
    for name in SERIES:
        close(getattr(solution, name), expected[name])
    close(solution.feature_norm, expected["feature_norm"])
    close(solution.gradient_norm, expected["gradient_norm"])
    for name in MATRICES:
        close(getattr(solution, name), expected[name])
    depth = problem["network"]["depth"]
    for layer in range(depth + 1):
        close(solution.C_h[layer], expected["C_h"][layer])
        close(solution.R_hr[layer], expected["R_hr"][layer])
    for layer in range(1, depth + 1):
        close(solution.C_g[layer], expected["C_g"][layer - 1])
        close(solution.R_gu[layer], expected["R_gu"][layer - 1])


@settings(max_examples=60, deadline=None)
@given(problems(40), st.integers(1, 40))
def test_laws_hold_on_random_problems(problem: dict[str, Any], steps: int) -> None:
    solution = lm.solve(problem, steps, save=["all"])
    assert solution.diverged_at is None
    # Section 12 item 8: couples both sides, fails for any wrong factor.
    assert solution.stats.chain_residual < 1e-10
    terms = solution.term_target + solution.term_init + solution.term_data
    np.testing.assert_allclose(terms, solution.test_loss, rtol=1e-9, atol=1e-12)
    correlations = [*solution.C_h.values(), *solution.C_g.values(), solution.C_v, solution.C_delta]
    for C in correlations:
        scale = np.max(np.diag(C))
        np.testing.assert_allclose(C, C.T, rtol=0, atol=1e-10 * scale + 1e-14)
        assert np.linalg.eigvalsh(C)[0] >= -1e-9 * scale - 1e-14
    for R in [*solution.R_hr.values(), solution.R_delta]:
        assert not np.triu(R, 1).any()
    for R in solution.R_gu.values():
        assert not np.triu(R).any()


@settings(max_examples=25, deadline=None)
@given(problems(60))
def test_a_longer_solution_begins_with_the_shorter_one(problem: dict[str, Any]) -> None:
    long = lm.solve(problem, 60)
    for steps in (1, 2, 7, 31):
        short = lm.solve(problem, steps)
        np.testing.assert_allclose(short.test_loss, long.test_loss[:steps], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(short.train_loss, long.train_loss[:steps], rtol=1e-9, atol=1e-12)
