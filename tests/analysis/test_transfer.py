"""Transfer over widths, depths, training times; compute-optimal sizes; is wider better?"""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.analysis.compute import step_cost

BASE = lm.Problem.from_dict(problem())
RICH = lm.Problem(lm.MLP(depth=3, gamma0=4.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
WIDTHS = [0.5, 1, 2, 4, 8, 32]
RATIO = 1.22
"""Spacing of the grid of learning rates on which an independent solver found the numbers."""
BEST = {
    "muP": [0.033, 0.041, 0.041, 0.041, 0.041, 0.041],
    "NTK": [0.022, 0.041, 0.061, 0.074, 0.111, 0.165],
}
LARGEST = {
    "muP": [None, 0.091, 0.091, 0.091, 0.091, 0.091],
    "NTK": [0.061, 0.091, 0.135, 0.202, 0.301, 0.450],
}


@pytest.fixture(scope="module")
def widths() -> lm.Transfer:
    return lm.transfer(RICH, "network.width", WIDTHS, 40)


# ---- transfer


def test_optima_are_those_of_an_independent_solver(widths: lm.Transfer) -> None:
    assert widths.scalings == ("muP", "NTK")
    for s, name in enumerate(widths.scalings):
        for i, known in enumerate(BEST[name]):
            assert known / RATIO < widths.lr[s, i] < known * RATIO, (name, WIDTHS[i])
            there = RICH.replace(
                **{
                    "network.width": WIDTHS[i],
                    "network.parameterization": {"muP": "mup", "NTK": "ntk"}[name],
                    "optimizer.lr": known,
                }
            )
            assert widths.loss[s, i] <= lm.solve(there, 40).test_loss[-1]


def test_edges_are_those_of_an_independent_solver(widths: lm.Transfer) -> None:
    """Within a cell of the grid and the strip, a fifth wide, where runs diverge here and there."""
    for s, name in enumerate(widths.scalings):
        for i, known in enumerate(LARGEST[name]):
            if known is not None:
                assert known / 1.02 < widths.edge[s, i] < known * RATIO * 1.1, (name, WIDTHS[i])


def test_mup_transfers_and_ntk_does_not(widths: lm.Transfer) -> None:
    mup, ntk = widths.drift
    assert mup < 1.15 < 5 < ntk
    assert widths.score[0] < 1 < widths.score[1]
    assert "in muP" in widths.verdict
    assert widths.verdict in widths.summary()
    assert f"{widths.lr[1, 3]:.4g}" in widths.summary()


def test_the_table_is_what_solve_gives(widths: lm.Transfer) -> None:
    for s, i, j in ((0, 0, 4), (1, 2, 1), (1, 5, 2)):
        there = RICH.replace(
            **{
                "network.width": WIDTHS[j],
                "network.parameterization": ("mup", "ntk")[s],
                "optimizer.lr": float(widths.lr[s, i]),
            }
        )
        assert math.isclose(
            widths.carried[s, i, j], lm.solve(there, 40).test_loss[-1], rel_tol=1e-9
        )
    assert np.array_equal(np.diagonal(widths.carried, axis1=1, axis2=2), widths.loss)
    expected = np.log10(widths.carried[:, 0] / widths.loss)
    assert np.allclose(widths.given_up, np.maximum(expected, 0))
    assert np.allclose(widths.score, widths.given_up[:, 1:].mean(axis=1))


def test_base_and_scalings_of_ones_own() -> None:
    scalings = {"mild": {"network.gamma0": 1.0}, "rich": {"network.gamma0": 3.0}}
    table = lm.transfer(BASE, "data.alpha", [1.5, 3.0], 20, scalings=scalings, base=3.0, rtol=0.05)
    assert table.base == 1
    assert (table.given_up[:, 1] == 0).all()
    assert table.scalings == ("mild", "rich")
    alone = BASE.replace(**{"network.gamma0": 3.0, "data.alpha": 1.5})
    assert math.isclose(table.lr[1, 0], lm.optimal_lr(alone, 20, rtol=0.05).lr)
    same = lm.transfer(BASE, "data.alpha", [1.5, 3.0], 20)
    assert same.scalings == ("as given",)


def test_edges_are_looked_for_from_the_optimum_on() -> None:
    far = BASE.replace(**{"optimizer.lr": 1e-6})
    table = lm.transfer(far, "data.alpha", [1.5, 3.0], 20, rtol=0.05)
    best = [lm.optimal_lr(far.replace(**{"data.alpha": a}), 20, rtol=0.05) for a in (1.5, 3.0)]
    assert table.solves - sum(found.solves for found in best) <= 2 * 10


def test_branches_of_inverse_root_depth_transfer() -> None:
    deep = lm.Problem(lm.ResNet(depth=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    table = lm.transfer(deep, "network.depth", [8, 16, 32], 30)
    assert table.scalings == ("1/sqrt(depth)", "constant")
    assert table.drift[0] < 1.5
    assert table.drift[1] > 1e6
    assert np.isfinite(table.score[0])
    assert table.score[1] == math.inf, "the rate of the shallow one diverges in the deep one"
    assert not np.isnan(table.carried).any()


def test_transfer_as_a_dataset(widths: lm.Transfer) -> None:
    dataset = widths.to_xarray()
    assert dataset.lr.dims == ("scaling", "width")
    assert np.array_equal(dataset.carried.sel(scaling="NTK", tuned_at=8), widths.carried[1, 4])
    assert dataset.attrs["path"] == "network.width"


def test_everything_is_of_the_objective_and_the_base() -> None:
    options: dict[str, Any] = {"rtol": 0.05, "objective": "train_loss"}
    table = lm.transfer(BASE, "data.alpha", [1.5, 3.0, 6.0], 20, base=6.0, **options)
    rate, there = float(table.lr[0, 2]), BASE.replace(**{"data.alpha": 1.5})
    run = lm.solve(there.replace(**{"optimizer.lr": rate}), 20)
    assert math.isclose(table.carried[0, 2, 0], run.train_loss[-1], rel_tol=1e-9)
    assert math.isclose(table.score[0], table.given_up[0, :2].mean())
    assert (table.edge >= table.lr).all()
    best = sum(lm.optimal_lr(BASE.replace(**{"data.alpha": a}), 20, **options).solves
               for a in (1.5, 3.0, 6.0))  # fmt: skip
    assert table.solves > best + 3 * 2, "edges count too"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [1]}, "sizes must be at least two numbers that differ"),
        ({"sizes": [1, 1]}, "sizes must be at least two numbers that differ"),
        ({"sizes": [1, -1]}, r"network.width must be .*\(at network.width = -1.0\)"),
        ({"base": 3}, r"base must be one of the sizes \(1.0, 2.0\), got 3"),
        ({"path": 3}, "path must be the path of a number"),
        ({"path": "optimizer.lr"}, "path must be the path of a number .*, and not optimizer.lr"),
        ({"path": "network.widht"}, "did you mean 'network.width'"),
        ({"scalings": {}}, "scalings must be a dictionary of names"),
        ({"scalings": {"a": 3}}, "scalings must be a dictionary of names"),
        (
            {"scalings": {"a": {"network.width": 3}}},
            r"scalings\['a'\] must be without network.width",
        ),
        ({"scalings": {"a": {"network": {"kind": "mlp"}}}}, "must be without network.width"),
        ({"steps": 1}, "steps must be at least 2"),
        ({"objective": "loss"}, "objective must be"),
    ],
)
def test_bad_transfer_is_refused(arguments: dict[str, Any], message: str) -> None:
    call: dict[str, Any] = {"path": "network.width", "sizes": [1, 2], "steps": 20}
    with pytest.raises(ValueError, match=message):
        lm.transfer(BASE, **(call | arguments))


# ---- training time


def test_optima_over_time_are_those_of_each_run() -> None:
    noisy = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=4.0, noise=0.5), lm.SGD(lr=0.1))
    found = lm.optimum_over_time(noisy, [10, 40], schedules=("constant", "linear decay"))
    assert found.lr.shape == (2, 2)
    alone = lm.optimal_lr(noisy, 40)
    assert math.isclose(found.lr[0, 1], alone.lr, rel_tol=1e-6)
    assert math.isclose(found.loss[0, 1], alone.loss, rel_tol=1e-9)
    decaying = noisy.replace(**{"optimizer.lr": list(lm.schedule("linear", 40, peak=0.1))})
    assert math.isclose(found.lr[1, 1], lm.optimal_lr(decaying, 40).lr, rel_tol=1e-12)
    peaked = noisy.replace(
        **{"optimizer.lr": list(lm.schedule("linear", 40, peak=float(found.lr[1, 1])))}
    )
    assert math.isclose(lm.solve(peaked, 40).test_loss[-1], found.loss[1, 1], rel_tol=1e-9)
    assert found.lr[0, 0] > found.lr[0, 1], "with noise, shorter runs want larger steps"
    assert "linear decay" in found.summary()
    assert found.to_xarray().lr.sel(schedule="constant", steps=40) == found.lr[0, 1]


def test_shapes_of_ones_own() -> None:
    own = {"halves": lambda n: [1.0 if t < n // 2 else 0.5 for t in range(n)]}
    found = lm.optimum_over_time(BASE, [10], schedules=own)
    assert found.schedules == ("halves",)
    with pytest.raises(ValueError, match=r"schedules\['short'\] must be 10 rates for 10 steps"):
        lm.optimum_over_time(BASE, [10], schedules={"short": lambda n: [1.0]})
    for name, message in ((["steep"], "schedules must be names"), ([], "schedules must be names")):
        with pytest.raises(ValueError, match=message):
            lm.optimum_over_time(BASE, [10], schedules=name)
    for steps in ([], [1], [10, 10], 10):
        with pytest.raises(ValueError, match="steps must be"):
            lm.optimum_over_time(BASE, steps)


# ---- compute


def test_the_frontier_is_the_lower_envelope() -> None:
    widths = [0.25, 0.5, 1.0, 2.0, 4.0]
    clean = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    found = lm.compute_optimal(clean, widths, 100)
    assert found.losses.shape == (5, 64)
    assert np.array_equal(found.loss, found.losses.min(axis=0))
    for b in (0, 20, 63):
        i = int(np.flatnonzero(found.widths == found.width[b])[0])
        steps = found.steps[b]
        assert steps * found.costs[i] <= found.budgets[b] * (1 + 1e-9)
        assert (steps + 1) * found.costs[i] > found.budgets[b]
        there = clean.replace(**{"network.width": widths[i]})
        assert lm.solve(there, 100).test_loss[steps] == found.loss[b]
    assert (np.diff(found.loss) <= 0).all()
    assert not np.isnan(found.losses).any()
    assert np.isinf(found.losses[-1, 0]), "one step of the widest costs more"
    assert "test loss" in found.summary()
    assert found.to_xarray().test_loss.dims == ("width", "budget")


def test_costs_are_counted() -> None:
    assert step_cost(RICH.replace(**{"network.width": 2})) == 6 * 4 * (2 + 2 * 4)
    unequal = RICH.replace(**{"network.width": [1, 2, 3]})
    assert step_cost(unequal) == 6 * 4 * (1 + 1 * 2 + 2 * 3)
    spectrum = lm.PowerLaw(capacity=2, source=1, modes=10**4)
    counts = lm.Problem(lm.MLP(hidden=64), lm.OnePass(batch=32, spectrum=spectrum), lm.SGD(lr=0.1))
    assert step_cost(counts) == 6 * 32 * 64 * 10**4
    population = lm.Problem(lm.MLP(width=2), lm.Population(), lm.SGD(lr=0.1))
    assert step_cost(population) == 6 * 2
    own = lm.compute_optimal(BASE, [1, 2], 20, cost=lambda one: 10.0 * float(one.network.width))
    assert own.costs.tolist() == [10.0, 20.0]


def test_batches_of_multi_pass_training_are_what_a_step_costs() -> None:
    data = lm.MultiPass(alpha=4.0, batch_fraction=0.25)
    assert step_cost(lm.Problem(lm.MLP(width=2), data, lm.SGD(lr=0.1))) == 6 * 4 * 0.25 * 2
    deep = lm.Problem(lm.ResNet(depth=math.inf), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    with pytest.raises(ValueError, match=r"network.depth must be finite .*, got inf"):
        step_cost(deep)


def test_budgets_pay_for_whole_steps() -> None:
    clean = BASE.replace(**{"optimizer.lr": 0.05})
    runs = lm.solve_many(clean.vary({"network.width": [1, 2]}), 20)
    found = lm.compute_optimal(clean, [1, 2], 20, budgets=[0.38, 0.7, 1.9], cost=lambda one: 0.1)
    for i, run in enumerate(runs):
        assert np.array_equal(found.losses[i], run.test_loss[[3, 7, 19]]), (
            "0.7 / 0.1 < 7 by rounding"
        )
    usual = lm.compute_optimal(clean, [1, 2], 20)
    assert usual.losses[0, -1] == runs[0].test_loss[-1], "the last budget is all of the steps"


def test_exponents_are_of_budgets_with_the_best_width_inside() -> None:
    budgets, width = np.array([1.0, 10, 100, 1000, 1e4]), np.array([1.0, 1, 10, 100, 100])
    widths = np.array([1.0, 10, 50, 100])
    found = lm.ComputeOptimal(
        BASE, widths, widths, budgets, np.ones((4, 5)), width, np.ones(5, int), 1 / width,
        np.ones(5, bool),
    )  # fmt: skip
    assert found.exponents() == (math.inf, math.inf)
    more = lm.ComputeOptimal(
        BASE, widths, widths, budgets, np.ones((4, 5)), np.array([1.0, 1, 10, 50, 100]),
        np.ones(5, int), np.ones(5), np.ones(5, bool),
    )  # fmt: skip
    assert math.isclose(more.exponents()[0], math.log10(5))


def test_exponents_of_the_frontier() -> None:
    """Curves loss = width^-1 + steps^-1 at cost width: both grow like the root of the budget."""
    widths = np.geomspace(1, 1000, 200)
    budgets = np.geomspace(100, 1e4, 40)
    losses = 1 / widths[:, None] + widths[:, None] / budgets
    best = losses.argmin(axis=0)
    found = lm.ComputeOptimal(
        BASE, widths, widths, budgets, losses, widths[best],
        (budgets / widths[best]).astype(int), losses.min(axis=0), np.ones(40, bool),
    )  # fmt: skip
    width, loss = found.exponents()
    assert math.isclose(width, 0.5, abs_tol=0.01)
    assert math.isclose(loss, -0.5, abs_tol=0.01)
    assert "budget^0.50" in found.summary()


def test_the_height_of_a_shape_does_not_matter() -> None:
    shapes = {name: lambda n, s=s: [s * (n - t) for t in range(n)] for name, s in
              (("low", 1.0), ("high", 64.0))}  # fmt: skip
    found = lm.optimum_over_time(BASE, [10], schedules=shapes, rtol=0.05)
    assert found.lr[0, 0] == found.lr[1, 0]
    assert 0.01 < found.lr[0, 0] < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": [1]}, "widths must be at least two, increasing and finite"),
        ({"widths": [2, 1]}, "widths must be at least two, increasing and finite"),
        ({"widths": [1, math.inf]}, "widths must be at least two, increasing and finite"),
        ({"budgets": [1e9]}, "budgets must be at most all steps of the widest"),
        ({"budgets": [1e-9]}, "budgets must be at least one step of the narrowest"),
        ({"budgets": [50, 40]}, "budgets must be positive numbers, increasing"),
        ({"budgets": [math.nan]}, "budgets must be positive numbers, increasing"),
        ({"cost": lambda one: -1}, "cost must be a positive finite number"),
        ({"steps": 1}, "steps must be at least 2"),
    ],
)
def test_bad_compute_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.compute_optimal(BASE, **({"widths": [1, 2], "steps": 20} | arguments))


# ---- wider


def test_wider_is_better_in_mup_with_plenty_of_data() -> None:
    stable = RICH.replace(**{"optimizer.lr": 0.03})
    found = lm.wider_is_better(stable, [0.5, 1, 2, math.inf], 50)
    assert found.holds
    assert found.summary().startswith("Wider is better at every one of 50 times")
    for narrow, wide in pairwise(found.test_loss):
        assert (wide <= narrow).all()


def test_noise_turns_the_order() -> None:
    """Wide networks fit the noise sooner."""
    noisy = lm.Problem(
        lm.MLP(depth=3, gamma0=2.0), lm.FullBatch(alpha=1.5, noise=0.5), lm.SGD(lr=0.02)
    )
    found = lm.wider_is_better(noisy, [0.5, 1, 2], 200)
    assert not found.holds
    losses = {
        w: lm.solve(noisy.replace(**{"network.width": w}), 200).test_loss for w in (0.5, 1, 2)
    }
    assert np.array_equal(found.violations[0], losses[1] > losses[0.5] * (1 + 1e-9))
    first = int(np.argmax(found.violations.any(axis=0)))
    assert f"from t = {first} on" in found.summary()
    worst = max((losses[1] / losses[0.5]).max(), (losses[2] / losses[1]).max())
    assert math.isclose(found.excess.max(), worst - 1)


def test_divergence_is_worse_than_anything() -> None:
    wild = RICH.replace(**{"network.parameterization": "ntk", "optimizer.lr": 0.12})
    found = lm.wider_is_better(wild, [0.5, 1, 8], 40)
    assert np.isinf(found.test_loss[0, -1])
    assert not np.isnan(found.excess).any()
    for widths in ([1], [2, 1], [1, 1]):
        with pytest.raises(ValueError, match="widths must be at least two, increasing"):
            lm.wider_is_better(BASE, widths, 10)
