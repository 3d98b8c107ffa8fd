"""The scripts of ``bench`` compare the same computations, and their verdicts are correct."""

import runpy
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(BENCH))
    return BENCH


def test_random_bits_are_philox(bench: Path) -> None:
    """The known answers are those of the authors of the generator."""
    even, odd = import_module("arrays").philox(0, 0, 0, 1)
    assert (int(even[0]), int(odd[0])) == (0xE169C58D6627E8D5, 0x9B00DBD8BC57AC4C)


@pytest.mark.parametrize("update", ["dger", "outer product"])
@pytest.mark.parametrize(("depth", "dim", "width"), [(1, 16, 1.0), (2, 15, 1.4), (3, 24, 0.5)])
def test_the_numpy_peer_trains_the_same_networks(
    update: str, depth: int, dim: int, width: float, bench: Path
) -> None:
    arrays, peer = import_module("arrays"), import_module("train_numpy")
    sizes = arrays.Sizes(dim=dim, depth=depth, width=width)
    losses = peer.Collapsed(sizes, arrays.start(sizes, seed=5), update == "dger").run(12)
    network, data = lm.MLP(depth=depth, width=width), lm.FullBatch(alpha=2.0, noise=0.3)
    runs = lm.train(lm.Problem(network, data, lm.SGD(lr=0.1)), 12, dim=dim, seeds=[5])
    np.testing.assert_allclose(losses, runs.train_loss[0], rtol=1e-11)


def test_exponents_are_judged_by_operations_in_a_sweep(bench: Path) -> None:
    growth_of: Any = runpy.run_path(str(bench / "scaling.py"))["Growth"]
    sizes = [1, 2, 4, 8, 16]
    # times grow linearly, sweeps with the square root, operations in a sweep with the square
    costs = [(1.0 * n, n**2.5, n**0.5) for n in sizes]
    growth = growth_of("things", sizes, 2.0, costs)
    assert growth.as_expected
    for name, exponent in (("seconds", 1.0), ("operations", 2.5), ("in one sweep", 2.0)):
        assert growth.exponent(growth.columns[name]) == pytest.approx(exponent)
    assert "| exponent | 1.00 | 2.50 | 2.00 | | |" in growth.table()
    assert not growth_of("things", sizes, 1.5, costs).as_expected


def test_ratios_are_taken_within_rounds(bench: Path) -> None:
    turns = import_module("turns")
    slow = turns.Peer("slow", "a", {}, seconds=[10.0, 40.0, 90.0])
    fast = turns.Peer("fast", "b", {}, seconds=[1.0, 10.0, 3.0])
    assert turns.ratio(slow, fast) == 10.0
    assert slow.median == 40.0
