"""The campaign of random problems: it passes, and it does not if the theory is a little wrong."""

import csv
import dataclasses
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import lindmft as lm
from lindmft.analysis import normal, verification
from lindmft.analysis.random_problems import PARTS, random_problem
from lindmft.cli import verification_page

COUNT = 60
DIM = 32


@pytest.fixture(scope="module")
def found() -> lm.Verification:
    return lm.verify(COUNT, dim=DIM, seeds=16, seed=5)


def changed(found: lm.Verification, **change: Any) -> lm.Verification:
    """The same with other numbers: each change is a function of a case."""
    cases = [
        dataclasses.replace(case, **{name: new(case) for name, new in change.items()})
        for case in found.cases
    ]
    return dataclasses.replace(found, cases=tuple(cases))


@pytest.mark.long
def test_theory_and_training_differ_by_chance(found: lm.Verification) -> None:
    assert found.passed, found.summary()
    assert found.z.shape == (COUNT, 4)
    assert found.z.std(axis=0) == pytest.approx(np.ones(4), abs=4 / math.sqrt(2 * COUNT))
    assert found.verdict.startswith("Passed")


def test_a_theory_that_is_a_little_wrong_fails(found: lm.Verification) -> None:
    wrong = changed(found, theory=lambda case: 1.1 * case.theory)
    assert not wrong.passed
    assert "z-scores of the test loss are not those of chance" in wrong.verdict


@pytest.mark.long
def test_a_rate_that_is_a_little_wrong_fails() -> None:
    """The theory of another problem: by a tenth of the learning rate."""
    true = verification.solve
    with pytest.MonkeyPatch.context() as patch:

        def off(problem: lm.Problem, steps: int, **options: Any) -> lm.Solution:
            rates = 1.1 * np.atleast_1d(problem.optimizer.lr)
            return true(problem.replace(**{"optimizer.lr": rates.tolist()}), steps, **options)

        patch.setattr(verification, "solve", off)
        assert not lm.verify(COUNT, dim=DIM, seeds=32, seed=5).passed


def test_one_problem_that_is_wrong_fails(found: lm.Verification) -> None:
    first = found.cases[0]
    wrong = changed(
        found, mean=lambda case: case.mean + 40 * (case.error if case is first else 0.0)
    )
    assert wrong.outlier < 1e-9 < found.outlier
    assert (wrong.chance > 1e-3).all()
    assert "the largest z-score is not that of chance" in wrong.verdict


def test_a_deviation_that_does_not_fall_fails(found: lm.Verification) -> None:
    """Extrapolation would take a third of it for chance, with errors this large."""
    same = changed(
        found,
        mean=lambda case: 1.05 * case.theory + 0.0 * case.mean,
        error=lambda case: np.full((4, 2), 1e-3) * case.theory,
    )
    ratio, _ = same.ratio
    assert ratio == pytest.approx(1.0, abs=1e-3)
    assert not same.passed


def test_the_ratio_is_free_of_chance() -> None:
    """Half the deviation at twice the size, under chance as large as itself."""
    rng = np.random.default_rng(1)
    problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    cases = []
    for index in range(2000):
        spread = np.full((4, 2), 0.1)
        bias = rng.normal(0, 0.1, (4, 1)) * np.array([1.0, 0.5])
        mean = 1 + bias + spread * rng.standard_normal((4, 2))
        cases.append(verification.Case(index, problem, 1, np.ones((4, 2)), mean, spread, 99, 0))
    ratio, error = lm.Verification(tuple(cases), 64, 0).ratio
    assert error < 0.02
    assert abs(ratio - 0.5) < 4 * error


def test_networks_that_diverge_are_left_out_and_said(found: lm.Verification) -> None:
    first = found.cases[0]
    some = changed(found, diverged=lambda case: 2 if case is first else 0)
    assert len(some.kept) == COUNT - 1
    assert not some.passed
    assert "1 problems have networks that diverged" in some.verdict
    with pytest.raises(ValueError, match="^cases must have two without divergence, got 0 of 60"):
        changed(found, diverged=lambda _: 1)


def test_the_same_seed_draws_the_same_cases(found: lm.Verification) -> None:
    again = list(verification.cases(3, dim=DIM, seeds=16, seed=5))
    for case, known in zip(again, found.cases, strict=False):
        assert case.problem == known.problem
        np.testing.assert_array_equal(case.mean, known.mean)
    other = next(verification.cases(1, seeds=16, seed=6))
    assert other.problem != again[0].problem


def test_problems_cover_the_space_at_sizes_without_rounding() -> None:
    seen: Counter[str] = Counter()
    for index in range(150):
        (small, large), steps = random_problem(np.random.default_rng([0, index]), (64, 128))
        network, data, optimizer = small.network, small.data, small.optimizer
        trace = data.spectrum.trace_class
        seen.update((network.kind, data.kind, data.spectrum.kind, network.parameterization))
        seen.update(outputs=len(data.targets) > 1, schedule=isinstance(optimizer.lr, tuple))
        seen.update(momentum=optimizer.momentum > 0, decay=optimizer.weight_decay > 0)
        seen.update(nesterov=optimizer.nesterov, layer_lr=optimizer.layer_lr is not None)
        seen.update(centered=network.centered, unequal=np.ndim(network.width) > 0)
        assert 6 <= steps <= 24
        assert (small == large) != trace
        sizes = network.hidden if trace else PARTS * np.asarray(network.width)
        np.testing.assert_array_equal(sizes, np.round(sizes))
    assert len(seen) == 20
    assert min(seen.values()) >= 5, seen


@pytest.mark.parametrize("freedom", [15.0, 31.0, 200.0])
def test_student_becomes_normal(freedom: float) -> None:
    t = np.linspace(-5, 5, 41)
    exact = stats.norm.ppf(stats.t.cdf(t, freedom))
    np.testing.assert_allclose(normal.from_student(t, freedom), exact, atol=0.005)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3])
def test_kolmogorov(shift: float) -> None:
    z = np.random.default_rng(3).normal(shift, 1.0, 300)
    exact = stats.kstest(z, "norm")
    distance, chance = normal.kolmogorov(z)
    assert distance == pytest.approx(exact.statistic, rel=1e-12)
    assert chance == pytest.approx(exact.pvalue, rel=0.05, abs=1e-4)
    assert normal.kolmogorov(stats.norm.ppf((np.arange(99) + 0.5) / 99))[1] == 1.0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"count": 9}, "count must be at least 10, got 9"),
        ({"dim": 40}, "dim must be a multiple of 16, got 40"),
        ({"dim": 0}, "dim must be a multiple of 16, got 0"),
        ({"seeds": 8}, "seeds must be at least 16, got 8"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"threads": -1}, "threads must be"),
    ],
)
def test_bad_input(bad: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        lm.verify(**({"count": 10} | bad))


def test_page_picture_and_numbers(found: lm.Verification, tmp_path: Path) -> None:
    paths = verification_page.write(found, tmp_path, 1.0)
    assert paths == verification_page.paths(tmp_path)
    page = paths[0].read_text(encoding="utf-8")
    assert found.verdict in page
    assert page.count("<details>") == 10
    assert f"Problem {found.kept[found.worst(1)[0]].index}:" in page
    assert 'src="verification.png"' in page
    rows = list(csv.DictReader(paths[3].read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 4 * COUNT
    np.testing.assert_array_equal([float(row["z"]) for row in rows], found.z.ravel())


def test_the_picture_has_every_number(found: lm.Verification) -> None:
    histogram, quantiles, deviations = lm.plotting.verification(found).axes
    assert sum(bar.get_height() for bar in histogram.patches) == 4 * COUNT
    for line, z in zip(quantiles.get_lines(), found.z.T, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), np.sort(z))
    assert sum(len(line.get_xdata()) for line in deviations.get_lines()[:2]) == 4 * COUNT
    with pytest.raises(ValueError, match="^found must be what verify returns, got 3"):
        lm.plotting.verification(3)  # type: ignore[arg-type]
