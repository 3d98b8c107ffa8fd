"""Networks that share initial weights, data or neither: overlaps, ensembles, bias and variances."""

import itertools
import math
from typing import Any

import numpy as np
import oracle_replicas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import networks, problem, problems, resnets

import lindmft as lm

STEPS = 8
NAMES = {(1, 1): "test_loss", (1, 0): "shared_init", (0, 1): "shared_data", (0, 0): "independent"}
ANY = st.one_of(networks(), resnets(st.integers(1, 4)), resnets(st.just(math.inf)))
RESNET = {"kind": "resnet", "depth": 3}
MODES = ("full_batch", "multi_pass", "one_pass", "population")
CASES = list(itertools.product(MODES, (1, 3, math.inf), (False, True)))


def with_mode(mode: str, network: dict[str, Any], lr: float = 0.03) -> dict[str, Any]:
    data = {"kind": mode, "alpha": 1.5, "noise": 0.5}
    if mode == "multi_pass":
        data["batch_fraction"] = 0.5
    return problem(network=network, data=data, optimizer={"lr": lr})


def solved(setting: dict[str, Any], steps: int, **options: Any) -> tuple[lm.Solution, Any]:
    solution = lm.solve(setting, steps, replicas=True, **options)
    return solution, solution.replicas


def test_agrees_with_theory_md() -> None:
    """Section 3: checked there by pairs of trained networks."""
    setting = problem(
        network={"width": 0.7}, data={"alpha": 1.5, "noise": 0.5}, optimizer={"lr": 0.08}
    )
    _, replicas = solved(setting, 20)
    last = [getattr(replicas, name)[19] for name in NAMES.values()]
    np.testing.assert_allclose(last, [0.4662, 0.1638, 0.2633, 0.0690], rtol=0, atol=5.1e-5)


@settings(max_examples=50, deadline=None)
@given(problems(STEPS, ANY))
def test_overlaps_agree_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    nodes = 12 if problem["network"]["depth"] == math.inf else None
    _, replicas = solved(problem, STEPS, depth_nodes=nodes)
    expected = oracle_replicas.replica_losses(problem, STEPS, nodes=12 if nodes is None else 14)
    tolerance = 1e-9 if nodes is None else 1e-8
    for pattern, name in NAMES.items():
        scale = np.max(np.abs(expected[pattern]))
        np.testing.assert_allclose(
            getattr(replicas, name), expected[pattern], rtol=tolerance, atol=tolerance * scale
        )


@settings(max_examples=40, deadline=None)
@given(problems(25, ANY))
def test_overlaps_make_sense(problem: dict[str, Any]) -> None:
    solution, replicas = solved(problem, 25)
    np.testing.assert_array_equal(replicas.test_loss, solution.test_loss)
    np.testing.assert_array_equal(replicas.independent, solution.term_target)
    np.testing.assert_array_equal(replicas.bias, solution.term_target)
    # The three terms of C_v are its sources one by one, inside one network.
    terms = solution.term_target + solution.term_init + solution.term_data
    scale = np.max(solution.test_loss)
    np.testing.assert_allclose(terms, solution.test_loss, rtol=0, atol=1e-12 * scale)
    variances = replicas.variance_init, replicas.variance_data, replicas.variance_interaction
    for variance in variances:  # each is the variance of a conditional mean (Hoeffding)
        assert variance.min() >= -1e-11 * scale
    total = replicas.bias + sum(variances)
    np.testing.assert_allclose(total, solution.test_loss, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize(("mode", "depth", "centered"), CASES)
def test_what_cannot_vary_does_not(mode: str, depth: float, centered: bool) -> None:
    network = {"kind": "resnet", "depth": depth, "centered": centered}
    _, replicas = solved(with_mode(mode, network), 15)
    start = 0.0 if centered else replicas.test_loss[0] - 1
    assert replicas.variance_init[0] == pytest.approx(start, rel=1e-12, abs=1e-13)
    assert replicas.variance_data[0] == pytest.approx(0.0, abs=1e-13)
    assert replicas.variance_init[1] > 1e-5
    if mode == "population":
        np.testing.assert_allclose(replicas.shared_init, replicas.test_loss, rtol=1e-11)
        np.testing.assert_allclose(replicas.shared_data, replicas.independent, rtol=1e-11)
    else:
        assert replicas.variance_data[2] > 1e-4
        assert replicas.variance_interaction[2] > 1e-5
    lazy = network | {"width": math.inf, "gamma0": 0.0}
    _, wide = solved(with_mode(mode, lazy), 15)
    np.testing.assert_allclose(wide.shared_data, wide.test_loss, rtol=1e-11)
    np.testing.assert_allclose(wide.shared_init, wide.independent, rtol=1e-11)


@pytest.mark.parametrize("kind", ["mlp", "resnet"])
def test_ensembles_average_over_pairs(kind: str) -> None:
    """Section 3: every sharing pattern counts by its fraction of the pairs of networks."""
    solution, replicas = solved(problem(network={"kind": kind}, data={"alpha": 1.2}), 20)
    for k_init, k_data in ((1, 1), (1, 3), (2, 1), (4, 5)):
        grid = list(itertools.product(range(k_init), range(k_data)))
        pairs = [
            getattr(replicas, NAMES[int(a[0] == b[0]), int(a[1] == b[1])])
            for a, b in itertools.product(grid, grid)
        ]
        expected = np.mean(pairs, axis=0)
        np.testing.assert_allclose(solution.ensemble_loss(k_init, k_data), expected, rtol=1e-12)
    np.testing.assert_array_equal(solution.ensemble_loss(), solution.test_loss)
    everything = solution.ensemble_loss(math.inf, math.inf)
    np.testing.assert_array_equal(everything, replicas.bias)
    np.testing.assert_array_equal(solution.ensemble_loss(math.inf), replicas.shared_data)
    np.testing.assert_array_equal(solution.ensemble_loss(1, math.inf), replicas.shared_init)
    counts = [1, 2, 5, 100, math.inf]
    for losses in (
        [solution.ensemble_loss(k_init=k) for k in counts],
        [solution.ensemble_loss(k_data=k) for k in counts],
        [solution.ensemble_loss(k, k) for k in counts],
    ):
        assert (np.diff(losses, axis=0)[:, 1:] < 0).all()


@pytest.mark.parametrize("name", ["k_init", "k_data"])
@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan, -math.inf, "two"])
def test_bad_ensembles(name: str, value: Any) -> None:
    solution, _ = solved(problem(), 3)
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, or inf"):
        solution.ensemble_loss(**{name: value})


def test_replicas_must_be_solved_for() -> None:
    solution = lm.solve(problem(), 3)
    assert not solution.has("replicas")
    with pytest.raises(ValueError, match="replicas=True"):
        solution.ensemble_loss(k_init=2)


@pytest.mark.parametrize("network", [{"depth": 3}, RESNET, RESNET | {"depth": math.inf}])
@pytest.mark.parametrize("mode", MODES)
def test_nothing_else_changes(mode: str, network: dict[str, Any]) -> None:
    """Bit for bit: two-time functions are given away before replicas are computed in them."""
    setting = with_mode(mode, network)
    plain = lm.solve(setting, 30, save="all")
    solution, _ = solved(setting, 30, save="all")
    series = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
    for name in (*series, "feature_norm", "gradient_norm", "C_v", "C_delta", "R_delta", "depth"):
        np.testing.assert_array_equal(getattr(solution, name), getattr(plain, name), name)
    for name in ("C_h", "C_g", "R_hr", "R_gu"):
        for layer, array in getattr(plain, name).items():
            np.testing.assert_array_equal(getattr(solution, name)[layer], array, name)
    assert solution.stats.chain_residual == plain.stats.chain_residual
    assert solution.stats.depth_error == plain.stats.depth_error


@pytest.mark.parametrize("network", [{}, RESNET])
def test_past_a_divergence_all_is_infinite(network: dict[str, Any]) -> None:
    solution, replicas = solved(problem(network=network, optimizer={"lr": 0.6}), 50)
    at = solution.diverged_at
    assert at is not None
    assert 0 < at < 50
    series = [getattr(replicas, name) for name in NAMES.values()]
    series += [replicas.bias, replicas.variance_init, replicas.variance_data]
    series += [replicas.variance_interaction, solution.ensemble_loss(2, 3)]
    series += [solution.ensemble_loss(math.inf, 1), solution.ensemble_loss(math.inf, math.inf)]
    for values in series:
        assert np.isfinite(values[:at]).all()
        assert np.isposinf(values[at:]).all()


def test_memory_counts_what_is_kept_for_replicas() -> None:
    plain = lm.estimate_memory(problem(), 300, save="all", keep_state=False)
    needed = lm.estimate_memory(problem(), 300, save="all", replicas=True)
    assert needed >= plain + 8 * 300**2 * 13  # copies of all that is saved
    with pytest.raises(MemoryError, match="memory_limit"):
        lm.solve(problem(), 300, save="all", replicas=True, memory_limit=(plain + needed) / 2)
