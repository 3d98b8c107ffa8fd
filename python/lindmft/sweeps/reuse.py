"""Results of an earlier store that a sweep can use: those of the same problems and conditions.

Points are compared by their whole problem, so that axes may have other values, names or orders. The
earlier store is only read. Values are copied block by block into the new store, which records where
they came from; a sweep that is killed in between continues as any other.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lindmft import _core
from lindmft._internal.difference import differences
from lindmft._internal.types import Mask, Path
from lindmft.problem.problem import Problem
from lindmft.problem.schema import spell_inf
from lindmft.sweeps.contents import ORIGINS, open_group, read_group, row_text
from lindmft.sweeps.plan import Plan
from lindmft.sweeps.stages import (
    DIVERGED,
    DONE,
    NO_STEP,
    OF_THEORY,
    OF_TRAINING,
    Computed,
    Origin,
    Stage,
    Training,
)
from lindmft.sweeps.store import shortened
from lindmft.theory.options import AccuracyOptions
from lindmft.training.options import NetworkOptions

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = np.ndarray[Any, Any]
Arrays: TypeAlias = dict[str, Array]
CONDITIONS = {
    "theory": ("steps", "time", "times", "grid", *AccuracyOptions.__annotations__),
    "training": ("steps", "times", *(n for n in NetworkOptions.__annotations__ if n[:4] != "seed")),
}
"""Entries of the configuration that must be the same, beside the problem and the observables.

They include every option of a sweep, so that a new option is compared as well.
"""
SAME_NUMBERS = frozenset({"0.1", "0.2"})
"""Minor versions whose numbers agree; tests compare the files of each with results of today."""
LONGEST_NAME = 100
"""Characters that are kept of the name of an earlier store."""


@dataclass(frozen=True)
class Matching:
    """The points of a stage that an earlier store has.

    ``points`` has for every point of the plan the index of the point there, or -1; ``seeds`` the
    positions of common seeds, here and there.
    """

    stage: Stage
    points: Array
    arrays: Arrays
    seeds: tuple[tuple[int, int], ...]
    versions: tuple[str, ...]

    @property
    def missing_seeds(self) -> tuple[int, ...]:
        """Seeds that have to be trained at points that the earlier store has."""
        if not isinstance(self.stage, Training):
            return ()
        known = {here for here, _ in self.seeds}
        return tuple(seed for i, seed in enumerate(self.stage.seeds) if i not in known)

    def origin(self, point: int, store: str) -> Origin:
        """Return where the values of a point there come from."""
        copied = len(self.seeds) if self.missing_seeds else None
        return Origin(self.versions[point], store, copied)


@dataclass(frozen=True)
class Earlier:
    """An earlier store, as far as it agrees with a plan."""

    plan: Plan
    store: str
    stages: Mapping[str, Matching]

    def complete(self, stage: str, block: tuple[int, ...]) -> Computed | None:
        """Return a block of which nothing has to be computed, else None."""
        found = self.stages.get(stage)
        if found is None or found.missing_seeds or (self._at(stage, block) < 0).any():
            return None
        return self._known(stage, block)

    def rest(self, stage: str, block: tuple[int, ...]) -> "Stage | Rest":
        """Return the computation of what is missing of a block."""
        whole, found = self.plan.stage(stage), self.stages.get(stage)
        if found is None or (self._at(stage, block) < 0).all():
            return whole
        return Rest(whole, self._known(stage, block), found.missing_seeds)

    def _at(self, stage: str, block: tuple[int, ...]) -> Array:
        points = self.stages[stage].points.reshape(self.plan.shape)
        return np.asarray(points[self.plan.region(stage, block)].reshape(-1))

    def _known(self, stage: str, block: tuple[int, ...]) -> Computed:
        """Return the arrays of a block with the values that are known."""
        found, at = self.stages[stage], self._at(stage, block)
        arrays = empty(found.stage, len(at))
        known = at >= 0
        for name, there in found.arrays.items():
            _copy(arrays[f"{stage}_{name}"], there[at[known]], known, found, name)
        result = Computed(arrays, {})
        _settle_status(found.stage, result)
        origins = {int(i): found.origin(at[i], self.store) for i in known.nonzero()[0]}
        return replace(result, origins=origins)

    def counts(self) -> str:
        """Return how many points of each stage agree, for people."""
        total = len(self.plan.problems)
        shown = []
        for name, found in self.stages.items():
            seeds = f", {len(found.seeds)} seeds of each" if found.missing_seeds else ""
            shown.append(f"{(found.points >= 0).sum()} of {total} points of {name}{seeds}")
        return " and ".join(shown)


@dataclass(frozen=True)
class Rest:
    """The computation of a block without the values that are known."""

    stage: Stage
    known: Computed
    missing_seeds: tuple[int, ...]

    def compute(self, problems: Sequence[Problem], *limits: Any, **named: Any) -> Computed:
        """Compute what is missing, and add the known values; arguments as in ``Stage.compute``."""
        result = Computed({k: v.copy() for k, v in self.known.arrays.items()}, {}, {})
        result.origins.update(self.known.origins)
        new = [i for i in range(len(problems)) if i not in self.known.origins]
        if new:
            computed = self.stage.compute([problems[i] for i in new], *limits, **named)
            _insert(self.stage, result, new, computed, None)
        old = sorted(self.known.origins)
        if isinstance(self.stage, Training) and self.missing_seeds and old:
            part = replace(self.stage, seeds=self.missing_seeds)
            seeds = [self.stage.seeds.index(seed) for seed in self.missing_seeds]
            computed = part.compute([problems[i] for i in old], *limits, **named)
            _insert(self.stage, result, old, computed, seeds)
        return result


def find_earlier(path: Path, plan: Plan) -> Earlier:
    """Return what the store at this path has in common with a plan.

    Raises
    ------
    ValueError
        If nothing agrees, with the differences, or if the numbers of the version that made the
        store may differ.
    """
    group = open_group(path)
    dataset = read_group(group)
    configuration = json.loads(group.attrs["configuration"])
    _refuse_other_series(configuration["lindmft"], path)
    stages, reasons = {}, []
    index = _index(configuration)
    for stage in plan.stages:
        differing = list(_differences(stage, configuration, plan, dataset))
        found = None if differing else _matching(stage, plan, (group, dataset), index)
        if found is None:
            reasons.append(f"{stage.name}: {'; '.join(differing) or 'no point is the same'}")
        else:
            stages[stage.name] = found
    if not stages:
        raise ValueError(
            f"reuse must be a store with results of this sweep, got {path}: {'; '.join(reasons)}"
        )
    return Earlier(plan, FilePath(path).name[:LONGEST_NAME], stages)


def reuse_advice(path: Path, plan: Plan) -> str:
    """Return the end of the error about the store of another sweep: what ``reuse`` would save."""
    try:
        found = find_earlier(path, plan)
    except ValueError:
        return ""
    return f'. With a new store and reuse="{path}", {found.counts()} need not be computed again'


def empty(stage: Stage, count: int) -> Arrays:
    """Return the arrays of ``count`` points of a stage in which nothing is computed."""
    return {
        f"{stage.name}_{name}": np.full((count, *(stage.sizes[dim] for dim in dims)), fill, dtype)
        for name, (dims, dtype, fill) in stage.variables().items()
    }


def _refuse_other_series(version: str, path: Path) -> None:
    """Refuse results of another minor version whose numbers may differ."""
    here, there = (".".join(text.split(".")[:2]) for text in (_core.__version__, version))
    same = SAME_NUMBERS if here in SAME_NUMBERS else {here}
    if there not in same:
        raise ValueError(
            f"reuse must be a store of lindmft {' or '.join(sorted(same))}, got {path} of "
            f"{version}: numbers of other versions may differ"
        )


def _index(configuration: Mapping[str, Any]) -> dict[str, int]:
    """Return the index of every problem of the earlier sweep."""
    base = Problem.from_dict(configuration["problem"])
    axes = [configuration["axes"][name] for name in configuration["order"]]
    changes = (
        {
            path: value
            for axis, entry in zip(axes, entries, strict=True)
            for path, value in zip(axis["paths"], entry, strict=True)
        }
        for entries in product(*(axis["values"] for axis in axes))
    )
    return {_key(base._at(change)): i for i, change in enumerate(changes)}


def _key(problem: Problem) -> str:
    return json.dumps(spell_inf(problem.to_dict()), sort_keys=True)


def _differences(
    stage: Stage, there: Mapping[str, Any], plan: Plan, dataset: "xr.Dataset"
) -> Iterator[str]:
    """Describe the conditions of a stage that differ."""
    if f"{stage.name}_status" not in dataset:
        yield "it was not computed there"
        return
    here = json.loads(json.dumps(plan.configuration))
    names = CONDITIONS[stage.name]
    pair = [{name: one[name] for name in names if name in one} for one in (there, here)]
    known = OF_TRAINING if stage.name == "training" else OF_THEORY
    for one, conditions in zip((there, here), pair, strict=True):
        conditions["observables"] = sorted(set(one["observables"]) & set(known))
        if stage.name == "theory":
            conditions["run"] = "flow" if "flow" in one["run"] else "solve"
    for field, first, second in differences(pair[0], pair[1]):
        yield f"{field} is {shortened(first)} there and {shortened(second)} here"


def _matching(
    stage: Stage, plan: Plan, earlier: "tuple[Any, xr.Dataset]", index: Mapping[str, int]
) -> Matching | None:
    """Return the points of a stage that are the same; None if there are none."""
    group, dataset = earlier
    states = dataset[f"{stage.name}_status"].values
    usable = ((states == DONE) | (states == DIVERGED)).reshape(-1)
    points = np.array([index.get(_key(problem), -1) for problem in plan.problems])
    points[(points >= 0) & ~usable[points]] = -1
    seeds: tuple[tuple[int, int], ...] = ()
    if isinstance(stage, Training):
        there = {int(seed): i for i, seed in enumerate(dataset["seed"].values)}
        seeds = tuple((i, there[seed]) for i, seed in enumerate(stage.seeds) if seed in there)
    if not (points >= 0).any() or (isinstance(stage, Training) and not seeds):
        return None
    arrays = {}
    for name in stage.variables():
        values = dataset[f"{stage.name}_{name}"].values
        arrays[name] = values.reshape(states.size, *values.shape[states.ndim :])
    return Matching(stage, points, arrays, seeds, _versions(group, stage.name, states.shape))


def _versions(group: Any, stage: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return for every point of a store the versions of lindmft that computed it."""
    own = json.loads(group.attrs["configuration"])["lindmft"]
    count = math.prod(shape)
    if f"{ORIGINS}/{stage}" not in group:
        return (own,) * count
    rows = np.asarray(group[f"{ORIGINS}/{stage}"][...]).reshape(count, -1)
    found = [own] * count
    for i in np.flatnonzero(rows.any(axis=-1)):
        origin = Origin(**json.loads(row_text(rows[i])))
        versions = {*origin.lindmft.split(", "), *([] if origin.seeds is None else [own])}
        found[i] = ", ".join(sorted(versions))
    return tuple(found)


def _copy(here: Array, there: Array, known: Mask, found: Matching, name: str) -> None:
    """Copy the values of the known points of a block; ``there`` has one row for each of them."""
    mine: list[Any] = [slice(None)]
    theirs: list[Any] = [slice(None)]
    for axis, dim in enumerate(found.stage.variables()[name].dims, start=1):
        layers = slice(min(here.shape[axis], there.shape[axis]))  # others are deeper networks
        both = {"seed": zip(*found.seeds, strict=True), "layer": (layers, layers)}
        one, other = both.get(dim, (slice(None), slice(None)))
        mine.append(one)
        theirs.append(other)
    rows = here[known]
    rows[tuple(mine)] = there[tuple(theirs)]
    here[known] = rows


def _insert(
    stage: Stage, result: Computed, rows: list[int], computed: Computed, seeds: list[int] | None
) -> None:
    """Add points that were computed now; ``seeds`` are the positions of theirs, None: all."""
    for name, variable in stage.variables().items():
        here, new = (one.arrays[f"{stage.name}_{name}"] for one in (result, computed))
        if seeds is None:
            here[rows] = new
        elif "seed" in variable.dims:
            here[np.ix_(rows, seeds)] = new
    _settle_status(stage, result)
    for i, text in computed.texts.items():
        result.texts[rows[i]] = text
        result.origins.pop(rows[i], None)
        for name, (_, _, fill) in stage.variables().items():
            here = result.arrays[f"{stage.name}_{name}"]
            here[rows[i]] = computed.arrays[f"{stage.name}_status"][i] if name == "status" else fill


def _settle_status(stage: Stage, result: Computed) -> None:
    """Set the state of trained points from their seeds, some of which may be new or left out."""
    if isinstance(stage, Training):
        states = result.arrays[f"{stage.name}_status"]
        diverged = (result.arrays[f"{stage.name}_diverged_at"] != NO_STEP).any(axis=1)
        computed = (states == DONE) | (states == DIVERGED)
        states[computed] = np.where(diverged, DIVERGED, DONE)[computed]
