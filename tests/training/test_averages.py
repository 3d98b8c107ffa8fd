"""The loss of averaged weights in training (theory section 18): NumPy, the theory, and files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lindmft as lm

STEPS = 8
AVERAGES: dict[str, Any] = {
    "ema": lm.EMA(0.7),
    "tail": lm.TailAverage(3),
    "checkpoints": lm.CheckpointAverage([2, 4, 6]),
}
NETWORKS: dict[str, Any] = {
    "perceptron": lm.MLP(depth=2, hidden=[6, 9]),
    "centered": lm.MLP(depth=1, hidden=7, centered=True),
    "residual": lm.ResNet(depth=3, hidden=6, branch=0.8, branch_scaling="constant"),
}
RNG = np.random.default_rng(1)
X, X_TEST = RNG.standard_normal((2, 12, 5))
GIVEN: dict[str, Any] = {
    "X": X,
    "y": X @ np.ones((5, 2)),
    "X_test": X_TEST,
    "y_test": X_TEST @ np.ones((5, 2)),
    "seeds": 3,
    "weights": True,
}
ONE_PASS = lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.5, noise=0.5), lm.SGD(lr=0.1))


def on_samples(network: Any) -> lm.Problem:
    spectrum = lm.Discrete([1.0] * 5, targets=np.ones((5, 2)), trace_class=True)
    data = lm.FullBatch(samples=12, spectrum=spectrum)
    return lm.Problem(network, data, lm.SGD(lr=0.05, momentum=0.5, weight_decay=0.1))


def product(weights: list[Any], network: Any) -> Any:
    """The arrays of all networks multiplied, up to a common factor: (networks, C, D)."""
    first, *inner, readout = weights
    for w in inner:
        passed = w / np.sqrt(w.shape[-1]) @ first
        first = passed if isinstance(network, lm.MLP) else first + network.branch * passed
    return readout @ first


def mean_of(average: Any, weights: list[list[Any]]) -> list[Any]:
    """The average of the weights of all steps, from the definition."""
    steps = len(weights)
    if isinstance(average, lm.EMA):
        shares = (1 - average.decay) * average.decay ** np.arange(steps - 1, -1, -1.0)
        shares[0] = average.decay ** (steps - 1)
    else:
        tail = isinstance(average, lm.TailAverage)
        chosen = range(average.start, steps) if tail else [int(s) for s in average.steps]
        shares = np.isin(np.arange(steps), chosen) / len(chosen)
    return [np.tensordot(shares, np.array(arrays), axes=1) for arrays in zip(*weights, strict=True)]


@pytest.mark.parametrize("kind", AVERAGES)
@pytest.mark.parametrize("name", NETWORKS)
def test_agrees_with_averages_in_numpy(name: str, kind: str) -> None:
    """Trainings of 1 .. T steps give the weights of all steps, and these the last average."""
    network, average = NETWORKS[name], AVERAGES[kind]
    problem = on_samples(network)
    runs = [lm.train(problem, steps, **GIVEN) for steps in range(1, STEPS + 1)]
    start = product(runs[0].weights, network) if network.centered else 0.0
    last = product(runs[-1].weights, network) - start
    factor = np.linalg.norm(runs[-1].predictor) / np.linalg.norm(last)
    mean = mean_of(average, [run.weights for run in runs])
    found = factor * (product(mean, network) - start)
    errors = GIVEN["y_test"] - X_TEST @ found.swapaxes(1, 2)
    expected = (errors**2).sum(axis=-1).mean(axis=-1)
    trained = lm.train(problem, STEPS, average=average, **GIVEN)
    np.testing.assert_allclose(trained.average_loss[:, -1], expected, rtol=1e-11)
    np.testing.assert_allclose(trained.test_loss[:, -1], runs[-1].test_loss[:, -1], rtol=1e-11)
    assert np.abs(trained.average_loss / trained.test_loss - 1)[:, -1].min() > 1e-3


SETTINGS: dict[str, Any] = {
    "one pass": (ONE_PASS, lm.TailAverage(30)),
    "several passes": (
        lm.Problem(
            lm.MLP(depth=2, width=[0.8, 1.5], gamma0=0.8),
            lm.MultiPass(alpha=2.0, batch_fraction=0.2, noise=0.5),
            lm.SGD(lr=0.08, momentum=0.5, weight_decay=0.1, layer_lr=[1.0, 0.5, 1.5]),
        ),
        lm.EMA(0.9),
    ),
    "shuffled epochs": (
        lm.Problem(lm.ResNet(depth=3), lm.Epochs(alpha=2.0, batches=5, noise=0.5), lm.SGD(lr=0.04)),
        lm.CheckpointAverage([5, 20, 35, 50]),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_theory_predicts_the_loss(name: str) -> None:
    problem, average = SETTINGS[name]
    steps = 60
    theory = lm.solve(problem, steps, average=average)
    runs = lm.train(problem, steps, dim=256, seeds=16, average=average)
    comparison = lm.compare(theory, runs)
    assert comparison.agrees
    assert comparison.average_loss is not None
    assert abs(comparison.average_loss.largest_z) < 4.0
    assert "average loss" in comparison.summary()
    # Training tells the averaged weights from the last ones.
    z = lm.analysis.comparison.agreement(
        theory.test_loss, runs.mean().average_loss, runs.sem().average_loss
    )
    assert abs(z.largest_z) > 8.0


def test_a_wrong_average_is_noticed() -> None:
    theory = lm.solve(ONE_PASS, 60, average=lm.EMA(0.8))
    runs = lm.train(ONE_PASS, 60, dim=128, seeds=16, average=lm.EMA(0.9))
    with pytest.raises(ValueError, match=r"^average must be the same in theory and runs, got EMA"):
        lm.compare(theory, runs)
    wrong = lm.solve(ONE_PASS, 60, average=lm.EMA(0.9))
    object.__setattr__(wrong, "average_loss", theory.average_loss)
    comparison = lm.compare(wrong, runs)
    assert not comparison.agrees
    assert comparison.chances is not None
    assert comparison.chances.average_loss is not None
    assert comparison.chances.average_loss < 0.01


def test_one_side_without_an_average_is_noted() -> None:
    runs = lm.train(ONE_PASS, 20, dim=64, seeds=8, average=lm.EMA(0.9))
    comparison = lm.compare(lm.solve(ONE_PASS, 20), runs)
    assert comparison.average_loss is None
    note = "losses of averaged weights are not compared: the theory has none."
    assert note in comparison.notes


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_limits(dtype: str) -> None:
    """The average of one step is the step; with decay 0 the average is the weights."""
    options: dict[str, Any] = {"dim": 32, "seeds": 3, "dtype": dtype}
    plain = lm.train(ONE_PASS, 12, **options)
    for average in (lm.EMA(0.0), lm.TailAverage(11), lm.CheckpointAverage([11])):
        runs = lm.train(ONE_PASS, 12, average=average, **options)
        np.testing.assert_array_equal(runs.average_loss, runs.test_loss)
        rounding = 1e-10 if dtype == "float64" else 1e-3
        np.testing.assert_allclose(runs.test_loss, plain.test_loss, rtol=rounding)
        assert runs.average == average


def test_many_problems_share_nothing_but_the_average() -> None:
    rates = [0.05, 0.1]
    problems = [ONE_PASS.replace(**{"optimizer.lr": rate}) for rate in rates]
    options: dict[str, Any] = {"dim": 32, "seeds": 3, "average": lm.EMA(0.8)}
    for problem, run in zip(problems, lm.train_many(problems, 12, **options), strict=True):
        alone = lm.train(problem, 12, **options)
        np.testing.assert_allclose(run.average_loss, alone.average_loss, rtol=1e-10)
        assert run.average == lm.EMA(0.8)


def test_threads_do_not_change_the_average() -> None:
    options: dict[str, Any] = {"dim": 48, "seeds": 2, "average": lm.TailAverage(3)}
    one, two = (lm.train(ONE_PASS, 12, threads=threads, **options) for threads in (1, 2))
    np.testing.assert_array_equal(one.average_loss, two.average_loss)


def test_past_a_divergence_the_loss_is_infinite() -> None:
    wild = ONE_PASS.replace(**{"optimizer.lr": 5.0})
    runs = lm.train(wild, 60, dim=32, seeds=2, average=lm.EMA(0.9))
    for row, lost in zip(runs.average_loss, runs.diverged_at, strict=True):
        assert lost is not None
        assert np.isfinite(row[:lost]).all()
        assert np.isinf(row[lost:]).all()


@pytest.mark.parametrize("kind", AVERAGES)
def test_files_and_checkpoints_have_the_average(tmp_path: Path, kind: str) -> None:
    average = AVERAGES[kind]
    options: dict[str, Any] = {"dim": 24, "seeds": 2, "average": average}
    runs = lm.train(ONE_PASS, STEPS, **options)
    theory = lm.solve(ONE_PASS, STEPS, average=average)
    for result in (runs, theory):
        result.save(tmp_path / "result.nc", force=True)
        loaded = type(result).load(tmp_path / "result.nc")
        assert loaded.average == average
        np.testing.assert_array_equal(loaded.average_loss, result.average_loss)
    file = tmp_path / "checkpoint.nc"
    saved = lm.train(ONE_PASS, STEPS, checkpoint=file, checkpoint_every=3, **options)
    np.testing.assert_array_equal(saved.average_loss, runs.average_loss)
    assert lm.Ensemble.load(file).average == average
    with pytest.raises(ValueError, match=r"^average\.\w+ must be that of the checkpoint"):
        lm.train(ONE_PASS, STEPS, checkpoint=file, **options | {"average": lm.EMA(0.5)})
