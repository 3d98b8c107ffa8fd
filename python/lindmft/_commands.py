"""The commands of ``lindmft``, with click. Each is a thin skin over one public function.

Problems come as TOML files, results as NetCDF files.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lindmft import _cli_files, _core, benchmark, demo
from lindmft._command_group import Commands
from lindmft._config import show_config
from lindmft._files import write_picture, write_text
from lindmft._observables import FUNCTIONS
from lindmft._schema import brief
from lindmft._types import Array
from lindmft.comparison import compare
from lindmft.ensemble import Ensemble
from lindmft.solution import Solution
from lindmft.theory import flow, solve
from lindmft.training import train

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
    help="Absolute error allowed there, in units of the value at the start.  [default: 1e-10]",
)
CHECKPOINT = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Save to this file as it goes; go on from it if it is there.",
)
KERNELS = click.option("--kernels", is_flag=True, help="Also the neural tangent kernel.")
FORCE = click.option("--force", is_flag=True, help="Replace files that exist.")


def folder(name: str) -> Callable[[Any], Any]:
    """The option for a folder of results, which has this name unless another one is given."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        default=Path(name),
        show_default=True,
        help="A folder, made if it is not there.",
    )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_core.__version__, prog_name="lindmft")
def commands() -> None:
    """Training dynamics of wide deep linear networks: theory and experiment.

    \b
    Examples:
      lindmft demo
      lindmft solve problem.toml --steps 200 --output theory.nc
      lindmft flow problem.toml --time 1e6
      lindmft train problem.toml --steps 200 --output runs.nc
      lindmft compare theory.nc runs.nc --picture both.png
      lindmft sweep grid.toml --store grid.zarr --picture grid.png
      lindmft transfer problem.toml --sizes 0.5,1,2,4,8
      lindmft bench
      lindmft verify --quick

    A problem file has the tables [network], [data], [optimizer] and, if you like, [run] with steps,
    time (of flow), dim, seeds and seed, and [sweep] with the axes of a grid.
    """


@commands.command("solve", short_help="Solve the theory of a problem.")
@PROBLEM
@STEPS
@click.option(
    "--grid",
    type=click.Choice(["exact", "adaptive"]),
    default="exact",
    show_default=True,
    help="Every step, or nodes between which functions of time are polynomials.",
)
@RTOL
@ATOL
@SAVE
@REPLICAS
@KERNELS
@DEPTH_NODES
@CHECKPOINT
@click.option(
    "--checkpoint-every", type=int, help="Steps of an exact grid between saves.  [default: a tenth]"
)
@OUTPUT
@PICTURE
@THREADS
@FORCE
def solve_command(
    problem: Path,
    steps: int | None,
    grid: str,
    rtol: float | None,
    atol: float | None,
    save: tuple[str, ...],
    replicas: bool,
    kernels: bool,
    depth_nodes: int | None,
    checkpoint: Path | None,
    checkpoint_every: int | None,
    output: Path | None,
    picture: Path | None,
    threads: int | None,
    force: bool,
) -> None:
    """Solve the infinite-size theory of the problem in a TOML file.

    \b
    Examples:
      lindmft solve problem.toml --steps 200
      lindmft solve problem.toml --output theory.nc --save C_h --save C_v --picture losses.png
      lindmft solve problem.toml --grid adaptive --steps 1000000 --checkpoint run.nc
    """
    _cli_files.check_outputs(output, picture, force=force)
    parsed, run = _cli_files.read_problem(problem, steps=steps)
    theory = solve(
        parsed,
        run["steps"],
        grid=grid,
        rtol=rtol,
        atol=atol,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        save=save,
        replicas=replicas,
        kernels=kernels,
        depth_nodes=depth_nodes,
        threads=threads,
        progress=True,
    )
    _finish(theory, output, picture)


@commands.command("flow", short_help="Solve gradient flow, the limit of small learning rates.")
@PROBLEM
@click.option(
    "--time", type=float, help="Learning rate times steps at the end; overrides run.time."
)
@RTOL
@ATOL
@SAVE
@REPLICAS
@DEPTH_NODES
@CHECKPOINT
@OUTPUT
@PICTURE
@THREADS
@FORCE
def flow_command(
    problem: Path,
    time: float | None,
    rtol: float | None,
    atol: float | None,
    save: tuple[str, ...],
    replicas: bool,
    depth_nodes: int | None,
    checkpoint: Path | None,
    output: Path | None,
    picture: Path | None,
    threads: int | None,
    force: bool,
) -> None:
    """Solve gradient flow of the problem in a TOML file; its learning rate plays no role.

    \b
    Examples:
      lindmft flow problem.toml --time 1e6
      lindmft flow problem.toml --time 1e6 --rtol 1e-8 --output flow.nc --picture losses.png
    """
    _cli_files.check_outputs(output, picture, force=force)
    parsed, run = _cli_files.read_problem(problem, "time", time=time)
    theory = flow(
        parsed,
        run["time"],
        rtol=rtol,
        atol=atol,
        save=save,
        replicas=replicas,
        depth_nodes=depth_nodes,
        checkpoint=checkpoint,
        threads=threads,
        progress=True,
    )
    _finish(theory, output, picture)


@commands.command("train", short_help="Train finite-size networks on a problem.")
@PROBLEM
@STEPS
@click.option(
    "--dim",
    type=int,
    help="Input dimension, of which widths and samples are multiples; with a trace-class spectrum "
    "the leading modes to keep.  [default: 256, or all; of a power law 1024]",
)
@click.option("--seeds", type=int, help="Number of networks.  [default: 8]")
@click.option("--seed", type=int, help="The first seed.  [default: 0]")
@KERNELS
@OUTPUT
@PICTURE
@THREADS
@FORCE
def train_command(
    problem: Path,
    steps: int | None,
    dim: int | None,
    seeds: int | None,
    seed: int | None,
    kernels: bool,
    output: Path | None,
    picture: Path | None,
    threads: int | None,
    force: bool,
) -> None:
    """Train finite-size networks on the problem in a TOML file.

    \b
    Examples:
      lindmft train problem.toml --steps 200 --dim 512 --seeds 16 --output runs.nc
      lindmft train problem.toml --picture losses.png
    """
    _cli_files.check_outputs(output, picture, force=force)
    parsed, run = _cli_files.read_problem(problem, steps=steps, dim=dim, seeds=seeds, seed=seed)
    runs = train(parsed, **run, kernels=kernels, threads=threads, progress=True)
    _finish(runs, output, picture)


@commands.command("compare", short_help="Hold a theory file against a training file.")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@PICTURE
@FORCE
def compare_command(first: Path, second: Path, picture: Path | None, force: bool) -> None:
    """Print how a theory file and a training file (in any order) agree, step by step.

    \b
    Example:
      lindmft compare theory.nc runs.nc --picture both.png
    """
    _cli_files.check_outputs(None, picture, force=force)
    theory, runs = _cli_files.read_pair(first, second)
    click.echo(compare(theory, runs).summary())
    if picture:
        _cli_files.draw(picture, theory, runs)


@commands.command("demo", short_help="Two problems, theory against training, one picture.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("demo.png"), show_default=True
)
def demo_command(output: Path) -> None:
    """Solve and train two problems at three widths each, print how they agree, draw a picture.

    Takes some ten seconds. A picture of an earlier demonstration is replaced.
    """
    _cli_files.check_outputs(None, output, force=True)
    done = demo.cases(progress=True)
    click.echo(demo.table(done))
    write_picture(demo.draw(done), output, dpi=150)
    click.echo(f"wrote {output}")


@commands.command("bench", short_help="This machine's limits, and how near them jobs run.")
@click.option("--quick", is_flag=True, help="Smaller jobs, in some ten seconds.")
@click.option(
    "--json", "path", type=click.Path(path_type=Path), help="Write all numbers to this file."
)
@THREADS
@FORCE
def bench_command(quick: bool, path: Path | None, threads: int | None, force: bool) -> None:
    """Measure what this machine can do at most, and which part of it standard jobs reach.

    Takes less than a minute on two cores. Nothing else should run meanwhile.

    \b
    Examples:
      lindmft bench
      lindmft bench --quick --json bench.json
    """
    if path:
        _cli_files.check_writable(path, force=force)
    done = benchmark.run(
        quick=quick, threads=threads, report=lambda line: click.echo(f"{line} ...", err=True)
    )
    click.echo(done.table())
    if path:
        write_text(json.dumps(done.to_dict(), indent=2) + "\n", path)
        click.echo(f"wrote {path}")


@commands.command("info", short_help="Version, compiler, BLAS, threads.")
def info_command() -> None:
    """Print what this build is and what it runs on, for a bug report."""
    show_config()


def _extra(result: Solution | Ensemble) -> dict[str, Array]:
    """Columns that were asked for."""
    columns: dict[str, Array] = {}
    if isinstance(result, Solution) and result.replicas is not None:
        split = result.replicas
        columns |= {"bias": split.bias, "weights": split.variance_init}
        columns |= {"data": split.variance_data, "interaction": split.variance_interaction}
    mean = result if isinstance(result, Solution) else result.mean()
    if isinstance(result, Solution) and any(c.kernel_scale is not None for c in result.channels):
        click.echo("Kernels of several outputs are those of their channels, in the saved file.")
    if mean.kernel_scale is not None and mean.kernel_target is not None:
        columns |= {"kernel": mean.kernel_scale, "on target": mean.kernel_target}
    return columns


def _finish(result: Solution | Ensemble, output: Path | None, picture: Path | None) -> None:
    """Print the losses at a few steps, and write what was asked for."""
    click.echo(brief(result.problem))
    click.echo(f"{result.status} ({result.stats.seconds:.2f} s, {result.stats.threads} threads)")
    _print_table(result)
    if output:
        result.save(output)
        click.echo(f"wrote {output}")
    if picture:
        _cli_files.draw(picture, result)


def _print_table(result: Solution | Ensemble) -> None:
    """Losses, and what else was asked for, at a few round times."""
    labels, columns = _rows(result)
    click.echo(f"{labels[0]:>8}" + "".join(f"{name:>14}" for name in columns))
    for label, *values in zip(labels[1:], *columns.values(), strict=True):
        click.echo(f"{label:>8}" + "".join(f"{value:>14.6g}" for value in values))


def _rows(result: Solution | Ensemble) -> tuple[list[str], dict[str, Array]]:
    """The unit of time and the times, and columns of numbers at these."""
    if isinstance(result, Solution) and result.grid == "flow":
        times = _cli_files.round_times(float(result.time[-1]))
        return ["time", *(f"{time:g}" for time in times)], _columns(result.at(times))
    steps = _cli_files.round_steps(int(result.time[-1]) + 1)
    labels = ["step", *map(str, steps)]
    if isinstance(result, Solution):
        return labels, _columns(result.at(steps))
    return labels, {name: series[steps] for name, series in _columns(result).items()}


def _columns(result: Solution | Ensemble) -> dict[str, Array]:
    mean = result if isinstance(result, Solution) else result.mean()
    return {"test loss": mean.test_loss, "train loss": mean.train_loss, **_extra(result)}
