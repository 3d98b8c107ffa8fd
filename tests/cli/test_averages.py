"""The option ``--average`` of the commands."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import lindmft as lm
from lindmft.cli.commands import commands

FILE = """\
[network]
kind = "mlp"

[data]
kind = "one_pass"
alpha = 0.5
noise = 0.5

[optimizer]
lr = 0.1

[run]
steps = 12
dim = 24
seeds = 5
"""


def run(tmp_path: Path, *arguments: object) -> Result:
    problem = tmp_path / "problem.toml"
    problem.write_text(FILE)
    command, *options = (str(argument) for argument in arguments)
    return CliRunner().invoke(commands, [command, str(problem), *options])


@pytest.mark.parametrize(
    ("text", "average"),
    [
        ("ema:0.9", lm.EMA(0.9)),
        ("tail:4", lm.TailAverage(4)),
        ("checkpoints:8,4", lm.CheckpointAverage([4, 8])),
    ],
)
def test_averages_of_commands(tmp_path: Path, text: str, average: object) -> None:
    outputs = [tmp_path / "theory.nc", tmp_path / "runs.nc"]
    for command, output in zip(("solve", "train"), outputs, strict=True):
        result = run(tmp_path, command, "--average", text, "--output", output)
        assert result.exit_code == 0, result.output
        assert "average loss" in result.output
    assert lm.Solution.load(outputs[0]).average == average
    assert lm.Ensemble.load(outputs[1]).average == average
    compared = CliRunner().invoke(commands, ["compare", *map(str, outputs)])
    assert "average loss" in compared.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mean:3", "must be ema:DECAY, tail:START or checkpoints:STEP,STEP,..., got 'mean:3'"),
        ("ema", "must be ema:DECAY"),
        ("ema:0.9,0.5", "must be ema:DECAY"),
        ("tail:x", "must be ema:DECAY"),
        ("ema:1", "average.decay must be at least 0 and below 1, got 1.0"),
        ("tail:12", "average.start must be at most the last step (11), got 12"),
    ],
)
def test_bad_averages_are_refused(tmp_path: Path, text: str, message: str) -> None:
    for command in ("solve", "train"):
        result = run(tmp_path, command, "--average", text)
        assert result.exit_code == 2
        assert message in result.stderr
        assert "Traceback" not in result.output
