"""Shuffled epochs (theory section 17)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import data_sets, networks, optimizers, resnets

import lindmft as lm

CASES = json.loads((Path(__file__).parents[1] / "data/cases_outputs_epochs.json").read_text())
EPOCHS = [case for case in CASES if case["kind"] == "epochs"]
STEPS = 13
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
PROBLEM = lm.Problem(lm.MLP(depth=2), lm.Epochs(2.0, 4, 0.3), lm.SGD(lr=0.06))


@st.composite
def shuffled(draw: st.DrawFn, architecture: st.SearchStrategy[Any]) -> dict[str, Any]:
    network = draw(architecture)
    amount = {"alpha": draw(st.floats(0.4, 4.0)), "batches": draw(st.integers(1, 6))}
    data = {k: v for k, v in draw(data_sets()).items() if k in {"noise", "spectrum"}}
    table = data | amount | {"kind": "epochs"}
    return {"network": network, "data": table, "optimizer": draw(optimizers(network, STEPS))}


def all_data(problem: dict[str, Any]) -> dict[str, Any]:
    """The same problem, with all samples in every step."""
    data = {k: v for k, v in problem["data"].items() if k != "batches"}
    return problem | {"data": data | {"kind": "full_batch"}}


@pytest.mark.parametrize("case", EPOCHS, ids=["depth-2", "depth-1", "depth-3"])
def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    """Numbers of an independent dense iteration, which stopped at changes of 1e-12."""
    p = case["parameters"]
    network = lm.MLP(p["L"], p["nu"], p["gamma"])
    data = lm.Epochs(p["alpha"], p["nb"], p.get("sigma", 0.0))
    solution = lm.solve(lm.Problem(network, data, lm.SGD(p["eta"])), p["T"])
    np.testing.assert_allclose(solution.test_loss, case["test_loss"], rtol=1e-8)
    np.testing.assert_allclose(solution.train_loss, case["train_loss"], rtol=1e-8)
    np.testing.assert_allclose(solution.gradient_norm[0], case["gradient_norm"], rtol=1e-8)


@settings(max_examples=60, deadline=None)
@given(shuffled(networks()))
def test_agrees_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    solution = lm.solve(problem, STEPS, save="all")
    assert solution.stats.chain_residual < 1e-10
    expected = oracle.solve(problem, STEPS)
    for name in (*SERIES, "feature_norm", "gradient_norm", "C_v", "C_delta", "R_delta"):
        np.testing.assert_allclose(
            getattr(solution, name), expected[name], rtol=1e-9, atol=1e-11, err_msg=name
        )


@settings(max_examples=15, deadline=None)
@given(shuffled(st.one_of(networks(), resnets(st.integers(1, 3)))))
def test_one_batch_an_epoch_is_full_batch(problem: dict[str, Any]) -> None:
    one = problem | {"data": problem["data"] | {"batches": 1}}
    epochs, full = lm.solve(one, STEPS), lm.solve(all_data(problem), STEPS)
    for name in SERIES:
        np.testing.assert_array_equal(getattr(epochs, name), getattr(full, name))


def test_an_epoch_longer_than_the_run_uses_every_sample_once() -> None:
    """Batches of the first epoch are as independent as fresh ones; the theory is that of one pass.

    The batch is alpha / batches of it.
    """
    epochs = lm.solve(PROBLEM.replace(data=lm.Epochs(5.0, 50, 0.3)), 50)
    fresh = lm.solve(PROBLEM.replace(data=lm.OnePass(0.1, 0.3)), 50)
    np.testing.assert_allclose(epochs.test_loss, fresh.test_loss, rtol=1e-9)
    assert epochs.train_loss[-1] < 0.9 * fresh.train_loss[-1]


def test_infinite_data_are_the_population() -> None:
    epochs = lm.solve(PROBLEM.replace(data=lm.Epochs(np.inf, 4, 0.3)), 20)
    population = lm.solve(PROBLEM.replace(data=lm.Population(0.3)), 20)
    np.testing.assert_allclose(epochs.test_loss, population.test_loss, rtol=1e-12)
    np.testing.assert_allclose(epochs.train_loss, population.train_loss, rtol=1e-12)


def test_shuffled_epochs_are_better_than_fresh_draws() -> None:
    """The noise of an epoch sums to zero."""
    epochs = lm.solve(PROBLEM, 60)
    draws = lm.solve(PROBLEM.replace(data=lm.MultiPass(2.0, 0.3, batch_fraction=0.25)), 60)
    np.testing.assert_allclose(epochs.test_loss[:2], draws.test_loss[:2], rtol=1e-12)
    assert np.all(epochs.test_loss[4:] < draws.test_loss[4:])


def test_a_continued_solution_is_the_uninterrupted_one() -> None:
    first = lm.solve(PROBLEM, 14, keep_state=True)  # in the middle of an epoch
    rest, whole = lm.solve(PROBLEM, 31, continue_from=first), lm.solve(PROBLEM, 31)
    np.testing.assert_allclose(rest.test_loss, whole.test_loss, rtol=1e-10)
    np.testing.assert_allclose(rest.train_loss, whole.train_loss, rtol=1e-10)


def test_a_part_of_the_first_epoch_can_be_continued() -> None:
    first = lm.solve(PROBLEM, 3, keep_state=True)
    middle = lm.solve(PROBLEM, 9, continue_from=first, keep_state=True)
    rest, whole = lm.solve(PROBLEM, 21, continue_from=middle), lm.solve(PROBLEM, 21)
    np.testing.assert_allclose(rest.test_loss, whole.test_loss, rtol=1e-10)
    np.testing.assert_allclose(rest.train_loss, whole.train_loss, rtol=1e-10)


def test_pairs_of_networks() -> None:
    solution = lm.solve(PROBLEM, 20, replicas=True)
    np.testing.assert_allclose(solution.ensemble_loss(1, 1), solution.test_loss, rtol=1e-12)
    assert np.all(solution.replicas.shared_data[1:] > solution.replicas.independent[1:])


def test_infinite_depth() -> None:
    """Networks of 64 layers are near the limit, in one over the depth."""
    options = {"depth_nodes": 6}
    network = lm.ResNet(depth=np.inf, gamma0=0.5)
    limit = lm.solve(PROBLEM.replace(network=network, optimizer=lm.SGD(0.02)), 10, **options)
    deep = PROBLEM.replace(network=lm.ResNet(depth=64, gamma0=0.5), optimizer=lm.SGD(0.02))
    np.testing.assert_allclose(lm.solve(deep, 10).test_loss, limit.test_loss, rtol=0.05)


def test_coarse_grids_are_refused() -> None:
    with pytest.raises(ValueError, match="'epochs' cannot be combined with grid 'adaptive'"):
        lm.solve(PROBLEM, 100, grid="adaptive")
    one = PROBLEM.replace(data=lm.Epochs(2.0, 1, 0.3))
    coarse = lm.solve(one, 100, grid="adaptive")
    np.testing.assert_allclose(coarse.test_loss[-1], lm.solve(one, 100).test_loss[-1], rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 2.0}, "batches is missing"),
        ({"alpha": 2.0, "batches": 0}, "batches must be at least 1"),
        ({"alpha": 2.0, "batches": 1.5}, "batches must be a whole number"),
        ({"alpha": 2.0, "batch": 4}, "batch cannot be combined with data.alpha"),
        ({"samples": 10, "batch": 4, "inputs": 5}, "batch must be a divisor of data.samples"),
        ({"samples": 8, "batch": 4, "batches": 2, "inputs": 5}, "cannot be combined"),
    ],
)
def test_bad_sizes_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.Epochs(**arguments)
