"""Results from datasets: the way back from ``dataset``, which takes nothing on trust."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.types import Array
from lindmft._internal.validation import choice, describe, increasing, refuse, tuple_of_numbers
from lindmft.problem.problem import Problem
from lindmft.results.content import Content
from lindmft.results.dataset import STATE, TWO_TIME
from lindmft.results.layers import Layers
from lindmft.results.observables import (
    BY_OUTPUT,
    DIRECTIONS,
    KERNELS,
    LAYERED,
    LOSSES,
    NORMS,
    OVERLAPS,
    SHARED,
    SINGLE,
    UPDATES,
)
from lindmft.results.replicas import Replicas
from lindmft.results.solve_stats import SolveStats
from lindmft.results.state import STATE_VERSION, State
from lindmft.results.statistics import DOUBLE, TrainStats, checked_dtype

if TYPE_CHECKING:
    import xarray as xr

FORWARD = ("C_h", "R_hr")
"""Have a layer 0, which is kept by a name of its own."""
GRIDS = ("exact", "adaptive", "flow")


def solution_from_dataset(dataset: "xr.Dataset", solution: type[Any]) -> dict[str, Any]:
    """The fields of the ``Solution``, whose channels are built as this class."""
    content = Content(dataset)
    fields = _solution_fields(content)
    outputs = len(fields["problem"].data.targets)
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
    """The fields of the ``Ensemble``."""
    content = Content(dataset)
    fields = _training_fields(content)
    series = ("test_loss", "train_loss", "chain_residual")
    optional = {
        **dict.fromkeys(KERNELS, ("seed", "time")),
        **dict.fromkeys(UPDATES, ("seed", "layer", "time")),
    }
    return {
        **fields,
        **{name: content.array(name, "seed", "time") for name in series},
        **{name: content.array(name, "seed", "layer", "time") for name in NORMS},
        **{name: _by_output(content, name, fields["problem"], "seed") for name in BY_OUTPUT},
        **{
            name: content.array(name, *dims, missing=name in DIRECTIONS)
            for name, dims in optional.items()
            if name in content
        },
        "noise_draw": content.whole("noise_draw", 0),
    }


def replicas_from_dataset(dataset: "xr.Dataset") -> dict[str, Any]:
    """The fields of the ``ReplicaEnsemble``."""
    content = Content(dataset)
    overlaps = ("seed", "time")
    return {
        **{name: content.array(name, *overlaps) for name in ("test_loss", "averaged_loss")},
        **{name: content.array(name, *overlaps) if name in content else None for name in SHARED},
        **{name: content.whole(name) for name in ("k_init", "k_data")},
        **_training_fields(content),
    }


def _solution_fields(content: Content) -> dict[str, Any]:
    fields = _common(content, SolveStats)
    series = {name: content.array(name, "time") for name in LOSSES}
    series |= {name: content.array(name, "layer", "time") for name in NORMS}
    series |= {name: _by_output(content, name, fields["problem"]) for name in BY_OUTPUT}
    # Earlier versions wrote zeros that had come out below zero by rounding.
    fields |= {name: np.maximum(array, 0.0) for name, array in series.items()}
    kernels = [name for name in KERNELS if name in content]
    fields |= {name: content.array(name, "time", missing=name in DIRECTIONS) for name in kernels}
    fields["diverged_at"] = _diverged(content.whole("diverged_at"), "diverged_at")
    fields["irreducible"] = content.number("irreducible")
    # Files of version 1 know no depth but the layers.
    fields["depth"] = content.array("depth" if "depth" in content else "layer", "layer") * 1.0
    if SHARED[0] in content:
        fields["replicas"] = Replicas(**{name: content.array(name, "time") for name in OVERLAPS})
    fields |= _grid(content, len(fields["time"]))
    return fields | _functions(content, _valid(fields))


def _valid(fields: dict[str, Any]) -> int:
    """The number of valid times: all, or those before a divergence, where everything is inf."""
    finite = np.isfinite(fields["test_loss"])
    valid = int(finite.sum())
    if not finite[:valid].all() or (fields["diverged_at"] is None and valid < len(finite)):
        refuse("test_loss", "finite up to a divergence, and only so far", fields["test_loss"])
    return valid


def _functions(content: Content, valid: int) -> dict[str, Any]:
    """Two-time functions that were kept, as far as they are valid."""

    def kept(name: str, *dims: str) -> Array | None:
        if name not in content:
            return None
        return content.array(name, *dims, *TWO_TIME)[..., :valid, :valid]

    fields: dict[str, Any] = {}
    for name in LAYERED:
        forward, layers = kept(f"{name}0"), kept(name, "layer")
        if name in FORWARD and (forward is None) != (layers is None):
            raise ValueError(f"{name} and {name}0 must both be there, got one of them")
        first = [] if forward is None else [forward]
        fields[name] = Layers(name, [*first, *([] if layers is None else layers)])
    return fields | {name: array for name in SINGLE if (array := kept(name)) is not None}


def _grid(content: Content, nodes: int) -> dict[str, Any]:
    """Files of versions 1 and 2 have exact grids alone."""
    panels = content.tables("panels", list, "[]")
    edges = np.array(tuple_of_numbers(panels, "panels"))
    if len(edges) and (edges[0] != 0 or edges[-1] > nodes or (np.diff(edges) < 1).any()):
        refuse("panels", f"increasing numbers of nodes from 0 to at most {nodes}", panels)
    return {
        "grid": choice(*GRIDS)(content.text("grid", "exact"), "grid"),
        "panels": edges.astype(int),
        **{name: content.number(name) for name in ("rtol", "atol") if name in content.attrs},
    }


def _channel(dataset: "xr.Dataset", c: int, attrs: Any) -> Content:
    """The variables of one channel by their own names."""
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


def _by_output(content: Content, name: str, problem: Problem, *first: str) -> Array:
    """Losses by output: a single output's are not stored twice."""
    outputs = len(problem.data.targets)
    if name not in content and outputs == 1:
        whole = content.array(name.removesuffix("_by_output"), *first, "time")
        return np.expand_dims(whole, len(first))
    losses = content.array(name, *first, "output", "time")
    if losses.shape[-2] != outputs:
        refuse(name, f"losses of {outputs} outputs", losses)
    return losses


def _diverged(step: int, field: str) -> int | None:
    if step < -1:
        refuse(field, "a step, or -1 for none", step)
    return step if step >= 0 else None


def _common(content: Content, stats: type[Any]) -> dict[str, Any]:
    """What all results have: the problem, the times, the layers and where it came from."""
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
