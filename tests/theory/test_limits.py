"""Divergence, memory, interruption, threads: what happens at the edges of ``solve``."""

import math
from typing import Any

import numpy as np
import oracle
import pytest
from builds import needs_openmp
from problems import problem

import lindmft as lm


def test_divergence_is_a_flagged_prefix() -> None:
    setting = problem(optimizer={"lr": 0.5})
    solution = lm.solve(setting, 60, save=["C_v"])
    at = solution.diverged_at
    assert at is not None
    assert 0 < at < 60
    assert np.isfinite(solution.test_loss[:at]).all()
    assert np.isposinf(solution.test_loss[at:]).all()
    assert np.isposinf(solution.train_loss[at:]).all()
    assert np.isposinf(solution.feature_norm[:, at:]).all()
    assert solution.C_v.shape == (at, at)
    assert np.isfinite(solution.C_v).all()
    assert str(at) in solution.status


def test_the_valid_prefix_is_right() -> None:
    diverging = lm.solve(problem(optimizer={"lr": 0.5}), 60)
    at = diverging.diverged_at
    assert at is not None
    prefix = lm.solve(problem(optimizer={"lr": 0.5}), at)
    assert prefix.diverged_at is None
    np.testing.assert_allclose(prefix.test_loss, diverging.test_loss[:at], rtol=1e-8)


@pytest.mark.parametrize("lr", [0.05, 0.15, 0.19, 0.22])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    ("depth", "gamma0", "width"), [(1, 0.5, 0.5), (2, 2.0, 0.5), (3, 1.0, 2.0)]
)
def test_nothing_overflows_where_the_dynamics_are_finite(
    lr: float, alpha: float, depth: int, gamma0: float, width: float
) -> None:
    """Up to and past the edge of stability, too long a panel must not look like divergence."""
    network = {"depth": depth, "gamma0": gamma0, "width": width}
    setting = problem(network=network, data={"alpha": alpha}, optimizer={"lr": lr})
    with np.errstate(all="ignore"):
        exact = oracle.solve(setting, 40)["test_loss"]
    tame = np.flatnonzero(~(exact < 1e4))
    valid = int(tame[0]) if tame.size else 40
    solution = lm.solve(setting, 40)
    assert solution.diverged_at is None or solution.diverged_at >= valid
    np.testing.assert_allclose(solution.test_loss[:valid], exact[:valid], rtol=1e-6)


@needs_openmp
def test_the_same_answer_on_any_number_of_threads() -> None:
    one = lm.solve(problem(), 150, threads=1, save=["all"])
    two = lm.solve(problem(), 150, threads=2, save=["all"])
    assert one.stats.threads == 1
    assert two.stats.threads == 2
    np.testing.assert_array_equal(one.test_loss, two.test_loss)
    np.testing.assert_array_equal(one.C_h[0], two.C_h[0])
    np.testing.assert_array_equal(one.C_delta, two.C_delta)


def test_only_what_was_asked_for_is_kept() -> None:
    solution = lm.solve(problem(), 10, save=["C_g", "R_delta"])
    assert set(solution.C_g) == {1, 2}
    assert solution.C_h == {}
    assert not hasattr(solution, "C_v")


def test_memory_is_refused_before_it_is_taken() -> None:
    with pytest.raises(MemoryError, match=r"\d+ bytes"):
        lm.solve(problem(), 2_000_000)
    with pytest.raises(MemoryError, match="memory_limit"):
        lm.solve(problem(), 1000, memory_limit=1e6)


@pytest.mark.parametrize("depth", [1, 2, 5, 16])
def test_memory_stays_within_the_promised_bound(depth: int) -> None:
    steps = 1000
    setting = problem(network={"depth": depth})
    bare = lm.estimate_memory(setting, steps, keep_state=False)
    assert bare <= 8 * steps**2 * (6 * depth + 10)
    assert lm.estimate_memory(setting, steps, keep_state=True) > bare


def test_progress_is_reported_and_may_interrupt() -> None:
    seen: list[tuple[int, int]] = []
    lm.solve(problem(), 30, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (30, 30)

    def stop(done: int, total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        lm.solve(problem(), 30, progress=stop)


@pytest.mark.parametrize("steps", [0, -1, 1.5, "ten", math.nan, None])
def test_bad_steps(steps: Any) -> None:
    with pytest.raises(ValueError, match="steps must be"):
        lm.solve(problem(), steps)


def test_bad_save_and_threads() -> None:
    with pytest.raises(ValueError, match="save must be among .*'C_h'.* got 'C_x'"):
        lm.solve(problem(), 5, save=["C_x"])
    with pytest.raises(ValueError, match="threads must be"):
        lm.solve(problem(), 5, threads=-2)


def test_a_schedule_must_cover_the_steps() -> None:
    setting = problem(optimizer={"lr": [0.1, 0.1]})
    with pytest.raises(ValueError, match=r"optimizer\.lr must be .* at least steps \(5\)"):
        lm.solve(setting, 5)
