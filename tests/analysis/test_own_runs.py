"""``compare`` and ``Ensemble.from_arrays`` with losses of training loops outside of the package."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(2), lm.FullBatch(2.0, noise=0.3), lm.SGD(0.05))
STEPS = 12


@pytest.fixture(scope="module")
def theory() -> lm.Solution:
    return lm.solve(PROBLEM, STEPS)


@pytest.fixture(scope="module")
def runs() -> lm.Ensemble:
    return lm.train(PROBLEM, STEPS, dim=64, seeds=8, threads=1)


def test_arrays_are_compared_like_the_ensemble_they_come_from(
    theory: lm.Solution, runs: lm.Ensemble
) -> None:
    both = {"test_loss": runs.test_loss, "train_loss": runs.train_loss.tolist()}
    expected = lm.compare(theory, runs)
    found = lm.compare(theory, both, dim=64)
    assert found.chances == expected.chances
    assert found.train_loss is not None
    assert expected.train_loss is not None
    assert np.array_equal(found.train_loss.z, expected.train_loss.z)
    assert expected.advice.fresh == "seed=1"
    assert found.advice.fresh == "other seeds of your loop"


def test_test_losses_alone_are_enough(theory: lm.Solution, runs: lm.Ensemble) -> None:
    found = lm.compare(theory, runs.test_loss, dim=64)
    assert found.train_loss is None
    assert found.agrees
    assert np.array_equal(found.test_loss.z, lm.compare(theory, runs).test_loss.z)
    assert "train loss" not in found.summary()
    assert "all steps together" in found.summary()
    wrong = lm.solve(PROBLEM.replace(**{"optimizer.lr": 0.08}), STEPS)
    assert not lm.compare(wrong, runs.test_loss, dim=64).agrees


def test_fewer_steps_than_the_theory_are_compared(runs: lm.Ensemble) -> None:
    longer = lm.solve(PROBLEM, STEPS + 5)
    assert len(lm.compare(longer, runs.test_loss, dim=64).time) == STEPS
    assert len(lm.compare(longer, runs.test_loss[0], dim=64).time) == STEPS
    coarse = lm.solve(PROBLEM.replace(**{"data.noise": 0.0}), 60, grid="adaptive")
    assert len(lm.compare(coarse, runs.test_loss, dim=64).time) == STEPS
    with pytest.raises(ValueError, match="steps must be the same in theory and runs, got 5 and 12"):
        lm.compare(lm.solve(PROBLEM, 5), runs.test_loss, dim=64)
    with pytest.raises(ValueError, match="steps must be the same in theory and runs, got 17 and"):
        lm.compare(longer, runs)


def test_networks_that_diverged_are_left_out(theory: lm.Solution, runs: lm.Ensemble) -> None:
    losses = runs.test_loss.copy()
    losses[3, 5:] = np.nan
    found = lm.compare(theory, losses, dim=64)
    assert found.networks == 7
    assert any("1 of 8 networks diverged" in note for note in found.notes)


def test_an_ensemble_of_arrays_knows_its_sizes(runs: lm.Ensemble) -> None:
    own = lm.Ensemble.from_arrays(PROBLEM.to_dict(), test_loss=runs.test_loss, dim=64)
    assert (own.dim, own.widths, own.samples) == (runs.dim, runs.widths, runs.samples)
    assert np.array_equal(own.mean().test_loss, runs.mean().test_loss)
    assert np.isnan(own.mean().feature_norm).all()
    assert np.isnan(own.train_loss).all()
    given = PROBLEM.replace(data=lm.FullBatch(samples=128, inputs=64))
    assert lm.Ensemble.from_arrays(given, test_loss=[1.0, 0.5]).samples == 128
    modes = lm.Discrete([1.0, 0.5], [1.0, 1.0], trace_class=True)
    listed = lm.Problem(lm.MLP(hidden=9), lm.OnePass(batch=5, spectrum=modes), lm.SGD(0.1))
    own = lm.Ensemble.from_arrays(listed, test_loss=[[1.0, 0.5]])
    assert (own.dim, own.widths, own.samples) == (2, (9,), 5)
    assert lm.Ensemble.from_arrays(
        PROBLEM.replace(data=lm.Population()), test_loss=[1.0], dim=8
    ).samples == 0  # fmt: skip


def test_it_is_written_and_read(runs: lm.Ensemble, tmp_path: Path) -> None:
    two = PROBLEM.replace(data=lm.FullBatch(2.0, targets=[1.0, 2.0]))
    for problem in (PROBLEM, two):
        own = lm.Ensemble.from_arrays(problem, test_loss=runs.test_loss, dim=64)
        own.save(tmp_path / "own.nc")
        again = lm.Ensemble.load(tmp_path / "own.nc")
        assert np.array_equal(again.test_loss, own.test_loss)
        assert np.isnan(again.train_loss).all()
        assert again.test_loss_by_output.shape == own.test_loss_by_output.shape


def test_it_is_drawn(theory: lm.Solution, runs: lm.Ensemble) -> None:
    own = lm.Ensemble.from_arrays(PROBLEM, test_loss=runs.test_loss, dim=64)
    assert lm.plotting.compare(theory, own).get_xlabel() == "step t"


ONES = np.ones((2, 4))


@pytest.mark.parametrize(
    ("losses", "dim", "message"),
    [
        (ONES, None, "dim is missing: it is the number of inputs of the networks"),
        (ONES, 0, "dim must be a whole number of at least 1, got 0"),
        (ONES - 2, 8, r"test_loss\[0\]\[0\] must be not negative, got -1.0"),
        (np.ones((2, 2, 2)), 8, r"test_loss must be of shape \(networks, n\), or \(n,\)"),
        ([], 8, r"test_loss must be of shape \(networks, n\), or \(n,\)"),
        ({"train_loss": ONES}, 8, r"runs\['test_loss'\] is missing"),
        ({"test_los": ONES}, 8, r"runs must be a dictionary with .*did you mean 'test_loss'\?"),
        (
            {"test_loss": ONES, "train_loss": ONES[:1]}, 8,
            r"train_loss must be of the same shape as test_loss, \(2, 4\), got",
        ),
        (3.0, 8, "runs must be an Ensemble, an array of test losses, or a dictionary"),
    ],
)  # fmt: skip
def test_other_losses_are_refused(theory: lm.Solution, losses: Any, dim: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lm.compare(theory, losses, dim=dim)


def test_arguments_that_exclude_each_other(theory: lm.Solution, runs: lm.Ensemble) -> None:
    with pytest.raises(ValueError, match="dim cannot be combined with an Ensemble"):
        lm.compare(theory, runs, dim=64)
    wide = PROBLEM.replace(**{"network.width": np.inf})
    with pytest.raises(ValueError, match="network.width must be finite in a training loop"):
        lm.compare(lm.solve(wide, STEPS), runs.test_loss, dim=64)
