"""``check_scaling`` on training loops as a user would write them, right and wrong."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import lindmft as lm
from lindmft.analysis.loops import student

WIDTH, GAMMA0, ALPHA, LR, DIM, STEPS = 2.0, 0.7, 2.0, 0.05, 60, 25
PROBLEM = lm.Problem(
    lm.MLP(depth=1, width=WIDTH, gamma0=GAMMA0), lm.FullBatch(alpha=ALPHA), lm.SGD(lr=LR)
)


def loop(raw_lr: float, gradient_factor: float = 1.0, networks: int = 12) -> NDArray[np.float64]:
    """One hidden layer, samples pushed through, gradients by hand: losses (networks, steps)."""
    rng = np.random.default_rng(1)
    hidden, samples = int(WIDTH * DIM), int(ALPHA * DIM)
    losses = np.empty((networks, STEPS))
    for network in range(networks):
        W, w = rng.standard_normal((hidden, DIM)), rng.standard_normal(hidden)
        X, target = rng.standard_normal((samples, DIM)), rng.standard_normal(DIM)
        target *= np.sqrt(DIM) / np.linalg.norm(target)
        scale = np.sqrt(DIM) / (GAMMA0 * hidden)
        for step in range(STEPS):
            v = target - scale * W.T @ w
            losses[network, step] = v @ v / DIM
            H = X @ W.T / np.sqrt(DIM)
            delta = X @ target / np.sqrt(DIM) - scale * H @ w
            dw = gradient_factor * scale * H.T @ delta / samples
            dW = gradient_factor * scale * np.outer(w, delta @ X / np.sqrt(DIM)) / samples
            w, W = w + raw_lr * dw, W + raw_lr * dW
    return losses


RIGHT = LR * GAMMA0**2 * WIDTH * DIM


def test_a_loop_in_the_right_scaling_agrees() -> None:
    found = lm.check_scaling(PROBLEM, loop(RIGHT))
    assert found.agrees
    assert found.rate_factor == pytest.approx(1.0, rel=0.1)
    assert found.interval is not None
    assert found.interval[0] < 1 < found.interval[1]
    assert "in the scaling" in found.verdict
    assert found.explained_by == ()


def torch_default(seed: int, dim: int = 48, rate: float = 0.05) -> list[float]:
    """The losses of ``nn.Linear`` as PyTorch draws it, without biases, and ``mse_loss``."""
    rng = np.random.default_rng(seed)
    hidden, samples = 2 * dim, 2 * dim
    X, target = rng.standard_normal((samples, dim)), rng.standard_normal(dim)
    target /= np.linalg.norm(target)
    shapes = [(hidden, dim), (hidden, hidden), (1, hidden)]
    A, B, c = (rng.uniform(-1, 1, shape) / np.sqrt(shape[1]) for shape in shapes)
    losses = []
    for _ in range(STEPS):
        left = target - (c @ B @ A)[0]
        losses.append(float(left @ left))
        gradient = -2 * (X.T @ (X @ left) / samples)[None]
        steps = ((c @ B).T @ gradient, c.T @ gradient @ A.T, gradient @ A.T @ B.T)
        A, B, c = (w - rate * step for w, step in zip((A, B, c), steps, strict=True))
    return losses


TORCH = lm.Problem(
    lm.MLP(2, 2.0, 1.0, "ntk", init_scale=3**-0.5),
    lm.FullBatch(2.0),
    lm.SGD(0.1, layer_lr=[1, 2, 2]),
)


def test_eight_networks_of_a_correct_loop_get_no_advice() -> None:
    found = lm.check_scaling(TORCH, [torch_default(seed) for seed in range(8)])
    assert found.agrees
    assert "multiply" not in found.verdict


def shuffled_epochs(seed: int, fraction: float, dim: int = 64) -> list[float]:
    """One hidden layer in the parameterization of ``PROBLEM``, batches of shuffled epochs."""
    rng = np.random.default_rng(seed)
    hidden, samples = 2 * dim, 2 * dim
    X, target = rng.standard_normal((samples, dim)), rng.standard_normal(dim)
    target *= np.sqrt(dim) / np.linalg.norm(target)
    W, w = rng.standard_normal((hidden, dim)), rng.standard_normal(hidden)
    scale = np.sqrt(dim) / (GAMMA0 * hidden)
    rate = 2 * LR * GAMMA0**2 * hidden
    losses = []
    for step in range(STEPS):
        batches = round(1 / fraction)
        if step % batches == 0:
            order = rng.permutation(samples)
        x = X[order[step % batches :: batches]]
        v = target - scale * W.T @ w
        losses.append(float(v @ v / dim))
        u = x.T @ (x @ v) / len(x) / dim
        w, W = w + rate * scale * W @ u, W + rate * scale * np.outer(w, u)
    return losses


@pytest.mark.parametrize("networks", [8, pytest.param(96, marks=pytest.mark.long)])
def test_shuffled_epochs_are_told_from_independent_batches(networks: int) -> None:
    """Few networks of 64 inputs agree with both; many exclude the wrong one."""
    losses = [shuffled_epochs(seed, 0.25) for seed in range(networks)]
    independent = lm.MultiPass(alpha=ALPHA, batch_fraction=0.25)
    problem = PROBLEM.replace(data=independent, optimizer=lm.SGD(2 * LR))
    found = lm.check_scaling(problem, losses)
    assert found.agrees == (networks == 8)
    names = {explanation.text for explanation in found.explained_by}
    assert ("shuffled epochs of 4 batches instead of a random fraction 0.25" in names) == (
        networks == 96
    )
    assert "multiply" not in found.verdict
    assert "width once too often" not in found.verdict
    right = problem.replace(data=lm.Epochs(alpha=ALPHA, batches=4))
    assert lm.check_scaling(right, losses).agrees


ORDERS: dict[str, tuple[Any, Any, str, float]] = {
    "independent for shuffled": (
        lm.Epochs(ALPHA, 4), lm.MultiPass(ALPHA, batch_fraction=0.25),
        "a random fraction 0.25 of the samples in every step instead of shuffled epochs of 4", 0.25,
    ),
    "more batches": (
        lm.Epochs(ALPHA, 4), lm.Epochs(ALPHA, 8),
        "shuffled epochs of 8 batches instead of shuffled epochs of 4", 8.0,
    ),
    "shuffled for all": (
        lm.FullBatch(ALPHA), lm.Epochs(ALPHA, 8),
        "shuffled epochs of 8 batches instead of all samples", 8.0,
    ),
    "shuffled for independent": (
        lm.MultiPass(ALPHA, batch_fraction=0.2), lm.Epochs(ALPHA, 5),
        "shuffled epochs of 5 batches instead of a random fraction 0.2", 5.0,
    ),
    "fresh for shuffled": (
        lm.Epochs(ALPHA, 4), lm.OnePass(ALPHA / 4),
        "fresh samples in every step", 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_another_order_of_the_samples_is_found(name: str) -> None:
    """A single curve without noise: an exact fit."""
    meant, used, text, value = ORDERS[name]
    problem = PROBLEM.replace(data=meant, optimizer=lm.SGD(2 * LR))
    losses = lm.solve(problem.replace(data=used), STEPS).test_loss
    found = lm.check_scaling(problem, losses)
    assert not found.agrees
    assert found.explanations[0].text == text
    assert found.explanations[0].value == pytest.approx(value, rel=2e-2)


NOISY = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.5), lm.SGD(lr=0.05))
SHALLOW = NOISY.replace(**{"network.depth": 1})
CHANGES: list[tuple[str, Any, str, float]] = [
    ("optimizer.lr", 0.04, "learning rate", 0.8),
    ("data.noise", 1.0, "label noise", 1.0),
    ("network.depth", 2, "depth", 2.0),
    ("network.init_scale", 0.8, "init_scale", 0.8),
    ("network.gamma0", 0.5, "gamma0", 0.5),
    ("network.width", 4.0, "width", 4.0),
    ("data.alpha", 3.0, "amount of data", 1.5),
    ("optimizer.momentum", 0.5, "momentum", 0.5),
]


@pytest.mark.parametrize(("path", "value", "name", "shown"), CHANGES)
def test_one_change_of_the_theory_is_found_and_named(
    path: str, value: Any, name: str, shown: float
) -> None:
    """A single curve without noise: an exact fit of one explanation alone."""
    losses = lm.solve(SHALLOW.replace(**{path: value}), 25).test_loss
    found = lm.check_scaling(SHALLOW, losses)
    assert not found.agrees
    assert found.interval is None
    assert [explanation.name for explanation in found.explained_by] == [name]
    assert found.explained_by[0].value == pytest.approx(shown, rel=2e-3)
    assert ("multiply its raw learning rate by 1.25" in found.verdict) == (name == "learning rate")


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("loss factor", lambda theory: 0.5 * theory.test_loss[:30]),
        ("loss offset", lambda theory: 0.25 + theory.test_loss[:30]),
        ("training loss", lambda theory: theory.train_loss[:30]),
        ("late losses", lambda theory: theory.test_loss[1:]),
    ],
)
def test_losses_that_are_written_down_otherwise(name: str, report: Any) -> None:
    found = lm.check_scaling(SHALLOW, report(lm.solve(SHALLOW, 31)))
    assert [explanation.name for explanation in found.explained_by] == [name]


def test_the_theory_itself_agrees() -> None:
    found = lm.check_scaling(SHALLOW, lm.solve(SHALLOW, 25).test_loss)
    assert found.agrees
    assert found.difference < 1e-12
    assert "in the scaling of the problem" in found.verdict


def test_a_single_network_gets_no_advice() -> None:
    losses = lm.train(SHALLOW, 25, dim=300, seeds=1).test_loss
    found = lm.check_scaling(SHALLOW, losses)
    assert "multiply" not in found.verdict
    assert "A single curve has no error bar" in found.verdict
    twice = lm.check_scaling(SHALLOW, [losses[0], losses[0]])
    assert (twice.interval, twice.verdict) == (None, found.verdict)


def test_two_mistakes_are_none_of_these() -> None:
    both = NOISY.replace(**{"network.gamma0": 3.0, "data.noise": 1.5})
    losses = lm.train(both, 30, dim=128, seeds=32).test_loss
    found = lm.check_scaling(NOISY, losses)
    assert not found.agrees
    assert found.explained_by == ()
    assert "none of these alone explains them" in found.verdict


def test_what_is_printed() -> None:
    wrong = lm.train(NOISY.replace(**{"optimizer.lr": 0.15}), 30, dim=128, seeds=32).test_loss
    found = lm.check_scaling(NOISY, wrong)
    assert not found.agrees
    assert repr(found).startswith("<Scaling: agrees=False, rate_factor=")
    assert len(repr(found)) < 200
    lines = found.summary().splitlines()
    assert lines[0] == "training loop against the theory: 32 networks, 30 steps"
    assert len(lines) == 5 + len(found.explanations)
    assert "(fits)" in lines[5]


def test_equally_good_explanations_are_all_listed() -> None:
    """Few networks cannot tell a depth from a rate."""
    wide = NOISY.replace(**{"network.width": 2.0})
    losses = lm.train(wide.replace(**{"network.depth": 3}), 40, dim=128, seeds=16).test_loss
    found = lm.check_scaling(wide, losses)
    assert not found.agrees
    assert {"depth", "learning rate"} <= {explanation.name for explanation in found.explained_by}
    assert "explanations fit them equally well" in found.verdict
    assert "multiply" not in found.verdict


def alarms(problem: lm.Problem, blocks: int, networks: int, dim: int = 64) -> int:
    """The number of blocks of correct networks that are called wrong."""
    losses = lm.train(problem, STEPS, dim=dim, seeds=blocks * networks).test_loss
    split = losses.reshape(blocks, networks, -1)
    return sum(not lm.check_scaling(problem, block).agrees for block in split)


def test_correct_loops_are_seldom_called_wrong() -> None:
    assert alarms(SHALLOW, blocks=10, networks=8) == 0


@pytest.mark.long
@pytest.mark.parametrize("networks", [4, 8, 16, 64])
def test_one_correct_loop_in_a_hundred_is_called_wrong(networks: int) -> None:
    """The chance is 1 to 2 %: more than 6 of 100 blocks are very unlikely."""
    problems = [NOISY, TORCH, PROBLEM.replace(data=lm.OnePass(alpha=0.5))]
    assert sum(alarms(problem, 1600 // (12 * networks), networks) for problem in problems) <= (
        max(2, 6 * 1600 // (4 * networks) // 100)
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("raw_lr", "gradient_factor", "expected", "reason"),
    [
        (RIGHT, 2.0, 2.0, "lacks its factor 1/2"),
        (RIGHT / WIDTH, 1.0, 1 / WIDTH, "1/2 too many"),  # the same factor here: width is 2
        (RIGHT / GAMMA0**2, 1.0, GAMMA0**-2, "lacks its factor gamma0^2|lacks its factor 1/2"),
        (RIGHT / 5, 1.0, 0.2, "multiply its raw learning rate by [45]"),
    ],
)
def test_a_wrong_rate_is_found_and_named(
    raw_lr: float, gradient_factor: float, expected: float, reason: str
) -> None:
    """Enough networks for the fit to be unique."""
    found = lm.check_scaling(PROBLEM, loop(raw_lr, gradient_factor, networks=64))
    assert not found.agrees
    assert found.rate_factor == pytest.approx(expected, rel=0.15)
    assert re.search(reason, found.verdict)


@pytest.mark.long
@pytest.mark.parametrize("network", [lm.MLP(1), lm.MLP(2, 0.5), lm.ResNet(3)])
@pytest.mark.parametrize("data", [lm.FullBatch(2.0), lm.OnePass(0.5, noise=0.5)])
def test_wrong_networks_do_not_end_in_rate_advice(network: Any, data: Any) -> None:
    problem = lm.Problem(network, data, lm.SGD(lr=0.05))
    for path, value in [
        ("network.depth", network.depth + 1),
        ("network.init_scale", 0.85),
        ("network.gamma0", 2.0),
        ("network.width", 2 * network.width),
    ]:
        found = lm.check_scaling(problem, lm.solve(problem.replace(**{path: value}), 40).test_loss)
        assert [e.name for e in found.explained_by] == [path.removeprefix("network.")]


def test_a_problem_that_diverges() -> None:
    losses = lm.solve(NOISY, 20).test_loss
    fast = NOISY.replace(**{"optimizer.lr": 5.0})
    found = lm.check_scaling(fast, losses)
    assert found.rate_factor == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(ValueError, match="optimizer.lr must leave the theory finite"):
        lm.check_scaling(NOISY.replace(**{"optimizer.lr": 1e9}), losses)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 8, 63, 1000])
def test_students_quantile(freedom: int) -> None:
    beyond = stats.t.sf(student.quantile(0.99, freedom), freedom)
    assert beyond == pytest.approx(0.005, rel=1e-10)


@pytest.mark.parametrize(
    "losses", ["high", [1.0, 2.0], [[1.0, np.nan, 0.5]], [1.0, 0.0, 0.1], None]
)
def test_bad_losses(losses: Any) -> None:
    with pytest.raises(ValueError, match="test_loss must be"):
        lm.check_scaling(PROBLEM, losses)


def test_bad_losses_are_named_with_what_to_do() -> None:
    losses = np.ones((3, 8))
    losses[2, 5] = np.inf
    with pytest.raises(ValueError, match="got inf at step 5 of network 2: leave out networks"):
        lm.check_scaling(PROBLEM, losses)
    with pytest.raises(ValueError, match=r"\(networks, n\).*shape \(0, 8\)"):
        lm.check_scaling(PROBLEM, np.ones((0, 8)))


def test_losses_that_say_nothing_about_the_rate_are_refused() -> None:
    still = PROBLEM.replace(**{"optimizer.lr": 0.0})
    with pytest.raises(ValueError, match="optimizer.lr must change the test loss, got 0"):
        lm.check_scaling(still, np.ones(10))
    spectrum = {"kind": "discrete", "eigenvalues": [1.0], "target_power": [0.0], "weights": [1.0]}
    changes = {"data.spectrum": spectrum, "network.centered": True}
    with pytest.raises(ValueError, match="it has nothing to learn"):
        lm.check_scaling(PROBLEM.replace(**changes), np.ones(10))


def test_a_wrong_initialization_is_not_taken_for_a_wrong_rate() -> None:
    other = PROBLEM.replace(**{"network.init_scale": 2.0, "optimizer.lr": 0.005})
    found = lm.check_scaling(PROBLEM, lm.solve(other, STEPS).test_loss)
    assert not found.agrees
    assert "initialization" in found.verdict


@pytest.mark.parametrize("noise", [0.3, 1.0])
@pytest.mark.parametrize("networks", [1, 8])
def test_losses_that_include_label_noise_are_named(noise: float, networks: int) -> None:
    """sigma^2 is in the losses of a loop that tests on noisy labels."""
    noisy = PROBLEM.replace(**{"data.noise": noise})
    excess = lm.train(noisy, 40, dim=400, seeds=networks).test_loss
    found = lm.check_scaling(noisy, excess + noise**2)
    assert "loss offset" in [explanation.name for explanation in found.explained_by]
    assert "ubtract" in found.verdict
    assert f"label noise of the problem, {noise**2:.3g}" in found.verdict
    assert "ubtract" not in lm.check_scaling(noisy, excess).verdict


def test_a_constant_offset_is_named_where_the_problem_has_no_noise() -> None:
    found = lm.check_scaling(PROBLEM, lm.solve(PROBLEM, STEPS).test_loss + 0.25)
    assert found.explained_by[0].name == "loss offset"
    assert "label noise of standard deviation 0.5" in found.verdict
    assert "sigma^2 = 0.25: subtract it" in found.verdict


def test_an_offset_is_named_where_two_networks_are_too_few_to_reject_the_problem() -> None:
    noisy = PROBLEM.replace(**{"data.noise": 0.3})
    excess = lm.train(noisy, 40, dim=400, seeds=2).test_loss
    found = lm.check_scaling(noisy, excess + 0.09)
    assert found.agrees
    assert "times better" in found.verdict
    assert "ubtract" in found.verdict
    assert "times better" not in lm.check_scaling(noisy, excess).verdict


def test_a_wrong_rate_is_not_taken_for_label_noise() -> None:
    noisy = PROBLEM.replace(**{"data.noise": 0.3})
    slow = lm.solve(noisy.replace(**{"optimizer.lr": LR / 2}), 40).test_loss
    found = lm.check_scaling(noisy, slow)
    assert found.explained_by[0].name == "learning rate"
    assert "ubtract" not in found.verdict
