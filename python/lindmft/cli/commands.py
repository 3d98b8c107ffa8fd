"""The group of all commands of ``lindmft``; the other modules define the commands.

Each command calls one public function. Problems are TOML files, and results NetCDF files.
"""

import click

from lindmft import _core
from lindmft.cli.demo_command import demo_command
from lindmft.cli.edge import edge_command
from lindmft.cli.explore import explore_command
from lindmft.cli.figures import figure_command
from lindmft.cli.group import Commands
from lindmft.cli.machine import bench_command, info_command
from lindmft.cli.new import new_command
from lindmft.cli.show import show_command
from lindmft.cli.solve import flow_command, solve_command
from lindmft.cli.sweeps import sweep_command, transfer_command
from lindmft.cli.train import compare_command, train_command
from lindmft.cli.tune import tune_command
from lindmft.cli.verify import verify_command

__all__ = ["commands"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_core.__version__, prog_name="lindmft")
def commands() -> None:
    """Training dynamics of wide deep linear networks: theory and experiment.

    \b
    Examples:
      lindmft demo
      lindmft explore
      lindmft new problem.toml
      lindmft solve problem.toml --steps 200 --output theory.nc
      lindmft flow problem.toml --time 1e6
      lindmft train problem.toml --steps 200 --output runs.nc
      lindmft compare theory.nc runs.nc --picture both.png
      lindmft show theory.nc
      lindmft tune problem.toml --steps 200
      lindmft edge problem.toml --steps 200
      lindmft sweep grid.toml --store grid.zarr --picture grid.png
      lindmft transfer problem.toml --sizes 0.5,1,2,4,8
      lindmft bench
      lindmft verify --quick

    A problem file has the tables [network], [data], [optimizer]. Optional are [run] with steps,
    time (of flow), dim, seeds and seed, and [sweep] with the axes of a grid.
    """


for command in (
    new_command,
    solve_command,
    flow_command,
    train_command,
    compare_command,
    show_command,
    tune_command,
    edge_command,
    sweep_command,
    transfer_command,
    figure_command,
    verify_command,
    demo_command,
    explore_command,
    bench_command,
    info_command,
):
    commands.add_command(command)
