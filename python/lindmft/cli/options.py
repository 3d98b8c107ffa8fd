"""Arguments and options that several commands have."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lindmft.cli.run_table import RUN_KEYS
from lindmft.problem.paths import KEYS, PATHS
from lindmft.results.observables import FUNCTIONS


class WholeNumber(click.types.IntParamType):
    """A whole number, which may be written as 1000000, 1_000_000 or 1e6."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; anything else is a usage error that names the option."""
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            pass
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not number.is_integer():
            self.fail(f"must be a whole number such as 1000 or 1e6, got {value!r}", param, ctx)
        return int(number)


WHOLE = WholeNumber()
PROBLEM = click.argument("problem", type=click.Path(path_type=Path))
STEPS = click.option(
    "--steps", type=WHOLE, help="Number of steps, as 1000 or 1e6; overrides the file's run.steps."
)


def complete_key(_context: Any, _option: Any, incomplete: str) -> list[str]:
    """The keys of ``--set`` that begin so, for completion in shells."""
    keys = [*(f"run.{key}" for key in RUN_KEYS), *(path for path in PATHS if path not in KEYS)]
    return [f"{key}=" for key in keys if key.startswith(incomplete)]


SET = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=complete_key,
    help="Change a value of the file, as optimizer.lr=0.1, run.dim=512 or "
    "'network.width=[0.5, 2]'; may be given several times.",
)
GRID = click.option(
    "--grid",
    type=click.Choice(["exact", "adaptive"]),
    default="exact",
    show_default=True,
    help="Every step, or nodes between which functions of time are polynomials.",
)
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), help="Write the result, as NetCDF4."
)
PICTURE = click.option(
    "--picture", type=click.Path(path_type=Path), help="Draw the losses (png, pdf, svg)."
)
THREADS = click.option(
    "--threads", type=WHOLE, help="Threads to use.  [default: the allowed physical cores]"
)
SAVE = click.option(
    "--save",
    multiple=True,
    metavar="NAME",
    help=f"Keep a two-time function: all, {', '.join(FUNCTIONS)}.",
)
REPLICAS = click.option(
    "--replicas", is_flag=True, help="Also split the test loss into bias and variances."
)
DEPTH_NODES = click.option(
    "--depth-nodes", type=WHOLE, help="Nodes of infinite depth.  [default: by an error estimate]"
)
RTOL = click.option(
    "--rtol", type=float, help="Relative error allowed on a coarse grid.  [default: 1e-6]"
)
ATOL = click.option(
    "--atol",
    type=float,
    help="Absolute error allowed there, in units of the value at the start (of 1 where that is "
    "0).  [default: 1e-10]",
)
CHECKPOINT = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Save to this file regularly; resume from it if it exists.",
)
KERNELS = click.option("--kernels", is_flag=True, help="Also the neural tangent kernel.")
FORCE = click.option("--force", is_flag=True, help="Replace files, whatever they hold.")


def folder(name: str) -> Callable[[Any], Any]:
    """The option for a folder of results, which has this name unless another one is given."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        default=Path(name),
        show_default=True,
        help="A folder, made if it is not there.",
    )
