"""Problems whose loops in PyTorch's conventions are tested, and the ways to run these loops."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_loop import combinations

import lindmft as lm

STEPS = 14
NAMES = list(combinations(16))
Array = NDArray[np.float64]


def converted(loop: dict[str, Any], **changes: Any) -> lm.Problem:
    """Return the problem of a loop of ``tests/support/pytorch_loop.py``."""
    given = {name: value for name, value in loop.items() if name != "outputs"}
    return lm.from_pytorch(**{**given, **changes})


CLASSES = lm.Discrete([2.0, 0.5], [1.0, 2.0], [0.25, 0.75])
MODES = lm.Discrete(1 / np.arange(1, 17), np.ones(16), trace_class=True)
SHARED = lm.Discrete([1.5, 0.5], targets=[[2.0, 0.5], [0.0, 1.0]])
PROBLEMS = {
    "momentum and decay": lm.Problem(
        lm.MLP(2, 2.0),
        lm.FullBatch(4.0, noise=0.3),
        lm.SGD(0.05, momentum=0.5, weight_decay=0.1),
    ),
    "multipliers and Nesterov": lm.Problem(
        lm.MLP(3, [1.5, 1.0, 0.5], 0.7, "ntk", init_scale=0.9),
        lm.FullBatch(3.0),
        lm.SGD(0.04, layer_lr=[1, 2, 0.5, 1.5], momentum=0.5, nesterov=True),
    ),
    "residual, one pass": lm.Problem(
        lm.ResNet(3, branch=0.8), lm.OnePass(1.0, noise=0.2), lm.SGD(0.05)
    ),
    "centered, schedule, classes of modes": lm.Problem(
        lm.MLP(2, centered=True),
        lm.FullBatch(3.0, spectrum=CLASSES),
        lm.SGD([0.1] * 6 + [0.05] * 8),
    ),
    "outputs with a Gram matrix": lm.Problem(
        lm.MLP(2), lm.FullBatch(3.0, targets=[[1.0, 0.5], [0.5, 2.0]], noise=0.2), lm.SGD(0.05)
    ),
    "shuffled epochs": lm.Problem(
        lm.MLP(2), lm.Epochs(3.0, 4, noise=0.2), lm.SGD(0.08, momentum=0.3)
    ),
    "modes that outputs share": lm.Problem(
        lm.MLP(1), lm.FullBatch(3.0, spectrum=SHARED), lm.SGD(0.05)
    ),
    "scales of layers": lm.Problem(
        lm.MLP(3, [1.5, 1.0, 0.5], init_scale=[0.7, 1.2, 0.5, 0.9]), lm.FullBatch(3.0), lm.SGD(0.1)
    ),
    "branches from zero": lm.Problem(
        lm.ResNet(4, 1.5, init_scale=[1.2, 0.9, 0, 0.4, 0.7]), lm.FullBatch(3.0), lm.SGD(0.05)
    ),
    "a list of modes": lm.Problem(
        lm.MLP(2, hidden=32), lm.FullBatch(samples=48, spectrum=MODES), lm.SGD(0.1)
    ),
}


def losses_of_script(loop: lm.PyTorchLoop, framework: str, networks: int) -> Array:
    """Run the script of a loop, as a user does, but for its last part."""
    text = loop.code(framework=framework, steps=STEPS, networks=networks)
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(text, "script", "exec"), names)
    return np.array([names["train"](seed) for seed in range(networks)])


def largest_z(losses: Array, problem: lm.Problem) -> float:
    """Return the largest difference from networks of ``train`` of 16 inputs, in standard errors."""
    others = lm.train(problem, STEPS, dim=16, seeds=800, threads=1).test_loss
    others = others[np.isfinite(others).all(axis=1)]
    moved = slice(1, None) if problem.network.centered else slice(None)
    mine, theirs = np.log(losses[:, moved]), np.log(others[:, moved])
    spread = np.hypot(mine.std(0) / len(mine) ** 0.5, theirs.std(0) / len(theirs) ** 0.5)
    return float(np.abs((mine.mean(0) - theirs.mean(0)) / spread).max())
