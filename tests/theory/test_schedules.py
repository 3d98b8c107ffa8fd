"""Momentum and one-pass batches with an entry for each step (theory sections 6 and 7)."""

from pathlib import Path
from typing import Any

import numpy as np
import oracle
import oracle_replicas
import pytest

import lindmft as lm

STEPS = 14
RNG = np.random.default_rng(11)
BETA = RNG.uniform(0.0, 0.8, STEPS).tolist()
ALPHA = RNG.uniform(0.3, 3.0, STEPS).tolist()
RATES = RNG.uniform(0.01, 0.06, STEPS).tolist()
PATTERNS = {(1, 0): "shared_init", (0, 1): "shared_data", (0, 0): "independent"}
SERIES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
MODES = {"kind": "discrete", "eigenvalues": [1.6, 0.4], "target_power": [0.5, 1.5]}
SHARED = {
    "kind": "discrete",
    "eigenvalues": [1.6, 0.4],
    "targets": [[1.0, 0.2], [-0.3, 0.8]],
    "weights": [0.5, 0.5],
}
PERCEPTRON = {"kind": "mlp", "depth": 2, "width": [0.5, 1.5], "gamma0": 1.2, "centered": True}
FULL = {"kind": "full_batch", "alpha": 1.5, "noise": 0.3}
FRESH = {"kind": "one_pass", "alpha": ALPHA, "noise": 0.3}

PROBLEMS: dict[str, dict[str, Any]] = {
    "momentum": {"data": FULL, "optimizer": {"lr": 0.05, "momentum": BETA}},
    "nesterov, decay, rates": {
        "data": FULL,
        "optimizer": {"lr": RATES, "momentum": BETA, "nesterov": True, "weight_decay": 0.4},
    },
    "batches": {"data": FRESH, "optimizer": {"lr": 0.05}},
    "batches, modes, momentum": {
        "data": FRESH | {"spectrum": MODES | {"weights": [0.25, 0.75]}},
        "optimizer": {"lr": 0.05, "momentum": BETA},
    },
    "batches, outputs": {
        "data": FRESH | {"spectrum": SHARED},
        "optimizer": {"lr": 0.05},
    },
}
ONLINE = lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=ALPHA, noise=0.3), lm.SGD(lr=0.05))
HEAVY = lm.Problem(lm.MLP(depth=2), lm.FullBatch(2.0, 0.3), lm.SGD(lr=0.05, momentum=BETA))


@pytest.mark.parametrize("name", PROBLEMS)
def test_agrees_with_the_dense_oracle(name: str) -> None:
    problem = PROBLEMS[name] | {"network": PERCEPTRON}
    outputs = "outputs" in name
    solution = lm.solve(problem, STEPS, save=[] if outputs else "all")
    assert solution.stats.chain_residual < 1e-10
    expected = oracle.solve(problem, STEPS)
    for series in (*SERIES, *(() if outputs else ("feature_norm", "C_v", "C_delta", "R_delta"))):
        found, values = getattr(solution, series), expected[series]
        values = values.reshape(STEPS, 2).sum(1) if outputs else values
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-11, err_msg=series)


@pytest.mark.parametrize("name", ["momentum", "batches", "batches, modes, momentum"])
def test_replicas_agree_with_the_dense_oracle(name: str) -> None:
    problem = PROBLEMS[name] | {"network": PERCEPTRON}
    solution = lm.solve(problem, STEPS, replicas=True)
    expected = oracle_replicas.replica_losses(problem, STEPS)
    for pattern, series in PATTERNS.items():
        mine = getattr(solution.replicas, series)
        np.testing.assert_allclose(mine, expected[pattern], rtol=1e-9, atol=1e-11)


def equal(mine: lm.Solution, other: lm.Solution) -> None:
    for name in (*SERIES, "feature_norm", "gradient_norm"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(other, name))


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("grid", ["exact", "adaptive"])
def test_constant_momentum_is_the_number(grid: Any, nesterov: bool) -> None:
    steps = 300
    one = HEAVY.replace(optimizer=lm.SGD(0.05, 0.6, nesterov))
    listed = HEAVY.replace(optimizer=lm.SGD(0.05, [0.6] * steps, nesterov))
    equal(lm.solve(listed, steps, grid=grid), lm.solve(one, steps, grid=grid))


@pytest.mark.parametrize("spectrum", [lm.Isotropic(), lm.Discrete([1.5, 0.5], [1.0, 1.0])])
def test_constant_batches_are_the_number(spectrum: Any) -> None:
    listed = ONLINE.replace(data=lm.OnePass([0.7] * STEPS, 0.3, spectrum))
    one = ONLINE.replace(data=lm.OnePass(0.7, 0.3, spectrum))
    equal(lm.solve(listed, STEPS), lm.solve(one, STEPS))


def test_momentum_of_zero_is_plain_descent() -> None:
    zeros = HEAVY.replace(optimizer=lm.SGD(0.05, momentum=[0.0] * STEPS))
    plain = HEAVY.replace(optimizer=lm.SGD(0.05))
    equal(lm.solve(zeros, STEPS), lm.solve(plain, STEPS))
    assert lm.flow(zeros, 3.0).test_loss[-1] == lm.flow(plain, 3.0).test_loss[-1]


MOMENTA = {
    "smooth": lm.schedule("cosine", 300, peak=0.9, end=0.5),
    "jumps": (0.0,) * 80 + (0.9,) * 100 + (0.3,) * 120,
}


@pytest.mark.parametrize("name", MOMENTA)
def test_coarse_grids_follow_the_momentum(name: str) -> None:
    sgd = lm.SGD(0.01, momentum=MOMENTA[name], weight_decay=0.01)
    problem = HEAVY.replace(optimizer=sgd)
    exact, coarse = lm.solve(problem, 300), lm.solve(problem, 300, grid="adaptive")
    assert len(coarse.time) < 200
    at = coarse.time.astype(int)
    np.testing.assert_allclose(coarse.test_loss, exact.test_loss[at], rtol=2e-6)
    constant = lm.solve(problem.replace(**{"optimizer.momentum": 0.5}), 300)
    assert np.abs(constant.test_loss / exact.test_loss - 1).max() > 0.01


def test_larger_batches_help_from_the_step_on_in_which_they_grow() -> None:
    grown = ONLINE.replace(**{"data.alpha": [0.5] * 7 + [2.0] * 7})
    same = ONLINE.replace(**{"data.alpha": 0.5})
    mine, other = lm.solve(grown, STEPS), lm.solve(same, STEPS)
    np.testing.assert_array_equal(mine.test_loss[:8], other.test_loss[:8])
    assert (mine.test_loss[8:] < other.test_loss[8:]).all()
    np.testing.assert_allclose(mine.train_loss, mine.test_loss + 0.09, rtol=1e-12)


def test_a_longer_schedule_continues_a_shorter_one() -> None:
    for problem, path in ((HEAVY, "optimizer.momentum"), (ONLINE, "data.alpha")):
        entries = {"optimizer.momentum": BETA, "data.alpha": ALPHA}[path]
        start = lm.solve(problem.replace(**{path: entries[:9]}), 9, keep_state=True)
        longer = lm.solve(problem, STEPS, continue_from=start)
        np.testing.assert_allclose(longer.test_loss, lm.solve(problem, STEPS).test_loss, rtol=1e-12)
        other = problem.replace(**{path: [entries[1], *entries[1:]]})
        with pytest.raises(ValueError, match=rf"^{path}.*must be that of continue_from"):
            lm.solve(other, STEPS, continue_from=start)


def test_the_threshold_counts_the_momentum_of_its_step() -> None:
    sgd = lm.SGD(lr=0.1, momentum=[0.0, 0.5, 0.9])
    assert [lm.stability_threshold(sgd, t) for t in range(3)] == [2.0, 3.0, 3.8]
    with pytest.raises(ValueError, match="^step must be from 0 to 2, the steps of optimizer.mom"):
        lm.stability_threshold(sgd, 3)


REFUSED: list[tuple[str, Any, str]] = [
    ("optimizer.momentum", [0.5] * 3, "a number, or a list of at least steps (14) numbers, got 3"),
    ("optimizer.momentum", [0.5, 1.0], "[1] must be in [0, 1), got 1"),
    ("optimizer.momentum", [], "a number or a list with at least one entry"),
    ("optimizer.nesterov", True, "false without momentum"),
    ("data.alpha", [0.5] * 3, "a number, or a list of at least steps (14) numbers, got 3"),
    ("data.alpha", [0.5, 0.0], "[1] must be finite and positive in a list, got 0"),
    ("data.alpha", [0.5, float("inf")], "[1] must be finite and positive in a list, got inf"),
    ("data.alpha", [], "a number or a list with at least one entry"),
]


@pytest.mark.parametrize(("path", "value", "reason"), REFUSED)
def test_bad_schedules_are_refused_by_name(path: str, value: Any, reason: str) -> None:
    base = ONLINE.replace(**{"data.alpha": 0.5})
    if path == "optimizer.nesterov":
        base = base.replace(**{"optimizer.momentum": [0.0, 0.0]})
    with pytest.raises(ValueError, match=f"^{path}") as error:
        lm.solve(base.replace(**{path: value}), STEPS)
    assert reason in str(error.value)


@pytest.mark.parametrize("kind", [lm.FullBatch, lm.MultiPass, lm.Epochs])
def test_stored_samples_have_no_batches_to_list(kind: Any) -> None:
    more = {lm.MultiPass: {"batch_fraction": 0.5}, lm.Epochs: {"batches": 2}}.get(kind, {})
    with pytest.raises(ValueError, match="^data.alpha must be a number"):
        kind(alpha=[1.0, 2.0], **more)


def test_flow_has_no_momentum_in_any_step() -> None:
    with pytest.raises(ValueError, match="^optimizer.momentum must be 0 for gradient flow"):
        lm.flow(HEAVY, 3.0)
    with pytest.raises(ValueError, match="data.kind 'one_pass' cannot be combined with gradient"):
        lm.flow(ONLINE, 3.0)


def test_schedules_survive_files_and_counts(tmp_path: Path) -> None:
    both = ONLINE.replace(**{"optimizer.momentum": BETA})
    assert lm.Problem.from_dict(both.to_dict()) == both
    both.to_toml(tmp_path / "both.toml")
    assert lm.Problem.from_toml(tmp_path / "both.toml") == both
    assert lm.OnePass(batch=[3, 4], inputs=2) == lm.OnePass([1.5, 2.0], inputs=2)
    counted = lm.OnePass(batch=[3, 4], spectrum=lm.PowerLaw(1.5, 0.5, modes=8))
    assert counted.batch == (3, 4)
    with pytest.raises(ValueError, match=r"^data\.batch\[1\] must be a whole number"):
        lm.OnePass(batch=[3, 4.5], inputs=2)
    assert lm.OnePass(alpha=[0.5]).alpha == 0.5
