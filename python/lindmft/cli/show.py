"""The command ``show``, which prints a problem, or a result of any command."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from lindmft._internal.files import write_picture
from lindmft._internal.optional import optional
from lindmft.cli import files
from lindmft.cli.options import FORCE
from lindmft.cli.report import print_table
from lindmft.cli.run_table import read_run
from lindmft.cli.sweeps.report import best, draw_sweep
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem, without_run
from lindmft.problem.schema import brief
from lindmft.results import netcdf, self_check
from lindmft.results.ensemble import Ensemble
from lindmft.results.observables import FUNCTIONS
from lindmft.results.replica_ensemble import ReplicaEnsemble
from lindmft.results.solution import Solution
from lindmft.results.statistics import SINGLE
from lindmft.sweeps.sweep import open_sweep, sweep_summary

if TYPE_CHECKING:
    import xarray as xr

SWEEP = "lindmft-sweep"


@click.command("show", short_help="Print what a file holds: a problem, or any result.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the result (png, pdf, svg).")
@FORCE
def show_command(file: Path, picture: Path | None, force: bool) -> None:
    """Print a summary of a problem file (TOML), a result (NetCDF) or the store of a sweep (Zarr).

    \b
    Examples:
      lindmft show problem.toml
      lindmft show theory.nc --picture losses.png
      lindmft show widths.zarr
    """
    files.check_outputs(None, picture, force=force)
    if file.is_dir():
        _show_sweep(open_sweep(file), picture)
    elif file.suffix.lower() == ".toml":
        _show_problem(file, picture)
    else:
        _show_result(file, picture)


def _show_problem(path: Path, picture: Path | None) -> None:
    with files.opened(path) as tables:
        problem, run = Problem.from_dict(without_run(tables)), read_run(tables)
        axes = tables.get("sweep", {})
    if picture:
        raise ValueError(f"{path} is a problem, which has no picture. Draw one with lindmft solve")
    click.echo(brief(problem))
    click.echo(problem.to_toml().rstrip())
    if run:
        click.echo("\nrun: " + ", ".join(f"{name} = {value:g}" for name, value in run.items()))
    if isinstance(axes, dict) and isinstance(axes.get("axes"), dict):
        click.echo("sweep over " + ", ".join(axes["axes"]))


def _show_result(path: Path, picture: Path | None) -> None:
    attrs = netcdf.attributes(path)
    form = netcdf.form_in(attrs)
    readers: dict[Any, Callable[[Path], Any]] = {
        netcdf.SOLUTION: Solution.load,
        netcdf.ENSEMBLE: Ensemble.load,
        netcdf.REPLICAS: ReplicaEnsemble.load,
    }
    if form in readers:
        result = readers[form](path)
        _print_result(result)
        if picture and isinstance(result, ReplicaEnsemble):
            raise ValueError(f"{path} holds groups of networks, and there is no picture of those")
        if picture:
            files.draw(picture, result)
    elif form == SWEEP:
        _show_sweep(netcdf.load(path), picture)
    elif form == netcdf.TRANSFER:
        _show_transfer(netcdf.load(path), picture)
    elif form == netcdf.TRAINING:
        raise ValueError(f"{path} is {netcdf.UNFINISHED}")
    else:
        raise ValueError(f"{path} must be a result of lindmft, got a file of another program")


def _print_result(result: Solution | Ensemble | ReplicaEnsemble) -> None:
    click.echo(brief(result.problem))
    click.echo(result.status)
    if isinstance(result, Solution):
        kept = [name for name in FUNCTIONS if result.has(name)]
        click.echo(f"two-time functions: {', '.join(kept) or 'none'}")
        click.echo(f"state to continue from: {'kept' if result.state_bytes else 'not kept'}")
    else:
        widths = ", ".join(map(str, dict.fromkeys(result.widths)))
        click.echo(
            f"D = {result.dim}, widths {widths}, {result.samples} samples, "
            f"seeds {result.seeds[0]} to {result.seeds[-1]}, {result.dtype}"
        )
    if isinstance(result, Ensemble):
        residual = result.chain_residual[np.isfinite(result.chain_residual)]
        click.echo(_self_check(result, float(residual.max(initial=0.0))))
    click.echo(f"{result.stats.seconds:.3g} s on {result.stats.threads} threads")
    _print_provenance(result.provenance)
    if isinstance(result, ReplicaEnsemble):
        mean = result.mean()
        names = ("test_loss", "averaged_loss")
        click.echo(
            f"at step {int(result.time[-1])}: "
            + ", ".join(f"{name.replace('_', ' ')} {getattr(mean, name)[-1]:.6g}" for name in names)
        )
    else:
        print_table(result)


def _self_check(runs: Ensemble, residual: float) -> str:
    if runs.dtype == SINGLE:
        return f"self-check in single precision: {residual:.0e}"
    return self_check.verdict(residual, float(runs.problem.network.depth))


def _print_provenance(origin: Mapping[str, Any]) -> None:
    shown = [
        f"lindmft {origin.get('version', 'of unknown version')}",
        *(str(origin[name]) for name in ("created",) if name in origin),
        *(f"{key} {origin[name]}" for key, name in PROVENANCE.items() if name in origin),
    ]
    click.echo(f"made by {', '.join(shown)}")


PROVENANCE = {"Python": "python", "NumPy": "numpy", "instruction set": "instruction_set"}


def _show_sweep(dataset: "xr.Dataset", picture: Path | None) -> None:
    configuration = json.loads(dataset.attrs["configuration"])
    click.echo(brief(Problem.from_dict(configuration["problem"])))
    sizes = ", ".join(f"{name} ({dataset.sizes[name]})" for name in configuration["order"])
    click.echo(f"axes: {sizes}")
    click.echo(sweep_summary(dataset))
    click.echo(best(dataset))
    _print_provenance(json.loads(dataset.attrs.get("provenance", "{}")))
    if picture:
        draw_sweep(dataset, picture)


def _show_transfer(dataset: "xr.Dataset", picture: Path | None) -> None:
    name = dataset.attrs["path"].rpartition(".")[2]
    click.echo(brief(Problem.from_dict(json.loads(dataset.attrs["problem"]))))
    base = short(float(dataset.attrs["base"]))
    click.echo(f"best learning rates after {dataset.attrs['steps']} steps, base {name} = {base}")
    click.echo(f"{'':<24}{name:>10}{'best lr':>12}{'stable to':>12}{'best loss':>12}")
    for scaling in dataset.scaling.values:
        row = dataset.sel(scaling=scaling)
        for size, *numbers in zip(row[name].values, row.lr, row.edge, row.loss, strict=True):
            cells = "".join(f"{float(number):>12.4g}" for number in numbers)
            click.echo(f"{scaling!s:<24}{short(size):>10}{cells}")
    if picture:
        _draw_transfer(dataset, name, picture)


def _draw_transfer(dataset: "xr.Dataset", name: str, picture: Path) -> None:
    """Draw the best rates by size, with a line for each scaling."""
    figure = optional("matplotlib.figure", "plot").Figure(figsize=(5.6, 3.8), layout="constrained")
    ax = figure.subplots()
    for scaling in dataset.scaling.values:
        rates = dataset.lr.sel(scaling=scaling)
        ax.loglog(dataset[name].values, rates.values, marker="o", label=str(scaling))
    ax.set_xlabel(dataset[name].attrs.get("long_name", name))
    ax.set_ylabel("best learning rate")
    ax.legend()
    write_picture(figure, picture, dpi=150)
    click.echo(f"wrote {picture}")
