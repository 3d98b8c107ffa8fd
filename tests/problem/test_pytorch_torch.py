"""The conversions against PyTorch itself, where it is installed."""

from typing import Any

import numpy as np
import pytest
from pytorch_cases import NAMES, PROBLEMS, STEPS, converted, largest_z, losses_of_script
from pytorch_loop import combinations

import lindmft as lm

pytest.importorskip("torch", reason="needs PyTorch")
torch_loop = pytest.importorskip("torch_loop")

pytestmark = pytest.mark.long
WITHOUT_MUP = [name for name in NAMES if "base_hidden" not in combinations(16)[name]]


@pytest.mark.parametrize("name", WITHOUT_MUP)
def test_errors_of_the_theory_fall_with_the_size(name: str) -> None:
    errors = []
    for dim, networks in ((16, 400), (64, 100)):
        loop = combinations(dim)[name]
        losses = [torch_loop.excess_losses(seed, STEPS, **loop) for seed in range(networks)]
        theory = lm.solve(converted(loop), STEPS).test_loss
        errors.append(np.abs(np.mean(losses, axis=0) / theory - 1).mean())
    assert errors[1] < 0.08, errors
    assert errors[1] < max(errors[0], 0.04), errors


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("loss", [{}, {"reduction": "sum", "half": True}])
def test_scripts_train_like_the_package(name: str, loss: dict[str, Any]) -> None:
    problem = PROBLEMS[name]
    mine = losses_of_script(lm.to_pytorch(problem, inputs=16, **loss), "torch", 100)
    assert largest_z(mine, problem) < 4
