"""Adaptive steps with random batches: the past is condensed, and losses keep ``rtol``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from problems import problems

import lindmft as lm

ONE_PASS = lm.OnePass(alpha=0.25, noise=0.3)
MULTI_PASS = lm.MultiPass(alpha=2.0, noise=0.3, batch_fraction=0.25)
MODES = {"eigenvalues": [2.0, 0.8, 0.1], "weights": [0.3, 0.4, 0.3]}
THREE = lm.Discrete(**MODES, target_power=[1.0, 2.0, 0.5])
SHARED = lm.Discrete(**MODES, targets=[[1.0, 0.0], [0.5, 1.0], [0.0, 0.3]])
STEPS = 300
NET = lm.MLP(depth=1, width=1.0)
COSINE = 0.04 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS))
WARM_UP = 0.06 * np.minimum(1, (1 + np.arange(STEPS)) / 40)
WSD = WARM_UP * np.minimum(1, (STEPS - np.arange(STEPS)) / 60)  # warm-up, stable, decay

CASES: dict[str, tuple[lm.MLP | lm.ResNet, Any, lm.SGD]] = {
    "one pass": (lm.MLP(depth=2, width=1.0), ONE_PASS, lm.SGD(lr=0.05)),
    "multi pass": (lm.MLP(depth=2, width=1.0), MULTI_PASS, lm.SGD(lr=0.05)),
    "modes": (NET, lm.OnePass(alpha=0.25, noise=0.3, spectrum=THREE), lm.SGD(lr=0.05)),
    "centered": (
        lm.MLP(depth=1, width=1.0, gamma0=2.0, centered=True),
        lm.MultiPass(alpha=2.0, noise=0.3, batch_fraction=0.25, spectrum=THREE),
        lm.SGD(lr=0.04),
    ),
    "momentum and decay": (
        lm.MLP(depth=2, width=[0.5, 2.0]),
        ONE_PASS,
        lm.SGD(lr=0.01, momentum=0.8, nesterov=True, weight_decay=0.02),
    ),
    "residual": (lm.ResNet(depth=2, width=1.0), ONE_PASS, lm.SGD(lr=0.04, weight_decay=0.05)),
    "cosine": (NET, ONE_PASS, lm.SGD(lr=COSINE)),
    "warm-up, stable, decay": (NET, MULTI_PASS, lm.SGD(lr=WSD, layer_lr=[2.0, 0.5])),
    "outputs": (
        NET,
        lm.OnePass(alpha=0.5, noise=0.3, spectrum=SHARED),
        lm.SGD(lr=0.05, weight_decay=0.02),
    ),
    "batches that grow": (
        NET,
        lm.OnePass(alpha=np.where(np.arange(STEPS) < 150, 0.25, 0.5), noise=0.3),
        lm.SGD(lr=0.05),
    ),
}
NOISY = lm.Problem(*CASES["one pass"])
LOSSES = ("test_loss", "train_loss")


def adaptive(problem: lm.Problem, steps: int = STEPS, **options: Any) -> lm.Solution:
    return lm.solve(problem, steps, grid="adaptive", **options)


def off(a: lm.Solution, b: lm.Solution) -> float:
    """The largest relative difference of a loss."""
    return max(float(np.max(np.abs(getattr(a, x) / getattr(b, x) - 1))) for x in LOSSES)


@pytest.mark.parametrize("name", CASES)
def test_losses_keep_rtol(name: str) -> None:
    problem = lm.Problem(*CASES[name])
    exact = lm.solve(problem, STEPS)
    for rtol in (1e-3, 1e-5, 1e-7):
        run = adaptive(problem, rtol=rtol)
        assert off(run, exact) < rtol
        assert run.stats.active_nodes < 0.6 * STEPS
        assert run.stats.error_estimate <= 1.001 * rtol
        assert run.self_check_passed


FALLING = 0.05 / (1 + np.arange(450) / 50)


@pytest.mark.parametrize(
    ("network", "data", "options"),
    [
        (NET, ONE_PASS, {}),
        (lm.MLP(depth=2, width=[0.5, 2.0]), MULTI_PASS, {"weight_decay": 0.05}),
        (NET, lm.MultiPass(alpha=2.0, noise=0.3, batch_fraction=0.25, spectrum=THREE), {}),
        (lm.ResNet(depth=2, width=1.0), ONE_PASS, {"layer_lr": [1.0, 0.5, 2.0]}),
    ],
    ids=["one pass", "decay", "modes", "residual"],
)
def test_only_some_steps_are_solved_where_functions_are_smooth(
    network: Any, data: Any, options: dict[str, Any]
) -> None:
    problem = lm.Problem(network, data, lm.SGD(lr=FALLING, **options))
    exact = lm.solve(problem, 450)
    for rtol in (1e-3, 1e-5, 1e-7):
        run = adaptive(problem, 450, rtol=rtol)
        assert off(run, exact) < rtol
        assert run.stats.error_estimate <= 1.001 * rtol
        np.testing.assert_array_equal(run.time, np.arange(450))
    first = adaptive(problem, 300, rtol=1e-5, keep_state=True)
    assert off(adaptive(problem, 450, rtol=1e-5, continue_from=first), exact) < 1e-5


def test_many_steps_at_falling_rates_agree_at_two_tolerances() -> None:
    steps = 10**5
    problem = lm.Problem(NET, ONE_PASS, lm.SGD(lr=0.05 / (1 + np.arange(steps) / 50)))
    loose, tight = (adaptive(problem, steps, rtol=rtol) for rtol in (1e-4, 1e-6))
    assert off(loose, tight) < 1e-4
    assert loose.stats.row_sweeps < 0.06 * steps


def test_rates_with_a_kink_are_followed() -> None:
    rates = np.where(np.arange(600) < 350, 0.002, 0.004)
    problem = lm.Problem(NET, ONE_PASS, lm.SGD(lr=rates))
    run = adaptive(problem, 600, rtol=1e-5)
    assert off(run, lm.solve(problem, 600)) < 1e-5


@pytest.mark.long
def test_losses_of_infinite_depth_keep_rtol() -> None:
    problem = lm.Problem(lm.ResNet(depth=np.inf, width=1.0), ONE_PASS, lm.SGD(lr=0.04))
    assert off(adaptive(problem, rtol=1e-5), lm.solve(problem, STEPS)) < 1e-5


def test_everything_else_that_is_recorded_follows() -> None:
    problem = lm.Problem(*CASES["modes"])
    exact, run = lm.solve(problem, STEPS, modes=True), adaptive(problem, modes=True, rtol=1e-6)
    for name in ("term_target", "term_data", "feature_norm", "gradient_norm", "mode_loss"):
        ours, theirs = getattr(run, name), getattr(exact, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-9, err_msg=name)


def test_the_lazy_limit_has_its_closed_form() -> None:
    """Theory section 12: every step shrinks the error, and each batch adds noise."""
    rate, alpha, sigma = 0.02, 0.25, 0.3
    lazy = lm.MLP(depth=1, width=np.inf, gamma0=0.0)
    run = adaptive(lm.Problem(lazy, ONE_PASS, lm.SGD(lr=rate)), 2000)
    k = 2 * rate  # both weight arrays learn
    keep, noise = (1 - k) ** 2 + k**2 / alpha, k**2 * sigma**2 / alpha
    stationary = noise / (1 - keep)
    expected = stationary + (1 - stationary) * keep ** np.arange(2000)
    np.testing.assert_allclose(run.test_loss, expected, rtol=1e-6)
    assert run.test_loss[-1] == pytest.approx(stationary, rel=1e-8)


def test_many_are_solved_together_and_times_can_be_chosen() -> None:
    rates = [0.02, 0.05]
    several = NOISY.vary({"optimizer.lr": rates})
    together = lm.solve_many(several, 200, grid="adaptive")
    for problem, run in zip(several, together, strict=True):
        np.testing.assert_array_equal(run.test_loss, adaptive(problem, 200).test_loss)
    whole = adaptive(NOISY, 200)
    some = adaptive(NOISY, 200, saveat=[0, 17, 199])
    np.testing.assert_array_equal(some.test_loss, whole.test_loss[[0, 17, 199]])
    np.testing.assert_array_equal(whole.at([17, 199]).test_loss, whole.test_loss[[17, 199]])
    assert f"with a past of at most {whole.stats.active_nodes} numbers" in whole.status
    assert "Solved at 3 times" in some.status


@pytest.mark.parametrize("name", ["momentum and decay", "centered", "outputs"])
def test_a_run_continues(name: str, tmp_path: Path) -> None:
    problem = lm.Problem(*CASES[name])
    start = adaptive(problem, 130, rtol=1e-6)
    path = tmp_path / "start.nc"
    start.save(path)
    longer = adaptive(problem, 200, rtol=1e-6, continue_from=lm.Solution.load(path))
    assert off(longer, lm.solve(problem, 200)) < 1e-6
    np.testing.assert_array_equal(longer.test_loss[:130], start.test_loss)


def test_checkpoints_are_written_and_used(tmp_path: Path) -> None:
    path = tmp_path / "run.nc"
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done > 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adaptive(NOISY, 250, checkpoint=path, checkpoint_every=60, progress=stop)
    assert len(lm.Solution.load(path).time) == 120
    assert {total for _, total in seen} == {250}
    run = adaptive(NOISY, 250, checkpoint=path, checkpoint_every=60)
    assert off(run, lm.solve(NOISY, 250)) < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernels": True}, "^kernels cannot be combined with adaptive steps with random batches"),
        ({"replicas": True}, "^replicas cannot be combined"),
        ({"save": "C_v"}, "^save cannot be combined"),
        ({"spectrum_at": 3}, "^spectrum_at cannot be combined"),
    ],
)
def test_what_needs_the_whole_past_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        adaptive(NOISY, **options)


def test_grids_are_not_mixed_and_epochs_are_refused() -> None:
    start = lm.solve(NOISY, 20, keep_state=True)
    with pytest.raises(ValueError, match="^grid must be that of continue_from"):
        adaptive(NOISY, 40, continue_from=start)
    epochs = NOISY.replace(data=lm.Epochs(alpha=2.0, batches=4))
    with pytest.raises(lm.BadInput, match="^data.kind 'epochs' cannot be combined with grid"):
        adaptive(epochs)
    with pytest.raises(lm.BadInput, match="'one_pass' cannot be combined with gradient flow"):
        lm.flow(NOISY, 1.0)


def test_a_divergence_is_flagged() -> None:
    wild = NOISY.replace(**{"optimizer.lr": 0.6})
    exact, run = lm.solve(wild, STEPS), adaptive(wild)
    assert exact.diverged_at is not None
    assert run.diverged_at == exact.diverged_at
    assert len(run.test_loss) == STEPS
    assert np.isinf(run.test_loss[-1])


@pytest.mark.long
def test_a_past_that_never_becomes_smooth_says_so() -> None:
    """A learning rate that alternates has no polynomial."""
    jagged = NOISY.replace(
        network=NET, optimizer=lm.SGD(lr=np.where(np.arange(1400) % 2, 0.01, 0.02))
    )
    with pytest.raises(lm.NotConverged, match="does not become smooth. Raise rtol"):
        adaptive(jagged, 1400)


@pytest.mark.long
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
@given(problems(steps=240))
def test_random_problems_keep_rtol(setting: dict[str, Any]) -> None:
    """Losses keep rtol as docs/accuracy.md says: of themselves, or of 1e-3 of the start."""
    problem = lm.Problem.from_dict(setting)
    assume(problem.data.condensable)
    exact = lm.solve(problem, 240)
    assume(exact.diverged_at is None)
    run = adaptive(problem, 240, rtol=1e-5)
    for name in LOSSES:
        ours, theirs = getattr(run, name), getattr(exact, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8 * theirs[0], err_msg=name)
