"""Extreme parameters: the known limits are reached, and no result has a NaN.

The theory is compared with its limits, which it can compute too: the distance falls with the small
parameter.
"""

import math
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm

NETWORKS: list[dict[str, Any]] = [
    {"kind": "mlp", "depth": 2},
    {"kind": "resnet", "depth": 3},
    {"kind": "resnet", "depth": math.inf},
]
DATA = ["full_batch", "multi_pass", "one_pass", "population"]


def solved(network: dict[str, Any], data: dict[str, Any]) -> lm.Solution:
    if data.get("kind") == "multi_pass":
        data = {"batch_fraction": 0.5, **data}
    lr = {"lr": 0.02}
    return lm.solve(problem(network=network, data=data, optimizer=lr), 12, threads=1)


def distance(a: lm.Solution, b: lm.Solution) -> float:
    return float(np.abs(a.test_loss / b.test_loss - 1).max())


@pytest.mark.filterwarnings("ignore::lindmft.SizeWarning")
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n['kind']}-{n['depth']}")
@pytest.mark.parametrize("kind", DATA)
def test_widths_tend_to_infinite_width(kind: str, network: dict[str, Any]) -> None:
    limit = solved(network | {"width": math.inf}, {"kind": kind})
    assert distance(solved(network | {"width": 1e6}, {"kind": kind}), limit) < 1e-4
    assert distance(solved(network | {"width": 1e12}, {"kind": kind}), limit) < 1e-9


@pytest.mark.filterwarnings("ignore::lindmft.SizeWarning")
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n['kind']}-{n['depth']}")
@pytest.mark.parametrize("kind", DATA[:3])
def test_many_samples_tend_to_the_population(kind: str, network: dict[str, Any]) -> None:
    limit = solved(network, {"kind": "population"})
    assert distance(solved(network, {"kind": kind, "alpha": 1e6}), limit) < 1e-4
    assert distance(solved(network, {"kind": kind, "alpha": 1e12}), limit) < 1e-9


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n['kind']}-{n['depth']}")
@pytest.mark.parametrize("kind", DATA)
def test_small_gamma0_tends_to_the_lazy_limit(kind: str, network: dict[str, Any]) -> None:
    wide = network | {"width": math.inf}
    limit = solved(wide | {"gamma0": 0.0}, {"kind": kind})
    assert distance(solved(wide | {"gamma0": 1e-6}, {"kind": kind}), limit) < 1e-9


FAR = [
    ("network", "width", 1e-3),
    ("network", "gamma0", 1e3),
    ("network", "init_scale", 1e-12),
    ("network", "branch", 1e-6),
    ("data", "alpha", 1e-12),
    ("data", "alpha", 1e-3),
    ("data", "noise", 1e-8),
    ("data", "noise", 1e150),
    ("data", "batch_fraction", 1e-12),
    ("optimizer", "lr", 0.0),
    ("optimizer", "lr", 1e-300),
    ("optimizer", "lr", 1e3),
    ("optimizer", "lr", 1e300),
    ("optimizer", "momentum", 0.999999),
    ("optimizer", "weight_decay", 1e6),
]


@pytest.mark.parametrize(("table", "key", "value"), FAR)
@pytest.mark.parametrize("kind", DATA)
def test_far_out_everything_is_a_number(table: str, key: str, value: float, kind: str) -> None:
    """Series are infinite only after a divergence that is flagged, in theory and training."""
    if (key, kind) in (("alpha", "population"), ("batch_fraction", "population")):
        pytest.skip("the population has no such field")
    if key == "batch_fraction" and kind != "multi_pass":
        pytest.skip("only multi-pass data have this field")
    tables: dict[str, dict[str, Any]] = {"network": {}, "data": {"kind": kind}, "optimizer": {}}
    if kind == "multi_pass":
        tables["data"]["batch_fraction"] = 0.5
    if key == "branch":
        tables["network"] |= {"kind": "resnet", "depth": 3}
    tables[table][key] = value
    chosen = problem(**tables)
    check_numbers(lm.solve(chosen, 15, threads=1))
    try:
        runs = lm.train(chosen, 8, dim=20, seeds=2, threads=1)
    except ValueError as error:
        assert "large enough for one" in str(error)  # noqa: PT017
        return
    check_runs(runs)


def check_numbers(theory: lm.Solution) -> None:
    """Check that series are finite up to a flagged divergence, and infinite after it."""
    valid = len(theory.time) if theory.diverged_at is None else theory.diverged_at
    for name in ("test_loss", "train_loss", "feature_norm", "gradient_norm"):
        series = getattr(theory, name)
        assert np.isfinite(series[..., :valid]).all(), name
        assert np.isposinf(series[..., valid:]).all(), name


def check_runs(runs: lm.Ensemble) -> None:
    for losses, step in zip(runs.test_loss, runs.diverged_at, strict=True):
        assert np.isfinite(losses[:step]).all()
        assert step is None or np.isposinf(losses[step:]).all()


@pytest.mark.parametrize("network", NETWORKS[:2], ids=lambda n: str(n["kind"]))
@pytest.mark.parametrize("kind", DATA)
def test_rates_at_the_edge_of_stability_and_beyond(kind: str, network: dict[str, Any]) -> None:
    batches = {"batch_fraction": 0.5} if kind == "multi_pass" else {}
    tables = problem(network=network, data={"kind": kind, **batches})
    chosen = lm.Problem.from_dict(tables)
    edge = lm.largest_stable_lr(chosen, 30, criterion="finite").lr
    ends = set()
    for factor in (1e-12, 0.99, 1.0, 1.01, 2.0, 1e3, 1e100):
        at = chosen.replace(**{"optimizer.lr": factor * edge})
        theory = lm.solve(at, 30, threads=1)
        check_numbers(theory)
        check_runs(lm.train(at, 30, dim=24, seeds=3, threads=1))
        ends.add((factor <= 1, theory.diverged_at is None))
    assert ends == {(True, True), (False, False)}


@pytest.mark.parametrize("kind", ["mlp", "resnet"])
@pytest.mark.parametrize("lr", [1e-4, 1e-2])
def test_two_hundred_layers(kind: str, lr: float) -> None:
    deep = problem(network={"kind": kind, "depth": 200}, optimizer={"lr": lr})
    theory = lm.solve(deep, 12, threads=1)
    check_numbers(theory)
    assert (theory.diverged_at is None) == (lr < 1e-3 or kind == "resnet")
    check_runs(lm.train(deep, 12, dim=24, seeds=2, threads=1))
