"""The theory against the closed forms of theory.md section 12 (perceptrons, exact steps)."""

import math
from typing import Any

import closed_forms
import numpy as np
import pytest
from problems import problem

import lindmft as lm


def lazy(depth: int, lr: float, **data: Any) -> dict[str, Any]:
    return problem(
        network={"depth": depth, "width": math.inf, "gamma0": 0.0}, data=data, optimizer={"lr": lr}
    )


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize(
    ("gamma0", "width"), [(1.0, 1.0), (0.3, 2.0), (2.0, 0.25), (1.0, math.inf)]
)
def test_initial_loss(depth: int, gamma0: float, width: float) -> None:
    """Item 1, exactly; 1 if centered."""
    network = {"depth": depth, "gamma0": gamma0, "width": width}
    start = lm.solve(problem(network=network), 1).test_loss[0]
    assert start == pytest.approx(closed_forms.initial_loss(gamma0, width), rel=1e-14)
    centered = lm.solve(problem(network=network | {"centered": True}), 1).test_loss[0]
    assert centered == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("width", [0.5, 3.0, math.inf])
@pytest.mark.parametrize("kind", ["full_batch", "one_pass"])
def test_first_step(depth: int, width: float, kind: str) -> None:
    """Item 2: exact to rounding for any depth, width, gamma0 and noise."""
    setting = problem(
        network={"depth": depth, "width": width, "gamma0": 0.7, "centered": True},
        data={"kind": kind, "alpha": 1.3, "noise": 0.4},
        optimizer={"lr": 0.07},
    )
    expected = closed_forms.first_step(depth, 0.07, 1.3, 0.4, width)
    assert lm.solve(setting, 2).test_loss[1] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("alpha", [0.6, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("depth", [1, 3])
def test_lazy_losses(alpha: float, depth: int) -> None:
    """Item 3: every t, on both sides of interpolation and at it."""
    lr = 0.8 * closed_forms.lazy_largest_lr(depth, alpha)
    test, train = closed_forms.lazy_losses(depth, lr, alpha, 0.5, 60)
    solution = lm.solve(lazy(depth, lr, alpha=alpha, noise=0.5), 60)
    np.testing.assert_allclose(solution.test_loss, test, rtol=1e-9)
    np.testing.assert_allclose(solution.train_loss, train, rtol=1e-9, atol=1e-12)


def test_lazy_stability_edge() -> None:
    """Item 3: stable iff k m+ < 2."""
    edge = closed_forms.lazy_largest_lr(2, 2.0)
    below = lm.solve(lazy(2, 0.98 * edge, alpha=2.0, noise=0.0), 300)
    above = lm.solve(lazy(2, 1.02 * edge, alpha=2.0, noise=0.0), 300)
    assert below.test_loss[-1] < 0.02
    assert above.test_loss[-1] > 100.0


@pytest.mark.parametrize(
    ("depth", "width", "gamma0"), [(1, 1.0, 1.0), (2, 1.0, 0.5), (3, 2.0, 1.5)]
)
def test_long_time_limit_is_least_squares(depth: int, width: float, gamma0: float) -> None:
    """Item 4: alpha > 1, whatever depth, width and richness."""
    alpha, noise = 4.0, 0.5
    setting = problem(
        network={"depth": depth, "width": width, "gamma0": gamma0},
        data={"alpha": alpha, "noise": noise},
        optimizer={"lr": 0.32 / (depth + 1)},
    )
    solution = lm.solve(setting, 400)
    test, train = closed_forms.long_time_limits(alpha, noise)
    assert solution.test_loss[-1] == pytest.approx(test, rel=1e-6)
    assert solution.train_loss[-1] == pytest.approx(train, rel=1e-6)


def test_lazy_interpolation_limit() -> None:
    """Item 4: alpha < 1, lazy: training vanishes, the test loss keeps what data do not see."""
    solution = lm.solve(lazy(1, 0.1, alpha=0.3, noise=0.4), 400)
    test, train = closed_forms.long_time_limits(0.3, 0.4)
    assert train == 0.0
    assert solution.train_loss[-1] < 1e-9
    assert solution.test_loss[-1] == pytest.approx(test, rel=1e-7)


def test_lazy_at_finite_width() -> None:
    """Item 5: Marchenko-Pastur law of the finite-width kernel, up to an error like gamma0^2."""
    exact = closed_forms.lazy_finite_width_loss(0.1, 1.5, 40)
    errors = []
    for gamma0 in (0.1, 0.01):
        setting = problem(
            network={"depth": 1, "width": 1.5, "gamma0": gamma0, "centered": True},
            data={"kind": "population"},
        )
        errors.append(np.max(np.abs(lm.solve(setting, 40).test_loss - exact)))
    assert errors[0] < 1e-3
    assert errors[1] == pytest.approx(errors[0] / 100, rel=0.05)


@pytest.mark.parametrize("gamma0", [0.0, 0.5, 2.0])
def test_infinite_width_population(gamma0: float) -> None:
    """Item 6."""
    setting = problem(
        network={"depth": 1, "width": math.inf, "gamma0": gamma0},
        data={"kind": "population", "noise": 0.0},
        optimizer={"lr": 0.02},
    )
    exact = closed_forms.infinite_width_loss(0.02, gamma0, 150)
    np.testing.assert_allclose(lm.solve(setting, 150).test_loss, exact, rtol=1e-7, atol=1e-12)


def test_one_pass_lazy() -> None:
    """Item 7: the recursion at every t, its limit, and the stability edge."""
    depth, batch, noise = 2, 0.8, 0.5
    edge = closed_forms.one_pass_lazy_largest_lr(depth, batch)
    lr = 0.5 * edge
    solution = lm.solve(lazy(depth, lr, kind="one_pass", alpha=batch, noise=noise), 200)
    exact = closed_forms.one_pass_lazy_loss(depth, lr, batch, noise, 200)
    np.testing.assert_allclose(solution.test_loss, exact, rtol=1e-10)
    limit = closed_forms.one_pass_lazy_limit(depth, lr, batch, noise)
    assert solution.test_loss[-1] == pytest.approx(limit, rel=1e-8)
    beyond = lm.solve(lazy(depth, 1.05 * edge, kind="one_pass", alpha=batch, noise=noise), 400)
    assert beyond.test_loss[-1] > 1e3


def test_momentum_has_the_slow_limit_of_a_larger_rate() -> None:
    """Section 7: where learning is slow, momentum m multiplies the learning rate by 1/(1-m)."""
    plain = lm.solve(problem(optimizer={"lr": 1e-3}), 300)
    heavy = lm.solve(problem(optimizer={"lr": 5e-4, "momentum": 0.5}), 300)
    np.testing.assert_allclose(heavy.test_loss[50:], plain.test_loss[50:], rtol=5e-3)


@pytest.mark.filterwarnings("ignore::lindmft.SizeWarning")
def test_multi_pass_lies_between_full_batch_and_one_pass() -> None:
    """Section 6: q = 1 is full batch; alpha -> inf at fixed q alpha is one pass."""
    full = lm.solve(problem(), 50)
    all_kept = lm.solve(problem(data={"kind": "multi_pass", "batch_fraction": 1.0}), 50)
    np.testing.assert_allclose(all_kept.test_loss, full.test_loss, rtol=1e-12)
    one = lm.solve(problem(data={"kind": "one_pass", "alpha": 2.0}), 30)
    many = {"kind": "multi_pass", "alpha": 2e6, "batch_fraction": 1e-6}
    np.testing.assert_allclose(lm.solve(problem(data=many), 30).test_loss, one.test_loss, rtol=1e-4)
