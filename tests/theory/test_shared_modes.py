"""Outputs that share modes (theory section 16)."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import networks, optimizers, resnets, sharing

import lindmft as lm
from lindmft import _core

CASES = json.loads((Path(__file__).parents[1] / "data/cases_outputs_epochs.json").read_text())
OUTPUTS = [case for case in CASES if case["kind"] == "outputs"]
STEPS = 8
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
NORMS = ("feature_norm", "gradient_norm")
GRAMS = [[[4.0, 1.5], [1.5, 1.0]], [[0.5, -0.4], [-0.4, 2.0]]]
SPECTRUM = lm.Discrete([1.5, 0.5], weights=[0.5, 0.5], targets=GRAMS)
PROBLEM = lm.Problem(
    lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3, spectrum=SPECTRUM), lm.SGD(lr=0.05)
)


@st.composite
def sharing_problems(draw: st.DrawFn, architecture: st.SearchStrategy[Any]) -> dict[str, Any]:
    network = draw(architecture)
    optimizer = draw(optimizers(network, STEPS))
    return {"network": network, "data": draw(sharing()), "optimizer": optimizer}


def from_case(parameters: dict[str, Any]) -> lm.Problem:
    """Return the problem of a reference case, in the notation of the reference."""
    p = parameters
    one_pass = p.get("mode") == "online"
    spectrum = lm.Discrete(p["lam"], weights=p["wt"], targets=p["gram"])
    data = (lm.OnePass if one_pass else lm.FullBatch)(p["alpha"], p["sigma"], spectrum)
    network = lm.MLP(p["L"], p["nu"], p["gamma"], centered=p.get("centered", False))
    return lm.Problem(network, data, lm.SGD(p["eta"], momentum=p.get("momentum", 0.0)))


@pytest.mark.parametrize("case", OUTPUTS, ids=["full-batch", "one-pass", "centered-momentum"])
def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    """Numbers of an independent dense iteration, which stopped at changes of 1e-12."""
    solution = lm.solve(from_case(case["parameters"]), case["parameters"]["T"])
    test, train = (np.array(case[name]).T for name in ("test_loss", "train_loss"))
    np.testing.assert_allclose(solution.test_loss_by_output, test, rtol=1e-8)
    np.testing.assert_allclose(solution.train_loss_by_output, train, rtol=1e-8)
    np.testing.assert_allclose(solution.test_loss, test.sum(axis=0), rtol=1e-8)
    norms = np.array(case["gradient_norm"]).sum(axis=1)
    np.testing.assert_allclose(solution.gradient_norm[0], norms, rtol=1e-8)


@settings(max_examples=60, deadline=None)
@given(sharing_problems(networks()))
def test_agrees_with_the_dense_oracle(problem: dict[str, Any]) -> None:
    """The oracle's index is the pair of step and output; sums over outputs follow from it."""
    solution = lm.solve(problem, STEPS)
    assert solution.stats.chain_residual < 1e-10
    expected = oracle.solve(problem, STEPS)
    outputs = solution.problem.data.outputs

    def by_output(values: Any) -> Any:
        return values.reshape(*values.shape[:-1], STEPS, outputs)

    for name in (*SERIES, *NORMS):
        wanted = by_output(expected[name]).sum(axis=-1)
        np.testing.assert_allclose(getattr(solution, name), wanted, rtol=1e-9, atol=1e-11)
    if outputs > 1:
        for name in ("test_loss", "train_loss"):
            found = getattr(solution, f"{name}_by_output")
            wanted = by_output(expected[name]).T
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)


@settings(max_examples=20, deadline=None)
@given(sharing_problems(st.one_of(networks(), resnets(st.integers(1, 3)))))
def test_outputs_with_common_axes_decouple(problem: dict[str, Any]) -> None:
    """A rotation makes outputs independent channels if all modes have one Gram matrix."""
    data = problem["data"]
    targets = np.array(data["spectrum"]["targets"])
    gram = targets[0] if targets.ndim == 3 else np.outer(targets[0], targets[0])
    spectrum = data["spectrum"] | {"targets": [gram.tolist()] * len(targets)}
    noise = {"noise": data["noise"], "noise_covariance": None}
    shared = problem | {"data": data | noise | {"spectrum": spectrum}}
    plain = {k: v for k, v in spectrum.items() if k != "targets"}
    plain["target_power"] = [1.0] * len(targets)
    apart = problem | {"data": data | noise | {"spectrum": plain, "targets": gram.tolist()}}
    together, channels = lm.solve(shared, STEPS), lm.solve(apart, STEPS)
    for name in (*SERIES, *NORMS, "test_loss_by_output", "train_loss_by_output"):
        scale = np.max(getattr(channels, name))
        # Centering takes differences of terms of order one.
        atol = 1e-12 * scale + 1e-14
        np.testing.assert_allclose(
            getattr(together, name), getattr(channels, name), rtol=1e-10, atol=atol
        )


def test_isotropic_inputs_take_the_path_of_channels() -> None:
    """The coupled equations, when they are forced, give the same numbers."""
    spectrum = lm.Discrete([1.0], targets=GRAMS[:1])
    fast = PROBLEM.replace(**{"data.spectrum": spectrum})
    solution = lm.solve(fast, 30)
    assert len(solution.channels) == 2
    covariance = lm.FullBatch(2.0, spectrum=spectrum, noise_covariance=0.09 * np.eye(2))
    coupled = lm.solve(fast.replace(data=covariance), 30)
    assert coupled.channels == ()
    for name in (*SERIES, *NORMS, "test_loss_by_output", "train_loss_by_output"):
        np.testing.assert_allclose(
            getattr(coupled, name), getattr(solution, name), rtol=1e-10, atol=1e-13
        )


@pytest.mark.parametrize("depth", [1, 3, math.inf])
def test_residual_networks_at_equal_targets_are_single_outputs(depth: float) -> None:
    """Two outputs without a target for the second one: the first is that of a single output."""
    network = lm.ResNet(depth=depth, width=1.0, gamma0=0.5)
    alone = lm.Discrete([1.5, 0.5], [1.0, 2.0], [0.5, 0.5])
    second = lm.Discrete([1.5, 0.5], None, [0.5, 0.5], targets=[[1.0, 0.0], [2**0.5, 0.0]])
    data = lm.FullBatch(2.0, spectrum=alone)
    options: dict[str, Any] = {"depth_nodes": 6 if depth == math.inf else None}
    one = lm.solve(lm.Problem(network, data, lm.SGD(0.02)), 12, **options)
    both = lm.Problem(network, lm.FullBatch(2.0, spectrum=second), lm.SGD(0.02))
    two = lm.solve(both, 12, **options)
    np.testing.assert_allclose(two.test_loss_by_output[0], one.test_loss, rtol=1e-8)


def test_results_do_not_depend_on_threads() -> None:
    one, two = (lm.solve(PROBLEM, 40, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.test_loss_by_output, two.test_loss_by_output)


def test_a_continued_solution_is_the_uninterrupted_one() -> None:
    first = lm.solve(PROBLEM, 13, keep_state=True)
    rest = lm.solve(PROBLEM, 29, continue_from=first)
    whole = lm.solve(PROBLEM, 29)
    for name in (*SERIES, "test_loss_by_output"):
        np.testing.assert_allclose(getattr(rest, name), getattr(whole, name), rtol=1e-10)


def test_pairs_of_networks() -> None:
    """Bias and variances of several outputs add up to the test loss (section 3, replicas)."""
    solution = lm.solve(PROBLEM, 20, replicas=True)
    np.testing.assert_allclose(solution.ensemble_loss(1, 1), solution.test_loss, rtol=1e-12)
    many = solution.ensemble_loss(math.inf, math.inf)
    np.testing.assert_allclose(many, solution.term_target, rtol=1e-12)


def test_divergence_is_a_result() -> None:
    wild = lm.solve(PROBLEM.replace(**{"optimizer.lr": 1.0}), 60)
    at = wild.diverged_at
    assert at is not None
    assert np.isposinf(wild.test_loss_by_output[:, at:]).all()
    assert np.isfinite(wild.test_loss_by_output[:, :at]).all()


@pytest.mark.parametrize("data", ["full_batch", "population", "single_mode"])
@pytest.mark.parametrize("depth", [2, math.inf])
def test_coarse_grids_agree_with_exact_steps(data: str, depth: float) -> None:
    data_sets = {
        "full_batch": PROBLEM.data,
        "population": lm.Population(spectrum=SPECTRUM),
        "single_mode": lm.FullBatch(
            2.0,
            spectrum=lm.Discrete([1.0], targets=GRAMS[:1]),
            noise_covariance=[[0.09, 0.03], [0.03, 0.04]],
        ),
    }
    network = lm.MLP(depth=2) if depth == 2 else lm.ResNet(depth=depth, gamma0=0.5)
    problem = lm.Problem(network, data_sets[data], lm.SGD(0.02))
    options: dict[str, Any] = {} if depth == 2 else {"depth_nodes": 5}
    steps = 120 if depth == 2 else 60
    exact = lm.solve(problem, steps, **options)
    coarse = lm.solve(problem, steps, grid="adaptive", **options)
    between = coarse.at(np.arange(steps))
    np.testing.assert_allclose(between.test_loss, exact.test_loss, rtol=1e-6)
    np.testing.assert_allclose(between.test_loss_by_output, exact.test_loss_by_output, rtol=1e-5)


@pytest.mark.long
def test_long_times_reach_the_exact_limit() -> None:
    """Each output's test loss converges to sigma^2 / (alpha - 1) for alpha > 1, section 12."""
    solution = lm.solve(PROBLEM, 10**5, grid="adaptive")
    np.testing.assert_allclose(solution.test_loss_by_output[:, -1], 0.09, rtol=1e-6)
    first = lm.solve(PROBLEM, 300, grid="adaptive", keep_state=True)
    rest = lm.solve(PROBLEM, 10**5, grid="adaptive", continue_from=first)
    np.testing.assert_allclose(rest.test_loss_by_output[:, -1], 0.09, rtol=1e-6)
    flow = lm.flow(PROBLEM, 5e3)
    np.testing.assert_allclose(flow.test_loss_by_output[:, -1], 0.09, rtol=1e-5)


@pytest.mark.parametrize("options", [{"save": "all"}, {"kernels": True}, {"spectrum_at": [0]}])
def test_what_pairs_of_outputs_do_not_have_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be combined with outputs that share modes"):
        lm.solve(PROBLEM, 10, **options)


def test_saved_and_read_back(tmp_path: Path) -> None:
    solution = lm.solve(PROBLEM, 10)
    solution.save(tmp_path / "outputs.nc")
    back = lm.Solution.load(tmp_path / "outputs.nc")
    assert back.problem == PROBLEM
    np.testing.assert_array_equal(back.test_loss_by_output, solution.test_loss_by_output)


def test_noise_of_outputs() -> None:
    covariance = [[0.5, 0.2], [0.2, 0.3]]
    data = lm.FullBatch(2.0, spectrum=SPECTRUM, noise_covariance=covariance)
    assert data.irreducible == pytest.approx(0.8)
    assert lm.solve(PROBLEM.replace(data=data), 5).irreducible == pytest.approx(0.8)
    assert isinstance(data.as_core(), _core.Data)
    with pytest.raises(ValueError, match=r"noise_covariance must be a square matrix with one row"):
        lm.FullBatch(2.0, spectrum=SPECTRUM, noise_covariance=[[1.0]])
    with pytest.raises(ValueError, match=r"noise_covariance cannot be combined with data\.noise"):
        lm.FullBatch(2.0, 0.1, SPECTRUM, noise_covariance=covariance)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([[1.0, 2.0]], "must be as long as eigenvalues"),
        ([[1.0, np.nan], [0.0, 1.0]], "must be finite"),
        ([1.0, 2.0], "must be a table"),
        ([[[1.0, 2.0], [0.0, 1.0]]] * 2, "must be a symmetric Gram matrix"),
        ([[[1.0, 2.0], [2.0, 1.0]]] * 2, "must be a positive semidefinite Gram matrix"),
    ],
)
def test_bad_targets_are_refused(targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.Discrete([1.0, 0.5], targets=targets)
