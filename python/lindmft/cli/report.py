"""Reports of results by commands: a table of losses at round times, and output files."""

import math
from pathlib import Path

import click

from lindmft._internal.series import round_steps, round_times
from lindmft._internal.types import Array
from lindmft.cli import files
from lindmft.cli.spectrum_report import print_spectrum
from lindmft.problem.schema import brief
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution


def finish(result: Solution | Ensemble, output: Path | None, picture: Path | None) -> None:
    """Print the losses at a few steps, and write the requested files."""
    click.echo(brief(result.problem))
    click.echo(f"{result.status} ({result.stats.seconds:.2f} s, {result.stats.threads} threads)")
    print_table(result)
    for note in result.notes:
        click.echo(f"Note: {note}")
    if output:
        result.save(
            output, force=True
        )  # files that must not be replaced were refused before the work
        click.echo(f"wrote {output}{_state_note(result)}")
    if picture:
        files.draw(picture, result)


def _state_note(result: Solution | Ensemble) -> str:
    """Say whether a solution can be continued from its file, and how large its state is."""
    if not isinstance(result, Solution) or result.diverged_at is not None:
        return ""
    if any(result.has(name) for name in ("replicas", "kernel_scale", "average_loss")):
        return ""  # such a solution cannot be continued at all
    if result.state_bytes:
        size = result.state_bytes / 2**20
        return f" ({size:.2g} MiB of it the state with which it can be continued)"
    return " (without the state that continuing needs: --checkpoint FILE keeps it)"


def print_table(result: Solution | Ensemble) -> None:
    """Print losses and other requested series at a few round times, and the sharpness."""
    labels, columns = _rows(result)
    click.echo(f"{labels[0]:>8}" + "".join(f"{name:>14}" for name in columns))
    for label, *values in zip(labels[1:], *columns.values(), strict=True):
        click.echo(f"{label:>8}" + "".join(f"{_entry(value):>14}" for value in values))
    print_spectrum(result)


def _entry(value: float) -> str:
    """Return a number as text; a dash for one that does not exist."""
    return "-" if math.isnan(value) else f"{value:.6g}"


def _rows(result: Solution | Ensemble) -> tuple[list[str], dict[str, Array]]:
    """Return the unit of time with the times, and columns of numbers at these times."""
    if isinstance(result, Solution) and result.grid == "flow":
        times = round_times(float(result.time[-1]))
        return ["time", *(f"{time:g}" for time in times)], _columns(result.at(times))
    steps = round_steps(int(result.time[-1]) + 1)
    labels = ["step", *map(str, steps)]
    if isinstance(result, Solution):
        return labels, _columns(result.at(steps))
    return labels, {name: series[steps] for name, series in _columns(result).items()}


def _columns(result: Solution | Ensemble) -> dict[str, Array]:
    mean = result if isinstance(result, Solution) else result.mean()
    return {"test loss": mean.test_loss, "train loss": mean.train_loss, **_extra(result)}


def _extra(result: Solution | Ensemble) -> dict[str, Array]:
    """Return the columns of optional series."""
    columns: dict[str, Array] = {}
    if isinstance(result, Solution) and result.has("replicas"):
        split = result.replicas
        columns |= {"bias": split.bias, "weights": split.variance_init}
        columns |= {"data": split.variance_data, "interaction": split.variance_interaction}
    mean = result if isinstance(result, Solution) else result.mean()
    if mean.has("average_loss"):
        columns["average loss"] = mean.average_loss
    if isinstance(result, Solution) and any(c.has("kernel_scale") for c in result.channels):
        click.echo("Kernels of several outputs are those of their channels, in the saved file.")
    elif mean.has("kernel_scale"):
        columns |= {"kernel": mean.kernel_scale, "on target": mean.kernel_target}
    return columns
