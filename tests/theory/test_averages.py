"""The loss of averaged weights (theory section 18): the oracle, limits and refusals."""

import math
from typing import Any

import numpy as np
import oracle_average
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import networks, number, optimizers, problems, resnets, sharing

import lindmft as lm

STEPS = 12
ONE_PASS = lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.5, noise=0.5), lm.SGD(lr=0.1))


def averages(steps: int) -> st.SearchStrategy[Any]:
    step = st.integers(0, steps - 1)
    return st.one_of(
        number(0.0, 0.99).map(lm.EMA),
        step.map(lm.TailAverage),
        st.lists(step, min_size=1, unique=True).map(lm.CheckpointAverage),
    )


@st.composite
def sharing_problems(draw: st.DrawFn) -> dict[str, Any]:
    network = draw(networks())
    optimizer = draw(optimizers(network, STEPS))
    return {"network": network, "data": draw(sharing()), "optimizer": optimizer}


@settings(max_examples=60, deadline=None)
@given(st.one_of(problems(STEPS), sharing_problems()), averages(STEPS))
def test_agrees_with_the_dense_oracle(problem: dict[str, Any], average: Any) -> None:
    solution = lm.solve(problem, STEPS, average=average)
    expected = oracle_average.average_loss(problem, STEPS, average)
    scale = expected.max()
    np.testing.assert_allclose(
        solution.average_loss, expected, rtol=1e-9, atol=1e-10 * scale + 1e-14
    )
    assert solution.average == average


@settings(max_examples=12, deadline=None)
@given(problems(STEPS, resnets(st.integers(1, 4) | st.just(math.inf))), averages(STEPS))
def test_residual_networks_agree_with_their_oracle(problem: dict[str, Any], average: Any) -> None:
    infinite = problem["network"]["depth"] == math.inf
    solution = lm.solve(problem, STEPS, average=average, depth_nodes=14 if infinite else None)
    expected = oracle_average.average_loss(problem, STEPS, average, nodes=14)
    scale = expected.max()
    np.testing.assert_allclose(
        solution.average_loss, expected, rtol=1e-9, atol=1e-10 * scale + 1e-14
    )


@settings(max_examples=20, deadline=None)
@given(problems(20, st.one_of(networks(), resnets(st.integers(1, 4)), resnets(st.just(math.inf)))))
def test_the_average_of_one_step_is_the_step(problem: dict[str, Any]) -> None:
    plain = lm.solve(problem, 20)
    for average in (lm.EMA(0.0), lm.TailAverage(19), lm.CheckpointAverage([19])):
        solution = lm.solve(problem, 20, average=average)
        np.testing.assert_array_equal(solution.test_loss, plain.test_loss)
        scale = plain.test_loss.max()
        np.testing.assert_allclose(
            solution.average_loss, plain.test_loss, rtol=1e-9, atol=1e-10 * scale
        )


def test_a_tail_is_the_mean_of_its_checkpoints() -> None:
    tail = lm.solve(ONE_PASS, 30, average=lm.TailAverage(10)).average_loss
    merged = lm.solve(ONE_PASS, 30, average=lm.CheckpointAverage(range(10, 30))).average_loss
    np.testing.assert_allclose(tail, merged, rtol=1e-12)
    later = lm.solve(ONE_PASS, 40, average=lm.CheckpointAverage(range(10, 30))).average_loss
    np.testing.assert_allclose(later[29:], tail[-1], rtol=1e-9)


def test_the_mean_of_noisy_weights_is_better() -> None:
    """The noise of one pass averages out; a lazy network is a linear model."""
    theory = lm.solve(ONE_PASS, 200, average=lm.TailAverage(100))
    assert theory.average_loss[-1] < 0.15 * theory.test_loss[-1]


def test_lazy_networks_average_their_predictors() -> None:
    """Theory section 12.3: then the error of the mean is (1 - lr K)^t averaged over the steps."""
    depth, rate, start = 2, 0.05, 10
    lazy = lm.Problem(
        lm.MLP(depth=depth, width=math.inf, gamma0=0.0), lm.Population(), lm.SGD(lr=rate)
    )
    theory = lm.solve(lazy, 40, average=lm.TailAverage(start))
    error = (1.0 - (depth + 1) * rate) ** theory.time
    mean = [error[start : t + 1].mean() if t > start else error[t] for t in range(40)]
    np.testing.assert_allclose(theory.average_loss, np.square(mean), rtol=1e-10)


def test_outputs_add_up() -> None:
    several = ONE_PASS.replace(**{"data.targets": [2.0, 0.5]})
    apart = [ONE_PASS.replace(**{"data.targets": [norm]}) for norm in (2.0, 0.5)]
    average = lm.EMA(0.9)
    total = sum(lm.solve(one, 20, average=average).average_loss for one in apart)
    together = lm.solve(several, 20, average=average)
    np.testing.assert_allclose(together.average_loss, total, rtol=1e-12)
    assert together.channels[0].average == average


def test_other_requests_are_the_same_with_an_average() -> None:
    asked: dict[str, Any] = {"save": "all", "replicas": True, "kernels": True, "spectrum_at": [9]}
    plain = lm.solve(ONE_PASS, 20, modes=True, **asked)
    both = lm.solve(ONE_PASS, 20, modes=True, average=lm.EMA(0.9), **asked)
    for name in ("test_loss", "kernel_target", "mode_loss", "C_v", "C_delta"):
        np.testing.assert_array_equal(getattr(both, name), getattr(plain, name))
    for name in ("shared_init", "shared_data", "independent"):
        np.testing.assert_array_equal(getattr(both.replicas, name), getattr(plain.replicas, name))
    np.testing.assert_array_equal(both.C_g[1], plain.C_g[1])
    np.testing.assert_allclose(both.spectrum.sharpness, plain.spectrum.sharpness, rtol=1e-12)


def test_past_a_divergence_the_loss_is_infinite() -> None:
    wild = ONE_PASS.replace(**{"optimizer.lr": 3.0})
    theory = lm.solve(wild, 60, average=lm.EMA(0.9))
    assert theory.diverged_at is not None
    assert np.isfinite(theory.average_loss[: theory.valid]).all()
    assert np.isinf(theory.average_loss[theory.valid :]).all()


def test_many_problems_and_chosen_times() -> None:
    average = lm.EMA(0.9)
    one = lm.solve(ONE_PASS, 20, average=average)
    (same,) = lm.solve_many([ONE_PASS], 20, average=average)
    np.testing.assert_array_equal(same.average_loss, one.average_loss)
    some = lm.solve(ONE_PASS, 20, average=average, saveat=[3, 19])
    np.testing.assert_array_equal(some.average_loss, one.average_loss[[3, 19]])
    assert some.average == average


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lm.EMA(1.0), r"average\.decay must be at least 0 and below 1, got 1\.0"),
        (lambda: lm.TailAverage(-1), r"average\.start must be a step 0, 1, \.\.\., got -1"),
        (lambda: lm.CheckpointAverage([]), r"average\.steps must be at least one step"),
        (lambda: lm.CheckpointAverage([3, 3]), r"average\.steps must be .* each of them once"),
        (lambda: lm.CheckpointAverage([1.5]), r"average\.steps\[0\] must be a whole number"),
        (
            lambda: lm.solve(ONE_PASS, 20, average=lm.TailAverage(20)),
            r"average\.start must be at most the last step \(19\), got 20",
        ),
        (lambda: lm.solve(ONE_PASS, 20, average=0.9), r"average must be lm\.EMA\(decay\)"),
        (
            lambda: lm.solve(
                ONE_PASS.replace(data=lm.FullBatch(alpha=2.0)), 20, grid="adaptive",
                average=lm.EMA(0.9),
            ),
            r"average cannot be combined with grid 'adaptive': an average is over the weights",
        ),
        (
            lambda: lm.solve(
                ONE_PASS, 20, average=lm.EMA(0.9),
                continue_from=lm.solve(ONE_PASS, 10, keep_state=True),
            ),
            r"continue_from cannot be combined with average",
        ),
        (
            lambda: lm.solve(ONE_PASS, 20, average=lm.EMA(0.9), keep_state=True),
            r"keep_state cannot be combined with average",
        ),
    ],
)  # fmt: skip
def test_refusals(make: Any, message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        make()
