"""The command ``tune``, which finds the learning rate for a problem file."""

from pathlib import Path

import click
import numpy as np

from lindmft.analysis.rates import LOSSES, OptimalRate, optimal_lr
from lindmft.analysis.stability import StableRate, largest_stable_lr
from lindmft.cli import files
from lindmft.cli.options import GRID, PROBLEM, SET, STEPS, THREADS
from lindmft.problem.problem import Problem
from lindmft.problem.schema import brief


@click.command("tune", short_help="The best and the largest stable learning rate of a problem.")
@PROBLEM
@STEPS
@SET
@click.option(
    "--objective",
    type=click.Choice(LOSSES),
    default=LOSSES[0],
    show_default=True,
    help="The loss to minimize at the last step.",
)
@click.option(
    "--rtol", type=float, default=0.01, show_default=True, help="Relative accuracy of the rates."
)
@GRID
@THREADS
def tune_command(
    problem: Path,
    steps: int | None,
    changes: tuple[str, ...],
    objective: str,
    rtol: float,
    grid: str,
    threads: int | None,
) -> None:
    """Find the learning rate with the smallest loss, and the largest stable one, in the theory.

    The searches start at the file's rate; a schedule is multiplied as a whole. Rates are scaled:
    the same one serves networks of every width in muP. The file is not changed.

    \b
    Examples:
      lindmft tune problem.toml
      lindmft tune problem.toml --steps 1000 --objective train_loss --set network.depth=3
    """
    parsed, run = files.read_problem(problem, changes=changes, steps=steps)
    click.echo(brief(parsed))
    best = optimal_lr(
        parsed, run["steps"], objective=objective, rtol=rtol, grid=grid, threads=threads
    )
    click.echo(f"best:    {best.summary()}")
    edge = largest_stable_lr(parsed, run["steps"], rtol=rtol, grid=grid, threads=threads)
    click.echo(f"largest: {edge.summary()}")
    click.echo(_advice(parsed, best, edge, problem))


def _advice(problem: Problem, best: OptimalRate, edge: StableRate, path: Path) -> str:
    """Return the lines to write into the file."""
    margin = edge.lr / best.lr
    text = f"The largest stable rate is {margin:.3g} times the best one."
    if margin < 1:
        text += " Take a rate below both: at the best one, later steps are not stable."
    if np.ndim(problem.optimizer.lr) == 0:
        return f"{text}\nIn {path} write\n\n[optimizer]\nlr = {min(best.lr, edge.lr):.3g}"
    factor = _factor(problem, best) * min(1.0, margin)
    return f"{text}\nIn {path} multiply every rate of the schedule by {factor:.3g}."


def _factor(problem: Problem, best: OptimalRate) -> float:
    """Return the factor by which the search multiplied the schedule."""
    given = np.asarray(problem.optimizer.lr, float)
    scaled = getattr(best, "schedule", None)
    if scaled is None:
        return best.lr / float(given.max())
    return float(np.max(scaled) / given.max())
