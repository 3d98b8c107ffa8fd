"""What is computed at every point of a sweep: the theory, or the training of networks.

A stage computes the problems of a block in one call of the core, which shares what they can share,
and knows the arrays that come out. Values of a run that diverged are inf, as everywhere; nan stands
for what does not exist, layers beyond a network's depth and points that failed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from lindmft._core import NotConverged
from lindmft._internal.types import Array, Callback
from lindmft.problem.problem import Problem
from lindmft.results.ensemble import Ensemble
from lindmft.results.observables import DIRECTIONS, KERNELS, LOSSES, NORMS
from lindmft.results.solution import Solution
from lindmft.theory.many import flow_many, solve_many
from lindmft.training.train import train_many

PENDING, DONE, DIVERGED, FAILED = range(4)
STATES = ("pending", "done", "diverged", "failed")
STAGES = ("theory", "training")
FAILURES = (NotConverged, MemoryError, ValueError, ArithmeticError)
"""What a point can fail of; anything else is a mistake of ours, and ends the sweep."""
OF_THEORY = (*LOSSES, *NORMS, *KERNELS)
OF_TRAINING = ("test_loss", "train_loss", *NORMS)
NO_STEP = -1
"""Stands for a step at which nothing diverged."""


class Variable(NamedTuple):
    """Dimensions beyond those of the axes, type, and what stands where nothing was computed."""

    dims: tuple[str, ...]
    dtype: type
    fill: float


@dataclass(frozen=True)
class Computed:
    """The points of a block: arrays by name with the points first, and a text a failed point."""

    arrays: dict[str, np.ndarray[Any, Any]]
    errors: dict[int, str]


Many: TypeAlias = Callable[[Sequence[Problem]], list[Any]]


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """Theory or training, with everything but the problems.

    ``layers`` are those of the deepest network, 0 if nothing is kept layer by layer.
    """

    times: tuple[float, ...]
    observables: tuple[str, ...]
    layers: int

    name: ClassVar[str]
    """The start of its arrays' names."""
    first: ClassVar[tuple[str, ...]]
    """Dimensions of its arrays between those of the axes and those of a series."""

    @property
    def sizes(self) -> dict[str, int]:
        """Of the dimensions beyond those of the axes."""
        return {"time": len(self.times), "layer": self.layers}

    def variables(self) -> dict[str, Variable]:
        """Its arrays, by observable."""
        series = {
            name: (*self.first, *(("layer",) if name in NORMS else ()), "time")
            for name in self.observables
        }
        kept = {name: Variable(dims, float, np.nan) for name, dims in series.items()} | {
            "status": Variable((), np.uint8, PENDING),
            "diverged_at": Variable(self.first, np.int64, NO_STEP),
        }
        if set(DIRECTIONS) & set(self.observables):
            kept["undefined"] = Variable((), np.int64, 0)
        return kept

    def compute(
        self,
        problems: Sequence[Problem],
        threads: int | None,
        memory_limit: float | None = None,
        progress: Callback | None = None,
    ) -> Computed:
        """The arrays of these points, in one call of the core if that does not fail."""
        options = {"threads": threads, "memory_limit": memory_limit, "progress": progress}
        results = _one_by_one(lambda some: self._run(some, options), problems)
        return _gathered(self, results)

    @abstractmethod
    def _run(self, problems: Sequence[Problem], options: dict[str, Any]) -> list[Any]:
        """A result a problem, or the error of its own."""

    @abstractmethod
    def read(self, result: Any) -> dict[str, Any]:
        """What is kept of a result, by the names of the arrays."""


@dataclass(frozen=True, kw_only=True)
class Theory(Stage):
    """``solve_many``, or with grid "flow" ``flow_many``; ``options`` are theirs."""

    grid: str
    end: float
    options: dict[str, Any] = field(default_factory=dict)

    name = "theory"
    first = ()

    def _run(self, problems: Sequence[Problem], options: dict[str, Any]) -> list[Any]:
        common = {**self.options, **options}
        if self.grid == "flow":
            return flow_many(problems, self.end, errors="return", **common)
        kernels = bool(set(KERNELS) & set(self.observables))
        return solve_many(
            problems, int(self.end), grid=self.grid, kernels=kernels, errors="return", **common
        )

    def read(self, result: Solution) -> dict[str, Any]:
        """What is kept of a solution."""
        seen, lost = result.at(self.times), result.diverged_at
        found = {
            **{name: getattr(seen, name) for name in self.observables},
            "status": DONE if lost is None else DIVERGED,
            "diverged_at": NO_STEP if lost is None else lost,
        }
        directions = [found[name] for name in DIRECTIONS if name in found]
        return found | ({"undefined": np.isnan(directions).sum()} if directions else {})


@dataclass(frozen=True, kw_only=True)
class Training(Stage):
    """``train_many``: the same networks, seed by seed, at every point."""

    steps: int
    dim: int
    seeds: tuple[int, ...]
    dtype: str

    name = "training"
    first = ("seed",)

    @property
    def sizes(self) -> dict[str, int]:
        """Of the dimensions beyond those of the axes."""
        return super().sizes | {"seed": len(self.seeds)}

    def _run(self, problems: Sequence[Problem], options: dict[str, Any]) -> list[Any]:
        own: dict[str, Any] = {"dim": self.dim, "seeds": self.seeds, "dtype": self.dtype}
        return train_many(problems, self.steps, **own, **options)

    def read(self, result: Ensemble) -> dict[str, Any]:
        """What is kept of an ensemble."""
        lost = np.array([NO_STEP if step is None else step for step in result.diverged_at])
        at = np.array(self.times, int)
        return {
            **{name: getattr(result, name)[..., at] for name in self.observables},
            "status": DONE if (lost == NO_STEP).all() else DIVERGED,
            "diverged_at": lost,
        }


def _one_by_one(many: Many, problems: Sequence[Problem]) -> list[Any]:
    """All in one call; where that fails as a whole, each alone, so that each has its own error."""
    try:
        return many(problems)
    except FAILURES as error:
        if len(problems) == 1:
            return [error]
    return [_one_by_one(many, [problem])[0] for problem in problems]


def _gathered(stage: Stage, results: Sequence[Any]) -> Computed:
    """The arrays of all points, from what was computed for each."""
    arrays: dict[str, np.ndarray[Any, Any]] = {
        name: np.full((len(results), *(stage.sizes[dim] for dim in dims)), fill, dtype)
        for name, (dims, dtype, fill) in stage.variables().items()
    }
    errors = {}
    for i, result in enumerate(results):
        if isinstance(result, Exception):
            arrays["status"][i] = FAILED
            errors[i] = f"{type(result).__name__}: {' '.join(str(result).split())}"
            continue
        for name, value in stage.read(result).items():
            _put(arrays[name][i : i + 1], value)
    return Computed({f"{stage.name}_{name}": array for name, array in arrays.items()}, errors)


def _put(place: Array, value: Any) -> None:
    """Into the corner of a point's array: a shallow network has fewer layers than there is room."""
    value = np.asarray(value)
    corner: tuple[Any, ...] = (0, *(slice(size) for size in value.shape))
    place[corner] = value
