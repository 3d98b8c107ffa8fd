"""The store of a sweep: a Zarr folder (format 3) that xarray and other programs read.

Every array has one chunk for each block, so that two processes never write into one file; each file
is written under a temporary name and then renamed. The mark of a block is written last: without it
the block counts as not computed, even if its arrays are there. So a process may be killed at any
moment, and several may work on one store: at worst two compute the same block, and write the same.
"""

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.difference import differences
from lindmft._internal.files import check_folder, naming, temporary_beside
from lindmft._internal.optional import optional
from lindmft._internal.provenance import provenance
from lindmft._internal.signals import signals_deferred
from lindmft._internal.types import Mask, Path
from lindmft.results.content import CHECKSUM
from lindmft.results.observables import long_name
from lindmft.sweeps.contents import (
    CLAIMS,
    FORM,
    MARKS,
    MEANINGS,
    ORIGINS,
    TEXTS,
    VERSION,
    all_set,
    chunk_sizes,
    is_set,
    occupied,
    open_group,
    read_group,
    require_zarr,
    table,
)
from lindmft.sweeps.integrity import checksums, lost, reading
from lindmft.sweeps.plan import Plan
from lindmft.sweeps.stages import (
    FAILED,
    STATES,
    Computed,
    Variable,
    Work,
)

if TYPE_CHECKING:
    import xarray as xr

    from lindmft.sweeps.reuse import Earlier

LONGEST_TEXT = 500
"""Bytes that are kept of a text about a point."""
SHOWN = 4
"""Maximum number of differences that an error spells out."""


class Store:
    """The arrays of a plan, and the marks of the blocks that are finished.

    ``earlier`` has results of an earlier store that agree with the plan.
    """

    def __init__(self, group: Any, plan: Plan, earlier: "Earlier | None" = None) -> None:
        self.group = group
        self.plan = plan
        self.earlier = earlier
        self._place = getattr(group.store, "root", "memory")
        needed = [f"{stage.name}_{name}" for stage in plan.stages for name in stage.variables()]
        parts = (MARKS, CLAIMS, TEXTS, *((ORIGINS,) if group.attrs["format_version"] > 1 else ()))
        needed += [f"{part}/{stage.name}" for part in parts for stage in plan.stages]
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
        """Whether a block was computed by any process and is complete."""
        return self._marked(stage, block) and self._kept(stage, block)

    def claim(self, stage: str, block: tuple[int, ...]) -> bool:
        """Announce that this process computes a block; False if another one announced it before.

        The other process may have been killed since. A claim is only a reason to compute other
        blocks first.
        """
        if is_set(self._claims[stage], block):
            return False
        with signals_deferred(), naming(self._place):
            self._claims[stage][block] = 1
        return True

    def all_finished(self, stage: str) -> np.ndarray[Any, Any]:
        """Return which blocks are finished."""
        found = all_set(self._marks[stage], self.plan.blocks(stage))
        try:
            missing = self._lost(stage, ())
        except Exception:  # a chunk is damaged; the libraries below raise many kinds
            missing = None
        for block in zip(*found.nonzero(), strict=True):
            if missing is None or missing[self.plan.region(stage, block)].any():
                found[block] = self._kept(stage, block)
        return found

    @signals_deferred()
    def forget_failed(self, stage: str) -> None:
        """Remove the marks of blocks with points that failed."""
        states = np.asarray(self._arrays[f"{stage}_status"][...])
        for block in self.plan.blocks(stage):
            if (states[self.plan.region(stage, block)] == FAILED).any():
                self._marks[stage][block] = 0

    def _marked(self, stage: str, block: tuple[int, ...]) -> bool:
        return is_set(self._marks[stage], block)

    def _kept(self, stage: str, block: tuple[int, ...]) -> bool:
        """Whether all arrays of a block can be read and have all values."""
        try:
            return not self._lost(stage, self.plan.region(stage, block)).any()
        except Exception:  # a damaged chunk; the block is computed again
            return False

    def _lost(self, stage: str, region: tuple[slice, ...]) -> Mask:
        names = [f"{stage}_{name}" for name in self.plan.stage(stage).variables()]
        return lost(stage, {name: np.asarray(self._arrays[name][region]) for name in names})

    def write(self, stage: str, block: tuple[int, ...], computed: Computed) -> None:
        """Store a block: arrays, texts, origins, and then the mark."""
        with signals_deferred(), naming(self._place):
            self._write(stage, block, computed)

    def _write(self, stage: str, block: tuple[int, ...], computed: Computed) -> None:
        region = self.plan.region(stage, block)
        shape = tuple(part.stop - part.start for part in region)
        for name, array in computed.arrays.items():
            self._arrays[name][region] = array.reshape(*shape, *array.shape[1:])
        self._write_texts(f"{TEXTS}/{stage}", region, computed.texts)
        origins = {i: json.dumps(origin._asdict()) for i, origin in computed.origins.items()}
        self._write_texts(f"{ORIGINS}/{stage}", region, origins)
        self._marks[stage][block] = 1

    def _write_texts(self, name: str, region: tuple[slice, ...], texts: dict[int, str]) -> None:
        """Write texts about points of a block; other points have none."""
        if name not in self._arrays:  # stores of version 1 have no origins
            return
        if not texts and not self._has_texts(name, region):
            return
        shape = tuple(part.stop - part.start for part in region)
        rows = np.zeros((int(np.prod(shape)), LONGEST_TEXT), np.uint8)
        for i, text in texts.items():
            raw = text.encode()[:LONGEST_TEXT]
            rows[i, : len(raw)] = np.frombuffer(raw, np.uint8)
        self._arrays[name][region] = rows.reshape(*shape, LONGEST_TEXT)

    def _has_texts(self, name: str, region: tuple[slice, ...]) -> bool:
        """Whether the store has messages about points of a block from an earlier computation."""
        try:
            return bool(np.asarray(self._arrays[name][region]).any())
        except Exception:  # a damaged chunk, which is written again
            return True

    def copied(self, stage: str, block: tuple[int, ...]) -> Computed | None:
        """Return a block that an earlier store has as a whole; None if it does not."""
        return None if self.earlier is None else self.earlier.complete(stage, block)

    def work(self, stage: str, block: tuple[int, ...]) -> Work:
        """Return the computation of a block, without what an earlier store has."""
        whole = self.plan.stage(stage)
        return whole if self.earlier is None else self.earlier.rest(stage, block)

    def dataset(self) -> "xr.Dataset":
        """Return the whole dataset, with texts about points in the attributes."""
        return read_group(self.group)


def open_store(plan: Plan, path: Path | None, advice: Callable[[], str] = str) -> Store:
    """Open the store at this path, or make it; None: make one in memory.

    Raises
    ------
    ValueError
        If something else is there, or the store of another sweep. The message names the
        differences and ends with the ``advice``.
    """
    zarr = require_zarr()
    optional("xarray", "sweep")
    if path is None:
        return Store(_create(zarr.storage.MemoryStore(), plan), plan)
    target = FilePath(path)
    if not occupied(target):
        _make(target, plan)
    group = open_group(target)
    _refuse_other(table(group, "configuration"), plan, path, advice)
    chunk = {name: tuple(sizes) for name, sizes in chunk_sizes(group).items()}
    return Store(group, replace(plan, chunk=chunk))


def _make(target: FilePath, plan: Plan) -> None:
    """Make an empty store, complete before it appears: another process may open it at once."""
    if not target.name:
        raise ValueError(f"store must be a folder with a name, got {str(target)!r}")
    check_folder(target)
    temporary = temporary_beside(target)
    try:
        with signals_deferred(), naming(target):
            _create(temporary, plan)
            temporary.rename(target)
    except OSError:
        if not occupied(target):  # else another one was first
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
        "chunks": json.dumps(plan.chunk),
        "provenance": json.dumps(provenance(0)),
    }
    names = [name for name, dims, _, _ in _coordinates(plan) if (name,) != dims]
    if names:
        attributes["coordinates"] = " ".join(names)  # by which xarray finds them
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
        marks, chunk = plan.marks(stage.name), plan.chunk[stage.name]
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
        for part in (TEXTS, ORIGINS):
            group.create_array(
                f"{part}/{stage.name}",
                shape=(*plan.shape, LONGEST_TEXT),
                chunks=(*chunk, LONGEST_TEXT),
                dtype=np.uint8,
                fill_value=0,
                compressors=_checked(),
            )
    group.attrs[CHECKSUM] = json.dumps(checksums(group))
    with warnings.catch_warnings():
        # Not yet in the specification of format 3; readers that do not know it ignore it.
        warnings.filterwarnings("ignore", "Consolidated metadata", UserWarning)
        zarr.consolidate_metadata(group.store)
    return group


def _checked() -> list[Any]:
    """Return codecs with a checksum, so that reading finds damaged chunks."""
    codecs = optional("zarr.codecs", "sweep")
    return [codecs.ZstdCodec(level=1), codecs.Crc32cCodec()]


def _add(group: Any, plan: Plan, stage: str, name: str, variable: Variable) -> None:
    dims, dtype, fill = variable
    sizes = tuple(plan.stage(stage).sizes[dim] for dim in dims)
    meaning = MEANINGS[name] if name in MEANINGS else long_name(name)
    attrs: dict[str, Any] = {"long_name": f"{stage}: {meaning}", "units": "1"}
    if name == "status":
        attrs |= {"flag_values": list(range(len(STATES))), "flag_meanings": " ".join(STATES)}
    group.create_array(
        f"{stage}_{name}",
        shape=(*plan.shape, *sizes),
        chunks=(*plan.chunk[stage], *sizes),
        dtype=dtype,
        fill_value=fill,
        compressors=_checked(),
        dimension_names=(*plan.dimensions, *dims),
        attributes=attrs,
    )


def _coordinates(plan: Plan) -> Iterator[tuple[str, tuple[str, ...], Any, dict[str, Any]]]:
    """Return name, dimensions, values and attributes of every coordinate."""
    for axis in plan.axes:
        for name, (values, meaning) in axis.coordinates().items():
            attrs = {"long_name": meaning, "units": "1", "paths": ", ".join(axis.paths)}
            if values.dtype.kind in "Ub":
                attrs["labels"] = json.dumps(values.tolist())
                values = np.arange(len(values))
            yield name, (axis.name,), values, attrs
    units = "learning rate times steps" if plan.flow else "steps"
    yield "time", ("time",), plan.times, {"long_name": long_name("time"), "units": units}
    if plan.seeds:
        seeds = np.array(plan.seeds, np.uint64)
        yield "seed", ("seed",), seeds, {"long_name": long_name("seed"), "units": "1"}
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


def _refuse_other(found: dict[str, Any], plan: Plan, path: Path, advice: Callable[[], str]) -> None:
    """Refuse a store of another problem, other axes or other options, and name the differences."""
    given = json.loads(json.dumps(plan.configuration))
    differing = [
        f"{field} is {shortened(there)} there and {shortened(here)} here"
        for field, there, here in differences(found, given)
    ]
    if differing:
        more = f"; and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
        raise ValueError(
            f"store must be new, or of the same sweep, got {path} of another one: "
            f"{'; '.join(differing[:SHOWN])}{more}{advice()}"
        )


def shortened(value: Any, most: int = 160) -> str:
    """Return a value of a configuration as text, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
