"""Networks trained on given samples: the losses, weights and predictions of a plain NumPy loop."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lindmft as lm

Array = NDArray[np.float64]
RNG = np.random.default_rng(5)
P, D, HIDDEN, STEPS = 60, 10, 14, 25
X = RNG.standard_normal((P, D)) / np.sqrt(np.arange(1, D + 1))
Y = np.column_stack([X @ RNG.standard_normal(D), X @ RNG.standard_normal(D)])
Y += 0.2 * RNG.standard_normal(Y.shape)
TEST: dict[str, Any] = {"X_test": X[40:], "y_test": Y[40:]}
TRAIN: dict[str, Any] = {"X": X[:40], "y": Y[:40], "seeds": [3, 4]}
ONE: dict[str, Any] = TRAIN | {"y": Y[:40, 0], "X_test": X[40:], "y_test": Y[40:, 0]}
MODES = lm.Discrete([1.0, 0.5], targets=[[1.0, 0.0], [0.0, 1.0]], trace_class=True)


def problem(data: Any = None, **network: Any) -> lm.Problem:
    """A trace-class problem of two outputs, whose spectrum is not that of the samples."""
    sizes: dict[str, Any] = {"depth": 2, "hidden": HIDDEN, "gamma0": 0.8} | network
    data = data or lm.FullBatch(samples=40, spectrum=MODES)
    return lm.Problem(lm.MLP(**sizes), data, lm.SGD(lr=0.08, momentum=0.5))


def of_one(**data: Any) -> lm.Problem:
    """A problem of one output."""
    spectrum = lm.Discrete([1.0], [1.0], trace_class=True)
    return problem(lm.FullBatch(**({"samples": 40, "spectrum": spectrum} | data)))


class Loop:
    """Gradient descent on raw weights: all samples pass through the layers."""

    def __init__(self, weights: list[Array], gamma0: float, input_scale: float) -> None:
        self.weights = [w.copy() for w in weights]
        self.initial = [w.copy() for w in weights]
        self.momenta = [np.zeros_like(w) for w in weights]
        self.gamma0, self.input_scale = gamma0, input_scale
        self.centered = False

    def layers(self, weights: list[Array], x: Array) -> list[Array]:
        out = [x / self.input_scale]
        for w in weights:
            scale = 1.0 if w is weights[0] else np.sqrt(w.shape[1])
            out.append(out[-1] @ w.T / scale)
        return out

    def predict(self, x: Array) -> Array:
        """f(x) = w^L . h^L / (gamma0 N_L), times sqrt(D) where inputs are divided by it."""
        width = self.weights[-1].shape[1]
        factor = self.input_scale / (self.gamma0 * np.sqrt(width))
        before = self.layers(self.initial, x)[-1] if self.centered else 0.0
        out: Array = factor * (self.layers(self.weights, x)[-1] - before)
        return out

    def step(self, x: Array, y: Array, lr: float, momentum: float) -> None:
        width = self.weights[-1].shape[1]
        layers = self.layers(self.weights, x)
        error = (y - self.predict(x)) / len(x) * self.input_scale / (self.gamma0 * np.sqrt(width))
        for number in reversed(range(len(self.weights))):
            w = self.weights[number]
            scale = 1.0 if number == 0 else np.sqrt(w.shape[1])
            gradient = error.T @ layers[number] / scale
            error = error @ w / scale
            self.momenta[number] = momentum * self.momenta[number] + gradient
            self.weights[number] = w + lr * self.gamma0**2 * width * self.momenta[number]


def assert_is_the_loop(setting: lm.Problem, scale: float, batch: Any = None, **more: Any) -> None:
    given = TRAIN | TEST | more
    runs = lm.train(setting, STEPS, weights=True, **given)
    starts = lm.train(setting, 1, weights=True, **given)
    x, y = given["X"], np.reshape(given["y"], (len(given["X"]), -1))
    for i in range(2):
        loop = Loop([w[i] for w in starts.weights], setting.network.gamma0, scale)
        loop.centered = setting.network.centered
        for t in range(STEPS):
            for name, inputs, labels in (
                ("train_loss", x, y),
                ("test_loss", given["X_test"], np.reshape(given["y_test"], (20, -1))),
            ):
                losses = np.mean((labels - loop.predict(inputs)) ** 2, axis=0)
                by_output = getattr(runs, f"{name}_by_output")[i, :, t]
                np.testing.assert_allclose(by_output, losses, rtol=1e-10, atol=1e-14)
                np.testing.assert_allclose(getattr(runs, name)[i, t], losses.sum(), rtol=1e-10)
            if t + 1 < STEPS:
                rows = slice(None) if batch is None else batch(i, t)
                loop.step(x[rows], y[rows], 0.08, 0.5)
        for mine, theirs in zip(runs.weights, loop.weights, strict=True):
            np.testing.assert_allclose(mine[i], theirs, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(x @ runs.predictor[i].T, loop.predict(x), atol=1e-11)


@pytest.mark.parametrize("centered", [False, True])
def test_full_batch_is_a_plain_loop(centered: bool) -> None:
    assert_is_the_loop(problem(centered=centered), 1.0)


def test_the_scaling_of_an_ordinary_spectrum() -> None:
    """h^1 = W^0 x / sqrt(D), and widths and samples as ratios to D."""
    modes = lm.Discrete([1.0, 0.5], targets=[[1.0, 0.0], [0.0, 1.0]])
    data = lm.FullBatch(alpha=40 / D, spectrum=modes)
    assert_is_the_loop(problem(data, hidden=None, width=HIDDEN / D), np.sqrt(D))


def test_one_output() -> None:
    setting = of_one()
    assert_is_the_loop(setting, 1.0, y=Y[:40, 0], y_test=Y[40:, 0])


def test_an_epoch_visits_every_sample_once() -> None:
    """One sample at a time: the batches are found by the sample whose gradient explains a step."""
    data = lm.Epochs(samples=40, batches=40, spectrum=lm.Discrete([1.0], [1.0], trace_class=True))
    setting = lm.Problem(lm.MLP(hidden=HIDDEN), data, lm.SGD(lr=0.05))
    runs = [lm.train(setting, n, weights=True, **ONE) for n in range(1, 42)]
    visited = []
    for before, after in pairwise(runs):
        found = []
        for mu in range(40):
            loop = Loop([w[0] for w in before.weights], 1.0, 1.0)
            loop.step(X[mu : mu + 1], Y[mu : mu + 1, :1], 0.05, 0.0)
            if np.allclose(loop.weights[0], after.weights[0][0], rtol=0, atol=1e-11):
                found.append(mu)
        visited += found
        assert len(found) == 1
    assert sorted(visited) == list(range(40))
    assert visited != list(range(40))


def test_one_batch_an_epoch_is_full_batch() -> None:
    full = lm.train(problem(), STEPS, **TRAIN, **TEST)
    epochs = problem(lm.Epochs(samples=40, batches=1, spectrum=MODES))
    passes = problem(lm.MultiPass(samples=40, batch_fraction=1.0, spectrum=MODES))
    for same in (epochs, passes):
        runs = lm.train(same, STEPS, **TRAIN, **TEST)
        np.testing.assert_array_equal(runs.test_loss, full.test_loss)
    some = lm.train(
        problem(lm.MultiPass(samples=40, batch_fraction=0.5, spectrum=MODES)),
        STEPS,
        **TRAIN,
        **TEST,
    )
    assert (some.test_loss[:, 5] != full.test_loss[:, 5]).all()


def test_single_precision_and_threads() -> None:
    exact = lm.train(problem(), STEPS, updates=True, threads=1, **TRAIN, **TEST)
    same = lm.train(problem(), STEPS, updates=True, threads=2, **TRAIN, **TEST)
    np.testing.assert_array_equal(exact.test_loss, same.test_loss)
    rounded = lm.train(problem(), STEPS, dtype="float32", weights=True, **TRAIN, **TEST)
    np.testing.assert_allclose(rounded.test_loss, exact.test_loss, rtol=1e-4)
    assert rounded.predictor.dtype == np.float64


def test_a_random_split() -> None:
    given = {"X": X, "y": Y, "test_fraction": 1 / 3, "seeds": [3]}
    runs = lm.train(problem(), STEPS, weights=True, **given)
    assert (runs.samples, runs.test_samples) == (40, 20)
    errors = np.sum((Y - X @ runs.predictor[0].T) ** 2, axis=1)
    assert 40 * runs.train_loss[0, -1] + 20 * runs.test_loss[0, -1] == pytest.approx(errors.sum())
    again = lm.train(problem(), STEPS, **given)
    other = lm.train(problem(), STEPS, **given, test_split=1)
    np.testing.assert_array_equal(again.test_loss, runs.test_loss)
    assert other.test_loss[0, 0] != runs.test_loss[0, 0]


def test_the_noise_is_in_the_test_loss(tmp_path: Any) -> None:
    setting = problem(lm.FullBatch(samples=40, spectrum=MODES, noise=0.2))
    runs = lm.train(setting, STEPS, weights=True, **TRAIN, **TEST)
    assert runs.test_samples == 20
    assert runs.irreducible == 0.0
    assert "20 held out" in repr(runs)
    runs.save(tmp_path / "runs.nc")
    loaded = lm.Ensemble.load(tmp_path / "runs.nc")
    assert loaded.test_samples == 20
    assert not loaded.has("weights")
    assert not loaded.has("predictor")
    random = lm.train(setting, 2, dim=2, seeds=1)
    assert random.test_samples == 0
    assert random.irreducible == pytest.approx(0.08)


def test_data_sets_average_to_the_theory() -> None:
    """The mean over data sets, which are new for each network, and the theory with its noise."""
    dim, count = 120, 24
    data = lm.Epochs(alpha=2.0, batches=3, noise=0.4)
    setting = lm.Problem(lm.MLP(depth=2), data, lm.SGD(lr=0.08))
    rng = np.random.default_rng(1)
    found = []
    for seed in range(count):
        target = rng.choice([-1.0, 1.0], dim) / np.sqrt(dim)
        x = rng.standard_normal((4 * dim, dim))
        y = x @ target + 0.4 * rng.standard_normal(4 * dim)
        found.append(lm.train(setting, 16, X=x, y=y, test_fraction=0.5, seeds=[seed]).test_loss[0])
    random = lm.train(setting, 16, dim=dim, seeds=range(100, 100 + 4 * count))
    mean = random.test_loss.mean(axis=0) + 0.16
    error = np.sqrt(np.var(found, axis=0, ddof=1) / count + random.sem().test_loss ** 2)
    assert np.abs((np.mean(found, axis=0) - mean) / error).max() < 4.0


def test_weights_of_random_samples() -> None:
    """The predictor in the basis of the modes has the expected error that is recorded."""
    spectrum = lm.Discrete([2.0, 0.5], [0.3, 1.7])
    setting = lm.Problem(lm.ResNet(depth=3), lm.Population(spectrum=spectrum), lm.SGD(lr=0.05))
    runs = lm.train(setting, 60, dim=12, seeds=2, weights=True)
    assert [w.shape for w in runs.weights] == [(2, 12, 12)] * 3 + [(2, 1, 12)]
    size = np.sqrt(np.repeat([0.3, 1.7], 6) / 12)
    assert "weights" in runs._repr_html_()
    error = np.abs(runs.predictor[:, 0]) - size  # the signs of targets are random, and learned
    loss = error**2 @ np.repeat([2.0, 0.5], 6)
    np.testing.assert_allclose(loss, runs.test_loss[:, -1], rtol=1e-10)


def test_weights_of_diverged_networks_are_nan() -> None:
    setting = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=5.0))
    runs = lm.train(setting, 60, dim=12, seeds=1, weights=True)
    assert runs.diverged_at[0] is not None
    assert all(np.isnan(w).all() for w in [*runs.weights, runs.predictor])


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no X", {"X": None}, "y cannot be combined with X=None: it belongs to samples"),
    ("no y", {"y": None}, "y is missing: give the labels of the samples X"),
    ("short y", {"y": Y[:39, 0]}, "y must be of length 40, one label for each row of X, got"),
    ("outputs", {"y": Y[:40]}, "y_test must be labels of as many outputs as y (2), got"),
    ("all outputs", {"y": Y[:40], "y_test": Y[40:]}, "y must be labels of as many outputs as"),
    ("vector X", {"X": X[:40, 0]}, "X must be a matrix of numbers, one sample in each row, got"),
    ("nan", {"y": np.full(40, np.nan)}, "y[0] must be finite, got nan"),
    ("text", {"X": "x"}, "X must be a matrix of numbers, one sample in each row, got 'x'"),
    ("huge", {"y": np.full(40, 1e200)}, "y must be numbers of size 1e+150 at most"),
    ("no test", {"X_test": None, "y_test": None}, "X_test is missing: the test loss needs"),
    ("no y_test", {"y_test": None}, "y_test is missing: give the labels of the samples X_test"),
    (
        "test inputs",
        {"X_test": X[40:, 1:]},
        "X_test must be a matrix with as many columns as X (10)",
    ),
    ("both", {"test_fraction": 0.2}, "X_test cannot be combined with test_fraction: both say"),
    ("split alone", {"test_split": 1}, "test_split cannot be combined with test_fraction=None"),
    ("dim", {"dim": 11}, "dim must be the number of inputs in X (10), got 11"),
    ("samples", {"X": X[:39], "y": Y[:39, 0]}, "data.samples must be the amount of training"),
    ("kernels", {"kernels": True}, "kernels cannot be combined with X: the samples have no"),
    ("spectrum", {"spectrum_at": 0}, "spectrum_at cannot be combined with X: the samples have"),
    ("noise_draw", {"noise_draw": 1}, "noise_draw cannot be combined with X: y contains the noise"),
    ("checkpoint", {"checkpoint": "a.nc"}, "checkpoint cannot be combined with X: the file does"),
]


@pytest.mark.parametrize(("change", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_bad_samples_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(lm.BadInput) as raised:
        lm.train(of_one(), STEPS, **(ONE | change))
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.001, np.nan])
def test_a_split_needs_two_parts(fraction: float) -> None:
    with pytest.raises(lm.BadInput, match="test_fraction must be a"):
        lm.train(of_one(), STEPS, X=X[:40], y=Y[:40, 0], test_fraction=fraction)


def test_other_refusals(tmp_path: Any) -> None:
    with pytest.raises(lm.BadInput, match="X cannot be combined with data of the kind 'one_pass'"):
        lm.train(problem(lm.OnePass(batch=40, spectrum=MODES)), STEPS, **TRAIN, **TEST)
    with pytest.raises(lm.BadInput, match=r"data.alpha must be .* \(40, samples = alpha \* 10\)"):
        lm.train(lm.Problem(lm.MLP(), lm.FullBatch(alpha=3.0), lm.SGD(lr=0.1)), STEPS, **ONE)
    with pytest.raises(lm.BadInput, match=r"data.inputs must be the number of inputs in X \(10\)"):
        lm.train(
            of_one(spectrum=lm.Isotropic(), inputs=20).replace(
                **{"network.hidden": None, "network.width": 1.0}
            ),
            STEPS,
            **ONE,
        )
    with pytest.raises(lm.BadInput, match="weights cannot be combined with checkpoint"):
        lm.train(of_one(), STEPS, dim=1, weights=True, checkpoint=tmp_path / "runs.nc")
    with pytest.raises(lm.BadInput, match="test_split must be 0, 1"):
        lm.train(of_one(), STEPS, X=X, y=Y[:, 0], test_fraction=1 / 3, test_split=-1)


def test_many_problems_share_the_samples() -> None:
    rates = [0.02, 0.08]
    problems = [problem().replace(**{"optimizer.lr": rate}) for rate in rates]
    runs = lm.train_many(problems, STEPS, **TRAIN, **TEST)
    for one, setting in zip(runs, problems, strict=True):
        alone = lm.train(setting, STEPS, **TRAIN, **TEST)
        assert one.test_samples == 20
        np.testing.assert_allclose(one.test_loss, alone.test_loss, rtol=1e-11)
        np.testing.assert_allclose(one.train_loss, alone.train_loss, rtol=1e-11)
    assert runs[0].test_loss[0, -1] != runs[1].test_loss[0, -1]
    with pytest.raises(lm.BadInput, match=r"problems\[1\]: .*data.samples must be") as raised:
        lm.train_many(
            [problem(), problem(lm.FullBatch(samples=41, spectrum=MODES))], 5, **TRAIN, **TEST
        )
    assert raised.value.index == 1
    with pytest.raises(lm.BadInput, match="noise_draw cannot be combined with X"):
        lm.train_many(problems, STEPS, noise_draw=[0, 1], **TRAIN, **TEST)


def test_checks_and_estimates_know_the_samples() -> None:
    lm.check_train(problem(), STEPS, **TRAIN, **TEST)
    lm.check_train([problem()], STEPS, **TRAIN, **TEST)
    with pytest.raises(lm.BadInput, match="data.samples must be"):
        lm.check_train(problem(), STEPS, **(TRAIN | {"X": X[:39], "y": Y[:39]}), **TEST)
    with pytest.raises(lm.BadInput, match="k_init cannot be combined with X"):
        lm.check_train(problem(), STEPS, k_init=2, **TRAIN, **TEST)
    few = lm.estimate_train_memory(problem(), STEPS, threads=1, **TRAIN, **TEST)
    more = TEST | {"X_test": np.tile(X[40:], (50, 1)), "y_test": np.tile(Y[40:], (50, 1))}
    many = lm.estimate_train_memory(problem(), STEPS, threads=1, **TRAIN, **more)
    held_out = 8 * 49 * 20 * (D + 2 + 2)  # inputs, labels and residuals
    assert held_out < many - few < 3 * held_out  # rows are padded
    kept = lm.estimate_train_memory(problem(), STEPS, threads=1, weights=True, **TRAIN, **TEST)
    numbers = 2 * (HIDDEN * D + HIDDEN**2 + 2 * HIDDEN + 2 * D)
    assert kept - few == 8 * numbers


def test_memory_is_checked_before_the_copy() -> None:
    with pytest.raises(MemoryError):
        lm.train(of_one(), STEPS, memory_limit=1000, **ONE)
