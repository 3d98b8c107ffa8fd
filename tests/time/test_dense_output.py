"""Dense output: solutions between their nodes, compared with exact steps and finer grids."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lindmft as lm
from lindmft._internal import interpolation

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
FEW = lm.Problem(
    lm.ResNet(depth=3, width=0.75, branch=0.8), lm.FullBatch(alpha=0.6), lm.SGD(lr=0.05)
)
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
NORMS = ("feature_norm", "gradient_norm")
END = 300.0


@pytest.mark.parametrize("problem", [PROBLEM, FEW], ids=["mlp", "resnet"])
def test_adaptive_steps_are_right_at_all_steps(problem: lm.Problem) -> None:
    coarse = lm.solve(problem, 400, grid="adaptive")
    dense, exact = coarse.at(range(400)), lm.solve(problem, 400)
    assert len(coarse.time) < 200
    for name in (*SERIES, *NORMS):
        ours, theirs = getattr(dense, name), getattr(exact, name)
        start = np.abs(theirs).max(axis=-1, keepdims=True)
        np.testing.assert_allclose(ours / start, theirs / start, rtol=1e-6, atol=1e-9)


def test_correlations_are_right_at_all_pairs_of_steps() -> None:
    dense = lm.solve(PROBLEM, 300, grid="adaptive", save="all").at(range(300))
    exact = lm.solve(PROBLEM, 300, save="all")
    pairs = [(dense.C_h[layer], exact.C_h[layer]) for layer in exact.C_h]
    pairs += [(dense.C_g[layer], exact.C_g[layer]) for layer in exact.C_g]
    pairs += [(dense.C_v, exact.C_v), (dense.C_delta, exact.C_delta)]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, atol=1e-7 * np.abs(theirs).max())


def test_responses_between_nodes_are_left_out() -> None:
    coarse = lm.solve(PROBLEM, 300, grid="adaptive", save="all")
    dense = coarse.at([0, 100])
    assert [name for name in ("R_hr", "R_gu", "R_delta") if dense.has(name)] == []
    assert coarse.has("R_delta")


@cache
def flows(which: str) -> tuple[lm.Solution, lm.Solution]:
    problem = {"mlp": PROBLEM, "resnet": FEW}[which]
    return lm.flow(problem, END), lm.flow(problem, END, rtol=1e-9, atol=1e-12)


@pytest.mark.long
@pytest.mark.parametrize("which", ["mlp", "resnet"])
@given(
    st.lists(st.floats(-4.0, np.log10(END), exclude_max=True), min_size=1, max_size=20, unique=True)
)
@settings(max_examples=50, deadline=None)
def test_flow_is_right_to_its_tolerance_between_nodes(which: str, powers: list[float]) -> None:
    coarse, fine = flows(which)
    times = np.unique([10.0**power for power in powers])
    ours, theirs = coarse.at(times), fine.at(times)
    for name in ("test_loss", "train_loss"):
        start = getattr(fine, name)[0]
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-6, atol=1e-10 * start
        )


@pytest.mark.parametrize("grid", ["adaptive", "flow"])
def test_nodes_are_given_back_bit_for_bit(grid: str) -> None:
    coarse = solved(grid, save="C_v")
    same = coarse.at(coarse.time)
    for name in (*SERIES, *NORMS, "test_loss_by_output"):
        np.testing.assert_array_equal(getattr(same, name), getattr(coarse, name))
    np.testing.assert_allclose(same.C_v, coarse.C_v, rtol=1e-13, atol=1e-15)


def solved(grid: str, **options: Any) -> lm.Solution:
    if grid == "flow":
        return lm.flow(PROBLEM, 50.0, **options)
    return lm.solve(PROBLEM, 200, grid=grid, **options)


@pytest.mark.parametrize("grid", ["exact", "adaptive", "flow"])
def test_saveat_is_at(grid: str) -> None:
    times = [0, 7, 31, 50]
    picked, later = solved(grid, saveat=times, save="C_h"), solved(grid, save="C_h").at(times)
    np.testing.assert_array_equal(picked.time, times)
    np.testing.assert_array_equal(picked.test_loss, later.test_loss)
    np.testing.assert_array_equal(picked.C_h[2], later.C_h[2])
    assert picked.C_h[2].shape == (4, 4)
    assert picked.feature_norm.shape == (2, 4)
    assert not picked.state
    assert "Solved at 4 times" in picked.status
    assert picked.at(31).test_loss[0] == later.test_loss[2]


def test_exact_grids_pick_steps_and_keep_everything() -> None:
    whole = lm.solve(PROBLEM, 40, save="all", kernels=True, replicas=True)
    some = whole.at([3, 5, 39])
    chosen = np.array([3, 5, 39])
    np.testing.assert_array_equal(some.kernel_scale, whole.kernel_scale[chosen])
    np.testing.assert_array_equal(some.R_delta, whole.R_delta[np.ix_(chosen, chosen)])
    np.testing.assert_array_equal(some.R_hr[0], whole.R_hr[0][np.ix_(chosen, chosen)])
    np.testing.assert_array_equal(some.ensemble_loss(3), whole.ensemble_loss(3)[chosen])


def test_several_outputs_are_sampled_with_their_channels() -> None:
    several = PROBLEM.replace(**{"data.targets": [1.0, 0.5, 1.0]})
    whole = lm.solve(several, 40, save="C_h")
    some = whole.at([3, 5])
    np.testing.assert_array_equal(some.test_loss_by_output, whole.test_loss_by_output[:, [3, 5]])
    assert some.channels[1].C_h[1].shape == (2, 2)


def test_several_outputs_are_right_on_coarse_grids() -> None:
    several = PROBLEM.replace(**{"data.targets": [1.0, 0.5, 1.0]})
    dense = lm.solve(several, 400, grid="adaptive").at(range(400))
    exact = lm.solve(several, 400)
    np.testing.assert_allclose(dense.test_loss, exact.test_loss, rtol=1e-6)
    np.testing.assert_allclose(dense.test_loss_by_output, exact.test_loss_by_output, rtol=1e-6)


BAD_TIMES: list[tuple[str, Any, str]] = [
    ("exact", [0.5], "whole steps"),
    ("adaptive", [10.5], "whole steps"),
    ("adaptive", [200], "within \\[0, 199\\]"),
    ("flow", [50.1], "within \\[0, 50\\]"),
    ("flow", [-0.1], "within \\[0, 50\\]"),
    ("flow", [float("nan")], "within"),
    ("flow", [2.0, 1.0], "increasing"),
    ("flow", [1.0, 1.0], "increasing"),
    ("flow", [], "at least one"),
    ("flow", "now", "number"),
    ("flow", True, "number"),
]


@pytest.mark.parametrize(("grid", "times", "reason"), BAD_TIMES)
def test_times_outside_or_between_steps_are_refused(grid: str, times: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^times.* must be .*{reason}"):
        solved(grid).at(times)


def test_samples_can_only_be_thinned() -> None:
    with pytest.raises(ValueError, match="^times must be among the times"):
        solved("flow").at([1.0, 3.0]).at([2.0])


def test_past_a_divergence_everything_is_inf() -> None:
    lost = lm.solve(PROBLEM.replace(**{"optimizer.lr": 1.5}), 1000, grid="adaptive", save="C_v")
    assert lost.diverged_at is not None
    shown = lost.at([0, 1, lost.diverged_at - 1, lost.diverged_at, 500, 999])
    assert np.isfinite(shown.test_loss).tolist() == [True] * 3 + [False] * 3
    assert np.isposinf(shown.feature_norm[:, 3:]).all()
    assert shown.valid == 3
    assert shown.C_v.shape == (3, 3)
    assert lost.at([0, 999]).valid == 1  # of the times shown
    assert "Diverged at step" in lost.at([0, 999]).status


@given(st.integers(1, 10), st.data())
@settings(deadline=None)
def test_polynomials_are_reproduced(count: int, data: st.DataObject) -> None:
    """Interpolation through m nodes is exact for degree m - 1, at and between the nodes."""
    nodes = np.sort(data.draw(st.permutations(range(12))).copy()[:count]).astype(float) * 1e5
    coefficients = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count)))
    points = np.append(np.linspace(nodes[0], nodes[-1], 7), nodes)
    values = np.polynomial.polynomial.polyval(nodes / 1e6, coefficients)
    expected = np.polynomial.polynomial.polyval(points / 1e6, coefficients)
    weights = interpolation.weights(nodes, points)
    np.testing.assert_allclose(weights @ values, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


def test_replicas_are_right_at_all_steps() -> None:
    dense = lm.solve(PROBLEM, 300, grid="adaptive", replicas=True).at(range(300))
    exact = lm.solve(PROBLEM, 300, replicas=True)
    for k_init, k_data in ((1, 4), (4, 1), (3, 2)):
        ours, theirs = dense.ensemble_loss(k_init, k_data), exact.ensemble_loss(k_init, k_data)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


WANING: dict[str, lm.Problem] = {
    "rich": lm.Problem(
        lm.MLP(depth=2, gamma0=3.0), lm.FullBatch(alpha=2.0, noise=0.5), lm.SGD(lr=0.03)
    ),
    "centered": lm.Problem(
        lm.MLP(depth=2, gamma0=0.5, centered=True),
        lm.FullBatch(alpha=2.0, noise=0.3),
        lm.SGD(lr=0.1),
    ),
    "several modes": lm.Problem(
        lm.MLP(depth=1),
        lm.FullBatch(alpha=2.0, noise=0.3, spectrum=lm.Discrete([3.0, 0.3], [1, 1], [0.3, 0.7])),
        lm.SGD(lr=0.05),
    ),
}
TERMS = ("term_target", "term_init", "term_data")


@pytest.mark.parametrize(
    "kind", ["rich", *(pytest.param(k, marks=pytest.mark.long) for k in [*WANING][1:])]
)
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_terms_between_nodes_are_right_to_rtol_of_the_test_loss(kind: str, rtol: float) -> None:
    """Small terms have relative errors of 200 rtol and more."""
    times = np.geomspace(1e-2, 99.0, 3000)
    coarse = lm.flow(WANING[kind], 100.0, rtol=rtol)
    dense, fine = coarse.at(times), lm.flow(WANING[kind], 100.0, rtol=1e-7, atol=1e-11).at(times)
    allowed = rtol * fine.test_loss + 1e-10 * fine.test_loss[0]
    for name in TERMS:
        off = np.abs(getattr(dense, name) - getattr(fine, name)) / allowed
        assert off.max() < 0.3
        assert getattr(dense, name).min() >= 0
    total = sum(getattr(dense, name) for name in TERMS)
    np.testing.assert_allclose(total, dense.test_loss, rtol=rtol)


@pytest.mark.parametrize("targets", [[1.0], [1.0, 0.5]])
def test_nothing_between_nodes_is_negative(targets: list[float]) -> None:
    """The polynomials become negative, within their errors, where losses fall to zero."""
    problem = lm.Problem(
        lm.MLP(depth=3, width=0.5), lm.FullBatch(alpha=1.5, targets=targets), lm.SGD(lr=0.05)
    )
    coarse = lm.flow(problem, 1000.0, rtol=1e-4)
    dense = coarse.at(np.geomspace(1e-2, 999.0, 4000))
    for name in (*SERIES, *NORMS, "test_loss_by_output", "train_loss_by_output"):
        assert getattr(coarse, name).min() >= 0, name
        assert getattr(dense, name).min() >= 0, name
