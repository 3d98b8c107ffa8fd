"""Results from datasets: the inverse of ``dataset``. Everything that is read is validated."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import choice, describe, increasing, refuse, tuple_of_numbers
from lindmft.problem.averages import Average, from_table
from lindmft.problem.problem import Problem
from lindmft.results.assembly import observables_from
from lindmft.results.content import Content
from lindmft.results.dataset import OPTIONAL, STATE
from lindmft.results.observables import (
    ENSEMBLE,
    REPLICA_ENSEMBLE,
    SOLUTION,
    SPECTRUM,
    SQUARES,
    TWO_TIME,
    Observable,
    Table,
)
from lindmft.results.own_arrays import EXTERNAL
from lindmft.results.solve_stats import SolveStats
from lindmft.results.spectrum import HessianSpectrum, spectrum_from
from lindmft.results.state import STATE_VERSION, State
from lindmft.results.statistics import DOUBLE, TrainStats, checked_dtype

if TYPE_CHECKING:
    import xarray as xr

GRIDS = ("exact", "adaptive", "flow")
"""Kinds of grids of times."""


def solution_from_dataset(dataset: "xr.Dataset", solution: type[Any]) -> dict[str, Any]:
    """Return the fields of the ``Solution``, whose channels become instances of this class."""
    content = Content(dataset)
    fields = _solution_fields(content)
    outputs = fields["problem"].data.outputs
    channels = content.tables("channels", list, "[]")
    if channels and len(channels) != outputs:
        refuse("channels", f"one for each of {outputs} outputs", channels)
    version = content.whole("state_version", STATE_VERSION)
    fields["channels"] = tuple(
        solution(
            **_solution_fields(_channel(dataset, c, attrs)),
            state=_state(content, f"channel{c}.", version),
        )
        for c, attrs in enumerate(channels)
    )
    return {**fields, "state": _state(content, "", version)}


def ensemble_from_dataset(dataset: "xr.Dataset") -> dict[str, Any]:
    """Return the fields of the ``Ensemble``."""
    content = Content(dataset)
    fields = _training_fields(content)
    # Networks that another program trained may have some observables only.
    some = fields["stats"].method == EXTERNAL
    return {
        **fields,
        **_series(content, ENSEMBLE, fields["problem"], some=some),
        "noise_draw": content.whole("noise_draw", 0),
        "test_samples": content.whole("test_samples", 0),
        "average": _average(content),
        "spectrum": _spectrum(content, "seed"),
    }


def replicas_from_dataset(dataset: "xr.Dataset") -> dict[str, Any]:
    """Return the fields of the ``ReplicaEnsemble``."""
    content = Content(dataset)
    fields = _training_fields(content)
    return {
        **fields,
        **_series(content, REPLICA_ENSEMBLE, fields["problem"]),
        **{name: content.whole(name) for name in ("k_init", "k_data")},
    }


def _solution_fields(content: Content) -> dict[str, Any]:
    fields = _common(content, SolveStats)
    series = _series(content, SOLUTION, fields["problem"])
    for name, values in series.items():
        if SOLUTION[name].kind == SQUARES and not SOLUTION[name].asked:
            # Earlier versions wrote values below zero that rounding had made of zeros.
            series[name] = np.maximum(values, 0.0)
    fields["diverged_at"] = _diverged(content.whole("diverged_at"), "diverged_at")
    fields["irreducible"] = content.number("irreducible")
    # Files of version 1 have the layers, and no depth.
    fields["depth"] = content.array("depth" if "depth" in content else "layer", "layer") * 1.0
    fields |= _grid(content, len(fields["time"])) | _optional(content)
    fields["spectrum"] = _spectrum(content)
    fields["average"] = _average(content)
    valid = _valid(series["test_loss"], fields["diverged_at"])
    several = bool(content.tables("channels", list, "[]"))
    return fields | observables_from(series | _functions(content, valid), in_channels=several)


def _series(
    content: Content, table: Table, problem: Problem, *, some: bool = False
) -> dict[str, Any]:
    """Return the series of the table that the file has. Series of every result must be there.

    Files of earlier versions do not have series that were added later. Of the series that a field
    holds together, the file has all or none.
    """
    parts = {one.part for one in table.values() if one.part and one.name in content}
    return {
        one.name: _one_series(content, one, problem, some)
        for one in table.values()
        if not one.two_time
        and (one.name in content or one.part in parts or not (one.asked or one.added))
    }


def _one_series(content: Content, one: Observable, problem: Problem, some: bool) -> Array:
    if one.by_output:
        return _by_output(content, one, problem.data.outputs, some)
    return content.array(one.name, *one.dims, undefined=some or bool(one.undefined))


def _valid(loss: Array, diverged_at: int | None) -> int:
    """Return the number of valid times: all, or those before a divergence, where all is inf."""
    finite = np.isfinite(loss)
    valid = int(finite.sum())
    if not finite[:valid].all() or (diverged_at is None and valid < len(finite)):
        refuse("test_loss", "finite up to a divergence, and inf from there on", loss)
    return valid


def _functions(content: Content, valid: int) -> dict[str, Any]:
    """Return the two-time functions that were kept, as far as they are valid."""
    found: dict[str, Any] = {}
    for one in SOLUTION.values():
        if not one.two_time:
            continue
        first = f"{one.name}0"
        if one.layer_0 and (one.name in content) != (first in content):
            raise ValueError(f"{one.name} and {first} must both be there, got one of them")
        if one.name not in content:
            continue
        kept = content.array(one.name, *one.dims)[..., :valid, :valid]
        input_layer = [content.array(first, *TWO_TIME)[:valid, :valid]] if one.layer_0 else []
        found[one.name] = [*input_layer, *kept] if one.layered else kept
    return found


def _grid(content: Content, nodes: int) -> dict[str, Any]:
    """Return the fields about the grid of times. Versions 1 and 2 only have exact grids."""
    panels = content.tables("panels", list, "[]")
    edges = np.array(tuple_of_numbers(panels, "panels"))
    if len(edges) and (edges[0] != 0 or edges[-1] > nodes or (np.diff(edges) < 1).any()):
        refuse("panels", f"increasing numbers of nodes from 0 to at most {nodes}", panels)
    return {
        "grid": choice(*GRIDS)(content.text("grid", "exact"), "grid"),
        "panels": edges.astype(int),
    }


def _optional(content: Content) -> dict[str, float]:
    found = {name: content.number(name) for name in OPTIONAL if name in content.attrs}
    for name, value in found.items():
        if not 0 <= value < math.inf:
            refuse(name, "finite and not negative", value)
    return found


def _average(content: Content) -> Average | None:
    """Return the average of the weights, which is there with its loss; None without one."""
    if ("average" in content.attrs) != ("average_loss" in content):
        raise ValueError("average and average_loss must both be there, got one of them")
    return from_table(content.tables("average")) if "average" in content.attrs else None


def _spectrum(content: Content, *more_dims: str) -> HessianSpectrum | None:
    """Return the spectrum of the Hessian, or None. That of networks has more dimensions."""
    if "sharpness" not in content:
        return None
    time = content.array("spectrum_time", "spectrum_time")
    if not len(time) or not increasing(time) or not (time[0] >= 0 and time[-1] < math.inf):
        refuse("spectrum_time", "finite, increasing from 0 on, and at least one", time)
    arrays = {
        one.name: content.array(one.name, *more_dims, *one.dims, undefined=bool(one.undefined))
        for one in SPECTRUM.values()
        if not (more_dims and one.of_theory)
    }
    if not arrays["target_ritz"].shape[-1]:
        refuse("target_ritz", "at least one Ritz value", arrays["target_ritz"])
    return spectrum_from({"spectrum_time": time, **arrays})


def _channel(dataset: "xr.Dataset", c: int, attrs: Any) -> Content:
    """Return the variables of one channel, by their names without the channel."""
    if not isinstance(attrs, dict):
        refuse(f"channels[{c}]", "a table", attrs)
    prefix = f"channel{c}."
    mine = [str(name) for name in dataset.data_vars if str(name).startswith(prefix)]
    chosen = dataset[mine]
    named = [str(name) for name in chosen.variables if str(name).startswith(prefix)]
    renamed = {name: name.removeprefix(prefix) for name in named}
    return Content(chosen.rename(renamed).assign_attrs(attrs))


def _state(content: Content, prefix: str, version: int) -> State:
    start = f"{prefix}{STATE}"
    found = [str(name) for name in content.dataset.data_vars if str(name).startswith(start)]
    arrays = {}
    for name in found:
        dims = tuple(map(str, content.dataset[name].dims))
        array = content.array(name, *dims)
        if array.ndim != 2 or not np.isfinite(array).all():
            refuse(name, "a finite two-dimensional array", array)
        arrays[name.removeprefix(start)] = array
    return State(arrays, version)


def _training_fields(content: Content) -> dict[str, Any]:
    fields = _common(content, TrainStats)
    seeds, lost = content.array("seed", "seed"), content.array("diverged_at", "seed")
    widths = content.array("width", "layer")
    for name, array in {"seed": seeds, "diverged_at": lost, "width": widths}.items():
        if array.dtype.kind not in "iu":
            refuse(name, "whole numbers", array)
    if len(widths) != fields["problem"].network.depth:
        refuse("width", f"a number for each of {fields['problem'].network.depth} layers", widths)
    dtype = checked_dtype(content.text("dtype", DOUBLE))
    return {
        **fields,
        "dim": content.whole("dim"),
        "dtype": dtype,
        "samples": content.whole("samples"),
        "widths": tuple(int(width) for width in widths),
        "seeds": tuple(int(seed) for seed in seeds),
        "diverged_at": tuple(_diverged(int(step), "diverged_at") for step in lost),
    }


def _by_output(content: Content, one: Observable, outputs: int, some: bool) -> Array:
    """Return losses by output. A file of a single output has them under the name of the loss."""
    if one.name not in content and outputs == 1:
        dims = [dim for dim in one.dims if dim != "output"]
        whole = content.array(one.name.removesuffix("_by_output"), *dims, undefined=some)
        return np.expand_dims(whole, one.dims.index("output"))
    losses = content.array(one.name, *one.dims, undefined=some)
    if losses.shape[-2] != outputs:
        refuse(one.name, f"losses of {outputs} outputs", losses)
    return losses


def _diverged(step: int, field: str) -> int | None:
    if step < -1:
        refuse(field, "a step, or -1 for none", step)
    return step if step >= 0 else None


def _common(content: Content, stats: type[Any]) -> dict[str, Any]:
    """Return the fields that all results have: problem, times, work and provenance."""
    problem = Problem.from_dict(content.tables("problem"))
    time = content.array("time", "time")
    if not len(time) or not time[0] >= 0 or not increasing(time) or time[-1] == math.inf:
        refuse("time", "increasing from 0 on, and at least one", time)
    layers = content.dataset.sizes.get("layer")
    if problem.network.depth not in {layers, math.inf}:
        raise ValueError(
            f"layer must be a dimension of {describe(problem.network.depth)} entries, got {layers}"
        )
    return {
        "problem": problem,
        "time": time,
        "stats": content.config("stats", stats),
        "provenance": content.texts("provenance"),
    }
