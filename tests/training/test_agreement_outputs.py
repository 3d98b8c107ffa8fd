"""Training in shuffled epochs, and of outputs that share modes, against the theory's equations.

The expected losses are those of dense references in NumPy, which solve the equations of theory
sections 16 and 17 as fixed points of full matrices.
"""

from typing import Any

import numpy as np
import pytest

import lindmft as lm

DIM, SEEDS = 400, 32
BOUND = 4.0  # as in test_agreement.py
GRAMS = np.array([[[4.0, 1.5], [1.5, 1.0]], [[0.5, -0.4], [-0.4, 2.0]]])
ALIKE = np.array([[[2.0, 1.9], [1.9, 2.0]], [[0.5, 0.4], [0.4, 0.5]]])
Expected = dict[int, tuple[Any, Any]]


def shared(
    network: lm.MLP, optimizer: lm.SGD, kind: type = lm.FullBatch, alpha: float = 2.0
) -> lm.Problem:
    """Two outputs on two classes of modes, each of which has a Gram matrix of rank 2."""
    spectrum = lm.Discrete([1.5, 0.5], weights=[0.5, 0.5], targets=GRAMS)
    return lm.Problem(network, kind(alpha=alpha, noise=0.3, spectrum=spectrum), optimizer)


def correlated(kind: type = lm.FullBatch) -> lm.Problem:
    """Almost the same targets and almost the same noise for both outputs of a rich network."""
    spectrum = lm.Discrete([1.5, 0.5], weights=[0.5, 0.5], targets=ALIKE)
    data = kind(alpha=1.0, noise_covariance=[[0.25, 0.2], [0.2, 0.25]], spectrum=spectrum)
    return lm.Problem(lm.MLP(depth=2, gamma0=2.5), data, lm.SGD(lr=0.03))


def shuffled(network: lm.MLP, rate: float, **data: Any) -> lm.Problem:
    return lm.Problem(network, lm.Epochs(**data), lm.SGD(lr=rate))


# At a few steps: the test losses of all outputs, and their training losses.
CASES: dict[str, tuple[lm.Problem, Expected]] = {
    "outputs": (
        shared(lm.MLP(depth=2), lm.SGD(lr=0.05)),
        {
            1: ((2.5913, 1.4395), (2.24616, 1.28531)),
            8: ((0.75043, 0.61587), (0.39151, 0.37815)),
            15: ((0.40157, 0.42405), (0.18253, 0.22435)),
        },
    ),
    "outputs, one pass": (
        shared(lm.MLP(depth=2), lm.SGD(lr=0.05), lm.OnePass, 1.0),
        {
            1: ((2.66833, 1.48226), (2.75833, 1.57226)),
            7: ((0.55614, 0.50737), (0.64614, 0.59737)),
            13: ((0.18848, 0.28064), (0.27848, 0.37064)),
        },
    ),
    "outputs, momentum": (
        shared(lm.MLP(depth=3, width=0.7, centered=True), lm.SGD(lr=0.03, momentum=0.5)),
        {
            1: ((2.26764, 0.99497), (2.04912, 0.94879)),
            6: ((0.63847, 0.48404), (0.33934, 0.29514)),
            11: ((0.31257, 0.31904), (0.14595, 0.16797)),
        },
    ),
    "correlated": (
        correlated(),
        {
            1: ((1.3932, 1.3932), (1.34664, 1.34664)),
            8: ((0.57724, 0.57724), (0.19547, 0.19547)),
            15: ((0.49073, 0.49073), (0.10517, 0.10517)),
        },
    ),
    "correlated, one pass": (
        correlated(lm.OnePass),
        {
            1: ((1.3932, 1.3932), (1.6432, 1.6432)),
            8: ((0.18806, 0.18806), (0.43806, 0.43806)),
            15: ((0.07899, 0.07899), (0.32899, 0.32899)),
        },
    ),
    "epochs": (
        shuffled(lm.MLP(depth=2), 0.06, alpha=2.0, batches=4, noise=0.3),
        {1: (1.35305, 1.2382), 8: (0.48536, 0.28704), 15: (0.31797, 0.164)},
    ),
    "epochs, noise": (
        shuffled(lm.MLP(width=0.7, gamma0=1.5), 0.08, alpha=1.0, batches=5, noise=0.5),
        {1: (1.37951, 1.37159), 10: (0.64403, 0.25015), 19: (0.58276, 0.14568)},
    ),
    "epochs, deep": (
        shuffled(lm.MLP(depth=3), 0.03, alpha=3.0, batches=8),
        {1: (1.45704, 1.36027), 8: (0.59949, 0.43093), 15: (0.40648, 0.25468)},
    ),
}


def largest_z(problem: lm.Problem, expected: Expected) -> float:
    runs = lm.train(problem, max(expected) + 1, dim=DIM, seeds=range(7, 7 + SEEDS))
    largest = 0.0
    for t, losses in expected.items():
        for series, loss in zip(
            (runs.test_loss_by_output, runs.train_loss_by_output), losses, strict=True
        ):
            seen = series[:, :, t]
            sem = seen.std(axis=0, ddof=1) / np.sqrt(SEEDS)
            largest = max(largest, float(np.max(np.abs(seen.mean(axis=0) - loss) / sem)))
    return largest


@pytest.mark.parametrize("name", CASES)
def test_training_has_the_losses_of_theory(name: str) -> None:
    assert largest_z(*CASES[name]) < BOUND


def test_gram_matrices_need_enough_modes() -> None:
    """Each mode of a trace-class spectrum is trained as it is, with one target vector."""

    def modes(weight: float) -> lm.Problem:
        spectrum = lm.Discrete([1.0, 0.5], None, [weight] * 2, trace_class=True, targets=GRAMS)
        return lm.Problem(
            lm.MLP(hidden=20), lm.FullBatch(samples=20, spectrum=spectrum), lm.SGD(lr=0.05)
        )

    assert lm.train(modes(4.0), 3, seeds=1).dim == 8
    with pytest.raises(lm.BadInput, match=r"targets\[0\] must be a Gram matrix whose rank divides"):
        lm.train(modes(3.0), 3, seeds=1)


@pytest.mark.parametrize("name", ["epochs", "epochs, noise", "epochs, deep"])
def test_batches_that_are_drawn_anew_are_noticed(name: str) -> None:
    """Multi-pass data with batches of the same size have a larger loss."""
    problem, expected = CASES[name]
    data = problem.data
    assert isinstance(data, lm.Epochs)
    assert data.batches is not None
    anew = lm.MultiPass(alpha=data.alpha, batch_fraction=1 / data.batches, noise=data.noise)
    assert largest_z(problem.replace(data=anew), expected) > 1.5 * BOUND


@pytest.mark.parametrize("name", ["correlated", "correlated, one pass"])
def test_targets_and_noise_of_separate_outputs_are_noticed(name: str) -> None:
    """The losses at the start do not change; later ones do."""
    problem, expected = CASES[name]
    separate = lm.Discrete(
        [1.5, 0.5], weights=[0.5, 0.5], targets=[np.diag(np.diag(gram)) for gram in ALIKE]
    )
    assert largest_z(problem.replace(**{"data.spectrum": separate}), expected) > 1.5 * BOUND
    alone = [[0.25, 0.0], [0.0, 0.25]]
    assert largest_z(problem.replace(**{"data.noise_covariance": alone}), expected) > 1.5 * BOUND
