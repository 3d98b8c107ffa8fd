"""Results as labelled ``xarray`` datasets; ``reading`` is the way back.

Attributes carry everything that is not an array: the format and its version, the problem as JSON,
the statistics and the provenance. Nothing here depends on how a dataset is stored, or on the
classes of results: functions take a ``Solution``, an ``Ensemble`` or a ``ReplicaEnsemble`` as any
object with their fields.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.memory import require_memory
from lindmft._internal.optional import optional
from lindmft._internal.validation import refuse
from lindmft.problem.averages import to_table
from lindmft.problem.schema import to_json_line
from lindmft.results import observables
from lindmft.results.netcdf import ENSEMBLE, REPLICAS, SOLUTION, VERSION
from lindmft.results.observables import (
    LAYERED,
    TWO_TIME,
    Observable,
    Table,
    long_name,
    value_of,
)

if TYPE_CHECKING:
    import xarray as xr

STATE = "state."
"""The beginning of the names of arrays of the solver's state."""
SOLVER_STATE = "the solver's own"
OPTIONAL = ("rtol", "atol", "unstable_at", "predictable_until")
"""Numbers that a solution may not have; its file then has no such attribute."""


def solution_to_dataset(solution: Any, *, state: bool = False) -> "xr.Dataset":
    """Return the dataset of a ``Solution``.

    It has the dimensions time, layer, output, time_s if two-time functions were kept, and
    spectrum_time and ritz if the spectrum of the Hessian was asked for. Variables of the channels
    of several outputs begin with "channel0." and so on; on coarse grids each channel has separate
    times. The solver's state has separate dimensions, and variables that begin with "state.".
    """
    require_memory(_stacked_bytes(solution), "the dataset of a solution")
    variables = _variables(solution) | _spectrum(solution)
    times = _spectrum_coords([solution, *solution.channels])
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
        **_mode_coords(solution),
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
        **_optional_attributes(solution),
        **_average_attributes(solution),
        **_grid_attributes(solution),
        state_version=solution.state.version,
        channels=json.dumps([_channel_attributes(channel) for channel in solution.channels]),
    )


def _stacked_bytes(solution: Any) -> float:
    """Bytes of the layers' two-time functions, which become one array."""
    steps = len(solution.time)
    kept = sum(len(getattr(solution, name)) for name in LAYERED)
    return 8.0 * kept * steps**2 + sum(map(_stacked_bytes, solution.channels))


def _average_attributes(result: Any) -> dict[str, str]:
    return {} if result.average is None else {"average": json.dumps(to_table(result.average))}


def _grid_attributes(solution: Any) -> dict[str, Any]:
    return {"grid": solution.grid, "panels": json.dumps(solution.panels.tolist())}


def _optional_attributes(solution: Any) -> dict[str, float]:
    values = {name: getattr(solution, name) for name in OPTIONAL}
    return {name: value for name, value in values.items() if value is not None}


def _state_variables(solution: Any) -> dict[str, Any]:
    parts = {"": solution} | {f"channel{c}.": part for c, part in enumerate(solution.channels)}
    arrays = {
        f"{prefix}{STATE}{name}": array
        for prefix, part in parts.items()
        for name, array in part.state.items()
    }
    return {name: (_state_dimensions(array), array) for name, array in arrays.items()}


def _state_dimensions(array: Any) -> tuple[str, str]:
    """Return names of dimensions by their sizes; rows and columns must differ in square arrays."""
    rows, columns = array.shape
    return f"{STATE}row{rows}", f"{STATE}column{columns}"


def _variables(solution: Any) -> dict[str, Any]:
    """Return dimensions and values by name. Past a divergence everything is inf."""
    steps = len(solution.time)
    found: dict[str, Any] = {}
    for one in _kept(solution, observables.SOLUTION):
        value = value_of(solution, one)
        if not one.two_time:
            found[one.name] = one.dims, value
        elif not one.layered:
            found[one.name] = one.dims, _padded(value, steps)
        else:
            found[one.name] = one.dims, _padded(np.stack(_hidden(value)), steps)
            if one.layer_0:
                found[f"{one.name}0"] = TWO_TIME, _padded(value[0], steps)
    return found


def _spectrum(result: Any, *more_dims: str) -> dict[str, Any]:
    """Return dimensions and values of the Hessian's spectrum by name; empty if there is none."""
    return {
        one.name: ((*more_dims, *one.dims), value)
        for one in observables.SPECTRUM.values()
        if (value := value_of(result, one)) is not None
    }


def _mode_coords(result: Any) -> dict[str, Any]:
    """Return the numbers of the modes, if there are learning curves of modes."""
    return {"mode": np.arange(result.mode_loss.shape[-2])} if result.has("mode_loss") else {}


def _spectrum_coords(results: Iterable[Any]) -> dict[str, Any]:
    """Return the coordinates of the spectra, which channels have in common."""
    for result in results:
        if (found := vars(result).get("spectrum")) is not None:
            return {"spectrum_time": found.time, "ritz": np.arange(found.lanczos)}
    return {}


def _kept(result: Any, table: Table) -> list[Observable]:
    """Return the observables that a result has. A single output's losses are not stored twice."""
    several = result.problem.data.outputs > 1
    return [
        one
        for one in table.values()
        if (several or not one.by_output) and value_of(result, one) is not None
    ]


def _hidden(layers: Any) -> list[Any]:
    """Return the functions of the hidden layers; layer 0 has a separate name."""
    return [layers[layer] for layer in sorted(layers) if layer > 0]


def _of_channel(c: int, channel: Any) -> dict[str, Any]:
    own = {name: name for name in TWO_TIME} if channel.grid == "exact" else _own_names(c)
    return {
        f"channel{c}.{name}": (tuple(own.get(dim, dim) for dim in dims), array)
        for name, (dims, array) in (_variables(channel) | _spectrum(channel)).items()
    }


def _own_times(c: int, channel: Any) -> dict[str, Any]:
    """Return the coordinates of a channel on a coarse grid, whose nodes no other channel has."""
    if channel.grid == "exact":
        return {}
    used = {dim for dims, _ in _variables(channel).values() for dim in dims}
    names = {name: own for name, own in _own_names(c).items() if name in used}
    return {own: ((own,), channel.time) for own in names.values()}


def _own_names(c: int) -> dict[str, str]:
    return {name: f"channel{c}.{name}" for name in TWO_TIME}


def _channel_attributes(channel: Any) -> dict[str, Any]:
    return {
        "problem": to_json_line(channel.problem),
        "stats": json.dumps(asdict(channel.stats)),
        "provenance": json.dumps(dict(channel.provenance)),
        "irreducible": channel.irreducible,
        "diverged_at": -1 if channel.diverged_at is None else channel.diverged_at,
        **_optional_attributes(channel),
        **_average_attributes(channel),
        **_grid_attributes(channel),
    }


def ensemble_to_dataset(runs: Any) -> "xr.Dataset":
    """Return the dataset of an ``Ensemble``, with dimensions seed, time, layer and output."""
    outputs = {"output": np.arange(runs.test_loss_by_output.shape[1])}
    variables = _series(runs, observables.ENSEMBLE) | _spectrum(runs, "seed")
    coords = outputs | _mode_coords(runs) | _spectrum_coords([runs])
    return _training_dataset(ENSEMBLE, runs, variables, coords, **_ensemble_attributes(runs))


def _ensemble_attributes(runs: Any) -> dict[str, Any]:
    given = {"test_samples": runs.test_samples} if runs.test_samples else {}
    return {"noise_draw": runs.noise_draw, **given, **_average_attributes(runs)}


def replicas_to_dataset(runs: Any) -> "xr.Dataset":
    """Return the dataset of a ``ReplicaEnsemble``: seed, time, and layer for the widths."""
    variables = _series(runs, observables.REPLICA_ENSEMBLE)
    return _training_dataset(REPLICAS, runs, variables, {}, k_init=runs.k_init, k_data=runs.k_data)


def _series(runs: Any, table: Table) -> dict[str, Any]:
    return {one.name: (one.dims, value_of(runs, one)) for one in _kept(runs, table)}


def _training_dataset(
    form: str,
    runs: Any,
    variables: dict[str, Any],
    more_coords: dict[str, Any],
    **attrs: Any,
) -> "xr.Dataset":
    """Complete the dataset of trained networks: sizes, seeds and divergences."""
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


def _padded(array: Any, steps: int) -> Any:
    """Extend functions of two times by inf past a divergence, as in the losses."""
    missing = steps - array.shape[-1]
    edges = [(0, 0)] * (array.ndim - 2) + [(0, missing)] * 2
    return np.pad(array, edges, constant_values=np.inf) if missing else array


def _dataset(
    form: str, result: Any, variables: dict[str, Any], coords: dict[str, Any], **attrs: Any
) -> "xr.Dataset":
    dataset: xr.Dataset = optional("xarray", "io").Dataset(variables, coords)
    units = "learning rate times steps" if attrs.get("grid") == "flow" else "steps"
    for name in (*variables, *coords):
        own = name.split(".")[-1]
        dataset[name].attrs = (
            {"long_name": SOLVER_STATE, "units": "1"} if STATE in name else _attributes(own, units)
        )
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


def _attributes(name: str, time_units: str) -> dict[str, str]:
    """Return the attributes of a variable or coordinate, other than those of the state."""
    spectrum = observables.SPECTRUM.get(name)
    one = spectrum or observables.SOLUTION.get(name)
    units = spectrum.units if spectrum else "1"
    found = {
        "long_name": long_name(name),
        "units": time_units if name in {*TWO_TIME, "spectrum_time"} else units,
    }
    return found | ({"comment": one.undefined} if one and one.undefined else {})


def check_sweep(dataset: Any) -> None:
    """Refuse a dataset that ``sweep`` did not make."""
    known = isinstance(dataset, optional("xarray", "sweep").Dataset)
    if not known or not any(str(name).endswith("_status") for name in dataset.variables):
        refuse("dataset", "what sweep returns", "another dataset" if known else dataset)
