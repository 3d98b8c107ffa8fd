"""The commands that train networks and compare them with the theory: ``train`` and ``compare``."""

from pathlib import Path
from typing import Any

import click

from lindmft import _core
from lindmft.analysis.comparison import compare
from lindmft.cli import files
from lindmft.cli.messages import for_other_commands
from lindmft.cli.options import (
    CHECKPOINT,
    FORCE,
    OUTPUT,
    PICTURE,
    PROBLEM,
    SET,
    STEPS,
    WHOLE,
    options_of,
)
from lindmft.cli.report import finish
from lindmft.results import netcdf
from lindmft.training.train import train


@click.command("train", short_help="Train finite-size networks on a problem.")
@PROBLEM
@STEPS
@SET
@click.option(
    "--dim",
    type=WHOLE,
    help="Input dimension, of which widths and samples are multiples; with a trace-class spectrum "
    "the leading modes to keep.  [default: 256, or all; of a power law 1024]",
)
@click.option("--seeds", type=WHOLE, help="Number of networks.  [default: 8]")
@click.option(
    "--seed",
    type=WHOLE,
    help="Number of the stream of networks; different streams share none.  [default: 0]",
)
@options_of(train, _core.TrainOptions.table, without=("dim", "seeds", "noise_draw", "weights"))
@CHECKPOINT
@click.option("--checkpoint-every", type=WHOLE, help="Steps between saves.  [default: a tenth]")
@OUTPUT
@PICTURE
@FORCE
def train_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    dim: int | None,
    seeds: int | None,
    seed: int | None,
    output: Path | None,
    picture: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Train finite-size networks on the problem in a TOML file.

    \b
    Examples:
      lindmft train problem.toml --steps 200 --dim 512 --seeds 16 --output runs.nc
      lindmft train problem.toml --set network.width=2 --picture losses.png
      lindmft train problem.toml --steps 1e5 --checkpoint runs.nc
      lindmft train problem.toml --steps 200 --spectrum-at 0,50,199
      lindmft train problem.toml --steps 200 --average ema:0.95
    """
    files.check_outputs(output, picture, force=force, form=netcdf.ENSEMBLE)
    parsed, run = files.read_problem(
        problem, changes=changes, steps=steps, dim=dim, seeds=seeds, seed=seed
    )
    runs = train(parsed, **run, progress=True, **options)
    finish(runs, output, picture)


@click.command("compare", short_help="Compare a theory file with a training file.")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@PICTURE
@FORCE
def compare_command(first: Path, second: Path, picture: Path | None, force: bool) -> None:
    """Print how a theory file and a training file (in any order) agree, step by step.

    \b
    Example:
      lindmft compare theory.nc runs.nc --picture both.png
    """
    files.check_outputs(None, picture, force=force)
    theory, runs = files.read_pair(first, second)
    click.echo(for_other_commands(compare(theory, runs).summary()))
    if picture:
        files.draw(picture, theory, runs)
