"""Cases in which coarse time grids once failed, each found by random problems, with its reason."""

import coarse
import numpy as np
import pytest

import lindmft as lm

INF = float("inf")


def assert_kept(problem: lm.Problem, steps: int, rtol: float) -> lm.Solution:
    """Adaptive steps within rtol and atol of exact ones, and coarser."""
    exact, run = coarse.exact(problem, steps), coarse.solve(problem, steps, rtol)
    at = np.rint(run.time).astype(int)
    for name in ("test_loss", "train_loss"):
        allowed = rtol * getattr(exact, name)[at] + 1e-10 * getattr(exact, name)[0]
        assert np.all(np.abs(getattr(run, name) - getattr(exact, name)[at]) <= allowed), name
    return run


def test_responses_that_fade_with_what_is_learned() -> None:
    """Relative to their size, they would never converge once the population is learned."""
    for gamma0 in (0.3, 4.0):
        network = lm.MLP(depth=2, width=INF, gamma0=gamma0, centered=True)
        run = coarse.flow(lm.Problem(network, lm.Population(), lm.SGD(lr=0.1)), 1e3)
        assert len(run.time) < 250
        assert run.test_loss[-1] < 1e-20


@pytest.mark.parametrize("rtol", [1e-3, 1e-4])
def test_loose_tolerances_reach_the_end(rtol: float) -> None:
    """Gradients that were not converged once left jumps, which no short panel can resolve."""
    problem = lm.Problem(
        lm.MLP(depth=3, width=0.9549, gamma0=0.8726), lm.Population(), lm.SGD(lr=0.1)
    )
    run = coarse.flow(problem, 201.7, rtol)
    assert run.test_loss[-1] < 1e-9
    assert run.stats.error_estimate <= rtol


def test_kinks_of_a_schedule() -> None:
    """A panel ends where a warm-up does."""
    rate = 0.00569
    warmup = [rate * min(1.0, 0.1 + 9 * t / 200) for t in range(200)]
    network = lm.MLP(depth=3, width=INF, gamma0=0.2038, parameterization="ntk")
    run = assert_kept(lm.Problem(network, lm.FullBatch(alpha=1.0), lm.SGD(lr=warmup)), 200, 1e-5)
    assert 20 in [int(run.time[last]) + 1 for last in np.array(run.panels[1:]) - 1]
    assert len(run.time) < 100


def test_losses_at_rounding_are_not_negative() -> None:
    """A loss that is zero within the tolerance may be computed as negative; it is set to zero."""
    problem = lm.Problem(
        lm.MLP(depth=1, width=1.1695, gamma0=0.2038), lm.Population(), lm.SGD(lr=0.1938)
    )
    run = coarse.solve(problem, 150, 1e-3)
    assert run.test_loss.min() >= 0
    assert run.diverged_at is None


def test_weight_decay() -> None:
    """The sum of all changes stops growing with panels that are longer than the decay."""
    network = lm.ResNet(depth=2, width=1.4359, gamma0=1.0586, branch=0.1924, centered=True)
    data = lm.FullBatch(alpha=1.0, noise=0.687)
    assert_kept(lm.Problem(network, data, lm.SGD(lr=0.025, weight_decay=0.1)), 200, 1e-5)


def test_oscillations_are_resolved_step_by_step() -> None:
    """Just below the lazy limit lr (L + 1) m_+ = 2 they last for thousands of steps."""
    edge = 2 / (3 * (1 + 0.5**0.5) ** 2)
    network = lm.MLP(depth=2, width=INF, gamma0=0)
    data = lm.FullBatch(alpha=2.0, noise=0.3)
    run = assert_kept(lm.Problem(network, data, lm.SGD(lr=0.999 * edge)), 300, 1e-6)
    assert len(run.time) == 300
    calm = assert_kept(lm.Problem(network, data, lm.SGD(lr=0.5 * edge)), 300, 1e-6)
    assert len(calm.time) < 100


@pytest.mark.long
def test_more_nodes_than_anybody_has_room_for() -> None:
    """Oscillations that do not decay are refused, with the accuracy reached and a remedy."""
    edge = 2 / (2 * (1 + 0.5**0.5) ** 2)
    network = lm.MLP(depth=1, width=INF, gamma0=0)
    problem = lm.Problem(network, lm.FullBatch(alpha=2.0), lm.SGD(lr=0.9999 * edge))
    with pytest.raises(lm.NotConverged, match="panels are still only"):
        coarse.solve(problem, 10**6, 1e-8)


NOTHING = {"kind": "discrete", "eigenvalues": [1.6, 0.5], "target_power": [0.0, 0.0]}
FROM_NOTHING = {
    "nothing to learn": ("mlp", "population", 0.0, 0.0),
    "noise that is not learned": ("mlp", "population", 0.3, 0.0),
    "noise of samples": ("mlp", "full_batch", 0.3, 0.0),
    "weight decay alone": ("mlp", "full_batch", 0.0, 0.3),
    "wide": ("wide", "full_batch", 0.3, 0.3),
    "wide, population": ("wide", "population", 0.3, 0.3),
    "branches": ("resnet", "full_batch", 0.0, 0.3),
    "infinite depth": ("deep", "population", 0.0, 0.0),
}


@pytest.mark.parametrize("name", FROM_NOTHING)
@pytest.mark.parametrize("modes", [1, 2])
def test_correlations_that_are_zero_at_the_start(name: str, modes: int) -> None:
    """No target, centered: the loss starts at zero, and so do the tolerances relative to it."""
    kind, data, noise, decay = FROM_NOTHING[name]
    network = {
        "mlp": {"kind": "mlp", "depth": 3, "width": [0.6, 1.3, 0.8], "gamma0": 0.6},
        "wide": {"kind": "mlp", "depth": 2, "width": INF, "gamma0": 1.0},
        "resnet": {"kind": "resnet", "depth": 3, "width": 0.8, "gamma0": 0.7},
        "deep": {"kind": "resnet", "depth": INF, "width": 0.8, "gamma0": 0.7, "branch": 0.9},
    }[kind]
    lists = {key: value if key == "kind" else value[:modes] for key, value in NOTHING.items()}
    spectrum = lists | {"weights": [1 / modes] * modes}
    samples = {} if data == "population" else {"alpha": 1.5}
    problem = lm.Problem.from_dict(
        {
            "network": network | {"centered": True},
            "data": {"kind": data, "noise": noise, "spectrum": spectrum} | samples,
            "optimizer": {"lr": 0.002, "weight_decay": decay},
        }
    )
    end = 100
    steps = lm.solve(problem, end + 1, grid="adaptive")
    exact = lm.solve(problem, end + 1).at(steps.time)
    flow = lm.flow(problem, 0.2)
    scale = 1e-10 + 1e-5 * exact.test_loss.max()
    np.testing.assert_allclose(steps.test_loss, exact.test_loss, rtol=0, atol=scale)
    assert flow.test_loss[0] == 0
    assert flow.test_loss[-1] == pytest.approx(exact.test_loss[-1], rel=0.02, abs=1e-10)
    zero = decay == 0 and (noise == 0 or data == "population")
    assert (flow.test_loss.max() == 0) == (zero or name == "wide, population")
    assert steps.diverged_at is None
