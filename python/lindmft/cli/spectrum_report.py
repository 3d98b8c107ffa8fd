"""The table of sharpness that commands print where the spectrum of the Hessian was asked for."""

import click

from lindmft._internal.types import Array
from lindmft.problem.optimizer import SGD
from lindmft.problem.stability import rates_and_thresholds
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.results.statistics import mean, standard_error

IN_CHANNELS = "Spectra of several outputs are those of their channels, in the saved file."


def print_spectrum(result: Solution | Ensemble) -> None:
    """Print the sharpness at the times of the spectrum, and the value that stable steps allow."""
    if not result.has("spectrum"):
        return
    if isinstance(result, Solution) and result.channels:
        click.echo(IN_CHANNELS)
        return
    flow = isinstance(result, Solution) and result.grid == "flow"
    columns = _of_theory(result) if isinstance(result, Solution) else _of_networks(result)
    if not flow:
        columns |= _stability(result.problem.optimizer, result.spectrum.time, columns["sharpness"])
    click.echo(f"{'time' if flow else 'step':>8}" + "".join(f"{name:>14}" for name in columns))
    for time, *values in zip(result.spectrum.time, *columns.values(), strict=True):
        click.echo(f"{time:>8g}" + "".join(f"{value:>14.6g}" for value in values))


def _of_theory(theory: Solution) -> dict[str, Array]:
    found = theory.spectrum
    edge = {} if found.bulk_edge is None else {"bulk edge": found.bulk_edge}
    return {"sharpness": found.sharpness, "error": found.sharpness_error, **edge}


def _of_networks(runs: Ensemble) -> dict[str, Array]:
    """Return means over the networks that count, with their standard errors."""
    values = runs.spectrum.sharpness[runs.used]
    return {"sharpness": mean(values), "std. error": standard_error(values)}


def _stability(optimizer: SGD, steps: Array, sharpness: Array) -> dict[str, Array]:
    rates, thresholds = rates_and_thresholds(optimizer, steps)
    return {"lr*sharpness": rates * sharpness, "stable below": thresholds}
