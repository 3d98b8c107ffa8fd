"""Results as labelled ``xarray`` datasets, and back.

Attributes carry everything that is not an array: the format and its version, the problem as JSON,
the statistics and the provenance. Nothing here depends on how a dataset is stored.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._files import ENSEMBLE, SOLUTION, VERSION
from lindmft._optional import optional
from lindmft._schema import spell_inf
from lindmft.problem import Problem
from lindmft.theory import LAYERED, Layers, Solution, SolveStats
from lindmft.training import Ensemble, TrainStats

if TYPE_CHECKING:
    import xarray as xr

LONG_NAMES = {
    "time": "optimizer steps taken",
    "time_s": "optimizer steps taken, second time of two-time functions",
    "layer": "hidden layer",
    "seed": "random seed of the network, its data and noise",
    "test_loss": "test loss, excess over the irreducible noise",
    "train_loss": "training loss",
    "term_target": "test loss: target not learned yet",
    "term_init": "test loss: initial weights at finite width",
    "term_data": "test loss: finite data",
    "feature_norm": "squared norm of h per hidden unit",
    "gradient_norm": "squared norm of g per hidden unit",
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
LOSSES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
NORMS = ("feature_norm", "gradient_norm")
TWO_TIME = ("time", "time_s")


def solution_to_dataset(solution: Solution) -> "xr.Dataset":
    """Dimensions time, layer, and time_s if two-time functions were kept."""
    steps = len(solution.time)
    variables: dict[str, Any] = {name: (("time",), getattr(solution, name)) for name in LOSSES}
    variables |= {name: (("layer", "time"), getattr(solution, name)) for name in NORMS}
    variables |= {
        name: (dims, _padded(array, steps)) for name, (dims, array) in _two_time(solution).items()
    }
    coords: dict[str, Any] = {
        "time": solution.time,
        "layer": np.arange(1, len(solution.feature_norm) + 1),
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
    )


def solution_from_dataset(dataset: "xr.Dataset") -> dict[str, Any]:
    """The fields of the ``Solution``."""
    diverged = int(dataset.attrs["diverged_at"])
    valid = diverged if diverged >= 0 else dataset.sizes["time"]
    names = [str(name) for name in dataset.data_vars if "time_s" in dataset[name].dims]
    kept = {name: dataset[name].values[..., :valid, :valid] for name in names}
    fields: dict[str, Any] = {name: dataset[name].values for name in ("time", *LOSSES, *NORMS)}
    for name in LAYERED:
        forward = [kept.pop(f"{name}0")] if f"{name}0" in kept else []
        fields[name] = Layers(name, [*forward, *kept.pop(name, ())])
    return {
        **fields,
        **kept,
        **_common(dataset),
        "stats": SolveStats(**json.loads(dataset.attrs["stats"])),
        "irreducible": float(dataset.attrs["irreducible"]),
        "diverged_at": diverged if diverged >= 0 else None,
    }


def ensemble_to_dataset(runs: Ensemble) -> "xr.Dataset":
    """Dimensions seed, time and layer."""
    diverged = np.array([-1 if step is None else step for step in runs.diverged_at])
    series = ("test_loss", "train_loss", "chain_residual")
    variables: dict[str, Any] = {name: (("seed", "time"), getattr(runs, name)) for name in series}
    variables |= {name: (("seed", "layer", "time"), getattr(runs, name)) for name in NORMS}
    variables |= {
        "width": (("layer",), np.array(runs.widths)),
        "diverged_at": (("seed",), diverged),
    }
    coords = {
        "seed": np.array(runs.seeds, dtype=np.uint64),
        "time": runs.time,
        "layer": np.arange(1, len(runs.widths) + 1),
    }
    sizes = {"dim": runs.dim, "samples": runs.samples}
    return _dataset(ENSEMBLE, runs, variables, coords, irreducible=runs.irreducible, **sizes)


def ensemble_from_dataset(dataset: "xr.Dataset") -> dict[str, Any]:
    """The fields of the ``Ensemble``."""
    names = ("time", "test_loss", "train_loss", "chain_residual", *NORMS)
    return {
        **{name: dataset[name].values for name in names},
        **_common(dataset),
        "stats": TrainStats(**json.loads(dataset.attrs["stats"])),
        "dim": int(dataset.attrs["dim"]),
        "samples": int(dataset.attrs["samples"]),
        "widths": tuple(int(width) for width in dataset["width"].values),
        "seeds": tuple(int(seed) for seed in dataset["seed"].values),
        "diverged_at": tuple(
            int(step) if step >= 0 else None for step in dataset["diverged_at"].values
        ),
    }


def _two_time(solution: Solution) -> dict[str, tuple[tuple[str, ...], Any]]:
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
    single = {name: getattr(solution, name) for name in ("C_v", "C_delta", "R_delta")}
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
    for name in (*variables, *coords):
        dataset[name].attrs = {
            "long_name": LONG_NAMES[name],
            "units": "steps" if name in TWO_TIME else "1",
        }
    dataset.attrs = {
        "format": form,
        "format_version": VERSION,
        "title": "Training dynamics of wide deep linear networks, computed by lindmft",
        "problem": json.dumps(spell_inf(result.problem.to_dict())),
        "stats": json.dumps(asdict(result.stats)),
        "provenance": json.dumps(dict(result.provenance)),
        **attrs,
    }
    return dataset


def _common(dataset: "xr.Dataset") -> dict[str, Any]:
    return {
        "problem": Problem.from_dict(json.loads(dataset.attrs["problem"])),
        "provenance": json.loads(dataset.attrs["provenance"]),
    }
