"""Texts and pictures of sweeps for the commands."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from lindmft._internal.files import write_picture
from lindmft._internal.optional import optional
from lindmft.problem.axes import short

if TYPE_CHECKING:
    import xarray as xr


def best(dataset: "xr.Dataset") -> str:
    """Say where the test loss at the last time is smallest."""
    names = [name for name in ("theory_test_loss", "training_test_loss") if name in dataset]
    lines = []
    for name in names:
        losses = dataset[name].isel(time=-1)
        losses = losses.mean("seed") if "seed" in losses.dims else losses
        values = np.where(np.isfinite(losses.values), losses.values, np.inf)
        if np.isfinite(values).any():
            point = np.unravel_index(int(values.argmin()), values.shape)
            where = zip(losses.dims, point, strict=True)
            place = ", ".join(f"{dim}={short(losses[dim].values[i])}" for dim, i in where)
            lines.append(f"smallest {name.replace('_', ' ')}: {values.min():.6g} at {place}")
    return "\n".join(lines)


def draw_sweep(dataset: "xr.Dataset", picture: Path) -> None:
    """Draw along the last axis, with lines for the axis before it and panels for a third one."""
    from lindmft import plotting

    order = json.loads(dataset.attrs["configuration"])["order"]
    observable = json.loads(dataset.attrs["configuration"])["observables"][0]
    *others, panels = order[:-2] or [None]
    first = {name: dataset[name].values[0] for name in others if name is not None}
    values = [None] if panels is None else dataset[panels].values
    figure = optional("matplotlib.figure", "plot").Figure(
        figsize=(6.4 * len(values), 4.0), layout="constrained"
    )
    for ax, value in zip(np.atleast_1d(figure.subplots(1, len(values))), values, strict=True):
        select: dict[str, Any] = dict(first) if panels is None else first | {panels: value}
        plotting.sweep(dataset, ax=ax, observable=observable, select=select)
        title = ", ".join(f"{name} = {short(chosen)}" for name, chosen in select.items())
        ax.set_title(title, loc="left")
    write_picture(figure, picture, dpi=150)
    click.echo(f"wrote {picture}")
