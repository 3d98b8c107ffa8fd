"""Files of the commands: problem files, result files and pictures."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

import click

from lindmft._internal.files import check_folder, write_picture
from lindmft._internal.optional import optional
from lindmft.cli import settings
from lindmft.cli.run_table import read_run
from lindmft.problem.problem import Problem, without_run
from lindmft.problem.toml_files import TomlFile
from lindmft.results import netcdf
from lindmft.results.ensemble import Ensemble
from lindmft.results.places import check_picture, result_place
from lindmft.results.solution import Solution


def check_outputs(
    output: Path | None, picture: Path | None, *, force: bool, form: str | None = None
) -> None:
    """Refuse, before any work, files that could not be written after it.

    ``form`` is the kind of result, which may replace an earlier one; None: any.
    """
    for path in filter(None, (output, picture)):
        check_folder(path)
    if output:
        netcdf.require_netcdf()
        result_place(output, "--output", form, force=force, advice="--force")
    if picture:
        optional("matplotlib", "plot")
        check_picture(picture, force=force, advice="--force")


def check_writable(path: Path, *, force: bool) -> None:
    """Refuse a file that exists, unless with ``force``, and one that cannot be written."""
    check_folder(path)
    if path.exists() and not force:
        raise ValueError(f"{path} exists; --force replaces it")


@contextmanager
def opened(path: Path, changes: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """Read the tables of a TOML file, and change values by texts KEY=VALUE.

    Within the ``with`` block the file and the line are put in front of every ``ValueError``.
    """
    file, changed = TomlFile.read(path), settings.parsed(changes)
    tables = settings.with_changes(file.tables, changed)
    with file.located(changed):
        yield tables


def read_problem(
    path: Path, needed: str = "steps", changes: Iterable[str] = (), **options: float | None
) -> tuple[Problem, dict[str, Any]]:
    """Return the problem of a TOML file, and its table ``run``, overridden by options.

    The option ``needed`` says how far to compute, and must be in one of the two.
    """
    with opened(path, changes) as tables:
        problem, run = Problem.from_dict(without_run(tables)), read_run(tables)
    given = {name: value for name, value in options.items() if value is not None}
    run = {name: value for name, value in {**run, **given}.items() if name in options}
    if needed not in run:
        raise ValueError(f"{path}: run.{needed} is missing: give it in the file, or as --{needed}")
    return problem, run


def read_pair(first: Path, second: Path) -> tuple[Solution, Ensemble]:
    """Read a theory file and a training file, in any order."""
    forms = {netcdf.format_of(path): path for path in (first, second)}
    if set(forms) != {netcdf.SOLUTION, netcdf.ENSEMBLE}:
        raise ValueError(
            f"{first} and {second} must be a {netcdf.SOLUTION} and a {netcdf.ENSEMBLE}, "
            f"got two of the kind {next(iter(forms))}"
        )
    return Solution.load(forms[netcdf.SOLUTION]), Ensemble.load(forms[netcdf.ENSEMBLE])


@overload
def draw(path: Path, result: Solution | Ensemble) -> None: ...
@overload
def draw(path: Path, result: Solution, runs: Ensemble) -> None: ...
def draw(path: Path, result: Any, runs: Ensemble | None = None) -> None:
    """Draw the losses of one result, or of theory and training together."""
    from lindmft import plotting

    figure = optional("matplotlib.figure", "plot").Figure(figsize=(5.6, 3.8), layout="constrained")
    if runs is None:
        plotting.losses(result, figure.subplots())
    else:
        plotting.compare(result, runs, figure.subplots())
    write_picture(figure, path, dpi=150)
    click.echo(f"wrote {path}")
