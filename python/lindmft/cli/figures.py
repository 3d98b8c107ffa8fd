"""The command that makes the figures of the paper, and those that no paper has."""

import ast
import time
from pathlib import Path
from typing import Any

import click

from lindmft import figures
from lindmft._internal.files import write_text
from lindmft._internal.optional import optional
from lindmft._internal.validation import conflict, refuse
from lindmft.cli import files
from lindmft.cli.options import FORCE, folder
from lindmft.figures._figure import Figure

ALL = "all"
AGREEMENT = "agreement.txt"


@click.command("figure", short_help="Make a figure of the paper: theory over training.")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option(
    "--quick",
    is_flag=True,
    help="Smaller and fewer networks: seconds for most figures, a minute for some.",
)
@folder("figures")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="Change a parameter of a figure: depth=3, widths=0.5,1,2.",
)
@click.option("--list", "listing", is_flag=True, help="Names, titles and parameters; no work.")
@FORCE
def figure_command(
    names: tuple[str, ...],
    quick: bool,
    output: Path,
    changes: tuple[str, ...],
    listing: bool,
    force: bool,
) -> None:
    """Make figures by name: 1 to 10, table1, others (--list), one panel (2b), or all.

    \b
    Each writes a picture (png, svg) and its data (csv), and prints how well training agrees with
    the theory: z-scores in units of the standard error, and relative errors. With "all" a file
    agreement.txt holds the tables.

    \b
    Examples:
      lindmft figure all --quick
      lindmft figure 2b --set mup_widths=0.5,1,2 --set depth=4
      lindmft figure 8 --list
    """
    chosen = [figures.parse(name) for name in (figures.NAMES if ALL in names else names)]
    if listing:
        _list(chosen)
        return
    if not chosen:
        refuse("NAME", f"a figure ({', '.join(figures.NAMES)}) or {ALL}", "nothing")
    if changes and len(chosen) > 1:
        conflict(
            "--set",
            "several figures",
            "each figure has other parameters",
            "Make the figures one by one, or leave out --set",
        )
    optional("matplotlib.figure", "plot")
    values = dict(_change(change) for change in changes)
    for figure, _ in chosen:
        figure.changed(quick, values)
    paths = [path for figure, panels in chosen for path in figure.paths(output, panels)]
    paths += [output / AGREEMENT] if ALL in names else []
    for path in paths if output.is_dir() else [output]:
        files.check_writable(path, force=force)
    tables = _make_all(chosen, quick, values, output)
    if ALL in names:
        write_text("\n".join(tables) + "\n", output / AGREEMENT)
        click.echo(f"wrote {output / AGREEMENT}")


def _make_all(
    chosen: list[tuple[Figure, tuple[str, ...]]], quick: bool, values: dict[str, Any], output: Path
) -> list[str]:
    start = time.perf_counter()
    tables = []
    for figure, panels in chosen:
        click.echo(f"{figure.name}: {figure.title}")
        result = figure.make(*panels, quick=quick, progress=True, **values)
        output.mkdir(exist_ok=True)
        paths = result.save(output)
        tables.append(result.table())
        click.echo(result.table())
        click.echo(f"wrote {', '.join(str(path) for path in paths)} ({result.seconds:.1f} s)\n")
    if len(chosen) > 1:
        click.echo(f"{len(chosen)} figures in {time.perf_counter() - start:.0f} s")
    return tables


def _list(chosen: list[tuple[Figure, tuple[str, ...]]]) -> None:
    """Print all titles; for chosen figures also the parameters."""
    for figure in [figure for figure, _ in chosen] or map(figures.get, figures.NAMES):
        panels = ", ".join(filter(None, figure.panels))
        click.echo(f"{figure.name:<14}{figure.title}" + (f" ({panels})" if panels else ""))
        if chosen:
            click.echo(figure.describe())


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return name.strip(), ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        refuse("--set", "PARAMETER=VALUE with a number, or numbers with commas", text)
