"""Where the points of a sweep are kept: a Zarr store (format 3) that xarray and others read.

Every array has one chunk a block, so that nobody writes into a file that another one writes; each
file is written beside its place and moved there. A block's mark is written last: without it the
block counts as never computed, whatever else is there. So a process may be killed at any moment,
and two may work on one store: at worst both compute a block, and write the same.
"""

import json
import shutil
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.difference import differences
from lindmft._internal.files import check_folder, naming, temporary_beside, too_long
from lindmft._internal.optional import optional
from lindmft._internal.provenance import provenance
from lindmft._internal.signals import signals_deferred
from lindmft._internal.types import Mask, Path
from lindmft.results.content import CHECKSUM
from lindmft.results.dataset import LONG_NAMES
from lindmft.sweeps.integrity import check_seals, lost, over_points, reading, seals
from lindmft.sweeps.plan import Plan
from lindmft.sweeps.stages import FAILED, PENDING, STAGES, STATES, Computed, Variable

if TYPE_CHECKING:
    import xarray as xr

FORM = "lindmft-sweep"
VERSION = 1
MARKS, CLAIMS, ERRORS = "marks", "claims", "errors"
LONGEST_ERROR = 500
"""Bytes kept of the text of a failure."""
SHOWN = 4
"""Differences spelled out at most."""
MEANINGS = {
    "status": "what became of the point",
    "diverged_at": "first diverged step, -1 for none",
}


class Store:
    """The arrays of a plan, and the marks of the blocks that are finished."""

    def __init__(self, group: Any, plan: Plan) -> None:
        self.group = group
        self.plan = plan
        self._place = getattr(group.store, "root", "memory")
        needed = [f"{stage.name}_{name}" for stage in plan.stages for name in stage.variables()]
        needed += [
            f"{part}/{stage.name}" for part in (MARKS, CLAIMS, ERRORS) for stage in plan.stages
        ]
        with reading(group.store):
            self._arrays = {name: group[name] for name in needed if name in group}
        absent = [name for name in needed if name not in self._arrays]
        if absent:
            raise ValueError(
                f"{group.store} must be a complete store of a sweep, got one without {absent[0]!r}"
            )
        self._marks = {stage.name: self._arrays[f"{MARKS}/{stage.name}"] for stage in plan.stages}
        self._claims = {stage.name: self._arrays[f"{CLAIMS}/{stage.name}"] for stage in plan.stages}

    def finished(self, stage: str, block: tuple[int, ...]) -> bool:
        """Whether a block was computed, by whomever, and is still there as a whole."""
        return self._marked(stage, block) and self._kept(stage, block)

    def claim(self, stage: str, block: tuple[int, ...]) -> bool:
        """Say that this process computes a block; False if another one said so before.

        That may have been killed since: a claim is a reason to do other blocks first, no more.
        """
        if _is_set(self._claims[stage], block):
            return False
        with signals_deferred(), naming(self._place):
            self._claims[stage][block] = 1
        return True

    def all_finished(self, stage: str) -> np.ndarray[Any, Any]:
        """The same of all blocks."""
        found = _all_set(self._marks[stage], self.plan.blocks(stage))
        try:
            missing = self._lost(stage, ())
        except Exception:  # somewhere; the libraries below raise many kinds for it
            missing = None
        for block in zip(*found.nonzero(), strict=True):
            if missing is None or missing[self.plan.region(stage, block)].any():
                found[block] = self._kept(stage, block)
        return found

    @signals_deferred()
    def forget_failed(self, stage: str) -> None:
        """Take the marks of blocks with points that failed away."""
        states = np.asarray(self._arrays[f"{stage}_status"][...])
        for block in self.plan.blocks(stage):
            if (states[self.plan.region(stage, block)] == FAILED).any():
                self._marks[stage][block] = 0

    def _marked(self, stage: str, block: tuple[int, ...]) -> bool:
        return _is_set(self._marks[stage], block)

    def _kept(self, stage: str, block: tuple[int, ...]) -> bool:
        """Whether all arrays of a block can be read, and nothing is missing in them."""
        try:
            return not self._lost(stage, self.plan.region(stage, block)).any()
        except Exception:  # of a damaged chunk, which is written anew
            return False

    def _lost(self, stage: str, region: tuple[slice, ...]) -> Mask:
        names = [f"{stage}_{name}" for name in self.plan.stage(stage).variables()]
        return lost(stage, {name: np.asarray(self._arrays[name][region]) for name in names})

    def write(self, stage: str, block: tuple[int, ...], computed: Computed) -> None:
        """Keep a block: arrays, texts of failures, and then the mark."""
        with signals_deferred(), naming(self._place):
            self._write(stage, block, computed)

    def _write(self, stage: str, block: tuple[int, ...], computed: Computed) -> None:
        region = self.plan.region(stage, block)
        shape = tuple(part.stop - part.start for part in region)
        for name, array in computed.arrays.items():
            self._arrays[name][region] = array.reshape(*shape, *array.shape[1:])
        if computed.errors:
            texts = np.zeros((int(np.prod(shape)), LONGEST_ERROR), np.uint8)
            for i, text in computed.errors.items():
                raw = text.encode()[:LONGEST_ERROR]
                texts[i, : len(raw)] = np.frombuffer(raw, np.uint8)
            self._arrays[f"{ERRORS}/{stage}"][region] = texts.reshape(*shape, LONGEST_ERROR)
        self._marks[stage][block] = 1

    def dataset(self) -> "xr.Dataset":
        """Everything, with the texts of failures among the attributes."""
        return read_group(self.group)


def open_store(plan: Plan, path: Path | None) -> Store:
    """The store at this path, made if it is not there; None: one in memory.

    Raises
    ------
    ValueError
        If something else is there, or the store of another sweep; differences are spelled out.
    """
    zarr = optional("zarr", "sweep")
    optional("xarray", "sweep")
    if path is None:
        return Store(_create(zarr.storage.MemoryStore(), plan), plan)
    target = FilePath(path)
    if not _occupied(target):
        _make(target, plan)
    group = open_group(target)
    _refuse_other(_tables(group, "configuration"), plan, path)
    tile = {name: tuple(sizes) for name, sizes in _tables(group, "tiles").items()}
    return Store(group, replace(plan, tile=tile))


def open_group(path: Path) -> Any:
    """The group of a sweep's store; anything else is a ``ValueError``."""
    zarr = optional("zarr", "sweep")
    target = FilePath(path)
    if not _occupied(target):
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
    check_seals(group)
    return group


def _tables(group: Any, name: str) -> dict[str, Any]:
    """An attribute that is JSON text."""
    with reading(group.store):
        found: dict[str, Any] = json.loads(group.attrs[name])
    return found


def _is_set(array: Any, block: tuple[int, ...]) -> bool:
    """Of a mark or a claim; one that cannot be read counts as none."""
    try:
        return bool(array[block])
    except Exception:  # the libraries below raise many kinds for a damaged chunk
        return False


def _all_set(array: Any, blocks: Iterable[tuple[int, ...]]) -> Mask:
    """The same of all blocks."""
    try:
        found: Mask = np.asarray(array[...]) > 0
    except Exception:  # one of them is damaged
        found = np.zeros(array.shape, bool)
        for block in blocks:
            found[block] = _is_set(array, block)
    return found


def read_group(group: Any) -> "xr.Dataset":
    """The labelled dataset of a store, in memory."""
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
        dataset.attrs.pop(CHECKSUM, None)
    return dataset


def _check_stage(group: Any, dataset: "xr.Dataset", stage: str) -> None:
    """Refuse a store where something is missing of what counts as computed."""
    states, tile = dataset[f"{stage}_status"].values, _tables(group, "tiles")[stage]
    marks = group[f"{MARKS}/{stage}"]
    marked = over_points(_all_set(marks, np.ndindex(*marks.shape)), tile, states.shape)
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
    """Its arrays, stage by stage and as they were asked for; the store lists them in any order."""
    observables = json.loads(dataset.attrs["configuration"])["observables"]
    order = [f"{stage}_{name}" for stage in STAGES for name in (*observables, *MEANINGS)]
    return [name for name in order if name in dataset]


def _errors(group: Any, dataset: "xr.Dataset") -> list[dict[str, Any]]:
    """Stage, point and text of every failure."""
    found = []
    order = _tables(group, "configuration")["order"]
    for stage in group[ERRORS].array_keys():
        states = dataset[f"{stage}_status"].values
        for point in np.argwhere(states == FAILED):
            raw = bytes(np.asarray(group[f"{ERRORS}/{stage}"][tuple(point)]))
            where = {
                name: dataset[name].values[i].item() for name, i in zip(order, point, strict=True)
            }
            text = raw.rstrip(b"\0").decode(errors="replace")
            found.append({"run": stage, "point": where, "error": text})
    return found


def _occupied(target: FilePath) -> bool:
    """Whether there is anything; an empty folder may be filled."""
    if too_long(target):
        return False
    return target.exists() and not (target.is_dir() and not any(target.iterdir()))


def _make(target: FilePath, plan: Plan) -> None:
    """The empty store, complete before it appears at its place: another process may be at it."""
    if not target.name:
        raise ValueError(f"store must be a folder with a name, got {str(target)!r}")
    check_folder(target)
    temporary = temporary_beside(target)
    try:
        with signals_deferred(), naming(target):
            _create(temporary, plan)
            temporary.rename(target)
    except OSError:
        if not _occupied(target):  # else another one was first
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _create(place: Any, plan: Plan) -> Any:
    zarr = optional("zarr", "sweep")
    attributes = {
        "format": FORM,
        "format_version": VERSION,
        "title": "Training dynamics of wide deep linear networks: a sweep by lindmft",
        "configuration": json.dumps(plan.configuration),
        "tiles": json.dumps(plan.tile),
        "provenance": json.dumps(provenance(0)),
    }
    names = [name for name, dims, _, _ in _coordinates(plan) if (name,) != dims]
    if names:
        attributes["coordinates"] = " ".join(names)  # what xarray asks for others by
    group = zarr.create_group(place, zarr_format=3, attributes=attributes)
    for name, dims, values, attrs in _coordinates(plan):
        group.create_array(
            name,
            data=np.asarray(values),
            dimension_names=dims,
            attributes=attrs,
            compressors=_checked(),
        )
    for stage in plan.stages:
        for name, variable in stage.variables().items():
            _add(group, plan, stage.name, name, variable)
        marks, tile = plan.marks(stage.name), plan.tile[stage.name]
        ones = (1,) * len(marks)
        for part in (MARKS, CLAIMS):
            group.create_array(
                f"{part}/{stage.name}",
                shape=marks,
                chunks=ones,
                dtype=np.uint8,
                fill_value=0,
                compressors=_checked(),
            )
        group.create_array(
            f"{ERRORS}/{stage.name}",
            shape=(*plan.shape, LONGEST_ERROR),
            chunks=(*tile, LONGEST_ERROR),
            dtype=np.uint8,
            fill_value=0,
            compressors=_checked(),
        )
    group.attrs[CHECKSUM] = json.dumps(seals(group))
    with warnings.catch_warnings():
        # Not yet in the specification of format 3; readers that do not know it pass over it.
        warnings.filterwarnings("ignore", "Consolidated metadata", UserWarning)
        zarr.consolidate_metadata(group.store)
    return group


def _checked() -> list[Any]:
    """Codecs with which a chunk that was damaged later is noticed when it is read."""
    codecs = optional("zarr.codecs", "sweep")
    return [codecs.ZstdCodec(level=1), codecs.Crc32cCodec()]


def _add(group: Any, plan: Plan, stage: str, name: str, variable: Variable) -> None:
    dims, dtype, fill = variable
    sizes = tuple(plan.stage(stage).sizes[dim] for dim in dims)
    meaning = MEANINGS[name] if name in MEANINGS else LONG_NAMES[name]
    attrs: dict[str, Any] = {"long_name": f"{stage}: {meaning}", "units": "1"}
    if name == "status":
        attrs |= {"flag_values": list(range(len(STATES))), "flag_meanings": " ".join(STATES)}
    group.create_array(
        f"{stage}_{name}",
        shape=(*plan.shape, *sizes),
        chunks=(*plan.tile[stage], *sizes),
        dtype=dtype,
        fill_value=fill,
        compressors=_checked(),
        dimension_names=(*plan.dimensions, *dims),
        attributes=attrs,
    )


def _coordinates(plan: Plan) -> Iterator[tuple[str, tuple[str, ...], Any, dict[str, Any]]]:
    """Name, dimensions, values and attributes."""
    for axis in plan.axes:
        for name, (values, meaning) in axis.coordinates().items():
            attrs = {"long_name": meaning, "units": "1", "paths": ", ".join(axis.paths)}
            if values.dtype.kind in "Ub":
                attrs["labels"] = json.dumps(values.tolist())
                values = np.arange(len(values))
            yield name, (axis.name,), values, attrs
    units = "learning rate times steps" if plan.flow else "steps"
    yield "time", ("time",), plan.times, {"long_name": LONG_NAMES["time"], "units": units}
    if plan.seeds:
        seeds = np.array(plan.seeds, np.uint64)
        yield "seed", ("seed",), seeds, {"long_name": LONG_NAMES["seed"], "units": "1"}
    layers = max(stage.sizes["layer"] for stage in plan.stages)
    if layers:
        yield (
            "layer",
            ("layer",),
            np.arange(1, layers + 1),
            {
                "long_name": "hidden layer",
                "units": "1",
            },
        )


def _refuse_other(found: dict[str, Any], plan: Plan, path: Path) -> None:
    """A store of another problem, other axes or other options, with what differs."""
    given = json.loads(json.dumps(plan.configuration))
    differing = [
        f"{field} is {_short(there)} there and {_short(here)} here"
        for field, there, here in differences(found, given)
    ]
    if differing:
        more = f"; and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
        raise ValueError(
            f"store must be new, or of the same sweep, got {path} of another one: "
            f"{'; '.join(differing[:SHOWN])}{more}"
        )


def _short(value: Any, most: int = 160) -> str:
    text = json.dumps(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
