"""Power laws in gradient flow at infinite width and data (theory.md section 12, item 11)."""

from typing import Any

import coarse
import numpy as np
import pytest
from power_laws import lazy_loss, rich_loss

import lindmft as lm

CAPACITY = 1.5


def flow(
    depth: int,
    gamma0: float,
    source: float,
    end: float,
    rtol: float = 1e-5,
    modes: int = 10**7,
) -> Any:
    problem = lm.Problem(
        lm.MLP(depth=depth, width=float("inf"), gamma0=gamma0, centered=True),
        lm.Population(spectrum=lm.PowerLaw(capacity=CAPACITY, source=source, modes=modes)),
        lm.SGD(lr=1.0),
    )
    return coarse.flow(problem, end, rtol)


def exponent(run: Any, window: tuple[float, float]) -> float:
    return lm.fit_exponent(run.time, run.test_loss, window=window).exponent


@pytest.mark.parametrize("source", [0.5, 1.5])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_lazy_exponents(depth: int, source: float) -> None:
    run = flow(depth, 0.0, source, 1e4)
    predicted = lm.predicted_exponents(source)
    assert exponent(run, (30, 3000)) == pytest.approx(predicted.lazy, abs=0.01)
    late = run.time > 30
    law = predicted.lazy_loss(run.time[late], CAPACITY, kernel=depth + 1)
    np.testing.assert_allclose(run.test_loss[late], law, rtol=0.02)


@pytest.mark.parametrize(("source", "window"), [(0.5, (20, 2000)), (1.5, (50, 5000))])
def test_rich_exponents(source: float, window: tuple[float, float]) -> None:
    run = flow(1, 10.0, source, 1e4)
    predicted = lm.predicted_exponents(source)
    assert exponent(run, window) == pytest.approx(predicted.rich, abs=0.01)


def test_two_hidden_layers_learn_hard_tasks_faster() -> None:
    run = flow(2, 10.0, 0.5, 1000.0, 1e-4)
    predicted = lm.predicted_exponents(0.5, depth=2)
    assert exponent(run, (10, 1000)) == pytest.approx(predicted.rich, abs=0.01)


@pytest.mark.long
@pytest.mark.parametrize(
    ("depth", "source", "off"),
    [
        (2, 0.5, 0.004),
        (3, 0.5, 0.006),
        (4, 0.5, 0.011),
        (2, 0.75, 0.005),
        (3, 0.75, 0.003),
        (4, 0.75, 0.007),
    ],
)
def test_deeper_networks_learn_hard_tasks_faster(depth: int, source: float, off: float) -> None:
    """The exponent follows from scaling, and it is closer than that of one layer less."""
    run = flow(depth, 30.0, source, 1000.0, 1e-4, modes=10**9)
    measured = exponent(run, (100, 1000))
    assert measured == pytest.approx(lm.predicted_exponents(source, depth).rich, abs=off)
    assert abs(measured - lm.predicted_exponents(source, depth - 1).rich) > off


@pytest.mark.parametrize("depth", [2, pytest.param(3, marks=pytest.mark.long)])
def test_easy_tasks_are_learned_alike_at_every_depth(depth: int) -> None:
    run = flow(depth, 10.0, 1.5, 1e4, 1e-4)
    predicted = lm.predicted_exponents(1.5, depth)
    assert predicted.rich == predicted.lazy
    assert exponent(run, (100, 1e4)) == pytest.approx(predicted.rich, abs=0.02)


def test_lazy_curves() -> None:
    """The whole curve against the sum over modes; 10^7 of them end at late times."""
    run = flow(1, 0.0, 0.5, 1e3, 1e-6)
    np.testing.assert_allclose(run.test_loss, lazy_loss(run.time, CAPACITY, 0.5), rtol=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("gamma0", [1.0, 10.0])
def test_rich_curves(gamma0: float) -> None:
    """The whole curve against an equation for the end-to-end map, with separate bins."""
    run = flow(1, gamma0, 0.5, 100.0, 1e-6)
    exact = rich_loss(run.time, CAPACITY, 0.5, gamma0)
    np.testing.assert_allclose(run.test_loss, exact, rtol=1e-2)
