"""Three outputs on a trace-class spectrum: theory against networks, every use of data."""

import numpy as np
import pytest

import lindmft as lm

STEPS, SEEDS, LARGEST = 25, 32, 5.0
MODES = np.arange(1, 201.0)
MIXED = np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 1]])
TARGETS = np.random.default_rng(3).standard_normal((200, 3)) @ MIXED * MODES[:, None] ** -0.3
NOISE = np.array([[0.2, 0.1, 0], [0.1, 0.3, 0.05], [0, 0.05, 0.1]])
SPECTRUM = lm.Discrete(MODES**-1.2, targets=TARGETS, trace_class=True)
KINDS = {
    "full batch": lm.FullBatch(samples=400, spectrum=SPECTRUM, noise_covariance=NOISE),
    "multi pass": lm.MultiPass(
        samples=400, batch_fraction=0.3, spectrum=SPECTRUM, noise_covariance=NOISE
    ),
    "epochs": lm.Epochs(samples=400, batches=4, spectrum=SPECTRUM, noise_covariance=NOISE),
    "one pass": lm.OnePass(batch=200, spectrum=SPECTRUM, noise_covariance=NOISE),
}
PERCEPTRON = lm.MLP(depth=2, hidden=400, centered=True)
RESIDUAL = lm.ResNet(depth=3, hidden=400, centered=True)


def largest_z(problem: lm.Problem, theory: lm.Solution) -> float:
    """Return the largest z-score of both losses, of all outputs and steps after the first."""
    runs = lm.train(problem, STEPS, seeds=SEEDS)
    worst = 0.0
    for name in ("test_loss_by_output", "train_loss_by_output"):
        losses = getattr(runs, name)[..., 1:]  # centered networks are equal at the start
        error = losses.std(axis=0, ddof=1) / np.sqrt(SEEDS)
        z = (losses.mean(axis=0) - getattr(theory, name)[:, 1:]) / error
        worst = max(worst, float(np.abs(z).max()))
    return worst


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [PERCEPTRON, RESIDUAL], ids=["perceptron", "residual"])
def test_networks_have_the_losses_of_the_theory(network: lm.MLP | lm.ResNet, kind: str) -> None:
    problem = lm.Problem(network, KINDS[kind], lm.SGD(lr=0.05))
    assert largest_z(problem, lm.solve(problem, STEPS)) < LARGEST


def test_outputs_that_are_taken_as_independent_are_noticed() -> None:
    """Features that one output learns serve the others."""
    problem = lm.Problem(PERCEPTRON, KINDS["full batch"], lm.SGD(lr=0.05))
    apart = [np.outer(w, w) * np.eye(3) for w in TARGETS]
    spectrum = lm.Discrete(MODES**-1.2, targets=apart, trace_class=True)
    independent = problem.replace(**{"data.spectrum": spectrum})
    assert largest_z(problem, lm.solve(independent, STEPS)) > 2 * LARGEST
