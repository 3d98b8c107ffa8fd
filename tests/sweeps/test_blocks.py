"""Blocks of a sweep: every point once, a second of work, networks with shared weights together."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from problems import problem

import lindmft as lm
from lindmft.sweeps import chunks

BASE = lm.Problem.from_dict(problem())
STEPS = 30


@pytest.mark.parametrize(
    ("lengths", "chunk"),
    [((8, 64), (1, 10)), ((3,), (3,)), ((2, 5, 7), (2, 3, 1)), ((4, 4), (3, 3))],
)
def test_blocks_cover_every_point_once(lengths: tuple[int, ...], chunk: tuple[int, ...]) -> None:
    seen = np.zeros(lengths, int)
    for block in chunks.blocks(lengths, chunk):
        seen[chunks.region(block, lengths, chunk)] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize(
    ("lengths", "seconds", "chunk"),
    [
        ((8, 64), 10.0, (1, 1)),  # every point is a block
        ((8, 64), 1e-6, (8, 64)),  # all points are one block
        ((8, 64), 0.02, (1, 32)),  # a second of work
        ((8, 64), 0.01, (1, 32)),  # a sixteenth of all points, in blocks of equal size
        ((1000, 4), 0.02, (12, 4)),
    ],
)
def test_blocks_are_about_a_second_of_work(
    lengths: tuple[int, ...], seconds: float, chunk: tuple[int, ...]
) -> None:
    assert chunks.theory_chunk(lengths, seconds) == chunk


def test_networks_with_the_same_weights_are_in_one_block() -> None:
    assert chunks.training_chunk((64, 5), 0.5, [True, False]) == (32, 1)
    assert chunks.training_chunk((5, 64), 0.5, [False, True]) == (1, 32)
    assert chunks.training_chunk((5, 8), 0.5, [False, True]) == (3, 8)
    assert chunks.shares(["optimizer.lr", "network.gamma0"])
    assert chunks.shares(["network.branch_scaling"])
    assert not chunks.shares(["optimizer.lr", "network.width"])
    assert not chunks.shares(["data.alpha"])
    assert not chunks.shares(["network"])


def test_networks_in_a_block_share_their_products(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    many: Callable[..., Any] = lm.train_many

    def counted(problems: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(len(problems))
        runs = many(problems, *arguments, **options)
        assert {run.stats.method for run in runs} == {"shared"}
        return runs

    monkeypatch.setattr("lindmft.sweeps.stages.train_many", counted)
    axes = {"optimizer.lr": np.linspace(0.01, 0.1, 20), "network.width": [0.5, 1.0, 2.0]}
    lm.sweep(BASE, axes, STEPS, run="train", dim=300, seeds=8, times="last")
    assert sorted(calls) == [20, 20, 20]
