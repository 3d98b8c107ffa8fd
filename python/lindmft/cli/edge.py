"""The command ``edge``: the sharpness along training at several learning rates."""

from pathlib import Path
from typing import Any

import click

from lindmft._internal.files import write_picture
from lindmft._internal.optional import optional
from lindmft.analysis.sharpness import edge_of_stability
from lindmft.cli import files
from lindmft.cli.options import FORCE, PICTURE, PROBLEM, SET, STEPS, THREADS, WHOLE, Times
from lindmft.problem.schema import brief


class Rates(Times):
    """Learning rates with commas between them, as 0.05,0.1."""

    name = "rates"
    example = "learning rates such as 0.05,0.1"


@click.command("edge", short_help="The sharpness along training, and where steps become unstable.")
@PROBLEM
@STEPS
@SET
@click.option(
    "--rates",
    type=Rates(),
    metavar="RATE,...",
    help="Learning rates, such as 0.05,0.1.  [default: fractions of the largest stable one]",
)
@click.option(
    "--networks",
    type=WHOLE,
    default=0,
    show_default=True,
    help="Networks to train for each rate, of the file's run.dim inputs.",
)
@click.option(
    "--grid",
    type=click.Choice(("exact", "adaptive")),
    help="Grid of times.  [default: exact up to 500 steps and for random batches]",
)
@THREADS
@PICTURE
@FORCE
def edge_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    rates: list[float] | None,
    networks: int,
    grid: str | None,
    threads: int | None,
    picture: Path | None,
    force: bool,
) -> None:
    """Compute learning rate times sharpness over time, and the largest rate that stays stable.

    Each line of the table is a run. The columns "start" and "largest" are learning rate times
    sharpness over the threshold of stability; "passes at" is the step at which it passes 1.

    \b
    Examples:
      lindmft edge problem.toml
      lindmft edge problem.toml --rates 0.05,0.1,0.2 --networks 8 --picture edge.png
    """
    files.check_outputs(None, picture, force=force)
    parsed, run = files.read_problem(problem, changes=changes, steps=steps)
    options: dict[str, Any] = {"grid": grid, "threads": threads, "networks": networks}
    found = edge_of_stability(parsed, run["steps"], lr=rates, dim=run.get("dim"), **options)
    click.echo(brief(parsed))
    click.echo(str(found))
    if picture:
        _draw(found, picture)


def _draw(found: Any, picture: Path) -> None:
    from lindmft.plotting.edge import edge_of_stability as draw

    figure = optional("matplotlib.figure", "plot").Figure(figsize=(5.6, 3.8), layout="constrained")
    draw(found, figure.subplots())
    write_picture(figure, picture, dpi=150)
    click.echo(f"wrote {picture}")
