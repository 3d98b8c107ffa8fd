"""The commands about this machine and this build: ``bench`` and ``info``."""

import json
from pathlib import Path

import click

from lindmft._internal.config import show_config
from lindmft._internal.files import write_text
from lindmft.cli import files
from lindmft.cli.options import FORCE, THREADS
from lindmft.machine import benchmark


@click.command("bench", short_help="Limits of this machine, and the fraction that jobs reach.")
@click.option("--quick", is_flag=True, help="Smaller jobs, in about ten seconds.")
@click.option(
    "--json", "path", type=click.Path(path_type=Path), help="Write all numbers to this file."
)
@THREADS
@FORCE
def bench_command(quick: bool, path: Path | None, threads: int | None, force: bool) -> None:
    """Measure the limits of this machine, and the fraction of them that standard jobs reach.

    This takes less than a minute on two cores. Nothing else should run meanwhile.

    \b
    Examples:
      lindmft bench
      lindmft bench --quick --json bench.json
    """
    if path:
        files.check_writable(path, force=force)
    done = benchmark.run(
        quick=quick, threads=threads, report=lambda line: click.echo(f"{line} ...", err=True)
    )
    click.echo(done.table())
    if path:
        write_text(json.dumps(done.to_dict(), indent=2) + "\n", path)
        click.echo(f"wrote {path}")


@click.command("info", short_help="Version, compiler, BLAS, threads.")
def info_command() -> None:
    """Print version, build and machine, for a bug report."""
    show_config()
