"""What the commands read and write: problem files, result files, pictures."""

import tomllib
from pathlib import Path
from typing import Any, overload

import click

from lindmft._internal.files import check_folder, write_picture
from lindmft._internal.optional import optional
from lindmft._internal.validation import refuse
from lindmft.problem.problem import Problem
from lindmft.problem.schema import check_keys
from lindmft.results import netcdf
from lindmft.results.ensemble import Ensemble
from lindmft.results.places import check_picture, result_place
from lindmft.results.solution import Solution

RUN_KEYS = ("steps", "time", "dim", "seeds", "seed")


def check_outputs(
    output: Path | None, picture: Path | None, *, force: bool, form: str | None = None
) -> None:
    """Refuse, before any work, what could not be written after it.

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
    """Refuse a file that is there, but for ``force``, and one that cannot be written."""
    check_folder(path)
    if path.exists() and not force:
        raise ValueError(f"{path} exists; --force replaces it")


def read_problem(
    path: Path, needed: str = "steps", **options: float | None
) -> tuple[Problem, dict[str, Any]]:
    """The problem of a TOML file, and how to run it: its table ``run``, overridden by options.

    One of them, ``needed``, says how far.
    """
    problem = Problem.from_toml(path)
    run = read_run(tomllib.loads(path.read_text(encoding="utf-8")))
    given = {name: value for name, value in options.items() if value is not None}
    run = {name: value for name, value in {**run, **given}.items() if name in options}
    if needed not in run:
        raise ValueError(f"run.{needed} must be given, in the file or by --{needed}, got nothing")
    return problem, run


def read_run(tables: dict[str, Any]) -> dict[str, Any]:
    """The table ``run`` of a file's tables."""
    run = tables.get("run", {})
    if not isinstance(run, dict):
        refuse("run", "a table", run)
    check_keys(run, RUN_KEYS, "run")
    return dict(run)


def read_pair(first: Path, second: Path) -> tuple[Solution, Ensemble]:
    """A theory file and a training file, in any order."""
    forms = {netcdf.format_of(path): path for path in (first, second)}
    if set(forms) != {netcdf.SOLUTION, netcdf.ENSEMBLE}:
        raise ValueError(
            f"the files must be a {netcdf.SOLUTION} and a {netcdf.ENSEMBLE}, "
            f"got two of the kind {next(iter(forms))}"
        )
    return Solution.load(forms[netcdf.SOLUTION]), Ensemble.load(forms[netcdf.ENSEMBLE])


@overload
def draw(path: Path, result: Solution | Ensemble) -> None: ...
@overload
def draw(path: Path, result: Solution, runs: Ensemble) -> None: ...
def draw(path: Path, result: Any, runs: Ensemble | None = None) -> None:
    """The losses of one result, or of theory and training together."""
    from lindmft import plotting

    figure = optional("matplotlib.figure", "plot").Figure(figsize=(5.6, 3.8), layout="constrained")
    if runs is None:
        plotting.losses(result, figure.subplots())
    else:
        plotting.compare(result, runs, figure.subplots())
    write_picture(figure, path, dpi=150)
    click.echo(f"wrote {path}")
