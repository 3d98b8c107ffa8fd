"""Networks that learn a second target after some step, against the theory."""

import numpy as np
import pytest

import lindmft as lm

STEPS = 30
BOUND = 4.0  # see test_agreement.py
STAGES = {"switch_at": 12, "switch_overlap": 0.5, "switch_strength": 1.4}
CLASSES = lm.Discrete([2.0, 0.5], [0.5, 1.5], [0.25, 0.75])
SHARED = lm.Discrete([1.5, 0.5], targets=[[2.0, 0.5], [0.0, 1.0]])
RICH = lm.MLP(depth=2, gamma0=1.5)
PROBLEMS: dict[str, lm.Problem] = {
    "full batch": lm.Problem(RICH, lm.FullBatch(2.0, noise=0.3, **STAGES), lm.SGD(0.05)),
    "full batch, modes": lm.Problem(
        lm.MLP(2, centered=True), lm.FullBatch(2.0, spectrum=CLASSES, **STAGES), lm.SGD(0.05)
    ),
    "one pass, modes": lm.Problem(
        RICH, lm.OnePass(1.0, noise=0.3, spectrum=CLASSES, **STAGES), lm.SGD(0.04)
    ),
    "shuffled epochs": lm.Problem(RICH, lm.Epochs(2.0, 4, noise=0.3, **STAGES), lm.SGD(0.05)),
    "outputs that share modes": lm.Problem(
        lm.MLP(1), lm.FullBatch(2.0, spectrum=SHARED, **STAGES), lm.SGD(0.05)
    ),
}


def largest_z(problem: lm.Problem, theory: lm.Problem) -> float:
    solution = lm.solve(theory, STEPS)
    runs = lm.train(problem, STEPS, dim=384, seeds=range(7, 39))
    largest = 0.0
    for expected, seen in [
        (solution.test_loss, runs.test_loss),
        (solution.train_loss, runs.train_loss),
        (solution.first_task_loss, runs.first_task_loss),
        (solution.gradient_norm[0], runs.gradient_norm[:, 0]),
    ]:
        sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
        off = np.abs(seen.mean(axis=0) - expected)
        # A centered predictor is zero at first, and the two agree to rounding.
        z = np.divide(off, sem, out=np.where(off < 1e-10, 0.0, np.inf), where=sem > 1e-12)
        largest = max(largest, float(z.max()))
    return largest


@pytest.mark.parametrize("name", PROBLEMS)
def test_theory_predicts_training(name: str) -> None:
    assert largest_z(PROBLEMS[name], PROBLEMS[name]) < BOUND


def test_another_overlap_is_another_curve() -> None:
    given = PROBLEMS["full batch"]
    assert largest_z(given, given.replace(**{"data.switch_overlap": 0.4})) > 1.5 * BOUND


def test_training_refuses_what_has_one_target() -> None:
    with pytest.raises(lm.BadInput, match="data.switch_at cannot be combined with kernels"):
        lm.train(PROBLEMS["full batch"], 4, dim=20, seeds=1, kernels=True)


def test_networks_are_trained_together_only_on_the_same_targets() -> None:
    given = PROBLEMS["full batch"]
    problems = [given, given.replace(**{"data.switch_overlap": -0.5})]
    together = lm.train_many(problems, STEPS, dim=40, seeds=2)
    for problem, run in zip(problems, together, strict=True):
        alone = lm.train(problem, STEPS, dim=40, seeds=2)
        np.testing.assert_allclose(run.first_task_loss, alone.first_task_loss, rtol=1e-10)
