"""The commands over many problems: ``sweep`` and ``transfer``."""

import warnings
from pathlib import Path
from typing import Any

import click

from lindmft._internal.files import write_picture
from lindmft._internal.optional import optional
from lindmft.analysis.sizes.fixed_fields import ScalingWarning
from lindmft.analysis.transfer import transfer
from lindmft.cli.files import check_outputs, read_problem
from lindmft.cli.group import BadInput
from lindmft.cli.options import FORCE, GRID, OUTPUT, PICTURE, PROBLEM, SET, STEPS, THREADS
from lindmft.cli.sweeps.files import read_sweep
from lindmft.cli.sweeps.report import best, draw_sweep
from lindmft.problem.schema import brief
from lindmft.results import netcdf
from lindmft.sweeps.sweep import sweep, sweep_summary


@click.command("sweep", short_help="Solve and train a whole grid of problems.")
@PROBLEM
@STEPS
@SET
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="A folder that is written during the sweep; continue from it if it exists.",
)
@click.option(
    "--engine",
    help="threads, processes, dask (a local cluster), or a Dask scheduler, tcp://host:port.  "
    "[default: threads]",
)
@click.option("--retry-failed", is_flag=True, help="Compute points that failed again.")
@click.option(
    "--reuse",
    type=click.Path(path_type=Path),
    help="An earlier store: copy the points of the same problem, compute only the rest.",
)
@THREADS
@OUTPUT
@PICTURE
@FORCE
def sweep_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    store: Path | None,
    engine: str | None,
    retry_failed: bool,
    reuse: Path | None,
    threads: int | None,
    output: Path | None,
    picture: Path | None,
    force: bool,
) -> None:
    """Solve and train every point of the grid in a TOML file.

    \b
    Beside the tables of a problem and [run] (steps or time, dim, seeds, seed), the file has
      [sweep]
      run = ["solve", "train"]
      [sweep.axes]
      "network.width" = [0.5, 1, 2]
      "optimizer.lr" = { from = 0.01, to = 0.5, points = 24 }
      "network.depth, network.gamma0" = [[2, 1.0], [4, 2.0]]
    and, if you like, times, observables, store, engine and options of the theory and of training
    (grid, rtol, atol, dtype, average = { kind = "ema", decay = 0.99 }, ...) in [sweep].

    \b
    Examples:
      lindmft sweep widths.toml --store widths.zarr --picture widths.png
      lindmft sweep finer.toml --store finer.zarr --reuse widths.zarr
      lindmft sweep widths.toml --engine tcp://head:8786 --output widths.nc
    """
    check_outputs(output, picture, force=force)
    parsed, axes, options = read_sweep(
        problem, changes, steps=steps, store=store, engine=engine, threads=threads
    )
    try:
        dataset = sweep(
            parsed, axes, progress=True, retry_failed=retry_failed, reuse=reuse, **options
        )
    except RuntimeError as error:  # workers were lost
        raise BadInput(str(error)) from error
    click.echo(brief(parsed))
    click.echo(sweep_summary(dataset))
    click.echo(best(dataset))
    if output:
        netcdf.write(dataset, output)
        click.echo(f"wrote {output}")
    if picture:
        draw_sweep(dataset, picture)


@click.command("transfer", short_help="Does the best learning rate carry over to other sizes?")
@PROBLEM
@STEPS
@SET
@click.option(
    "--over",
    default="network.width",
    show_default=True,
    help="The size that is varied: network.width, network.hidden, network.depth or another number.",
)
@click.option("--sizes", required=True, help="Its values, such as 0.5,1,2,4,8.")
@click.option(
    "--scalings",
    help="Scalings to compare, with commas between: muP, NTK, PyTorch, standard, one raw lr, "
    "1/sqrt(depth), "
    "constant.  [default: muP,NTK for widths]",
)
@click.option("--base", type=float, help="The size at which one would tune.  [default: the first]")
@click.option(
    "--rtol", type=float, default=0.01, show_default=True, help="Relative accuracy of the rates."
)
@GRID
@THREADS
@OUTPUT
@PICTURE
@FORCE
def transfer_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    over: str,
    sizes: str,
    scalings: str | None,
    base: float | None,
    rtol: float,
    grid: str,
    threads: int | None,
    output: Path | None,
    picture: Path | None,
    force: bool,
) -> None:
    """Find the best and the largest learning rate at every size, and the cost of using one rate.

    \b
    Widths are compared in muP and in NTK parameterization, depths of residual networks with
    branches of 1/sqrt(depth) and constant ones, unless --scalings names others: PyTorch (the
    default initialization, one raw rate for all layers) and standard (the same with variance
    1 / fan-in) print raw learning rates, too.

    \b
    Examples:
      lindmft transfer problem.toml --sizes 0.5,1,2,4,8 --steps 40
      lindmft transfer problem.toml --sizes 0.5,1,2,4,8 --scalings muP,PyTorch
      lindmft transfer deep.toml --over network.depth --sizes 4,8,16,32 --picture depth.png
    """
    check_outputs(output, picture, force=force)
    parsed, run = read_problem(problem, changes=changes, steps=steps)
    options: dict[str, Any] = {"base": base, "rtol": rtol, "grid": grid, "threads": threads}
    if scalings is not None:
        options["scalings"] = [name.strip() for name in scalings.split(",")]
    with warnings.catch_warnings():  # the summary has the same sentences
        warnings.simplefilter("ignore", ScalingWarning)
        table = transfer(parsed, over, _numbers(sizes), run["steps"], **options)
    click.echo(brief(parsed))
    click.echo(table.summary())
    if output:
        netcdf.write(table.to_xarray(), output)
        click.echo(f"wrote {output}")
    if picture:
        from lindmft import plotting

        figure = optional("matplotlib.figure", "plot").Figure(
            figsize=(10.0, 3.8), layout="constrained"
        )
        plotting.transfer(table, tuple(figure.subplots(1, 2)))
        write_picture(figure, picture, dpi=150)
        click.echo(f"wrote {picture}")


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"sizes must be numbers with commas between, got {text!r}") from error
