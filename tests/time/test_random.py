"""Random problems: coarse time grids keep their tolerance."""

from typing import Any

import coarse
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from problems import Problem, initial_kernel, number
from smooth_problems import TOLERANCES, problems, with_rate

STEPS = 150
ATOL = 1e-10  # of what a loss begins with
CALM = 10.0  # relative change of a loss over that of the rate: more, and errors are amplified
FORWARD = 30  # times rtol: what correlations of hidden units may be off by

slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
examples = settings(max_examples=40, deadline=None, suppress_health_check=slow)


def excess(got: Any, exact: Any, rtol: float, atol: float) -> float:
    """Largest error in units of what is allowed."""
    allowed = rtol * np.abs(exact) + atol * np.abs(exact[..., :1])
    return float(np.max(np.abs(got - exact) / allowed))


def condition(setting: Problem, run: Any) -> float:
    """Relative change of the test loss with the learning rate, where it is no small residue.

    Beyond the local edge of stability, a run may stay bounded and yet be chaotic.
    """
    change = 1e-9
    other = coarse.exact(with_rate(setting, 1 + change), STEPS).test_loss
    scale = np.abs(run.test_loss) + 1e-4 * run.test_loss[0]
    return float(np.max(np.abs(other - run.test_loss) / scale) / change)


@pytest.mark.long
@examples
@given(problems(STEPS), TOLERANCES)
def test_adaptive_steps_keep_rtol(setting: Problem, rtol: float) -> None:
    """Losses to rtol, where the problem itself does not amplify errors.

    As many samples as inputs at the smallest tolerances are a heavy case (docs/accuracy.md).
    """
    assume(rtol >= 1e-7 or abs(setting["data"].get("alpha", np.inf) - 1) > 0.1)
    exact = coarse.exact(setting, STEPS)
    assume(condition(setting, exact) < CALM)
    run = coarse.solve(setting, STEPS, rtol)
    nodes = np.rint(run.time).astype(int)
    for name in ("test_loss", "train_loss"):
        off = excess(getattr(run, name), getattr(exact, name)[nodes], rtol, ATOL)
        assert off < 1, name
    gradients = excess(run.gradient_norm, exact.gradient_norm[:, nodes], rtol, ATOL)
    assert gradients < 1
    wide = FORWARD * rtol
    features = excess(run.feature_norm, exact.feature_norm[:, nodes], wide, max(ATOL, wide / 100))
    assert features < 1


@pytest.mark.long
@examples
@given(problems(STEPS), number(-1, 0.7).map(lambda x: 10**x), TOLERANCES)
def test_flow_keeps_rtol(setting: Problem, time: float, rtol: float) -> None:
    """Against a tolerance a hundred times smaller, at a time in units of the initial kernel."""
    optimizer = {"lr": 1.0, "weight_decay": setting["optimizer"]["weight_decay"]}
    setting = setting | {"optimizer": optimizer}
    end = time / initial_kernel(setting["network"])
    run, exact = coarse.flow(setting, end, rtol), coarse.flow(setting, end, rtol / 100, 1e-12)
    for name in ("test_loss", "train_loss"):
        got, expected = getattr(run, name), getattr(exact, name)
        off = excess(got[[0, -1]], expected[[0, -1]], rtol, ATOL)
        assert off < 1, name
