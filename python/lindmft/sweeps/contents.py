"""Reading the store of a sweep: its group, its dataset, and texts about its points."""

import json
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.files import too_long
from lindmft._internal.optional import optional
from lindmft._internal.types import Mask, Path
from lindmft.results.content import CHECKSUM
from lindmft.sweeps.integrity import check_checksums, lost, over_points, reading
from lindmft.sweeps.stages import FAILED, PENDING, STAGES, UNTRAINABLE

if TYPE_CHECKING:
    import xarray as xr

FORM = "lindmft-sweep"
VERSION = 2
"""Version 2 has the array ``origins``, the state "untrainable", and the attribute ``chunks``."""
MARKS, CLAIMS, TEXTS, ORIGINS = "marks", "claims", "errors", "origins"
FIRST_ZARR = 3
"""First major version of the package zarr that reads format 3."""
MEANINGS = {
    "status": "state of the point",
    "diverged_at": "first diverged step, -1 for none",
}


def open_group(path: Path) -> Any:
    """Open the group of a sweep's store; anything else is a ``ValueError``."""
    zarr = require_zarr()
    target = FilePath(path)
    if not occupied(target):
        raise FileNotFoundError(f"{path} must be the store of a sweep, got nothing there")
    try:
        group = zarr.open_group(target, mode="r+", zarr_format=3, use_consolidated=False)
        form, version = group.attrs.get("format"), group.attrs.get("format_version")
    except Exception as error:  # the library below raises many kinds for the same thing
        raise ValueError(
            f"{path} must be the store of a sweep, got something else there: {error}"
        ) from error
    if form != FORM:
        raise ValueError(f"{path} must be the store of a sweep, got one of another program")
    if version not in range(1, VERSION + 1):
        raise ValueError(
            f"{path} must have a format_version up to {VERSION}, got {version}: "
            "it needs a newer lindmft"
        )
    check_checksums(group)
    return group


def require_zarr() -> Any:
    """Return the package zarr; version 2 is refused, because it cannot read stores of format 3."""
    zarr = optional("zarr", "sweep")
    if int(zarr.__version__.partition(".")[0]) < FIRST_ZARR:
        raise ImportError(
            f"stores of sweeps have Zarr format 3, which zarr {zarr.__version__} cannot read. "
            "Install a newer one: pip install 'lindmft[sweep]'"
        )
    return zarr


def chunk_sizes(group: Any) -> dict[str, Any]:
    """Return the number of points of a block along every axis, by stage."""
    return table(group, "chunks" if "chunks" in group.attrs else "tiles")  # as in version 1


def table(group: Any, name: str) -> dict[str, Any]:
    """Read an attribute that is JSON text."""
    with reading(group.store):
        found: dict[str, Any] = json.loads(group.attrs[name])
    return found


def is_set(array: Any, block: tuple[int, ...]) -> bool:
    """Whether a block has a mark or a claim; one that cannot be read counts as none."""
    try:
        return bool(array[block])
    except Exception:  # the libraries below raise many kinds for a damaged chunk
        return False


def all_set(array: Any, blocks: Iterable[tuple[int, ...]]) -> Mask:
    """Return which blocks have a mark."""
    try:
        found: Mask = np.asarray(array[...]) > 0
    except Exception:  # one of them is damaged
        found = np.zeros(array.shape, bool)
        for block in blocks:
            found[block] = is_set(array, block)
    return found


def read_group(group: Any) -> "xr.Dataset":
    """Read the labelled dataset of a store into memory."""
    xarray = optional("xarray", "sweep")
    options = {"chunks": None, "consolidated": False, "decode_times": False}
    with reading(group.store):
        dataset: xr.Dataset = xarray.open_zarr(group.store, **options).load()
        for stage in group[MARKS].array_keys():
            _check_stage(group, dataset, stage)
        # Numbers alone are in all versions of Zarr and of its readers; labels are attributes.
        for name in [name for name in dataset.coords if "labels" in dataset[name].attrs]:
            attrs = dict(dataset[name].attrs)
            labels = np.array(json.loads(attrs.pop("labels")))
            dataset = dataset.assign_coords({name: (dataset[name].dims, labels, attrs)})
        for name in dataset.variables:
            dataset[name].encoding = {}
        dataset = dataset[_ordered(dataset)]
        dataset.attrs["errors"] = json.dumps(_errors(group, dataset))
        dataset.attrs["untrainable"] = json.dumps(_untrainable(group, dataset))
        dataset.attrs["reused"] = json.dumps(_reused(group, dataset))
        dataset.attrs.pop(CHECKSUM, None)
    return dataset


def _check_stage(group: Any, dataset: "xr.Dataset", stage: str) -> None:
    """Refuse a store in which blocks that count as computed have lost values."""
    states, chunk = dataset[f"{stage}_status"].values, chunk_sizes(group)[stage]
    marks = group[f"{MARKS}/{stage}"]
    marked = over_points(all_set(marks, np.ndindex(*marks.shape)), chunk, states.shape)
    names = [str(name) for name in dataset.data_vars if str(name).startswith(f"{stage}_")]
    missing = marked & lost(stage, {name: dataset[name].values for name in names})
    if missing.any():
        point = tuple(int(i) for i in np.argwhere(missing)[0])
        raise ValueError(
            f"{int(missing.sum())} points of {stage} have lost values, the first at {point}; the "
            "same call of sweep computes them again"
        )
    states[~marked] = PENDING


def _ordered(dataset: "xr.Dataset") -> list[str]:
    """Return the names of the arrays by stage, in the order of the call; the store has no order."""
    observables = json.loads(dataset.attrs["configuration"])["observables"]
    order = [f"{stage}_{name}" for stage in STAGES for name in (*observables, *MEANINGS)]
    return [name for name in order if name in dataset]


def _errors(group: Any, dataset: "xr.Dataset") -> list[dict[str, Any]]:
    """Return stage, point and text of every failure."""
    found = []
    order = table(group, "configuration")["order"]
    for stage in group[TEXTS].array_keys():
        states = dataset[f"{stage}_status"].values
        for point in np.argwhere(states == FAILED):
            row = np.asarray(group[f"{TEXTS}/{stage}"][tuple(point)])
            where = {
                name: dataset[name].values[i].item() for name, i in zip(order, point, strict=True)
            }
            found.append({"run": stage, "point": where, "error": row_text(row)})
    return found


def row_text(row: np.ndarray[Any, Any]) -> str:
    """Return the text about a point from its bytes."""
    return bytes(row).rstrip(b"\0").decode(errors="replace")


def _counted(rows: np.ndarray[Any, Any]) -> list[tuple[str, int]]:
    """Return the different texts of these rows with the number of rows that have each."""
    if not len(rows):
        return []
    texts, counts = np.unique(rows, axis=0, return_counts=True)
    return [(row_text(row), int(count)) for row, count in zip(texts, counts, strict=True)]


def _untrainable(group: Any, dataset: "xr.Dataset") -> dict[str, int]:
    """Return why points cannot be trained, with the number of points of each reason."""
    if "training_status" not in dataset:
        return {}
    chosen = dataset["training_status"].values == UNTRAINABLE
    return (
        dict(_counted(np.asarray(group[f"{TEXTS}/training"][...])[chosen])) if chosen.any() else {}
    )


def _reused(group: Any, dataset: "xr.Dataset") -> list[dict[str, Any]]:
    """Return what was copied from earlier stores: run, origin, and the number of points."""
    found = []
    names = set(group[ORIGINS].array_keys()) if ORIGINS in group else set()
    for stage in (stage for stage in STAGES if stage in names):
        rows = np.asarray(group[f"{ORIGINS}/{stage}"][...])
        computed = dataset[f"{stage}_status"].values != PENDING
        for text, count in _counted(rows[computed & rows.any(axis=-1)]):
            found.append({"run": stage, "points": count, **json.loads(text)})
    return found


def occupied(target: FilePath) -> bool:
    """Whether anything is at this path; an empty folder counts as nothing."""
    if too_long(target):
        return False
    return target.exists() and not (target.is_dir() and not any(target.iterdir()))
