"""The command ``explore``, which opens the page of the explorer."""

from pathlib import Path

import click

from lindmft.cli import files
from lindmft.cli.options import FORCE
from lindmft.cli.run_table import read_run
from lindmft.explorer import explore
from lindmft.problem.problem import Problem, without_run

STEPS = 100


@click.command("explore", short_help="Open a page on which the theory moves with its sliders.")
@click.argument("problem", type=click.Path(path_type=Path), required=False)
@click.option("--steps", type=int, help="Number of steps.  [default: that of the file, or 100]")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write the page to this file; do not open it."
)
@FORCE
def explore_command(
    problem: Path | None, steps: int | None, output: Path | None, force: bool
) -> None:
    """Open the explorer in the browser, with the settings of a problem file if one is given.

    The page is one file that needs neither a server nor a network.

    \b
    Examples:
      lindmft explore
      lindmft explore problem.toml --steps 200
      lindmft explore problem.toml --output explorer.html
    """
    if output:
        files.check_writable(output, force=force)
    given, usual = (None, STEPS) if problem is None else _read(problem)
    page = explore(given, usual if steps is None else steps)
    if output:
        page.save(output)
        click.echo(f"wrote {output}")
        return
    click.echo(f"opened {page.open()}")


def _read(path: Path) -> tuple[Problem, int]:
    """Return the problem of a file, and the number of steps."""
    with files.opened(path) as tables:
        return Problem.from_dict(without_run(tables)), read_run(tables).get("steps", STEPS)
