"""The commands that solve the theory: ``solve`` and ``flow``."""

from pathlib import Path

import click

from lindmft.cli import files
from lindmft.cli.options import (
    ATOL,
    CHECKPOINT,
    DEPTH_NODES,
    FORCE,
    GRID,
    KERNELS,
    OUTPUT,
    PICTURE,
    PROBLEM,
    REPLICAS,
    RTOL,
    SAVE,
    SET,
    STEPS,
    THREADS,
    WHOLE,
)
from lindmft.cli.report import finish
from lindmft.results import netcdf
from lindmft.theory.solve import flow, solve


@click.command("solve", short_help="Solve the theory of a problem.")
@PROBLEM
@STEPS
@SET
@GRID
@RTOL
@ATOL
@SAVE
@REPLICAS
@KERNELS
@DEPTH_NODES
@CHECKPOINT
@click.option(
    "--checkpoint-every",
    type=WHOLE,
    help="Steps of an exact grid between saves.  [default: a tenth]",
)
@OUTPUT
@PICTURE
@THREADS
@FORCE
def solve_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    grid: str,
    rtol: float | None,
    atol: float | None,
    save: tuple[str, ...],
    replicas: bool,
    kernels: bool,
    depth_nodes: int | None,
    checkpoint: Path | None,
    checkpoint_every: int | None,
    output: Path | None,
    picture: Path | None,
    threads: int | None,
    force: bool,
) -> None:
    """Solve the infinite-size theory of the problem in a TOML file.

    \b
    Examples:
      lindmft solve problem.toml --steps 200 --set optimizer.lr=0.1
      lindmft solve problem.toml --output theory.nc --save C_h --save C_v --picture losses.png
      lindmft solve problem.toml --grid adaptive --steps 1000000 --checkpoint run.nc
    """
    files.check_outputs(output, picture, force=force, form=netcdf.SOLUTION)
    parsed, run = files.read_problem(problem, changes=changes, steps=steps)
    theory = solve(
        parsed,
        run["steps"],
        grid=grid,
        rtol=rtol,
        atol=atol,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        save=save,
        replicas=replicas,
        kernels=kernels,
        depth_nodes=depth_nodes,
        threads=threads,
        progress=True,
    )
    finish(theory, output, picture)


@click.command("flow", short_help="Solve gradient flow, the limit of small learning rates.")
@PROBLEM
@click.option(
    "--time", type=float, help="Learning rate times steps at the end; overrides run.time."
)
@SET
@RTOL
@ATOL
@SAVE
@REPLICAS
@DEPTH_NODES
@CHECKPOINT
@OUTPUT
@PICTURE
@THREADS
@FORCE
def flow_command(
    problem: Path,
    time: float | None,
    changes: tuple[str, ...],
    rtol: float | None,
    atol: float | None,
    save: tuple[str, ...],
    replicas: bool,
    depth_nodes: int | None,
    checkpoint: Path | None,
    output: Path | None,
    picture: Path | None,
    threads: int | None,
    force: bool,
) -> None:
    """Solve gradient flow of the problem in a TOML file; its learning rate plays no role.

    \b
    Examples:
      lindmft flow problem.toml --time 1e6
      lindmft flow problem.toml --time 1e6 --rtol 1e-8 --output flow.nc --picture losses.png
    """
    files.check_outputs(output, picture, force=force, form=netcdf.SOLUTION)
    parsed, run = files.read_problem(problem, "time", changes, time=time)
    theory = flow(
        parsed,
        run["time"],
        rtol=rtol,
        atol=atol,
        save=save,
        replicas=replicas,
        depth_nodes=depth_nodes,
        checkpoint=checkpoint,
        threads=threads,
        progress=True,
    )
    finish(theory, output, picture)
