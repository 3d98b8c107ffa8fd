"""The commands that solve the theory: ``solve`` and ``flow``."""

from pathlib import Path
from typing import Any

import click

from lindmft import _core
from lindmft.cli import files
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
from lindmft.theory.solve import flow, solve

TABLE = _core.SolveOptions.table


@click.command("solve", short_help="Solve the theory of a problem.")
@PROBLEM
@STEPS
@SET
@options_of(solve, TABLE, without=("keep_state",))
@CHECKPOINT
@click.option(
    "--checkpoint-every",
    type=WHOLE,
    help="Steps of an exact grid between saves.  [default: a tenth]",
)
@OUTPUT
@PICTURE
@FORCE
def solve_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    output: Path | None,
    picture: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Solve the infinite-size theory of the problem in a TOML file.

    \b
    Examples:
      lindmft solve problem.toml --steps 200 --set optimizer.lr=0.1
      lindmft solve problem.toml --output theory.nc --save C_h --save C_v --picture losses.png
      lindmft solve problem.toml --grid adaptive --steps 1000000 --checkpoint run.nc
      lindmft solve problem.toml --steps 200 --spectrum-at 0,50,199 --lanczos 32
      lindmft solve problem.toml --steps 200 --average tail:100
    """
    files.check_outputs(output, picture, force=force, form=netcdf.SOLUTION)
    parsed, run = files.read_problem(problem, changes=changes, steps=steps)
    theory = solve(parsed, run["steps"], progress=True, **options)
    finish(theory, output, picture)


@click.command("flow", short_help="Solve gradient flow, the limit of small learning rates.")
@PROBLEM
@click.option(
    "--time", type=float, help="Learning rate times steps at the end; overrides run.time."
)
@SET
@options_of(flow, TABLE, without=("keep_state",))
@CHECKPOINT
@OUTPUT
@PICTURE
@FORCE
def flow_command(
    problem: Path,
    time: float | None,
    changes: tuple[str, ...],
    output: Path | None,
    picture: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Solve gradient flow of the problem in a TOML file; its learning rate plays no role.

    \b
    Examples:
      lindmft flow problem.toml --time 1e6
      lindmft flow problem.toml --time 1e6 --rtol 1e-8 --output flow.nc --picture losses.png
    """
    files.check_outputs(output, picture, force=force, form=netcdf.SOLUTION)
    parsed, run = files.read_problem(problem, "time", changes, time=time)
    theory = flow(parsed, run["time"], progress=True, **options)
    finish(theory, output, picture)
