"""Arguments and options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lindmft.results.observables import FUNCTIONS

PROBLEM = click.argument("problem", type=click.Path(path_type=Path))
STEPS = click.option("--steps", type=int, help="Number of steps; overrides the file's run.steps.")
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), help="Write the result, as NetCDF4."
)
PICTURE = click.option(
    "--picture", type=click.Path(path_type=Path), help="Draw the losses (png, pdf, svg)."
)
THREADS = click.option(
    "--threads", type=int, help="Threads to use.  [default: the allowed physical cores]"
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
    "--depth-nodes", type=int, help="Nodes of infinite depth.  [default: by an error estimate]"
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
