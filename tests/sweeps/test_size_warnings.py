"""One warning for many problems whose sizes look like counts; it names the first problem."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
GRID = {"network.width": [1.0, 64.0], "optimizer.lr": [0.05, 0.1]}
PROBLEMS = PROBLEM.vary(GRID)
WIDE = PROBLEM.replace(**{"network.width": 64})


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: lm.solve_many(PROBLEMS, 3), r"problems\[2\]"),
        (lambda: lm.flow_many(PROBLEMS, 1.0), r"problems\[2\]"),
        (lambda: lm.train_many(PROBLEMS, 3, dim=4, seeds=1), r"problems\[2\]"),
        (lambda: lm.sweep(PROBLEM, GRID, 3), r"width=64, lr=0.05"),
        (lambda: lm.sweep(PROBLEM, GRID, 3, run="train", dim=4, seeds=1), r"width=64, lr=0.05"),
        (lambda: lm.optimal_lrs(PROBLEMS, 3), r"problems\[2\]"),
        (lambda: lm.largest_stable_lrs(PROBLEMS, 3), r"problems\[2\]"),
        (lambda: lm.optimal_lr(WIDE, 3), ""),
        (lambda: lm.largest_stable_lr(WIDE, 3), ""),
    ],
)
def test_there_is_one_warning_at_the_call_of_the_user(call: Callable[[], Any], where: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = caught
    assert warning.category is lm.SizeWarning
    assert warning.filename == __file__
    text = str(warning.message)
    assert text.startswith("network.width = 64 is the ratio of hidden units to inputs.")
    if where:
        with pytest.raises(lm.SizeWarning, match=rf"\(First at {where}\.\)"):
            raise lm.SizeWarning(text)
    else:
        assert "First at" not in text


def test_ratios_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lm.solve_many([PROBLEM], 3)
        lm.sweep(PROBLEM, {"network.width": [1.0, 2.0]}, 3)
        lm.optimal_lr(PROBLEM, 3)
