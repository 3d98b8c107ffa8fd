"""Momentum and one-pass batches with an entry for each step: training, and theory against it."""

from typing import Any

import numpy as np
import pytest

import lindmft as lm

STEPS = 30
BOUND = 4.0  # see test_agreement.py
BETA = np.linspace(0.0, 0.8, STEPS).tolist()
BATCHES = [0.25] * 8 + [1.0] * 6 + [3.0] * 16
NETWORK: dict[str, Any] = {"kind": "mlp", "depth": 2, "width": 1.0, "gamma0": 1.0}
FULL = {"kind": "full_batch", "alpha": 2.0, "noise": 0.3}
FRESH = {"kind": "one_pass", "alpha": BATCHES, "noise": 0.3}
SETTINGS: dict[str, dict[str, Any]] = {
    "momentum": {"data": FULL, "optimizer": {"lr": 0.05, "momentum": BETA}},
    "batches": {"data": FRESH, "optimizer": {"lr": 0.04}},
    "both": {
        "data": FRESH,
        "optimizer": {"lr": 0.02, "momentum": BETA, "nesterov": True, "weight_decay": 0.2},
    },
}
# The problems without their schedules, which the bound must notice.
WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "mean momentum": ("momentum", {"optimizer": {"lr": 0.05, "momentum": 0.4}}),
    "mean batch": ("batches", {"data": FRESH | {"alpha": float(np.mean(BATCHES))}}),
}


def largest_z(theory: dict[str, Any], experiment: dict[str, Any]) -> float:
    solution = lm.solve(theory, STEPS)
    runs = lm.train(experiment, STEPS, dim=384, seeds=range(7, 23))
    off = []
    for expected, seen in [
        (solution.test_loss, runs.test_loss),
        (solution.train_loss, runs.train_loss),
        (solution.gradient_norm[0], runs.gradient_norm[:, 0]),
        (solution.feature_norm[-1], runs.feature_norm[:, -1]),
    ]:
        error = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
        off.append(np.abs(seen.mean(axis=0) - expected) / error)
    return float(np.max(off))


@pytest.mark.parametrize("name", SETTINGS)
def test_theory_predicts_training(name: str) -> None:
    setting = SETTINGS[name] | {"network": NETWORK}
    assert largest_z(setting, setting) < BOUND


@pytest.mark.parametrize("name", WRONG)
def test_a_constant_in_the_place_of_a_schedule_is_noticed(name: str) -> None:
    right, changes = WRONG[name]
    setting = SETTINGS[right] | {"network": NETWORK}
    assert largest_z(setting | changes, setting) > 1.5 * BOUND


def problem(**tables: Any) -> lm.Problem:
    return lm.Problem.from_dict(
        {"network": NETWORK, "data": FULL, "optimizer": {"lr": 0.05}} | tables
    )


def equal(mine: lm.Ensemble, other: lm.Ensemble) -> None:
    for name in ("test_loss", "train_loss", "feature_norm", "gradient_norm"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(other, name))


@pytest.mark.parametrize("nesterov", [False, True])
def test_constant_momentum_is_the_number(nesterov: bool) -> None:
    settings = [
        problem(optimizer={"lr": 0.05, "momentum": beta, "nesterov": nesterov})
        for beta in (0.6, [0.6] * STEPS)
    ]
    one, listed = (lm.train(s, STEPS, dim=40, seeds=2) for s in settings)
    equal(listed, one)


def test_constant_batches_are_the_number() -> None:
    one, listed = (
        lm.train(problem(data=FRESH | {"alpha": alpha}), STEPS, dim=40, seeds=2)
        for alpha in (0.5, [0.5] * STEPS)
    )
    equal(listed, one)


@pytest.mark.parametrize("dim", [8, 700])
def test_batches_use_no_sample_twice(dim: int) -> None:
    """At a rate of 0 the samples of three steps are those of one larger batch."""
    sizes = [3, 799, 5]
    still = {"optimizer": {"lr": 0.0}}
    listed = problem(data=FRESH | {"alpha": [n / dim for n in sizes]}, **still)
    whole = problem(data=FRESH | {"alpha": sum(sizes) / dim}, **still)
    parts = lm.train(listed, 3, dim=dim, seeds=[5]).train_loss[0]
    total = lm.train(whole, 1, dim=dim, seeds=[5]).train_loss[0, 0]
    np.testing.assert_allclose(parts @ sizes, total * sum(sizes), rtol=1e-11)


def test_many_networks_with_schedules_are_each_trained_alone() -> None:
    fresh = [problem(data=FRESH | {"noise": noise}) for noise in (0.1, 0.3)]
    settings = [*fresh, problem(), problem(**SETTINGS["momentum"]), problem(**SETTINGS["both"])]
    for setting, together in zip(
        settings, lm.train_many(settings, STEPS, dim=40, seeds=2), strict=True
    ):
        alone = lm.train(setting, STEPS, dim=40, seeds=2)
        np.testing.assert_allclose(together.test_loss, alone.test_loss, rtol=1e-10)
        np.testing.assert_allclose(together.train_loss, alone.train_loss, rtol=1e-10)


def test_counted_batches_of_a_trace_class_spectrum() -> None:
    spectrum = lm.Discrete([1.0, 0.5], [1.0, 0.5], weights=[3, 5], trace_class=True)
    listed, one = (
        lm.Problem(lm.MLP(hidden=6), lm.OnePass(batch=batch, spectrum=spectrum), lm.SGD(lr=0.05))
        for batch in ([4] * 5, 4)
    )
    equal(lm.train(listed, 5, seeds=2), lm.train(one, 5, seeds=2))
    other = listed.replace(**{"data.batch": [4, 4, 9, 4, 4]})
    losses = lm.train(other, 5, seeds=2).train_loss
    np.testing.assert_array_equal(losses[:, :2], lm.train(one, 5, seeds=2).train_loss[:, :2])
    assert (losses[:, 2] != lm.train(one, 5, seeds=2).train_loss[:, 2]).all()


def test_batches_without_samples_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^data\.alpha\[1\] must be large enough for one sample"):
        lm.train(problem(data=FRESH | {"alpha": [1.0, 0.01]}), 2, dim=10)
