"""The dense oracle of residual networks and replicas against numbers and laws it does not use."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import oracle_replicas
import oracle_residual as residual
import pytest

Problem = dict[str, Any]
CASES = json.loads((Path(__file__).parents[1] / "data" / "cases.json").read_text())
RESIDUALS = [case for case in CASES if case["problem"]["network"]["kind"] == "resnet"]
MODES = ("full_batch", "multi_pass", "one_pass", "population")
ORDERS = (8, 16, 32)  # depths, each twice the one before


def problem(mode: str = "full_batch", lr: float = 0.01, **network: Any) -> Problem:
    """A residual network with everything switched on that the equations know."""
    resnet = {"kind": "resnet", "depth": 3, "width": 0.8, "gamma0": 0.7, "init_scale": 0.9}
    resnet |= {"branch": 0.9, "branch_scaling": "depth", "centered": True}
    spectrum = {"eigenvalues": [1.5, 0.6], "target_power": [0.5, 1.5], "weights": [0.4, 0.6]}
    data = {"kind": mode, "noise": 0.4, "spectrum": {"kind": "discrete"} | spectrum}
    if mode != "population":
        data["alpha"] = 1.5
    if mode == "multi_pass":
        data["batch_fraction"] = 0.4
    optimizer = {"lr": lr, "momentum": 0.5, "nesterov": True, "weight_decay": 0.8}
    return {"network": resnet | network, "data": data, "optimizer": optimizer}


def lazy(depth: float, branch: float) -> Problem:
    """Infinite width, gamma0 = 0, population: the error shrinks by the same factor every step."""
    network = {"kind": "resnet", "depth": depth, "width": math.inf, "gamma0": 0.0}
    network |= {"branch": branch, "branch_scaling": "depth", "centered": True}
    return {"network": network, "data": {"kind": "population"}, "optimizer": {"lr": 0.02}}


def with_layer_lr(problem: Problem, depth: float) -> Problem:
    """Set the depth, and multipliers that are the same in all hidden layers."""
    hidden = 1 if math.isinf(depth) else int(depth) - 1
    optimizer = problem["optimizer"] | {"layer_lr": [0.7] + [1.2] * hidden + [1.4]}
    return problem | {"network": problem["network"] | {"depth": depth}, "optimizer": optimizer}


def extrapolate(values: list[Any]) -> Any:
    """Limit of values at `ORDERS` whose error is a power series in 1/depth."""
    for power in range(1, len(values)):
        pairs = pairwise(values)
        values = [fine + (fine - coarse) / (2**power - 1) for coarse, fine in pairs]
    return values[0]


# Finite depth


@pytest.mark.parametrize("case", RESIDUALS, ids=lambda case: case["name"].replace(" ", "-"))
def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    solution = residual.solve_residual(case["problem"], case["steps"])
    for name in ("test_loss", "train_loss"):
        np.testing.assert_allclose(solution[name], case[name], rtol=1e-9)
    np.testing.assert_allclose(solution["gradient_norm"][0], case["gradient_norm"], rtol=1e-9)
    # The file's last feature norm is not converged, as in test_reference.py.
    feature_norm = solution["feature_norm"][-1]
    np.testing.assert_allclose(feature_norm[:-1], case["feature_norm"][:-1], rtol=1e-9)
    np.testing.assert_allclose(feature_norm[-1], case["feature_norm"][-1], rtol=1e-5)


def test_the_last_feature_norm_does_not_depend_on_where_the_solution_ends() -> None:
    short, long = (residual.solve_residual(problem(), steps) for steps in (9, 10))
    np.testing.assert_allclose(short["feature_norm"], long["feature_norm"][:, :-1], rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scaling", ["depth", "constant"])
def test_chain_identity(mode: str, scaling: str) -> None:
    table = with_layer_lr(problem(mode, branch_scaling=scaling), 4)
    table["optimizer"]["layer_lr"][2] = 0.3
    chain = residual.solve_residual(table, 12)["chain"]
    assert chain.shape == (5, 12)
    np.testing.assert_allclose(chain, np.tile(chain[-1], (5, 1)), atol=1e-12 * np.abs(chain).max())


@pytest.mark.parametrize("mode", MODES)
def test_depth_one_is_a_perceptron(mode: str) -> None:
    one = with_layer_lr(problem(mode), 1)
    perceptron = one | {"network": one["network"] | {"kind": "mlp"}}
    solution, expected = residual.solve_residual(one, 10), oracle.solve(perceptron, 10)
    assert solution.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(solution[name], values, atol=1e-13, err_msg=name)


# Infinite depth


def test_infinite_depth_agrees_with_theory_md() -> None:
    network = {"kind": "resnet", "depth": math.inf, "width": 1.0, "gamma0": 0.5, "branch": 1.0}
    data = {"kind": "full_batch", "alpha": 2.0, "noise": 0.3}
    table = {"network": network, "data": data, "optimizer": {"lr": 0.02}}
    solution = residual.solve_infinite(table, 16)
    expected = [11.87312731, 5.44712999, 3.30392899, 2.06644406, 1.28987346]
    np.testing.assert_allclose(solution["test_loss"][[0, 1, 3, 7, 15]], expected, atol=1e-8)
    np.testing.assert_allclose(solution["chain"], solution["chain"][-1:].repeat(9, 0), atol=1e-8)


@pytest.mark.parametrize("mode", MODES)
def test_infinite_depth_is_the_limit_of_deep_networks(mode: str) -> None:
    base = problem(mode)
    limit = residual.solve_infinite(with_layer_lr(base, math.inf), 7)
    deep = [residual.solve_residual(with_layer_lr(base, depth), 7) for depth in ORDERS]
    errors = [np.abs(s["test_loss"] - limit["test_loss"]).max() for s in deep]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2.0, atol=0.15)
    np.testing.assert_allclose(limit["tau"][[0, -1]], [0, 1], atol=1e-15)
    for name in ("test_loss", "train_loss", "chain", "feature_norm", "gradient_norm"):
        ends = [s[name] if s[name].ndim == 1 else s[name][[0, -1]] for s in (limit, *deep)]
        np.testing.assert_allclose(extrapolate(ends[1:]), ends[0], rtol=1e-3, atol=1e-4)


# Closed forms, theory.md section 12


@pytest.mark.parametrize("scale", [1.0, 0.8])
def test_initial_loss(scale: float) -> None:
    network = {"centered": False, "gamma0": 0.7, "width": 0.8, "init_scale": scale}
    spectrum = {"kind": "isotropic"}
    base, rho = problem("one_pass", **network), 1 / (0.7**2 * 0.8)
    base |= {"data": base["data"] | {"spectrum": spectrum}}
    for depth in (1, 2, 7):
        loss = residual.solve_residual(with_layer_lr(base, depth), 1)["test_loss"][0]
        layers = (1 + scale**2 * 0.9**2 / depth) ** (depth - 1)
        assert loss == pytest.approx(1 + scale**4 * layers * rho, rel=1e-12)
    loss = residual.solve_infinite(with_layer_lr(base, math.inf), 1)["test_loss"][0]
    assert loss == pytest.approx(1 + scale**4 * math.exp(scale**2 * 0.9**2) * rho, rel=1e-9)


def test_lazy_kernel() -> None:
    steps = np.arange(8)
    for depth in (1, 3, 6):
        b2 = 1.2**2 / depth
        kernel = (1 + b2) ** (depth - 1) * (2 + (depth - 1) * b2 / (1 + b2))
        solution = residual.solve_residual(lazy(depth, 1.2), 8)
        np.testing.assert_allclose(
            solution["test_loss"], (1 - 0.02 * kernel) ** (2 * steps), rtol=1e-12
        )
    kernel = math.exp(1.2**2) * (2 + 1.2**2)
    solution = residual.solve_infinite(lazy(math.inf, 1.2), 8, nodes=10)
    np.testing.assert_allclose(solution["test_loss"], (1 - 0.02 * kernel) ** (2 * steps), rtol=1e-9)


# Replicas


def test_replicas_agree_with_theory_md() -> None:
    table: Problem = {
        "network": {"kind": "mlp", "depth": 2, "width": 0.7, "gamma0": 1.0},
        "data": {"kind": "full_batch", "alpha": 1.5, "noise": 0.5},
        "optimizer": {"lr": 0.08},
    }
    losses = oracle_replicas.replica_losses(table, 20)
    last = [losses[pattern][19] for pattern in oracle_replicas.PATTERNS]
    np.testing.assert_allclose(last, [0.4662, 0.1638, 0.2633, 0.0690], atol=5e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("depth", [1, 3, math.inf])
def test_a_network_is_its_own_replica(mode: str, depth: float) -> None:
    base = with_layer_lr(problem(mode), depth)
    solve = residual.solve_infinite if math.isinf(depth) else residual.solve_residual
    solution, losses = solve(base, 10), oracle_replicas.replica_losses(base, 10)
    np.testing.assert_allclose(losses[1, 1], solution["test_loss"], rtol=1e-11)
    # What nothing but the target drives is the bias; each further shared source adds variance.
    np.testing.assert_allclose(losses[0, 0], solution["term_target"], rtol=1e-11)
    extra = losses[1, 1] - losses[1, 0] - losses[0, 1] + losses[0, 0]
    for values in (losses[1, 0] - losses[0, 0], losses[0, 1] - losses[0, 0], extra):
        assert values.min() > -1e-13
    if mode == "population":
        np.testing.assert_allclose(losses[1, 0], losses[1, 1], rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_replicas_of_a_perceptron_of_unequal_widths(mode: str) -> None:
    base = with_layer_lr(problem(mode, kind="mlp", width=[0.5, 2.0, 1.0]), 3)
    losses, solution = oracle_replicas.replica_losses(base, 10), oracle.solve(base, 10)
    np.testing.assert_allclose(losses[1, 1], solution["test_loss"], rtol=1e-12)
    np.testing.assert_allclose(losses[0, 0], solution["term_target"], rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_replicas_of_deep_networks_tend_to_those_of_infinite_depth(mode: str) -> None:
    base = problem(mode)
    limit = oracle_replicas.replica_losses(with_layer_lr(base, math.inf), 6)
    deep = [oracle_replicas.replica_losses(with_layer_lr(base, depth), 6) for depth in ORDERS]
    for pattern in oracle_replicas.PATTERNS:
        values = extrapolate([losses[pattern] for losses in deep])
        np.testing.assert_allclose(values, limit[pattern], rtol=1e-3)


def test_replicas_by_training_pairs_of_networks() -> None:
    """Multi-pass SGD on the same choices of samples, against finite networks (mean of 24 pairs)."""
    base = problem("multi_pass", lr=0.05, branch_scaling="constant", branch=0.7)
    base["data"] |= {"spectrum": {"kind": "isotropic"}}
    base["optimizer"] |= {"momentum": 0.0, "nesterov": False}
    theory = oracle_replicas.replica_losses(base, 8)
    runs = [overlaps(base, 8, 120, np.random.default_rng(seed)) for seed in range(24)]
    for pattern in oracle_replicas.PATTERNS:
        values = [run[pattern] for run in runs]
        error = np.std(values, axis=0, ddof=1) / math.sqrt(len(runs))
        assert np.all(np.abs(np.mean(values, axis=0) - theory[pattern]) <= 4 * error + 1e-12)


def overlaps(
    base: Problem, steps: int, dim: int, rng: np.random.Generator
) -> dict[tuple[int, int], Any]:
    """v_a.v_b/D for two initializations times two data sets, by sharing pattern."""
    samples = int(base["data"]["alpha"] * dim)
    target = rng.standard_normal(dim)
    target *= math.sqrt(dim) / np.linalg.norm(target)
    weights = [initial_weights(base["network"], dim, rng) for _ in range(2)]
    inputs, labels = rng.standard_normal((2, samples, dim)), rng.standard_normal((2, samples))
    kept = rng.random((2, steps, samples)) < base["data"]["batch_fraction"]
    v = {
        (i, d): train(base, weights[i], target, inputs[d], labels[d], kept[d])
        for i in range(2)
        for d in range(2)
    }
    mean = {}
    for i, d in oracle_replicas.PATTERNS:
        pairs = [(v[a, c], v[a if i else 1 - a, c if d else 1 - c]) for a, c in v]
        mean[i, d] = np.mean([(x * y).sum(1) / dim for x, y in pairs], axis=0)
    return mean


def initial_weights(network: Problem, dim: int, rng: np.random.Generator) -> list[Any]:
    """W^0 .. W^{L-1} and the readout, times `init_scale`."""
    width = round(network["width"] * dim)
    shapes = [(width, dim), *[(width, width)] * (network["depth"] - 1), (width,)]
    return [network["init_scale"] * rng.standard_normal(shape) for shape in shapes]


def train(base: Problem, start: list[Any], target: Any, X: Any, labels: Any, kept: Any) -> Any:
    """Discrepancies v, (T, D), of a centered residual network under multi-pass SGD (section 2)."""
    network, data, optimizer = base["network"], base["data"], base["optimizer"]
    W, (samples, dim), depth = list(start), X.shape, network["depth"]
    gamma0, b, N, history = network["gamma0"], network["branch"], len(start[-1]), []
    initial: Any = None
    for t in range(len(kept)):
        g = [W[-1]]
        for matrix in W[-2:0:-1]:
            g.insert(0, g[0] + b / math.sqrt(N) * matrix.T @ g[0])
        predictor = math.sqrt(dim) / (gamma0 * N) * W[0].T @ g[0]
        initial = predictor if initial is None else initial
        v = target - predictor + initial
        history.append(v)
        residuals = (X @ v / math.sqrt(dim) + data["noise"] * labels) * kept[t]
        u = math.sqrt(dim) / samples * X.T @ residuals / data["batch_fraction"]
        h = [W[0] @ u / math.sqrt(dim)]
        for matrix in W[1:-1]:
            h.append(h[-1] + b / math.sqrt(N) * matrix @ h[-1])
        gradients = [gamma0 / math.sqrt(dim) * np.outer(g[0], u)]
        factor = gamma0 * b / math.sqrt(N)
        gradients += [factor * np.outer(g[i + 1], h[i]) for i in range(depth - 1)]
        gradients.append(gamma0 * h[-1])
        shrink = 1 - optimizer["lr"] * optimizer["weight_decay"]
        W = [shrink * w + optimizer["lr"] * G for w, G in zip(W, gradients, strict=True)]
    return np.array(history)
