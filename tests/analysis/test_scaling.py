"""``check_scaling`` on training loops as a user would write them, right and wrong."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lindmft as lm

WIDTH, GAMMA0, ALPHA, LR, DIM, STEPS = 2.0, 0.7, 2.0, 0.05, 60, 25
PROBLEM = lm.Problem(
    lm.MLP(depth=1, width=WIDTH, gamma0=GAMMA0), lm.FullBatch(alpha=ALPHA), lm.SGD(lr=LR)
)


def loop(raw_lr: float, gradient_factor: float = 1.0, networks: int = 12) -> NDArray[np.float64]:
    """One hidden layer, samples pushed through, gradients by hand: losses (networks, steps)."""
    rng = np.random.default_rng(1)
    hidden, samples = int(WIDTH * DIM), int(ALPHA * DIM)
    losses = np.empty((networks, STEPS))
    for network in range(networks):
        W, w = rng.standard_normal((hidden, DIM)), rng.standard_normal(hidden)
        X, target = rng.standard_normal((samples, DIM)), rng.standard_normal(DIM)
        target *= np.sqrt(DIM) / np.linalg.norm(target)
        scale = np.sqrt(DIM) / (GAMMA0 * hidden)
        for step in range(STEPS):
            v = target - scale * W.T @ w
            losses[network, step] = v @ v / DIM
            H = X @ W.T / np.sqrt(DIM)
            delta = X @ target / np.sqrt(DIM) - scale * H @ w
            dw = gradient_factor * scale * H.T @ delta / samples
            dW = gradient_factor * scale * np.outer(w, delta @ X / np.sqrt(DIM)) / samples
            w, W = w + raw_lr * dw, W + raw_lr * dW
    return losses


RIGHT = LR * GAMMA0**2 * WIDTH * DIM


def test_a_loop_in_the_right_scaling_agrees() -> None:
    found = lm.check_scaling(PROBLEM, loop(RIGHT))
    assert found.agrees
    assert found.rate_factor == pytest.approx(1.0, rel=0.1)
    assert "in the scaling" in found.verdict


@pytest.mark.long
@pytest.mark.parametrize(
    ("raw_lr", "gradient_factor", "expected", "reason"),
    [
        (RIGHT, 2.0, 2.0, "lacks its factor 1/2"),
        (RIGHT / WIDTH, 1.0, 1 / WIDTH, "1/2 too many"),  # the same factor here: width is 2
        (RIGHT / GAMMA0**2, 1.0, GAMMA0**-2, "lacks its factor gamma0^2|lacks its factor 1/2"),
        (RIGHT / 5, 1.0, 0.2, "multiply its raw learning rate by [45]"),
    ],
)
def test_a_wrong_rate_is_found_and_named(
    raw_lr: float, gradient_factor: float, expected: float, reason: str
) -> None:
    found = lm.check_scaling(PROBLEM, loop(raw_lr, gradient_factor))
    assert not found.agrees
    assert found.rate_factor == pytest.approx(expected, rel=0.15)
    assert re.search(reason, found.verdict)


def test_a_wrong_initialization_is_not_taken_for_a_wrong_rate() -> None:
    other = PROBLEM.replace(**{"network.init_scale": 2.0, "optimizer.lr": 0.005})
    losses = lm.solve(other, STEPS).test_loss
    found = lm.check_scaling(PROBLEM, losses)
    assert not found.agrees
    assert "initialization" in found.verdict


@pytest.mark.parametrize(
    "losses", ["high", [1.0, 2.0], [[1.0, np.nan, 0.5]], [1.0, 0.0, 0.1], None]
)
def test_bad_losses(losses: Any) -> None:
    with pytest.raises(ValueError, match="test_loss must be"):
        lm.check_scaling(PROBLEM, losses)


def test_losses_that_say_nothing_about_the_rate_are_refused() -> None:
    still = PROBLEM.replace(**{"optimizer.lr": 0.0})
    with pytest.raises(ValueError, match="optimizer.lr must change the test loss, got 0"):
        lm.check_scaling(still, np.ones(10))
    spectrum = {"kind": "discrete", "eigenvalues": [1.0], "target_power": [0.0], "weights": [1.0]}
    changes = {"data.spectrum": spectrum, "network.centered": True}
    with pytest.raises(ValueError, match="it has nothing to learn"):
        lm.check_scaling(PROBLEM.replace(**changes), np.ones(10))
