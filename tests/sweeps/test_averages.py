"""Sweeps of the loss of averaged weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft.cli.commands import commands

BASE = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5, noise=0.5), lm.SGD(lr=0.1))
AXES = {"optimizer.lr": [0.05, 0.1]}
OPTIONS: dict[str, Any] = {"run": ["solve", "train"], "dim": 24, "seeds": 3}
KEPT: dict[str, Any] = {"observables": ["test_loss", "average_loss"]}
AVERAGE = lm.CheckpointAverage([2, 5, 9])


def test_points_are_those_of_single_calls(tmp_path: Path) -> None:
    store = tmp_path / "store.zarr"
    dataset = lm.sweep(BASE, AXES, 12, average=AVERAGE, store=store, **OPTIONS, **KEPT)
    for k, problem in enumerate(BASE.vary(AXES)):
        theory = lm.solve(problem, 12, average=AVERAGE)
        (runs,) = lm.train_many([problem], 12, dim=24, seeds=3, average=AVERAGE)
        point = dataset.isel(lr=k)
        assert np.array_equal(point.theory_average_loss, theory.average_loss)
        np.testing.assert_allclose(point.training_average_loss, runs.average_loss, rtol=1e-10)
    again = lm.sweep(BASE, AXES, 12, average=AVERAGE, store=store, **OPTIONS, **KEPT)
    assert np.array_equal(again.theory_average_loss, dataset.theory_average_loss)
    with pytest.raises(ValueError, match="average"):
        lm.sweep(BASE, AXES, 12, average=lm.EMA(0.5), store=store, **OPTIONS, **KEPT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"average": AVERAGE}, "average cannot be combined with these observables"),
        (KEPT, "average is missing: observables=average_loss needs an average"),
        (
            KEPT | {"average": AVERAGE, "run": "flow", "time": 1.0, "steps": None},
            "average cannot be combined with run='flow'",
        ),
    ],
)
def test_refusals(changes: Any, message: str) -> None:
    with pytest.raises(lm.BadInput, match=message):
        lm.sweep(BASE, AXES, **{"steps": 12} | OPTIONS | changes)


def test_files_of_sweeps(tmp_path: Path) -> None:
    file, output = tmp_path / "sweep.toml", tmp_path / "sweep.nc"
    text = """
network = { kind = "mlp" }
data = { kind = "one_pass", alpha = 0.5, noise = 0.5 }
optimizer = { lr = 0.1 }
run = { steps = 12 }
[sweep]
observables = ["test_loss", "average_loss"]
average = { kind = "checkpoints", steps = [2, 5, 9] }
[sweep.axes]
"optimizer.lr" = [0.05, 0.1]
"""
    file.write_text(text)
    result = CliRunner().invoke(commands, ["sweep", str(file), "--output", str(output)])
    assert result.exit_code == 0, result.output
    file.write_text(text.replace('kind = "checkpoints"', 'kind = "mean"'))
    refused = CliRunner().invoke(commands, ["sweep", str(file), "--output", str(output)])
    assert refused.exit_code == 2
    assert "average.kind must be 'ema', 'tail' or 'checkpoints', got 'mean'" in refused.stderr
