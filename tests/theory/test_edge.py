"""Instabilities that coarse grids do not follow, and that exact steps follow from rounding errors.

A fast mode of little power decays below the tolerance. A slow mode of much power then raises the
sharpness beyond the edge of stability (theory.md section 15).
"""

import warnings
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

import lindmft as lm

EIGENVALUES, POWER = (1.0, 0.002), (0.05, 100.0)
MODES = lm.Discrete(list(EIGENVALUES), target_power=list(POWER), weights=[0.5, 0.5])
GAMMA0, RTOL, ATOL = 3.0, 1e-6, 1e-10


def problem(depth: int, lr: float, width: float = np.inf) -> lm.Problem:
    network = lm.MLP(depth=depth, width=width, gamma0=GAMMA0)
    return lm.Problem(network, lm.Population(spectrum=MODES), lm.SGD(lr=lr))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lm.StabilityWarning)
        yield


def small_network(lr: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return losses and sharpness of one hidden layer at infinite width, from a network of size 3.

    The initial weights are an isometry, and the readout starts in another direction. Training
    stays in the span of the targets of both modes and of this direction. Every direction without a
    target has the kernel 1 + <g g>. (With one mode: theory.md section 12, item 6.)
    """
    covariance = np.diag(EIGENVALUES)
    target = np.sqrt(0.5 * np.array(POWER))
    first, readout = np.eye(3, 2), np.array([0.0, 0.0, 1.0])
    losses, sharpness = [], []
    for _ in range(steps):
        rest = target - first.T @ readout / GAMMA0
        kernel = readout @ readout * np.eye(2) + first.T @ first
        untaught = (readout @ readout + 1.0) * EIGENVALUES[0]
        losses.append(rest @ covariance @ rest)
        sharpness.append(max(np.linalg.eigvals(kernel @ covariance).real.max(), untaught))
        gradient = covariance @ rest
        first, readout = (
            first + lr * GAMMA0 * np.outer(readout, gradient),
            readout + lr * GAMMA0 * first @ gradient,
        )
    return np.array(losses), np.array(sharpness)


@pytest.mark.parametrize("lr", [0.1, 0.2])
def test_the_crossing_is_that_of_a_small_network(lr: float) -> None:
    losses, sharpness = small_network(lr, 900)
    (crossing, *_) = np.flatnonzero(lr * sharpness > 2.0)
    theory = lm.solve(problem(1, lr), 2000, grid="adaptive")
    assert theory.unstable_at == pytest.approx(crossing, abs=2)
    before = theory.time < crossing
    expected = losses[theory.time[before].astype(int)]
    np.testing.assert_allclose(theory.test_loss[before], expected, rtol=10 * RTOL, atol=1e-9)
    at = [0.0, 50.0, 150.0, float(crossing)]
    found = lm.solve(problem(1, lr), 900, spectrum_at=at, lanczos=6, grid="adaptive").spectrum
    expected = sharpness[np.array(at).astype(int)]
    np.testing.assert_allclose(found.sharpness, expected, rtol=1e-4)


def test_the_spectrum_of_exact_steps_is_that_of_a_small_network() -> None:
    steps = 120
    _, sharpness = small_network(0.2, steps)
    found = lm.solve(problem(1, 0.2), steps, spectrum_at=range(0, steps, 17), lanczos=6).spectrum
    np.testing.assert_allclose(found.sharpness, sharpness[::17], rtol=1e-9)


@pytest.mark.parametrize(
    ("depth", "lr", "width"),
    [(2, 0.06, np.inf), (2, 0.05, 4.0), (1, 0.3, np.inf)],
)
def test_grids_agree_until_they_say_otherwise(depth: int, lr: float, width: float) -> None:
    check(depth, lr, width, steps=450)


@pytest.mark.long
@pytest.mark.parametrize("width", [np.inf, 4.0])
@pytest.mark.parametrize("lr", [0.03, 0.04, 0.05, 0.06])
def test_depth_two_agrees_until_it_says_otherwise(lr: float, width: float) -> None:
    check(2, lr, width, steps=1000 if lr < 0.04 else 700)


@pytest.mark.long
@pytest.mark.parametrize("lr", [0.1, 0.2, 0.3])
def test_depth_one_agrees_until_it_says_otherwise(lr: float) -> None:
    check(1, lr, np.inf, steps=900)


def check(depth: int, lr: float, width: float, steps: int) -> None:
    """Exact steps raise no error and have no negative loss; the coarse grid finds the crossing."""
    setting = problem(depth, lr, width)
    exact, coarse = (lm.solve(setting, steps, grid=grid) for grid in ("exact", "adaptive"))
    for theory in (exact, coarse):
        for loss in (theory.test_loss, theory.train_loss):
            assert not (loss < 0).any()
            assert not np.isnan(loss).any()
    assert coarse.unstable_at is not None
    agree_before_the_end(exact, coarse)
    last = int(min(coarse.unstable_at + 20, steps - 1))
    crosses_at(setting, coarse.unstable_at, last)
    # Exact steps notice when what has grown from rounding errors is visible.
    if exact.predictable_until is not None:
        assert exact.predictable_until > coarse.unstable_at
        assert exact.unstable_at == pytest.approx(coarse.unstable_at, abs=5)
    else:
        assert exact.diverged_at is None


def agree_before_the_end(exact: lm.Solution, coarse: lm.Solution) -> None:
    """Losses agree up to the first time that either solution names."""
    ends = (exact.diverged_at, coarse.diverged_at, coarse.unstable_at, exact.predictable_until)
    before = coarse.time < min(end for end in ends if end is not None)
    steps = coarse.time[before].astype(int)
    for name in ("test_loss", "train_loss"):
        expected, found = getattr(exact, name), getattr(coarse, name)
        allowed = 10 * (RTOL * expected[steps] + ATOL * max(1.0, expected[0]))
        assert (np.abs(found[before] - expected[steps]) <= allowed).all()


def crosses_at(setting: lm.Problem, step: float, last: int) -> None:
    """The sharpness of exact steps passes the threshold there, up to the error of few vectors.

    Coarse grids use fewer steps of Lanczos' method; an edge of the bulk is then less accurate.
    """
    margin = 2.0 if np.isinf(setting.network.width) else np.ceil(0.01 * step)
    times = [t for t in (step - 20.0, step - margin, step + margin) if 0 <= t <= last]
    found = lm.solve(setting, last + 1, spectrum_at=times, lanczos=16).spectrum
    ratios = setting.optimizer.lr * found.sharpness / lm.stability_threshold(setting.optimizer)
    assert all(a < b for a, b in pairwise(ratios))
    for time, ratio in zip(times, ratios, strict=True):
        assert (ratio > 1.0) == (time > step), (time, ratio)


def test_solutions_beyond_the_edge_warn() -> None:
    with pytest.warns(lm.StabilityWarning, match="from step 199 on"):
        lm.solve(problem(1, 0.2), 900, grid="adaptive")


def test_stable_solutions_say_nothing() -> None:
    """The same problem with a learning rate below the edge at all times."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", lm.StabilityWarning)
        theory = lm.solve(problem(1, 0.05), 20000, grid="adaptive")
    assert theory.unstable_at is None
    _, sharpness = small_network(0.05, 20000)
    assert 0.05 * sharpness.max() < 2.0


def test_a_narrow_bulk_gives_no_false_alarm() -> None:
    """Rounding errors once made a sharpness of 13 of 2.5: the bulk is narrow and far from 0."""
    narrow = lm.Problem(lm.MLP(depth=1, width=20.0), lm.Population(), lm.SGD(lr=0.3))
    theory = lm.solve(narrow, 3000, grid="adaptive", spectrum_at=[0, 2999], lanczos=24)
    assert theory.unstable_at is None
    edge = 1.0 + (1.0 + 20.0**-0.5) ** 2
    assert theory.spectrum.bulk_edge[0] == pytest.approx(edge, abs=1e-4)


# Problems at which the last steps of an adaptive grid, solved one by one, were wrong.
LAST: dict[str, tuple[lm.Problem, int]] = {
    "infinite depth": (
        lm.Problem(
            lm.ResNet(depth=np.inf, width=4.0, gamma0=1.0), lm.FullBatch(1.0), lm.SGD(lr=0.02536)
        ),
        60,
    ),
    "infinite depth, modes": (
        lm.Problem(
            lm.ResNet(depth=np.inf, width=1.0, gamma0=1.0),
            lm.FullBatch(
                alpha=3.0, spectrum=lm.Discrete([1.0, 0.0129172], [1.639209, 0.377693], [0.5, 0.5])
            ),
            lm.SGD(lr=0.04480846),
        ),
        60,
    ),
    "modes": (
        lm.Problem(
            lm.ResNet(depth=3, width=4.0, gamma0=0.7440434, centered=True),
            lm.FullBatch(
                alpha=0.5,
                noise=0.3,
                spectrum=lm.Discrete([1.0, 0.732474], [0.2327484, 6.724721], [0.5, 0.5]),
            ),
            lm.SGD(lr=0.05546826),
        ),
        100,
    ),
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_steps_of_a_coarse_grid_are_right(name: str) -> None:
    setting, steps = LAST[name]
    for end in (steps - 1, steps, steps + 1):
        coarse = lm.solve(setting, end, grid="adaptive")
        exact = lm.solve(setting, end)
        expected = exact.test_loss[coarse.time.astype(int)]
        np.testing.assert_allclose(coarse.test_loss, expected, rtol=RTOL)
        assert coarse.stats.chain_residual < 1e-8
