"""Coarse time grids compared with every step, closed forms, and finer grids (theory.md 9, 12)."""

import math
from typing import Any

import closed_forms
import coarse
import numpy as np
import pytest
from problems import initial_kernel, problem

INF = math.inf
LOSSES = ("test_loss", "train_loss")
RTOLS = (1e-4, 1e-6, 1e-8)


def steps_of(run: Any) -> Any:
    """The nodes of adaptive steps, as whole numbers."""
    return np.rint(run.time).astype(int)


def relative(got: Any, exact: Any) -> float:
    return float(np.max(np.abs(got / exact - 1)))


# ---- the reference problem


@pytest.mark.parametrize("rtol", RTOLS)
def test_adaptive_steps_are_right_to_rtol(rtol: float) -> None:
    exact, run = coarse.exact(problem(), 400), coarse.solve(problem(), 400, rtol)
    assert len(run.time) <= 110
    assert run.time[0] == 0
    assert run.time[-1] == 399
    for name in LOSSES:
        assert relative(getattr(run, name), getattr(exact, name)[steps_of(run)]) < rtol


def test_a_smaller_rtol_is_more_accurate() -> None:
    """Measure that the tolerance governs the error, and not only the order of the polynomials."""
    exact = coarse.exact(problem(), 400)
    errors = []
    for rtol in RTOLS:
        run = coarse.solve(problem(), 400, rtol)
        errors.append(relative(run.test_loss, exact.test_loss[steps_of(run)]))
    assert errors[0] > 30 * errors[1] > 900 * errors[2]


def test_a_million_steps_end_on_least_squares() -> None:
    run = coarse.solve(problem(), 10**6)
    assert len(run.time) <= 300
    assert run.time[-1] == 10**6 - 1
    assert run.test_loss[-1] == pytest.approx(0.09, abs=1e-8)
    assert run.train_loss[-1] == pytest.approx(0.045, abs=1e-8)
    assert run.stats.chain_residual < 1e-9


# ---- long times


@pytest.mark.parametrize("alpha", [0.5, 1.05, 1.5, 2, 5])
@pytest.mark.parametrize(
    ("depth", "width", "gamma0"), [(1, 2, 1), (2, 0.5, 4), (2, 2, 0.3), (3, 0.5, 1)]
)
def test_flow_ends_on_least_squares(depth: int, width: float, gamma0: float, alpha: float) -> None:
    """Item 4, for alpha > 1; for alpha < 1 the samples are interpolated.

    All depths, widths and gamma0 are in bench/flow_table.py.
    """
    network = {"depth": depth, "width": width, "gamma0": gamma0}
    run = coarse.flow(problem(network=network, data={"alpha": alpha}), 1e6)
    assert run.time[-1] == 1e6
    if alpha < 1:
        assert abs(run.train_loss[-1]) < 1e-12
        return
    test, train = closed_forms.long_time_limits(alpha, 0.3)
    assert run.test_loss[-1] == pytest.approx(test, rel=1e-5)
    assert run.train_loss[-1] == pytest.approx(train, rel=1e-5)


# ---- lazy learning


def lazy(depth: int, lr: float = 1.0, **data: Any) -> dict[str, Any]:
    return problem(
        network={"depth": depth, "width": INF, "gamma0": 0.0}, data=data, optimizer={"lr": lr}
    )


@pytest.mark.long
@pytest.mark.parametrize("rtol", RTOLS)
@pytest.mark.parametrize(("alpha", "noise"), [(0.6, 0.5), (1.0, 0.0), (1.0, 0.5), (2.0, 0.5)])
def test_lazy_curves_at_all_times(alpha: float, noise: float, rtol: float) -> None:
    """Item 3, in steps and in gradient flow, on both sides of interpolation and at it."""
    lr = 0.8 * closed_forms.lazy_largest_lr(2, alpha)
    steps = coarse.solve(lazy(2, lr, alpha=alpha, noise=noise), 10**6, rtol)
    exact = closed_forms.lazy_losses_at(2, lr, alpha, noise, steps_of(steps), LAW_NODES)
    agree(steps, exact, rtol)
    flow = coarse.flow(lazy(2, alpha=alpha, noise=noise), 1e6, rtol)
    agree(flow, closed_forms.lazy_flow_losses(2, alpha, noise, flow.time, LAW_NODES), rtol)


def test_lazy_flow_at_the_critical_size() -> None:
    """Item 4: growth with the root of time, up to any time."""
    flow = coarse.flow(lazy(2, alpha=1.0, noise=0.0), 1e6)
    late = flow.time > 1e3
    law = [closed_forms.lazy_critical_loss(2, 1.0, time) for time in flow.time[late]]
    np.testing.assert_allclose(flow.test_loss[late], law, rtol=2e-4)
    assert flow.test_loss[-1] == pytest.approx(law[-1], rel=1e-6)


# ---- rich learning


@pytest.mark.parametrize("gamma0", [0.0, 0.5, 2.0, 10.0])
@pytest.mark.parametrize("rtol", RTOLS)
def test_infinite_width_population(gamma0: float, rtol: float) -> None:
    """Item 6: the recursion of steps, and the integral of flow."""
    setting = problem(
        network={"depth": 1, "width": INF, "gamma0": gamma0},
        data={"kind": "population", "noise": 0.0},
        optimizer={"lr": 0.02},
    )
    steps = coarse.solve(setting, 2000, rtol)
    exact = closed_forms.infinite_width_loss(0.02, gamma0, 2000)[steps_of(steps)]
    agree(steps, (exact, exact), rtol)
    flow = coarse.flow(setting, 10.0, rtol)
    exact = closed_forms.infinite_width_flow_loss(gamma0, flow.time)
    agree(flow, (exact, exact), rtol)


# ---- residual networks


@pytest.mark.parametrize("depth", [1, 2, 6])
@pytest.mark.parametrize("alpha", [0.6, 2.0])
def test_lazy_residual_flow(depth: int, alpha: float) -> None:
    """Items 3 and 9: lazy learning depends on the architecture only by the initial kernel."""
    setting = residual(depth, gamma0=0.0, width=INF, alpha=alpha)
    flow = coarse.flow(setting, 1e4)
    hidden = initial_kernel(setting["network"]) - 1
    agree(flow, closed_forms.lazy_flow_losses(hidden, alpha, 0.3, flow.time), 1e-6)


@pytest.mark.long
def test_residual_flow_tends_to_infinite_depth() -> None:
    """Item 12: with an error like 1/L."""
    limit = coarse.flow(residual(INF), 2.0, 1e-8).test_loss[-1]
    ends = [coarse.flow(residual(depth), 2.0, 1e-8).test_loss[-1] for depth in (8, 16, 32)]
    errors = np.abs(np.array(ends) - limit)
    np.testing.assert_allclose(errors[:-1] / errors[1:], 2, rtol=0.1)
    assert errors[-1] < 0.05 * limit


def test_small_steps_tend_to_flow() -> None:
    """At time eta t, with an error like eta."""
    flow = coarse.flow(residual(3), 2.0, 1e-8).test_loss[-1]
    errors = []
    for rate in (0.01, 0.005, 0.0025):
        setting = residual(3) | {"optimizer": {"lr": rate}}
        errors.append(abs(coarse.solve(setting, round(2 / rate) + 1, 1e-8).test_loss[-1] - flow))
    np.testing.assert_allclose([errors[0] / errors[1], errors[1] / errors[2]], 2, rtol=0.05)


# ---- the edge of stability


@pytest.mark.long
@pytest.mark.parametrize("below", [0.9, 0.98, 0.999])
def test_oscillations_that_live_long(below: float) -> None:
    """Near the largest stable rate the fastest mode changes sign every step and decays slowly."""
    setting = lazy(2, below * closed_forms.lazy_largest_lr(2, 2.0), alpha=2.0, noise=0.3)
    same(setting, 600, 1e-6)


@pytest.mark.parametrize(
    ("network", "rate"),
    [
        ({}, 0.35),
        ({}, 0.56),
        ({"width": INF, "gamma0": 0.0}, 1.05 * closed_forms.lazy_largest_lr(2, 2.0)),
        ({"depth": 1, "gamma0": 5.0}, 0.4),
    ],
)
def test_beyond_the_edge_runs_diverge_at_the_same_step(
    network: dict[str, Any], rate: float
) -> None:
    setting = problem(network=network, optimizer={"lr": rate})
    exact, run = coarse.exact(setting, 600), coarse.solve(setting, 600)
    assert exact.diverged_at is not None
    assert run.diverged_at == exact.diverged_at


@pytest.mark.parametrize(("depth", "gamma0", "rate"), [(1, 10.0, 0.086), (2, 5.0, 0.057)])
def test_sharpening_while_learning(depth: int, gamma0: float, rate: float) -> None:
    """Very rich: the kernel grows many times over as the target is learned."""
    setting = population(depth, gamma0) | {"optimizer": {"lr": rate}}
    same(setting, 800, 1e-6)


# ---- helpers

LAW_NODES = 30000  # resolve exp(-m t) near m = 0, where the law is largest at alpha = 1


def population(depth: int, gamma0: float) -> dict[str, Any]:
    network = {"depth": depth, "gamma0": gamma0, "centered": True}
    return problem(network=network, data={"kind": "population", "noise": 0.0})


def residual(
    depth: float, gamma0: float = 1.0, width: float = 1.0, alpha: float = 2.0
) -> dict[str, Any]:
    network = {"kind": "resnet", "depth": depth, "branch": 0.8, "gamma0": gamma0, "width": width}
    data = {"kind": "full_batch", "alpha": alpha, "noise": 0.3}
    return {"network": network, "data": data, "optimizer": {"lr": 0.02}}


def same(setting: dict[str, Any], steps: int, rtol: float) -> None:
    """Return a solution with adaptive steps, and one with every step."""
    exact, run = coarse.exact(setting, steps), coarse.solve(setting, steps, rtol)
    nodes = steps_of(run)
    agree(run, (exact.test_loss[nodes], exact.train_loss[nodes]), rtol)


def agree(run: Any, exact: tuple[Any, Any], rtol: float, atol: float = 1e-10) -> None:
    """Losses at the nodes are accurate to rtol, and to atol in units of their start."""
    for name, expected in zip(LOSSES, exact, strict=True):
        np.testing.assert_allclose(
            getattr(run, name), expected, rtol=rtol, atol=atol * expected[0], err_msg=name
        )
