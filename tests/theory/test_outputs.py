"""Several outputs: channels that decouple, norms and Gram matrices of targets."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import networks, number, problem, problems, resnets

import lindmft as lm

STEPS = 10
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
NORMS = ("feature_norm", "gradient_norm")
OVERLAPS = ("shared_init", "shared_data", "independent")
ANY = st.one_of(networks(), resnets(st.integers(1, 4)), resnets(st.just(math.inf)))
GRAM = [[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]]


def with_targets(setting: dict[str, Any], targets: Any) -> dict[str, Any]:
    return setting | {"data": setting["data"] | {"targets": targets}}


def single(setting: dict[str, Any], norm: float) -> dict[str, Any]:
    """The same problem with one output, its target's power given in the spectrum."""
    spectrum = setting["data"].get("spectrum", {"kind": "isotropic"})
    if spectrum["kind"] == "isotropic":
        spectrum = {"eigenvalues": [1.0], "target_power": [1.0], "weights": [1.0]}
    power = [norm**2 * value for value in spectrum["target_power"]]
    spectrum = spectrum | {"kind": "discrete", "target_power": power}
    return setting | {"data": setting["data"] | {"spectrum": spectrum}}


@settings(max_examples=30, deadline=None)
@given(problems(STEPS, ANY), st.lists(number(0.2, 2.0), min_size=1, max_size=3))
def test_outputs_decouple(problem: dict[str, Any], norms: list[float]) -> None:
    """Section 8: totals are sums over problems with one output and target power s_c^2."""
    nodes = 8 if problem["network"]["depth"] == math.inf else None
    options: dict[str, Any] = {"replicas": True, "depth_nodes": nodes}
    solution = lm.solve(with_targets(problem, norms), STEPS, **options)
    apart = [lm.solve(single(problem, norm), STEPS, **options) for norm in norms]
    for name in (*SERIES, *NORMS):
        total = np.sum([getattr(one, name) for one in apart], axis=0)
        np.testing.assert_allclose(getattr(solution, name), total, rtol=1e-11, atol=1e-14)
    for name in OVERLAPS:
        total = np.sum([getattr(one.replicas, name) for one in apart], axis=0)
        np.testing.assert_allclose(getattr(solution.replicas, name), total, rtol=1e-11, atol=1e-14)
    for name in ("test_loss", "train_loss"):
        by_output = getattr(solution, f"{name}_by_output")
        assert by_output.shape == (len(norms), STEPS)
        np.testing.assert_allclose(
            by_output, [getattr(one, name) for one in apart], rtol=1e-11, atol=1e-14
        )
    noise = problem["data"]["noise"]
    assert solution.irreducible == pytest.approx(len(norms) * noise**2, rel=1e-14)


def test_ensembles_of_several_outputs() -> None:
    solution = lm.solve(with_targets(problem(), [0.5, 1.5]), 12, replicas=True)
    apart = [lm.solve(single(problem(), norm), 12, replicas=True) for norm in (0.5, 1.5)]
    for counts in ((1, 1), (3, 2), (math.inf, math.inf)):
        total = sum(one.ensemble_loss(*counts) for one in apart)
        np.testing.assert_allclose(solution.ensemble_loss(*counts), total, rtol=1e-13)


def test_channels_are_solutions() -> None:
    solution = lm.solve(with_targets(problem(), [0.5, 1.5]), 12, save="all")
    assert len(solution.channels) == 2
    assert solution.has("C_v")  # in the channels
    assert not hasattr(solution, "C_v")
    with pytest.raises(KeyError, match=r"C_h of several outputs is that of their channels\[j\]"):
        _ = solution.C_h[1]
    assert solution.has("C_h")
    for channel, norm in zip(solution.channels, (0.5, 1.5), strict=True):
        alone = lm.solve(single(problem(), norm), 12, save="all")
        assert tuple(channel.problem.data.targets) == (norm,)
        np.testing.assert_allclose(channel.test_loss, alone.test_loss, rtol=1e-13)
        np.testing.assert_allclose(channel.C_v, alone.C_v, rtol=1e-12)
        np.testing.assert_allclose(channel.C_h[1], alone.C_h[1], rtol=1e-12)
        np.testing.assert_array_equal(channel.test_loss_by_output, [channel.test_loss])
        again = lm.solve(channel.problem, 12)
        np.testing.assert_array_equal(again.test_loss, channel.test_loss)
    assert lm.solve(with_targets(problem(), [1.5]), 3).channels == ()


def test_equal_norms_are_solved_once() -> None:
    one = lm.solve(problem(), 12)
    three = lm.solve(with_targets(problem(), [1.0, 1.0, 1.0]), 12)
    np.testing.assert_allclose(three.test_loss, 3 * one.test_loss, rtol=1e-14)
    np.testing.assert_array_equal(three.test_loss_by_output, [one.test_loss] * 3)
    assert len(three.channels) == 3
    assert three.stats.sweeps == one.stats.sweeps


def test_a_gram_matrix_is_rotated_to_its_channels() -> None:
    """Output a is sum_j rotation[a, j] channel j, and channels are uncorrelated."""
    setting = problem()
    solution = lm.solve(with_targets(setting, GRAM), 12)
    power, rotation = np.linalg.eigh(np.array(GRAM))
    channels = [lm.solve(single(setting, math.sqrt(value)), 12) for value in power]
    for name in ("test_loss", "train_loss"):
        alone = np.array([getattr(channel, name) for channel in channels])
        by_output = getattr(solution, f"{name}_by_output")
        np.testing.assert_allclose(by_output, rotation**2 @ alone, rtol=1e-12)
        np.testing.assert_allclose(getattr(solution, name), alone.sum(0), rtol=1e-12)
        np.testing.assert_allclose(by_output.sum(0), getattr(solution, name), rtol=1e-12)
    norms = [channel.problem.data.targets[0] for channel in solution.channels]
    np.testing.assert_allclose(np.square(norms), power, rtol=1e-13)


@pytest.mark.parametrize("network", [{"depth": 2}, {"kind": "resnet", "depth": math.inf}])
def test_lazy_outputs_learn_apart(network: dict[str, Any]) -> None:
    """Linear in the target: output a's loss depends on its own target's power G_aa alone."""
    lazy = network | {"width": math.inf, "gamma0": 0.0}
    setting = problem(network=lazy, optimizer={"lr": 0.05})
    solution = lm.solve(with_targets(setting, GRAM), 12)
    for a in range(3):
        alone = lm.solve(single(setting, math.sqrt(GRAM[a][a])), 12)
        np.testing.assert_allclose(solution.test_loss_by_output[a], alone.test_loss, rtol=1e-9)
        np.testing.assert_allclose(solution.train_loss_by_output[a], alone.train_loss, rtol=1e-9)


def test_a_diagonal_gram_matrix_is_norms() -> None:
    norms = [0.5, 2.0, 1.0]
    gram = lm.solve(with_targets(problem(), np.diag(np.square(norms)).tolist()), 12)
    apart = lm.solve(with_targets(problem(), norms), 12)
    np.testing.assert_allclose(gram.test_loss_by_output, apart.test_loss_by_output, rtol=1e-12)
    np.testing.assert_allclose(gram.train_loss_by_output, apart.train_loss_by_output, rtol=1e-12)
    np.testing.assert_allclose(gram.feature_norm, apart.feature_norm, rtol=1e-12)


def test_the_same_target_twice_is_one_channel() -> None:
    """A channel without a target only fits noise."""
    solution = lm.solve(with_targets(problem(), [[1.0, 1.0], [1.0, 1.0]]), 12)
    channels = [lm.solve(single(problem(), norm), 12).test_loss for norm in (0.0, math.sqrt(2))]
    for by_output in solution.test_loss_by_output:
        np.testing.assert_allclose(by_output, np.sum(channels, axis=0) / 2, rtol=1e-7)


def test_infinite_depth_has_one_grid_for_all_outputs() -> None:
    setting = problem(
        network={"kind": "resnet", "depth": math.inf, "gamma0": 1.5}, optimizer={"lr": 0.03}
    )
    apart = [lm.solve(single(setting, norm), 20) for norm in (0.1, 2.5)]
    assert len(apart[0].depth) != len(apart[1].depth)  # else this tests nothing
    solution = lm.solve(with_targets(setting, [0.1, 2.5]), 20)
    most = max(len(one.depth) for one in apart)
    assert len(solution.depth) == most
    for channel in solution.channels:
        np.testing.assert_array_equal(channel.depth, solution.depth)
    total = apart[0].test_loss + apart[1].test_loss
    np.testing.assert_allclose(solution.test_loss, total, rtol=1e-9)
    np.testing.assert_array_equal(
        solution.profile("feature_norm", solution.depth), solution.feature_norm
    )


def test_divergence_of_one_output() -> None:
    setting = problem(optimizer={"lr": 0.2})
    calm, wild = (lm.solve(single(setting, norm), 60) for norm in (0.5, 4.0))
    assert calm.diverged_at is None
    at = wild.diverged_at
    assert at is not None
    solution = lm.solve(with_targets(setting, [0.5, 4.0]), 60, replicas=True)
    assert solution.diverged_at == at
    assert np.isfinite(solution.test_loss[:at]).all()
    assert np.isposinf(solution.test_loss[at:]).all()
    assert np.isposinf(solution.ensemble_loss(2)[at:]).all()
    # The other output continues.
    np.testing.assert_allclose(solution.test_loss_by_output[0], calm.test_loss, rtol=1e-12)
    assert np.isposinf(solution.test_loss_by_output[1][at:]).all()


@pytest.mark.parametrize("call", [lambda p: lm.solve(p, 9), lambda p: lm.flow(p, 9.0)])
def test_outputs_that_share_leading_modes_are_refused(call: Any) -> None:
    data = lm.Population(spectrum=lm.PowerLaw(1.5, 0.7, modes=50), targets=[1.0, 0.8])
    shared = lm.Problem(lm.MLP(hidden=64), data, lm.SGD(lr=0.02))
    with pytest.raises(
        ValueError, match=r"^data\.targets cannot be combined with a trace-class .* Give the target"
    ):
        call(shared)
    lazy = shared.replace(**{"network.gamma0": 0.0, "network.hidden": math.inf})
    assert len(call(lazy).channels) == 2
    call(shared.replace(**{"data.targets": [1.0]}))


def test_outputs_that_share_leading_modes_are_not_independent() -> None:
    """Why they are refused: features that one output learns serve the other."""
    data = lm.Population(spectrum=lm.PowerLaw(2.0, 0.7, modes=50), targets=[1.0, 1.0])
    both = lm.Problem(lm.MLP(hidden=256, gamma0=2.0, centered=True), data, lm.SGD(lr=0.01))
    one = lm.solve(both.replace(**{"data.targets": [1.0]}), 20).test_loss[-1]
    runs = lm.train(both, 20, seeds=64)
    assert runs.mean().test_loss[-1] < 2 * one - 5 * runs.sem().test_loss[-1]


def test_progress_runs_once() -> None:
    seen: list[tuple[int, int]] = []
    setting = with_targets(problem(), [1.0, 2.0, 3.0])
    lm.solve(setting, 30, progress=lambda done, total: seen.append((done, total)))
    assert [total for _, total in seen] == [30] * len(seen)
    assert seen == sorted(seen)
    assert seen[-1] == (30, 30)


@pytest.mark.parametrize("targets", [[0.5], [1.0, 2.0, 0.0], GRAM, np.array(GRAM), (1.0, 3.0)])
def test_round_trips(targets: Any, tmp_path: Path) -> None:
    one = lm.Problem(lm.MLP(), lm.OnePass(alpha=1.0, targets=targets), lm.SGD(lr=0.1))
    assert lm.Problem.from_dict(one.to_dict()) == one
    np.testing.assert_array_equal(one.to_dict()["data"]["targets"], np.array(targets))
    for write, read in ((one.to_toml, lm.Problem.from_toml), (one.to_json, lm.Problem.from_json)):
        write(tmp_path / "problem")
        assert read(tmp_path / "problem") == one
    hash(one)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ([[1.0, 0.5], [0.4, 1.0]], "symmetric Gram matrix, got 0.5 at [0][1] and 0.4 at [1][0]"),
        ([[1.0, 2.0], [2.0, 1.0]], "positive semidefinite Gram matrix"),
        ([[1.0, 2.0], [3.0]], "2 rows of lengths 2, 1"),
        ([[1.0, 2.0]], "1 rows of lengths 2"),
        ([1.0, [2.0]], "got 1"),
        ([1.0, -1.0], "not negative, got -1"),
        ([1.0, math.nan], "got nan"),
        ([math.inf], "got inf"),
        ([[1.0, math.nan], [math.nan, 1.0]], "Gram matrix of finite numbers"),
        ([[math.inf]], "Gram matrix of finite numbers"),
        ([], "got an empty list"),
        ("ab", "got 'ab'"),
        (["a"], "got 'a'"),
        (2.0, "got 2"),
        (None, "got None"),
        ([True], "got True"),
    ],
)
def test_bad_targets(targets: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^data\.targets(\[\d\])* must be") as error:
        lm.FullBatch(alpha=2.0, targets=targets)
    assert reason in str(error.value)
