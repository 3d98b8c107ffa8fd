"""Results as labelled ``xarray`` datasets; ``reading`` is the way back.

Attributes carry everything that is not an array: the format and its version, the problem as JSON,
the statistics and the provenance. Nothing here depends on how a dataset is stored.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.memory import require_memory
from lindmft._internal.optional import optional
from lindmft._internal.validation import refuse
from lindmft.problem.schema import to_json_line
from lindmft.results.netcdf import ENSEMBLE, REPLICAS, SOLUTION, VERSION
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

if TYPE_CHECKING:
    import xarray as xr

    from lindmft.results.ensemble import Ensemble
    from lindmft.results.replica_ensemble import ReplicaEnsemble
    from lindmft.results.solution import Solution

LONG_NAMES = {
    "time": "training time",
    "time_s": "training time, second time of two-time functions",
    "layer": "hidden layer; at infinite depth, number of the collocation node",
    "depth": "hidden layer l; at infinite depth, tau = l/L",
    "output": "output",
    "seed": "random seed of the network, its data and noise",
    "test_loss": "test loss, excess over the irreducible noise",
    "train_loss": "training loss",
    "test_loss_by_output": "test loss of each output",
    "train_loss_by_output": "training loss of each output",
    "shared_init": "overlap of networks with the same initial weights and other data",
    "shared_data": "overlap of networks with the same data and other initial weights",
    "independent": "overlap of networks that share neither: the bias",
    "averaged_loss": "test loss of the prediction averaged over all networks of a seed",
    "kernel_scale": "neural tangent kernel in a random direction",
    "kernel_target": "neural tangent kernel in the direction of the target",
    "kernel_gradient": "neural tangent kernel in the direction of the gradient",
    "undefined": "number of kernels whose direction does not exist",
    "term_target": "test loss: target not learned yet",
    "term_init": "test loss: initial weights at finite width",
    "term_data": "test loss: finite data",
    "feature_norm": "squared norm of h per hidden unit",
    "gradient_norm": "squared norm of g per hidden unit",
    "feature_update": "squared change of h since initialization per hidden unit",
    "gradient_update": "squared change of g since initialization per hidden unit",
    "chain_residual": "relative violation of the chain identity",
    "width": "hidden units",
    "diverged_at": "first diverged step, -1 for none",
    "C_h": "correlation of h",
    "C_h0": "correlation of the data gradient h^0",
    "C_g": "correlation of g",
    "R_hr": "response of h to r",
    "R_hr0": "response of the data gradient h^0 to r^0",
    "R_gu": "response of g to u",
    "C_v": "correlation of the discrepancy, weighted by the input covariance",
    "C_delta": "correlation of the training errors",
    "R_delta": "response of the training errors",
}
TWO_TIME = ("time", "time_s")
STATE = "state."


def solution_to_dataset(solution: "Solution", *, state: bool = False) -> "xr.Dataset":
    """Dimensions time, layer, output, and time_s if two-time functions were kept.

    Variables of the channels of several outputs begin with "channel0." and so on; on coarse grids
    they have times of their own. The solver's state has dimensions of its own, and variables that
    begin with "state.".
    """
    require_memory(_stacked_bytes(solution), "the dataset of a solution")
    variables = _variables(solution)
    times: dict[str, Any] = {}
    for c, channel in enumerate(solution.channels):
        variables |= _of_channel(c, channel)
        times |= _own_times(c, channel)
    if state:
        variables |= _state_variables(solution)
    coords: dict[str, Any] = {
        "time": solution.time,
        "layer": np.arange(1, len(solution.depth) + 1),
        "depth": (("layer",), solution.depth),
        "output": np.arange(len(solution.test_loss_by_output)),
        **times,
    }
    if any(TWO_TIME[1] in dims for dims, _ in variables.values()):
        coords["time_s"] = solution.time
    diverged = -1 if solution.diverged_at is None else solution.diverged_at
    return _dataset(
        SOLUTION,
        solution,
        variables,
        coords,
        irreducible=solution.irreducible,
        diverged_at=diverged,
        **_grid_attributes(solution),
        state_version=solution.state.version,
        channels=json.dumps([_channel_attributes(channel) for channel in solution.channels]),
    )


def _stacked_bytes(solution: "Solution") -> float:
    """Of the layers' two-time functions, which become one array."""
    steps = len(solution.time)
    kept = sum(len(getattr(solution, name)) for name in LAYERED if solution.has(name))
    return 8.0 * kept * steps**2 + sum(map(_stacked_bytes, solution.channels))


def _grid_attributes(solution: "Solution") -> dict[str, Any]:
    tolerances = {"rtol": solution.rtol, "atol": solution.atol}
    return {
        "grid": solution.grid,
        "panels": json.dumps(solution.panels.tolist()),
        **{name: value for name, value in tolerances.items() if value is not None},
    }


def _state_variables(solution: "Solution") -> dict[str, Any]:
    parts = {"": solution} | {f"channel{c}.": part for c, part in enumerate(solution.channels)}
    arrays = {
        f"{prefix}{STATE}{name}": array
        for prefix, part in parts.items()
        for name, array in part.state.items()
    }
    return {name: (_state_dimensions(array), array) for name, array in arrays.items()}


def _state_dimensions(array: Any) -> tuple[str, str]:
    """By size, so that few serve all arrays; the two of a square array must have two names."""
    rows, columns = array.shape
    return f"{STATE}row{rows}", f"{STATE}column{columns}"


def _variables(solution: "Solution") -> dict[str, Any]:
    steps = len(solution.time)
    variables: dict[str, Any] = {name: (("time",), getattr(solution, name)) for name in LOSSES}
    variables |= {name: (("layer", "time"), getattr(solution, name)) for name in NORMS}
    if len(solution.test_loss_by_output) > 1:
        variables |= {name: (("output", "time"), getattr(solution, name)) for name in BY_OUTPUT}
    if solution.replicas is not None:
        variables |= {name: (("time",), getattr(solution.replicas, name)) for name in SHARED}
    kernels = {name: getattr(solution, name) for name in KERNELS}
    variables |= {name: (("time",), array) for name, array in kernels.items() if array is not None}
    return variables | {
        name: (dims, _padded(array, steps)) for name, (dims, array) in _two_time(solution).items()
    }


def _of_channel(c: int, channel: "Solution") -> dict[str, Any]:
    own = {name: name for name in TWO_TIME} if channel.grid == "exact" else _own_names(c)
    return {
        f"channel{c}.{name}": (tuple(own.get(dim, dim) for dim in dims), array)
        for name, (dims, array) in _variables(channel).items()
    }


def _own_times(c: int, channel: "Solution") -> dict[str, Any]:
    """Coordinates of a channel on a coarse grid, which has nodes of its own."""
    if channel.grid == "exact":
        return {}
    used = {dim for dims, _ in _variables(channel).values() for dim in dims}
    names = {name: own for name, own in _own_names(c).items() if name in used}
    return {own: ((own,), channel.time) for own in names.values()}


def _own_names(c: int) -> dict[str, str]:
    return {name: f"channel{c}.{name}" for name in TWO_TIME}


def _channel_attributes(channel: "Solution") -> dict[str, Any]:
    return {
        "problem": to_json_line(channel.problem),
        "stats": json.dumps(asdict(channel.stats)),
        "provenance": json.dumps(dict(channel.provenance)),
        "irreducible": channel.irreducible,
        "diverged_at": -1 if channel.diverged_at is None else channel.diverged_at,
        **_grid_attributes(channel),
    }


def ensemble_to_dataset(runs: "Ensemble") -> "xr.Dataset":
    """Dimensions seed, time, layer and output."""
    series = ("test_loss", "train_loss", "chain_residual")
    variables: dict[str, Any] = {name: (("seed", "time"), getattr(runs, name)) for name in series}
    variables |= {name: (("seed", "layer", "time"), getattr(runs, name)) for name in NORMS}
    if runs.test_loss_by_output.shape[1] > 1:
        variables |= {name: (("seed", "output", "time"), getattr(runs, name)) for name in BY_OUTPUT}
    dims = dict.fromkeys(KERNELS, ("seed", "time")) | dict.fromkeys(
        UPDATES, ("seed", "layer", "time")
    )
    variables |= {
        name: (dims[name], array)
        for name in (*KERNELS, *UPDATES)
        if (array := getattr(runs, name)) is not None
    }
    outputs = {"output": np.arange(runs.test_loss_by_output.shape[1])}
    return _training_dataset(ENSEMBLE, runs, variables, outputs, noise_draw=runs.noise_draw)


def replicas_to_dataset(runs: "ReplicaEnsemble") -> "xr.Dataset":
    """Dimensions seed, time and layer (of the widths)."""
    found = {name: getattr(runs, name) for name in (*OVERLAPS, "averaged_loss")}
    variables = {
        name: (("seed", "time"), array) for name, array in found.items() if array is not None
    }
    return _training_dataset(REPLICAS, runs, variables, {}, k_init=runs.k_init, k_data=runs.k_data)


def _training_dataset(
    form: str,
    runs: "Ensemble | ReplicaEnsemble",
    variables: dict[str, Any],
    more_coords: dict[str, Any],
    **attrs: Any,
) -> "xr.Dataset":
    """What datasets of trained networks have in common."""
    diverged = np.array([-1 if step is None else step for step in runs.diverged_at])
    variables |= {
        "width": (("layer",), np.array(runs.widths)),
        "diverged_at": (("seed",), diverged),
    }
    coords = {
        "seed": np.array(runs.seeds, dtype=np.uint64),
        "time": runs.time,
        "layer": np.arange(1, len(runs.widths) + 1),
        **more_coords,
    }
    sizes = {"dim": runs.dim, "samples": runs.samples, "irreducible": runs.irreducible}
    return _dataset(form, runs, variables, coords, **sizes, dtype=runs.dtype, **attrs)


def _two_time(solution: "Solution") -> dict[str, tuple[tuple[str, ...], Any]]:
    """Kept two-time functions; layer 0, the data gradient and no hidden layer, by its own name."""
    found: dict[str, tuple[tuple[str, ...], Any]] = {}
    for name in LAYERED:
        layers = getattr(solution, name)
        if layers:
            found[name] = (
                ("layer", *TWO_TIME),
                np.stack([layers[layer] for layer in sorted(layers) if layer > 0]),
            )
        if 0 in layers:
            found[f"{name}0"] = (TWO_TIME, layers[0])
    single = {name: getattr(solution, name) for name in SINGLE}
    return found | {name: (TWO_TIME, array) for name, array in single.items() if array is not None}


def _padded(array: Any, steps: int) -> Any:
    """Past a divergence everything is inf, as in the losses."""
    missing = steps - array.shape[-1]
    edges = [(0, 0)] * (array.ndim - 2) + [(0, missing)] * 2
    return np.pad(array, edges, constant_values=np.inf) if missing else array


def _dataset(
    form: str, result: Any, variables: dict[str, Any], coords: dict[str, Any], **attrs: Any
) -> "xr.Dataset":
    dataset: xr.Dataset = optional("xarray", "io").Dataset(variables, coords)
    units = "learning rate times steps" if attrs.get("grid") == "flow" else "steps"
    for name in (*variables, *coords):
        dataset[name].attrs = {
            "long_name": "the solver's own" if STATE in name else LONG_NAMES[name.split(".")[-1]],
            "units": units if name.split(".")[-1] in TWO_TIME else "1",
        }
        if name.split(".")[-1] in DIRECTIONS:
            dataset[name].attrs["comment"] = "nan where the direction does not exist"
    dataset.attrs = {
        "format": form,
        "format_version": VERSION,
        "title": "Training dynamics of wide deep linear networks, computed by lindmft",
        "problem": to_json_line(result.problem),
        "stats": json.dumps(asdict(result.stats)),
        "provenance": json.dumps(dict(result.provenance)),
        **attrs,
    }
    return dataset


def check_sweep(dataset: Any) -> None:
    """Refuse what is no dataset of a sweep."""
    known = isinstance(dataset, optional("xarray", "sweep").Dataset)
    if not known or not any(str(name).endswith("_status") for name in dataset.variables):
        refuse("dataset", "what sweep returns", "another dataset" if known else dataset)
