"""Losses that must agree between two problems, on hundreds of random ones, without references."""

import zlib

import numpy as np
import pytest
from invariances import INVARIANCES, problem

import lindmft as lm

CASES = 40
STEPS = 12
ROUNDING = 1e-9
LOSSES = ("test_loss", "train_loss")


def rng_of(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


@pytest.mark.parametrize("name", INVARIANCES)
def test_losses_of_the_theory(name: str) -> None:
    rng, kind = rng_of(name), INVARIANCES[name]
    pairs = [kind.pair(rng) for _ in range(CASES)]
    solved = lm.solve_many([one for pair in pairs for one in pair[:2]], STEPS)
    for i, (one, other, factor) in enumerate(pairs):
        for loss in LOSSES[: 1 + kind.train_loss]:
            a, b = (getattr(solution, loss) for solution in solved[2 * i : 2 * i + 2])
            scale = ROUNDING * factor * a.max()
            np.testing.assert_allclose(b, factor * a, atol=scale, err_msg=f"{loss}: {one}, {other}")


@pytest.mark.parametrize("name", [name for name, kind in INVARIANCES.items() if kind.finite])
def test_losses_of_networks(name: str) -> None:
    """Of every network for itself, on the same random numbers."""
    rng, kind = rng_of(name), INVARIANCES[name]
    for _ in range(CASES // 4):
        one, other, factor = kind.pair(rng)
        runs = [lm.train(each, STEPS, dim=12, seeds=2, threads=1) for each in (one, other)]
        for loss in LOSSES[: 1 + kind.train_loss]:
            a, b = (getattr(run, loss) for run in runs)
            scale = ROUNDING * factor * a.max()
            np.testing.assert_allclose(b, factor * a, atol=scale, err_msg=f"{loss}: {one}, {other}")


def test_a_longer_run_begins_with_a_shorter_one() -> None:
    rng = rng_of("causality")
    problems = [problem(rng) for _ in range(CASES)]
    short, whole = lm.solve_many(problems, STEPS // 2), lm.solve_many(problems, STEPS)
    for a, b in zip(short, whole, strict=True):
        np.testing.assert_allclose(a.test_loss, b.test_loss[: STEPS // 2], rtol=ROUNDING)


def test_continued_is_whole() -> None:
    rng = rng_of("continued")
    for _ in range(CASES):
        one = problem(rng)
        start = lm.solve(one, int(rng.integers(1, STEPS)), keep_state=True)
        whole, continued = lm.solve(one, STEPS), lm.solve(one, STEPS, continue_from=start)
        np.testing.assert_allclose(continued.test_loss, whole.test_loss, rtol=ROUNDING)
        np.testing.assert_allclose(continued.train_loss, whole.train_loss, rtol=ROUNDING)


def test_coarse_grids_are_exact_steps() -> None:
    rng = rng_of("grids")
    problems = [problem(rng, "fp") for _ in range(CASES // 8)]
    problems = [one.replace(**{"optimizer.momentum": 0.0}) for one in problems]
    exact = lm.solve_many(problems, 200)
    for one, reference in zip(problems, exact, strict=True):
        coarse = lm.solve(one, 200, grid="adaptive")
        expected = reference.at(coarse.time).test_loss
        np.testing.assert_allclose(
            coarse.test_loss, expected, rtol=1e-5, atol=1e-9 * expected[0], err_msg=str(one)
        )
