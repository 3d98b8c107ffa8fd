"""Losses that must agree between two problems, for hundreds of random pairs."""

import zlib

import numpy as np
import pytest
from invariances import INVARIANCES, problem

import lindmft as lm

CASES = 40
STEPS = 12
ROUNDING = 1e-9
SEARCHES = (lm.optimal_lrs, lm.largest_stable_lrs)
OTHER_SCALES = pytest.mark.filterwarnings("ignore::lindmft.ScalingWarning")
"""Filter for a warning: random problems have initial scales that do not suit every width."""
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
    """The losses of single networks agree, on the same random numbers."""
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


# ---- results of the analysis for two such problems


def calm_pairs(name: str, count: int) -> list[tuple[lm.Problem, lm.Problem, float]]:
    """Pairs with constant rates and without momentum, whose rates can be searched."""
    rng, found = rng_of(f"analysis, {name}"), []
    while len(found) < count:
        one, other, factor = INVARIANCES[name].pair(rng)
        if one.optimizer.momentum == 0 and one.optimizer.weight_decay == 0:
            found.append((one, other, factor))
    return found


SEARCHED = {"target against richness": 1.0, "ntk against mup": 1.0, "equal widths": 1.0}
"""Invariances that do not change the rate: the best and the largest rate are the same."""


@pytest.mark.parametrize("name", SEARCHED)
def test_best_and_largest_rates(name: str) -> None:
    pairs = calm_pairs(name, 4)
    both = [one for pair in pairs for one in pair[:2]]
    best, edges = lm.optimal_lrs(both, STEPS), lm.largest_stable_lrs(both, STEPS)
    for i, (_, _, factor) in enumerate(pairs):
        a, b = best[2 * i : 2 * i + 2]
        assert b.lr == pytest.approx(a.lr, rel=1e-3)
        assert b.loss == pytest.approx(factor * a.loss, rel=1e-3)
        assert edges[2 * i].lr == pytest.approx(edges[2 * i + 1].lr, rel=1e-6)


def test_best_rates_of_scaled_weights() -> None:
    """The best and the largest stable rate change by the factor by which a pair changes rates."""
    for name in ("initial scale", "rates of layers"):
        for one, other, _ in calm_pairs(name, 3):
            moved = other.optimizer.lr / one.optimizer.lr
            best, edges = (search([one, other], STEPS) for search in SEARCHES)
            assert best[1].lr == pytest.approx(moved * best[0].lr, rel=0.02)
            assert edges[1].lr == pytest.approx(moved * edges[0].lr, rel=0.02)


@OTHER_SCALES
def test_transfer_at_width_one_is_the_same_in_both_parameterizations() -> None:
    for one, _, _ in calm_pairs("ntk against mup", 2):
        table = lm.transfer(one, "network.width", [1.0, 2.0], STEPS)
        assert table.lr[0, 0] == pytest.approx(table.lr[1, 0], rel=1e-6)
        assert table.loss[0, 0] == pytest.approx(table.loss[1, 0], rel=1e-6)
        assert table.edge[0, 0] == pytest.approx(table.edge[1, 0], rel=1e-6)


@pytest.mark.parametrize("name", ["target against richness", "ntk against mup", "initial scale"])
def test_chances_of_comparisons(name: str) -> None:
    """The same networks deviate from the same theory by the same number of standard errors."""
    for one, other, _ in calm_pairs(name, 5):
        found = [
            lm.compare(lm.solve(each, STEPS), lm.train(each, STEPS, dim=16, seeds=6, threads=1))
            for each in (one, other)
        ]
        assert found[0].chance == pytest.approx(found[1].chance, abs=2e-3)
        np.testing.assert_allclose(found[0].test_loss.z, found[1].test_loss.z, atol=1e-4)
        assert found[0].agrees == found[1].agrees


@pytest.mark.parametrize("name", ["target against richness", "ntk against mup"])
def test_explanations_of_a_wrong_loop(name: str) -> None:
    """A loop at a wrong rate is found at the same factor in both descriptions of the problem."""
    for one, other, factor in calm_pairs(name, 2):
        wrong = one.replace({"optimizer.lr": 0.7 * one.optimizer.lr})
        losses = lm.solve(wrong, 20).test_loss
        found = [lm.check_scaling(one, losses), lm.check_scaling(other, factor * losses)]
        for each in found:
            assert each.rate_factor == pytest.approx(0.7, rel=0.02)
        assert found[0].agrees == found[1].agrees


@OTHER_SCALES
def test_widths_and_coordinates_do_not_see_the_unit_of_the_target() -> None:
    for one, other, factor in calm_pairs("target against richness", 3):
        scans = [lm.wider_is_better(each, [0.5, 1.0, 2.0], STEPS) for each in (one, other)]
        np.testing.assert_allclose(scans[1].test_loss, factor * scans[0].test_loss, rtol=ROUNDING)
        assert scans[0].holds == scans[1].holds
        checks = [lm.coordinate_check(each, widths=[2, 4, 8], steps=5) for each in (one, other)]
        slopes = [check.slopes.gradient_updates for check in checks]
        np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-6)


@OTHER_SCALES
def test_frontiers_of_compute_do_not_see_the_unit_of_the_target() -> None:
    for one, other, factor in calm_pairs("target against richness", 2):
        found = [lm.compute_optimal(each, [0.5, 1.0, 2.0], 30) for each in (one, other)]
        np.testing.assert_allclose(found[1].losses, factor * found[0].losses, rtol=1e-6)
        np.testing.assert_array_equal(found[0].covered, found[1].covered)


def test_exponents_do_not_see_units() -> None:
    rng = rng_of("exponents")
    for _ in range(CASES):
        power, height, unit = rng.uniform(0.2, 2), rng.uniform(0.1, 10, 2), rng.uniform(0.1, 10)
        t = np.geomspace(1, 1e4, 60)
        a = lm.fit_exponent(t, height[0] * t**-power, window=(10, 1e3))
        b = lm.fit_exponent(unit * t, height[1] * t**-power, window=(10 * unit, 1e3 * unit))
        assert a.exponent == pytest.approx(-power, abs=1e-9)
        assert a.exponent == pytest.approx(b.exponent, abs=1e-9)
